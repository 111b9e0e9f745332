"""What buggy or hostile SQL could try against the books. Each must fail, at a statement or at COMMIT."""

# ruff: noqa: S608, ISC004 - attacks are SQL text

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pysqlite3 as dbapi
from tests.storage import scene
from tests.storage.scene import (
    BACK,
    CREATOR,
    DEBT,
    DIGEST,
    ENDED,
    ENDED_ORDER,
    ESCROW,
    FAN,
    FAN_PROMO,
    FEE,
    FREE,
    FREE_PROMO,
    HASH,
    LIVE_ORDER,
    MINT,
    OTHER,
    SHUT,
    SPARE,
    event,
    lot,
    move,
    posting,
    transfer,
)

from shoutgraph.domain.orders import states

Build = Callable[[list[tuple[str, str]]], tuple[str, ...]]


@dataclass(frozen=True)
class Attack:
    """Statements of one transaction, and a part of the message that refuses it."""

    name: str
    by: str
    statements: tuple[str, ...]


def run(raw: Any, attack: Attack) -> str | None:
    """The message that refused the attack; None if it succeeded. Leaves nothing behind in either case."""
    raw.execute("BEGIN")
    raw.execute("SAVEPOINT attack")
    try:
        for statement in attack.statements:
            raw.execute(statement).fetchall()
        raw.execute("COMMIT")
    except dbapi.DatabaseError as error:
        if raw.in_transaction:
            raw.execute("ROLLBACK")
        return str(error)
    return None


def all_of(columns: list[tuple[str, str]]) -> Iterator[Attack]:
    """Every attack; `columns` are the required ones of the orders table."""
    for name, by, *statements in (*_POSTINGS, *_ACCOUNTS, *_TRANSFERS, *_ENTRIES, *_LOTS, *_LAWS, *_OTHERS):
        yield Attack(name, by, tuple(statements))
    yield from _orders(columns)
    yield from _open_orders()


def _set(table: str, change: str, where: str) -> str:
    return f"UPDATE {table} SET {change} WHERE {where}"


_GIVEN_BACK = f"(SELECT id FROM posting WHERE debit_id = {BACK})"
"""Of 10 coins, to another account."""
_TAKEN = "(SELECT id FROM lot_move WHERE coins = -30)"
"""Of another lot."""

_POSTINGS = (
    ("overdraw an account", "no_overdraft", posting(CREATOR, FEE, 21)),
    ("credit an account that may only owe", "no_overcredit", posting(FREE, DEBT, 1)),
    ("post to a closed account", "closed_is_zero", posting(FREE, SHUT, 5)),
    ("post promo coins as coins", "FOREIGN KEY", posting(FREE_PROMO, CREATOR, 1)),
    ("post coins as promo coins", "FOREIGN KEY", posting(FREE, CREATOR, 1, asset="PROMO")),
    ("post coins into a promo account", "FOREIGN KEY", posting(FREE, FREE_PROMO, 1)),
    ("post a negative amount", "posting_amount", posting(FREE, CREATOR, -1)),
    ("post nothing", "posting_amount", posting(FREE, CREATOR, 0)),
    ("post more than is bounded", "posting_amount", posting(FREE, CREATOR, 10**15 + 1)),
    ("post a fraction", "cannot store REAL", posting(FREE, CREATOR, 1.5)),
    ("post text", "cannot store TEXT", posting(FREE, CREATOR, "'many'")),
    ("post to oneself", "posting_has_two_sides", posting(FREE, FREE, 1)),
    ("post without a transfer", "FOREIGN KEY", posting(FREE, CREATOR, 1, under=999)),
    ("post from nowhere", "FOREIGN KEY", posting(999, CREATOR, 1)),
    ("post to nowhere", "FOREIGN KEY", posting(FREE, 999, 1)),
    ("change a posting", "append-only", _set("posting", "amount = 1", "id = (SELECT max(id) FROM posting)")),
    ("delete a posting", "append-only", "DELETE FROM posting WHERE id = (SELECT max(id) FROM posting)"),
    (
        "replace a posting",
        "written once",
        "INSERT OR REPLACE INTO posting (id, transfer_id, asset, debit_id, credit_id, amount, reason)"
        f" VALUES (1, {SPARE}, 'COIN', {FREE}, {CREATOR}, 1, 'r')",
    ),
    (
        "replace the newest posting",
        "written once",
        "INSERT OR REPLACE INTO posting (id, transfer_id, asset, debit_id, credit_id, amount, reason)"
        f" VALUES (9, {SPARE}, 'COIN', {DEBT}, {FREE}, 1, 'r')",
    ),
    (
        "apply a posting out of order",
        "only through postings",
        "INSERT INTO posting (id, transfer_id, asset, debit_id, credit_id, amount, reason)"
        f" VALUES (-1, {SPARE}, 'COIN', {FREE}, {CREATOR}, 1, 'r')",
    ),
    ("post without a reason", "NOT NULL", posting(FREE, CREATOR, 1).replace("'r'", "NULL")),
)

_ACCOUNTS = (
    ("write a balance", "only through postings", _set("account", "credits = credits + 1000", f"id = {CREATOR}")),
    (
        "write a balance as if it were posted",
        "only through postings",
        _set(
            "account",
            "credits = credits + 1000, version = version + 1, last_posting = last_posting + 1",
            f"id = {CREATOR}",
        ),
    ),
    (
        "apply a posting twice",
        "only through postings",
        _set("account", "credits = credits + 20, version = version + 1", f"id = {CREATOR}"),
    ),
    (
        "apply another account's posting",
        "only through postings",
        _set("account", f"credits = credits + 10, version = version + 1, last_posting = {_GIVEN_BACK}", f"id = {FREE}"),
    ),
    (
        "apply another account's posting by its debit",
        "only through postings",
        _set("account", f"debits = debits + 10, version = version + 1, last_posting = {_GIVEN_BACK}", f"id = {FREE}"),
    ),
    (
        "apply an old posting under a new number",
        "only through postings",
        _set("account", "credits = credits + 20, version = version + 1, last_posting = 99", f"id = {CREATOR}"),
    ),
    ("write what an account owes", "only through postings", _set("account", "debits = debits + 5", f"id = {FREE}")),
    ("skip a version", "only through postings", _set("account", "version = version + 1", f"id = {CREATOR}")),
    ("point at a later posting", "only through postings", _set("account", "last_posting = 99", f"id = {CREATOR}")),
    (
        "open a rich account",
        "at zero",
        "INSERT INTO account (code, asset, floor, wallet, credits) VALUES ('x', 'COIN', 0, 0, 5)",
    ),
    (
        "open an account that owes",
        "at zero",
        "INSERT INTO account (code, asset, floor, wallet, debits) VALUES ('x', 'COIN', 0, 0, 5)",
    ),
    (
        "open a balanced account with a past",
        "at zero",
        "INSERT INTO account (code, asset, floor, wallet, version) VALUES ('x', 'COIN', 0, 0, 1)",
    ),
    (
        "open an account that skips postings",
        "at zero",
        "INSERT INTO account (code, asset, floor, wallet, last_posting) VALUES ('x', 'COIN', 0, 0, 9)",
    ),
    (
        "open a closed account",
        "at zero",
        "INSERT INTO account (code, asset, floor, wallet, closed) VALUES ('x', 'COIN', 0, 0, 1)",
    ),
    (
        "replace an account by its number",
        "opened once",
        f"INSERT OR REPLACE INTO account (id, code, asset, floor, wallet) VALUES ({FREE}, 'x', 'COIN', 0, 0)",
    ),
    (
        "replace an account by its code",
        "opened once",
        "INSERT OR REPLACE INTO account (code, asset, floor, wallet) VALUES ('free', 'COIN', 0, 0)",
    ),
    (
        "open a code twice",
        "opened once",
        "INSERT INTO account (code, asset, floor, wallet) VALUES ('free', 'COIN', 0, 0)",
    ),
    (
        "open an account of an unknown asset",
        "FOREIGN KEY",
        "INSERT INTO account (code, asset, floor, wallet) VALUES ('x', 'GOLD', 0, 0)",
    ),
    (
        "open an account with another floor",
        "account_floor",
        "INSERT INTO account (code, asset, floor, wallet) VALUES ('x', 'COIN', 2, 0)",
    ),
    (
        "open half a wallet",
        "account_wallet",
        "INSERT INTO account (code, asset, floor, wallet) VALUES ('x', 'COIN', 1, 2)",
    ),
    (
        "open a wallet that may be overdrawn",
        "tied_accounts_hold_coins",
        "INSERT INTO account (code, asset, floor, wallet) VALUES ('x', 'COIN', 0, 1)",
    ),
    (
        "open a wallet of money",
        "tied_accounts_hold_coins",
        "INSERT INTO account (code, asset, floor, wallet) VALUES ('x', 'EUR', 1, 1)",
    ),
    (
        "open an escrow that may be overdrawn",
        "tied_accounts_hold_coins",
        f"INSERT INTO account (code, asset, floor, wallet, order_id) VALUES ('x', 'COIN', 0, 0, '{LIVE_ORDER}')",
    ),
    (
        "open an escrow of caps",
        "tied_accounts_hold_coins",
        f"INSERT INTO account (code, asset, floor, wallet, order_id) VALUES ('x', 'CAP', 1, 0, '{LIVE_ORDER}')",
    ),
    (
        "open an escrow of no order",
        "FOREIGN KEY",
        "INSERT INTO account (code, asset, floor, wallet, order_id) VALUES ('x', 'COIN', 1, 0, 'order_none')",
    ),
    ("delete an account", "never deleted", f"DELETE FROM account WHERE id = {FREE}"),
    ("close an account that holds coins", "closed_is_zero", _set("account", "closed = 1", f"id = {CREATOR}")),
    ("half close an account", "account_closed", _set("account", "closed = 7", f"id = {FREE}")),
    ("reopen an account", "closed for ever", _set("account", "closed = 0", f"id = {SHUT}")),
    ("free an account of its floor", "stays what it is", _set("account", "floor = 0", f"id = {CREATOR}")),
    ("rename an account", "stays what it is", _set("account", "code = 'x'", f"id = {FREE}")),
    ("renumber an account", "stays what it is", _set("account", "id = 99", f"id = {FREE}")),
    ("turn coins into promo coins", "stays what it is", _set("account", "asset = 'PROMO'", f"id = {DEBT}")),
    ("untie an escrow", "stays what it is", _set("account", "order_id = NULL", f"id = {ENDED}")),
    ("untie a wallet", "stays what it is", _set("account", "wallet = 0", f"id = {FAN}")),
    ("turn an account into a wallet", "stays what it is", _set("account", "wallet = 1", f"id = {SHUT}")),
)

_TRANSFERS = (
    ("repeat a transfer", "happens once", transfer(91, "topup", "1")),
    (
        "replace a transfer by its name",
        "happens once",
        transfer(91, "spare", "1").replace("INSERT", "INSERT OR REPLACE"),
    ),
    (
        "replace a transfer by its number",
        "happens once",
        transfer(SPARE, "x", "1").replace("INSERT", "INSERT OR REPLACE"),
    ),
    ("rename a transfer", "append-only", _set("transfer", "ref = 'x'", f"id = {SPARE}")),
    ("delete a transfer", "append-only", f"DELETE FROM transfer WHERE id = {SPARE}"),
    ("post a transfer without a digest", "transfer_digest", transfer(91, "x", "1").replace(DIGEST, "x'00'")),
    ("let lapse what is no lot", "of a lot", transfer(91, "breakage", "lot_none")),
    ("give back what is no lot", "of a lot", transfer(91, "breakage.returned", "lot_none")),
)

_ENTRIES = (
    ("forge an entry", "come from postings", f"INSERT INTO entry VALUES ({CREATOR}, 2, 1, 0, 40)"),
    ("forge the first entry of an account", "come from postings", f"INSERT INTO entry VALUES ({FREE}, 1, 1, 0, 40)"),
    ("forge an entry before the first", "entry_version", f"INSERT INTO entry VALUES ({FREE}, 0, 0, 0, 0)"),
    (
        "forge an entry from another account's",
        "come from postings",
        f"INSERT INTO entry SELECT {FREE}, version, posting_id, debits, credits FROM entry"
        f" WHERE account_id = {CREATOR}",
    ),
    (
        "repeat the newest entry",
        "come from postings",
        f"INSERT INTO entry SELECT account_id, 2, posting_id, debits, credits FROM entry WHERE account_id = {CREATOR}",
    ),
    ("replace an entry", "come from postings", f"INSERT OR REPLACE INTO entry VALUES ({FAN}, 1, 1, 0, 900)"),
    (
        "replace the newest entry by itself",
        "come from postings",
        f"INSERT OR REPLACE INTO entry SELECT * FROM entry WHERE account_id = {CREATOR} AND version = 1",
    ),
    ("change an entry", "append-only", _set("entry", "credits = 0", f"account_id = {FAN}")),
    ("delete an entry", "append-only", f"DELETE FROM entry WHERE account_id = {FAN} AND version = 1"),
)

_LOTS = (
    ("open a full lot", "empty, in a wallet", lot("x", FAN, 10, remaining=10)),
    ("open a lot that skips moves", "empty, in a wallet", lot("x", FAN, 10, last_move=99)),
    ("open a lot outside of a wallet", "empty, in a wallet", lot("x", CREATOR, 10)),
    ("open a lot of nothing", "lot_granted", lot("x", FAN, 0)),
    ("open a lot beyond all bounds", "lot_granted", lot("x", FAN, 10**15 + 1)),
    ("open a lot at a negative price", "lot_price", lot("x", FAN, 10, price_minor=-1)),
    ("open a lot of no account", "empty, in a wallet", lot("x", 999, 10)),
    ("open a lot twice", "opened once", lot("lot_fan", FAN, 10)),
    ("replace a lot", "opened once", lot("lot_fan", FAN, 10).replace("INSERT", "INSERT OR REPLACE")),
    ("delete a lot", "never deleted", "DELETE FROM lot WHERE id = 'lot_promo'"),
    ("delete an empty lot", "never deleted", lot("x", FAN, 10), "DELETE FROM lot WHERE id = 'x'"),
    ("write a lot", "only through lot moves", _set("lot", "remaining = 60", "id = 'lot_fan'")),
    (
        "write a lot as if it were moved",
        "only through lot moves",
        _set("lot", "remaining = 60, last_move = last_move + 1", "id = 'lot_fan'"),
    ),
    (
        "write a lot and its wallet",
        "only through lot moves",
        posting(FREE, FAN, 10),
        _set("lot", "remaining = 60", "id = 'lot_fan'"),
    ),
    (
        "apply another lot's move",
        "only through lot moves",
        posting(FAN, FREE, 30),
        _set("lot", f"remaining = 20, last_move = {_TAKEN}", "id = 'lot_fan'"),
    ),
    (
        "apply a lot's own move again",
        "only through lot moves",
        posting(FAN, FREE, 50),
        _set("lot", "remaining = 0", "id = 'lot_fan'"),
    ),
    (
        "apply an old move under a new number",
        "only through lot moves",
        posting(FAN, FREE, 50),
        _set("lot", "remaining = 0, last_move = 99", "id = 'lot_fan'"),
    ),
    ("point a lot at a later move", "only through lot moves", _set("lot", "last_move = 99", "id = 'lot_fan'")),
    ("enlarge a lot", "stays what it is", _set("lot", "granted = 1000", "id = 'lot_fan'")),
    ("give a lot to another", "stays what it is", _set("lot", f"account_id = {OTHER}", "id = 'lot_promo'")),
    ("rename a lot", "stays what it is", _set("lot", "id = 'x'", "id = 'lot_promo'")),
    ("change whose a lot is", "stays what it is", _set("lot", "user_id = 'x'", "id = 'lot_fan'")),
    ("change where a lot came from", "stays what it is", _set("lot", "topup_id = 'x'", "id = 'lot_fan'")),
    ("change what a lot cost", "stays what it is", _set("lot", "price_minor = 0", "id = 'lot_fan'")),
    ("change a lot's currency", "stays what it is", _set("lot", "currency = 'USD'", "id = 'lot_fan'")),
    ("change a lot's country", "stays what it is", _set("lot", "country = 'DE'", "id = 'lot_fan'")),
    ("change a lot's age", "stays what it is", _set("lot", "granted_at = 1", "id = 'lot_fan'")),
    ("let a lot expire earlier", "or later", _set("lot", "expires_at = 999", "id = 'lot_promo'")),
    ("let a lot never expire", "or later", _set("lot", "expires_at = NULL", "id = 'lot_promo'")),
    ("let a lot for ever expire", "or later", _set("lot", "expires_at = 999", "id = 'lot_fan'")),
    ("move no coins", "lot_move_coins", move("lot_fan", 0)),
    ("move an unknown lot", "FOREIGN KEY", move("lot_none", 5)),
    ("move a lot without a transfer", "FOREIGN KEY", move("lot_fan", -5, under=999), posting(FAN, FREE, 5)),
    (
        "move a lot for an unknown order",
        "FOREIGN KEY",
        posting(FAN, FREE, 5),
        move("lot_fan", -5, order="order_none"),
    ),
    ("take more than a lot has", "lot_remaining", posting(FREE, FAN, 1), move("lot_fan", -51)),
    ("give a lot more than was granted", "lot_remaining", posting(FREE, FAN, 51), move("lot_fan", 51)),
    ("move a fraction", "cannot store REAL", move("lot_fan", 0.5)),
    (
        "give back to a lot that the order did not take from",
        "at most what it took",
        posting(ESCROW, OTHER, 30),
        move("lot_other", 30, order=LIVE_ORDER),
        _set("orders", "price_coins = 20, revision = 3", f"id = '{LIVE_ORDER}'"),
    ),
    (
        "give back more than the order took",
        "at most what it took",
        posting(FAN, FREE, 30),
        move("lot_fan", -30),
        posting(FREE, FAN, 60),
        move("lot_fan", 60, order=LIVE_ORDER),
    ),
    ("change a lot move", "append-only", _set("lot_move", "coins = 1", "id = (SELECT max(id) FROM lot_move)")),
    ("delete a lot move", "append-only", "DELETE FROM lot_move WHERE id = (SELECT max(id) FROM lot_move)"),
    (
        "replace a lot move",
        "written once",
        "INSERT OR REPLACE INTO lot_move (id, lot_id, transfer_id, coins) VALUES (1, 'lot_fan', 1, -10)",
        posting(FAN, FREE, 10),
    ),
    (
        "replace the newest lot move",
        "written once",
        "INSERT OR REPLACE INTO lot_move (id, lot_id, transfer_id, coins) VALUES (7, 'lot_fan', 1, -10)",
        posting(FAN, FREE, 10),
    ),
    (
        "apply a lot move out of order",
        "only through lot moves",
        "INSERT INTO lot_move (id, lot_id, transfer_id, coins) VALUES (-1, 'lot_fan', 1, -10)",
        posting(FAN, FREE, 10),
    ),
)

_LAWS = (
    ("spend coins of no lot", "FOREIGN KEY", posting(FAN, CREATOR, 10)),
    ("receive coins in no lot", "FOREIGN KEY", posting(FREE, FAN, 10)),
    ("spend promo coins of no lot", "FOREIGN KEY", posting(FAN_PROMO, FREE_PROMO, 5, asset="PROMO")),
    ("spend a lot and keep the coins", "FOREIGN KEY", move("lot_fan", -10)),
    ("grant a lot without coins", "FOREIGN KEY", lot("x", FAN, 10), move("x", 10)),
    ("spend another's lot", "FOREIGN KEY", posting(FAN, CREATOR, 10), move("lot_other", -10)),
    ("spend less of a lot than coins", "FOREIGN KEY", posting(FAN, CREATOR, 10), move("lot_fan", -9)),
    (
        "declare a wallet in order",
        "FOREIGN KEY",
        posting(FAN, CREATOR, 10),
        f"INSERT INTO wallet_ok VALUES ({FAN})",
    ),
    (
        "replace a wallet's line",
        "FOREIGN KEY",
        posting(FAN, CREATOR, 10),
        f"INSERT OR REPLACE INTO wallet_ok VALUES ({FAN})",
    ),
    (
        "move another wallet's line",
        "not moved",
        posting(FAN, CREATOR, 10),
        _set("wallet_ok", f"id = {FAN}", f"id = {OTHER}"),
        f"INSERT INTO wallet_ok VALUES ({OTHER})",
    ),
    ("take a wallet's line away", "FOREIGN KEY", f"DELETE FROM wallet_ok WHERE id = {FAN}"),
    (
        "declare an order in order",
        "FOREIGN KEY",
        _set("orders", "state = 'COMPLETED', revision = 3", f"id = '{LIVE_ORDER}'"),
        f"INSERT INTO order_ok VALUES ('{LIVE_ORDER}')",
    ),
    (
        "move another order's line",
        "not moved",
        _set("orders", "state = 'COMPLETED', revision = 3", f"id = '{LIVE_ORDER}'"),
        _set("order_ok", f"id = '{LIVE_ORDER}'", f"id = '{ENDED_ORDER}'"),
        f"INSERT INTO order_ok VALUES ('{ENDED_ORDER}')",
    ),
    ("take an order's line away", "FOREIGN KEY", f"DELETE FROM order_ok WHERE id = '{LIVE_ORDER}'"),
    ("drain an escrow", "FOREIGN KEY", posting(ESCROW, CREATOR, 50)),
    ("drain a part of an escrow", "FOREIGN KEY", posting(ESCROW, CREATOR, 1)),
    ("drain and refill an escrow with less", "FOREIGN KEY", posting(ESCROW, FREE, 50), posting(FREE, ESCROW, 49)),
    ("pay an order twice", "FOREIGN KEY", posting(FREE, ESCROW, 50)),
    ("pay an order that has ended", "FOREIGN KEY", posting(FREE, ENDED, 30)),
    ("release an order twice", "no_overdraft", posting(ENDED, CREATOR, 1)),
    (
        "end an order with its coins stuck",
        "FOREIGN KEY",
        _set("orders", "state = 'COMPLETED', revision = 3", f"id = '{LIVE_ORDER}'"),
    ),
    ("raise the price of an open order", "FOREIGN KEY", _set("orders", "price_coins = 60", f"id = '{LIVE_ORDER}'")),
    ("lower the price of an open order", "FOREIGN KEY", _set("orders", "price_coins = 40", f"id = '{LIVE_ORDER}'")),
)

_OTHERS = (
    ("open an asset of an unknown class", "asset_class", "INSERT INTO asset VALUES ('X', 'gold', 0)"),
    ("open coins with cents", "asset_scale", "INSERT INTO asset VALUES ('X', 'coin', 2)"),
    ("open an asset with many digits", "asset_scale", "INSERT INTO asset VALUES ('X', 'fiat', 10)"),
    ("open an asset with fewer digits than none", "asset_scale", "INSERT INTO asset VALUES ('X', 'fiat', -1)"),
    ("open an asset twice", "opened once", "INSERT INTO asset VALUES ('EUR', 'fiat', 4)"),
    ("replace an asset", "opened once", "INSERT OR REPLACE INTO asset VALUES ('EUR', 'fiat', 2)"),
    ("rescale an asset", "never change", _set("asset", "scale = 2", "code = 'EUR'")),
    ("delete an asset", "never change", "DELETE FROM asset WHERE code = 'EUR'"),
    ("leave a gap in the journal", "dense and chained", event(5, "topic", 3, prev=HASH[3])),
    ("fork the journal", "dense and chained", event(4, "topic", 3, prev=HASH[2])),
    ("rewrite the journal's end", "dense and chained", event(3, "topic", 3).replace("INSERT", "INSERT OR REPLACE")),
    ("leave a gap in a topic", "dense and chained", event(4, "topic", 4)),
    ("repeat a number of a topic", "dense and chained", event(4, "topic", 2)),
    ("begin a topic late", "dense and chained", event(4, "another", 2)),
    ("write before what was written", "dense and chained", event(4, "topic", 3, at=199)),
    ("repeat an event", "written twice", event(4, "topic", 3, id="'event_1_1'")),
    ("write an unsealed line", "event_hash", event(4, "topic", 3, hash="x'00'")),
    ("tell of an unknown transfer", "FOREIGN KEY", event(4, "topic", 3, transfer_id=999)),
    ("change an event", "append-only", _set("event", "body = '{1}'", "seq = 1")),
    ("delete the last event", "append-only", "DELETE FROM event WHERE seq = 3"),
    (
        "replace an event by its id",
        "written twice",
        event(4, "topic", 3, id="'event_1_1'").replace("INSERT", "INSERT OR REPLACE"),
    ),
    ("change an answer", "never changes", _set("request", "result = '2'", "key = 'k'")),
    ("answer a key twice", "used once", f"INSERT INTO request VALUES ('p', 'm', 'k', {DIGEST}, '2', NULL, 0)"),
    (
        "replace an answer",
        "used once",
        f"INSERT OR REPLACE INTO request VALUES ('p', 'm', 'k', {DIGEST}, '2', NULL, 0)",
    ),
    ("answer with both", "request_answer", f"INSERT INTO request VALUES ('p', 'm', 'x', {DIGEST}, '2', '3', 0)"),
    ("answer with nothing", "request_answer", f"INSERT INTO request VALUES ('p', 'm', 'x', {DIGEST}, NULL, NULL, 0)"),
    ("forget what was asked", "request_digest", "INSERT INTO request VALUES ('p', 'm', 'x', x'', '2', NULL, 0)"),
    ("pause a deadline without saying since when", "deadline_pause", _set("deadline", "paused_remaining = 5", "1 = 1")),
    (
        "pause a deadline after its end",
        "deadline_remaining",
        _set("deadline", "paused_remaining = -5, paused_at = 1", "1 = 1"),
    ),
)


def _orders(columns: list[tuple[str, str]]) -> Iterator[Attack]:
    def placed(state: str, price: object = 50, **others: object) -> str:
        return scene.order(columns, "order_new", state, price, **others)

    for state in states.LIVE:
        yield Attack(f"place an order in {state} without paying", "FOREIGN KEY", (placed(state),))
    for state in states.State:
        if state in states.LIVE:
            continue
        escrow = (
            "INSERT INTO account (id, code, asset, floor, wallet, order_id) VALUES (70, 'x', 'COIN', 1, 0, 'order_new')"
        )
        yield Attack(f"keep coins in {state}", "FOREIGN KEY", (placed(state), escrow, posting(FREE, 70, 50)))
        if state in states.TERMINAL:
            yield Attack(
                f"bring an order back from {state}",
                "stays ended",
                (
                    placed(state),
                    escrow,
                    posting(FREE, 70, 50),
                    _set("orders", "state = 'DELIVERED', revision = 2", "id = 'order_new'"),
                ),
            )
    yield Attack("place an order in an unknown state", "CHECK", (placed("LOST"),))
    yield Attack("place an order for nothing", "order_price", (placed("DRAFT", 0),))
    yield Attack("place an order beyond all bounds", "order_price", (placed("DRAFT", 10**15 + 1),))
    yield Attack("place an order twice", "placed once", (scene.order(columns, LIVE_ORDER, "DRAFT", 50),))
    replaced = scene.order(columns, ENDED_ORDER, "DRAFT", 50).replace("INSERT", "INSERT OR REPLACE")
    yield Attack("replace an order", "placed once", (replaced,))
    yield Attack("delete an order", "never deleted", (placed("DRAFT"), "DELETE FROM orders WHERE id = 'order_new'"))
    for column in ("id", "fan_id", "creator_id"):
        changed = _set("orders", f"{column} = 'y'", "id = 'order_new'")
        yield Attack(
            f"change an order's {column}",
            "whose it is",
            (placed("DRAFT"), changed, "INSERT INTO order_ok VALUES ('y')"),
        )
    for column, value in (
        ("redo", 2),
        ("extended", 2),
        ("promo_coins", 51),
        ("promo_coins", -1),
        ("refunded_coins", -1),
        ("revision", 0),
        ("list_coins", 0),
        ("accept_s", 0),
        ("business_coins", -1),
    ):
        yield Attack(f"place an order with {column} {value}", "CHECK", (placed("DRAFT", **{column: value}),))


def _open_orders() -> Iterator[Attack]:
    yield Attack(
        "change the price of an order that has ended",
        "stays ended",
        (_set("orders", "price_coins = 40", f"id = '{ENDED_ORDER}'"),),
    )
    yield Attack(
        "move an order without a revision",
        "revision",
        (_set("orders", "state = 'IN_PRODUCTION'", f"id = '{LIVE_ORDER}'"),),
    )
    for column, value in (("campaign_id", "'x'"), ("list_coins", "51"), ("accept_s", "1"), ("fee_bps", "fee_bps + 1")):
        changed = _set("orders", f"{column} = {value}, revision = 3", f"id = '{LIVE_ORDER}'")
        yield Attack(f"change an open order's {column}", "agreed at submit", (changed,))
    yield Attack("take a revision back", "revision", (_set("orders", "revision = 1", f"id = '{LIVE_ORDER}'"),))
    yield Attack(
        "move an order with an older revision",
        "revision",
        (_set("orders", "state = 'IN_PRODUCTION', revision = 1", f"id = '{LIVE_ORDER}'"),),
    )


__all__ = ["MINT", "Attack", "all_of", "run"]
