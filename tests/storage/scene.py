"""A small set of books written by hand, for attacks: every guard has something to guard.

A lot half spent on an open order, a finished order, one that was given back, a closed account, journal lines.
"""

# ruff: noqa: S608 - attacks are SQL text

from typing import Any

import pysqlite3 as dbapi

DIGEST = "zeroblob(32)"
HASH = {seq: f"x'{seq:064x}'" for seq in range(10)}

MINT, FAN, OTHER, PMINT, FAN_PROMO, ESCROW, DEBT, CREATOR, FEE, FREE, FREE_PROMO, SHUT, ENDED, BACK = range(1, 15)
SPARE = 90
"""A transfer without postings, for attacks to post under."""

LIVE_ORDER, ENDED_ORDER, BACK_ORDER = "order_live", "order_ended", "order_back"
PRICES = {LIVE_ORDER: 50, ENDED_ORDER: 30, BACK_ORDER: 10}

ACCOUNTS = f"""
INSERT INTO account (id, code, asset, floor, wallet, order_id) VALUES
  ({MINT}, 'mint', 'COIN', 0, 0, NULL),
  ({FAN}, 'user:fan:paid', 'COIN', 1, 1, NULL),
  ({OTHER}, 'user:other:paid', 'COIN', 1, 1, NULL),
  ({PMINT}, 'pmint', 'PROMO', -1, 0, NULL),
  ({FAN_PROMO}, 'user:fan:promo', 'PROMO', 1, 1, NULL),
  ({ESCROW}, 'order:live:coin', 'COIN', 1, 0, '{LIVE_ORDER}'),
  ({DEBT}, 'user:fan:debt', 'COIN', -1, 0, NULL),
  ({CREATOR}, 'creator:c:pending', 'COIN', 1, 0, NULL),
  ({FEE}, 'fee:0', 'COIN', 1, 0, NULL),
  ({FREE}, 'free', 'COIN', 0, 0, NULL),
  ({FREE_PROMO}, 'freep', 'PROMO', 0, 0, NULL),
  ({SHUT}, 'payout:shut', 'COIN', 1, 0, NULL),
  ({ENDED}, 'order:ended:coin', 'COIN', 1, 0, '{ENDED_ORDER}'),
  ({BACK}, 'order:back:coin', 'COIN', 1, 0, '{BACK_ORDER}')
"""


def transfer(number: int, kind: str, ref: str) -> str:
    return f"INSERT INTO transfer (id, kind, ref, digest, at) VALUES ({number}, '{kind}', '{ref}', {DIGEST}, 0)"


def posting(debit: int, credit: int, amount: object, *, under: int = SPARE, asset: str = "COIN") -> str:
    return (
        "INSERT INTO posting (transfer_id, asset, debit_id, credit_id, amount, reason)"
        f" VALUES ({under}, '{asset}', {debit}, {credit}, {amount}, 'r')"
    )


def lot(lot_id: str, account: int, granted: object, **others: object) -> str:
    values = {"user_id": "'user_fan'", "price_minor": 100, "granted_at": 0, **others}
    names, rest = ", ".join(values), ", ".join(map(str, values.values()))
    return f"INSERT INTO lot (id, account_id, granted, {names}) VALUES ('{lot_id}', {account}, {granted}, {rest})"


def move(lot_id: str, coins: object, *, under: int = SPARE, order: str | None = None) -> str:
    order_id = "NULL" if order is None else f"'{order}'"
    return (
        f"INSERT INTO lot_move (lot_id, transfer_id, order_id, coins) VALUES ('{lot_id}', {under}, {order_id}, {coins})"
    )


def event(seq: int, topic: str, topic_seq: int, **others: object) -> str:
    values = {
        "id": f"'event_{seq}_{topic_seq}'",
        "type": "'x'",
        "body": "'{}'",
        "at": 100 if seq == 1 else 200,
        "prev": HASH[seq - 1],
        "hash": HASH[seq],
        **others,
    }
    names, rest = ", ".join(values), ", ".join(map(str, values.values()))
    return f"INSERT INTO event (seq, topic, topic_seq, {names}) VALUES ({seq}, '{topic}', {topic_seq}, {rest})"


def order(columns: list[tuple[str, str]], order_id: str, state: str, price: object, **others: object) -> str:
    """An order with every required column filled; `columns` are the names and types of those."""
    known = {"id": f"'{order_id}'", "state": f"'{state}'", "price_coins": price, "revision": 1, **others}
    filled = {name: known.get(name, "0" if kind == "INTEGER" else "'x'") for name, kind in columns} | known
    return f"INSERT INTO orders ({', '.join(filled)}) VALUES ({', '.join(map(str, filled.values()))})"


def required_columns(raw: Any) -> list[tuple[str, str]]:
    rows = raw.execute("SELECT name, type FROM pragma_table_info('orders') WHERE \"notnull\" = 1").fetchall()
    return [(name, kind) for name, kind in rows]


def build(schema: tuple[tuple[str, str, str, str], ...]) -> Any:
    """The scene in a database in memory, on the weakest connection that the application could have."""
    raw = dbapi.connect(":memory:", isolation_level=None)
    raw.execute("PRAGMA foreign_keys = ON")
    raw.execute("PRAGMA recursive_triggers = OFF")
    for _, _, _, sql in schema:
        raw.execute(sql)
    raw.execute(
        "INSERT INTO asset VALUES ('COIN', 'coin', 0), ('PROMO', 'promo', 0), ('CAP', 'memo', 0), ('EUR', 'fiat', 4)"
    )
    orders = required_columns(raw)
    raw.execute("BEGIN")
    raw.execute(ACCOUNTS)
    for order_id, price in PRICES.items():
        raw.execute(order(orders, order_id, "DRAFT", price))
    raw.execute("COMMIT")
    for step in (*HISTORY, EVENTS):
        raw.execute("BEGIN")
        for statement in step:
            raw.execute(statement)
        raw.execute("COMMIT")
    return raw


def _state(order_id: str, state: str, revision: int) -> str:
    return f"UPDATE orders SET state = '{state}', revision = {revision} WHERE id = '{order_id}'"


def _set_terms(order_id: str, terms: str) -> str:
    return f"UPDATE orders SET {terms} WHERE id = '{order_id}'"


def _request(principal: str, mutation: str, key: str) -> str:
    return f"INSERT INTO request VALUES ('{principal}', '{mutation}', '{key}', {DIGEST}, '1', NULL, 0)"


# Steps that belong together happen in either order, since nothing but COMMIT may tell them apart.
HISTORY = (
    (
        transfer(1, "topup", "1"),
        posting(MINT, FAN, 100, under=1),
        lot("lot_fan", FAN, 100),
        move("lot_fan", 100, under=1),
    ),
    (
        transfer(2, "topup", "2"),
        lot("lot_other", OTHER, 40, topup_id="'topup_2'"),
        move("lot_other", 40, under=2),
        posting(MINT, OTHER, 40, under=2),
    ),
    (
        transfer(3, "grant", "3"),
        posting(PMINT, FAN_PROMO, 10, under=3, asset="PROMO"),
        lot("lot_promo", FAN_PROMO, 10, expires_at=1_000),
        move("lot_promo", 10, under=3),
    ),
    (
        transfer(4, "placed", "1"),
        posting(FAN, ESCROW, 50, under=4),
        move("lot_fan", -50, under=4, order=LIVE_ORDER),
        _set_terms(LIVE_ORDER, "list_coins = 50"),
        _state(LIVE_ORDER, "SCREENING", 2),
    ),
    (
        transfer(5, "placed", "2"),
        _state(ENDED_ORDER, "SCREENING", 2),
        move("lot_other", -30, under=5, order=ENDED_ORDER),
        posting(OTHER, ENDED, 30, under=5),
    ),
    (
        transfer(6, "placed", "3"),
        posting(OTHER, BACK, 10, under=6),
        move("lot_other", -10, under=6, order=BACK_ORDER),
        _state(BACK_ORDER, "SCREENING", 2),
    ),
    (
        transfer(7, "closed", "3"),
        _state(BACK_ORDER, "CANCELLED", 3),
        posting(BACK, OTHER, 10, under=7),
        move("lot_other", 10, under=7, order=BACK_ORDER),
    ),
    (
        transfer(8, "closed", "2"),
        posting(ENDED, CREATOR, 20, under=8),
        posting(ENDED, FEE, 10, under=8),
        _state(ENDED_ORDER, "COMPLETED", 3),
    ),
    (_state(ENDED_ORDER, "COMPLETED", 4), _state(LIVE_ORDER, "SCREENING", 2)),
    (_set_terms(LIVE_ORDER, "list_coins = 50"),),
    (f"UPDATE account SET closed = 1 WHERE id = {SHUT}", transfer(SPARE, "spare", "1")),
    (transfer(88, "breakage", "lot_fan"), transfer(89, "breakage.returned", "lot_fan")),
    (_request("p", "m", "k"), _request("q", "m", "k"), _request("p", "n", "k"), _request("p", "m", "l")),
    ("INSERT INTO deadline VALUES ('order_live', 'screening', 0, 2, NULL, NULL)",),
)
EVENTS = (event(1, "topic", 1), event(2, "topic", 2, at=200, transfer_id=1), event(3, "other", 1, at=200))

QUERIES = (
    "SELECT id, debits, credits, version, closed FROM account ORDER BY id",
    "SELECT account_id, version, debits, credits FROM entry ORDER BY 1, 2",
    "SELECT id, remaining FROM lot ORDER BY id",
)
_LAWS = ("SELECT id FROM order_ok ORDER BY id", "SELECT id FROM wallet_ok ORDER BY id")


def facts(raw: Any) -> list[Any]:
    """What the scene must look like, so that a guard that does not do its work is seen too."""
    return [raw.execute(query).fetchall() for query in (*QUERIES, *_LAWS)]


FACTS: list[Any] = [
    [
        (MINT, 140, 0, 2, 0),
        (FAN, 50, 100, 2, 0),
        (OTHER, 40, 50, 4, 0),
        (PMINT, 10, 0, 1, 0),
        (FAN_PROMO, 0, 10, 1, 0),
        (ESCROW, 0, 50, 1, 0),
        (DEBT, 0, 0, 0, 0),
        (CREATOR, 0, 20, 1, 0),
        (FEE, 0, 10, 1, 0),
        (FREE, 0, 0, 0, 0),
        (FREE_PROMO, 0, 0, 0, 0),
        (SHUT, 0, 0, 0, 1),
        (ENDED, 30, 30, 3, 0),
        (BACK, 10, 10, 2, 0),
    ],
    [
        (MINT, 1, 100, 0),
        (MINT, 2, 140, 0),
        (FAN, 1, 0, 100),
        (FAN, 2, 50, 100),
        (OTHER, 1, 0, 40),
        (OTHER, 2, 30, 40),
        (OTHER, 3, 40, 40),
        (OTHER, 4, 40, 50),
        (PMINT, 1, 10, 0),
        (FAN_PROMO, 1, 0, 10),
        (ESCROW, 1, 0, 50),
        (CREATOR, 1, 0, 20),
        (FEE, 1, 0, 10),
        (ENDED, 1, 0, 30),
        (ENDED, 2, 20, 30),
        (ENDED, 3, 30, 30),
        (BACK, 1, 0, 10),
        (BACK, 2, 10, 10),
    ],
    [("lot_fan", 50), ("lot_other", 10), ("lot_promo", 10)],
    [(BACK_ORDER,), (ENDED_ORDER,), (LIVE_ORDER,)],
    [(FAN,), (OTHER,), (FAN_PROMO,)],
]
