"""Every law, broken on purpose behind the guards' backs, is found and named by the proof."""

# ruff: noqa: S608 - tampering is SQL text

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from tests.storage import databases, placing, rated
from tests.storage.databases import START, Clock, Place, Where

from shoutgraph.domain import accounts, creators as creator_rules, ids, journal as lines, policies
from shoutgraph.domain.audit import Act
from shoutgraph.domain.categories import Category
from shoutgraph.domain.creators import Profile
from shoutgraph.domain.earnings import Earning, EarningKind
from shoutgraph.domain.ledger import Lot, LotMove, Posting, Transfer
from shoutgraph.domain.postings import Books
from shoutgraph.domain.proof import Law, Violation
from shoutgraph.domain.users import User
from shoutgraph.storage import audit, creators, earnings, journal, ledger, ledger_proof, users
from shoutgraph.storage.engine import Store, Tx

BOOKS = Books("EUR", 100)
A_CARD = (
    "INSERT INTO gift_card (id, buyer_id, coins, digest, hint, state, taken, created_at, origin)"
    " SELECT 'card_x', 'user_1', 5, hash, '', 'OPEN', '[]', 0, 'COINS' FROM event LIMIT 1"
)
FIRST = "id = (SELECT min(id) FROM posting)"
FAN = ids.UserId("user_fan")
CREATOR = ids.CreatorId("creator_1")
RATED = ids.CreatorId("creator_rated")
ORDER, ENDED = ids.OrderId("order_live"), ids.OrderId("order_ended")
PAID, ESCROW, ESCROW_ENDED = accounts.paid(FAN), accounts.escrow(ORDER), accounts.escrow(ENDED)
SENT = ids.GiftId("gift_1")
PAYOUT, CAP = accounts.holding("payout", "payout_1"), accounts.refund_cap(ENDED)
CASH, LIABILITY = accounts.provider_cash("sandbox", "EUR"), accounts.coin_liability("EUR")


@dataclass(frozen=True)
class Tampering:
    """What someone with the file in hand could do, and how the proof answers."""

    law: Law
    row: str
    statements: tuple[str, ...]


def books(tx: Tx) -> None:
    """A top-up, an open order, a completed order with its cap, a payout on its way, and what the journal tells."""
    lot = Lot("lot_1", PAID.code, FAN, ids.TopupId("topup_1"), 100, 100, 1000, "EUR", "DE", START)
    bought = (Posting(accounts.MINT, PAID, 100, "topup"), Posting(CASH, LIABILITY, 10_000, "sale"))
    ledger.post(tx, Transfer("topup.succeeded", "topup_1", bought, lot_grants=(lot,)))
    for order, escrow, price, state in ((ORDER, ESCROW, 30, "SCREENING"), (ENDED, ESCROW_ENDED, 20, "DELIVERED")):
        placing.insert(tx, order, state=state, price_coins=price)
        taken = (LotMove("lot_1", -price, order),)
        ledger.post(tx, Transfer("order.placed", order, (Posting(PAID, escrow, price, "hold"),), lot_moves=taken))
    released = (
        Posting(ESCROW_ENDED, accounts.available(CREATOR), 20, "earn"),
        Posting(accounts.CAP_MINT, CAP, 20, "refund cap"),
    )
    placing.save(tx, ENDED, state="COMPLETED", revision=2)
    ledger.post(tx, Transfer("order.closed", ENDED, released))
    ledger.post(
        tx, Transfer("payout.requested", "payout_1", (Posting(accounts.available(CREATOR), PAYOUT, 5, "hold"),))
    )
    ledger.post(tx, Transfer("gift", SENT, (Posting(accounts.available(CREATOR), accounts.fee(SENT), 3, "fee"),)))
    pending = Earning("earning_1", CREATOR, EarningKind.GIFT, SENT, 7, 3, tx.now, tx.now + timedelta(days=7))
    earnings.insert(tx, pending)
    users.insert(tx, User(ids.UserId("user_1"), 1, "Nova", "DE", locked=False, created_at=tx.now))
    profile = Profile("nova", "Nova", "DE", (Category.CHEF,), ("de",))
    ids_of = {"creator_id": RATED, "user_id": ids.UserId("user_1")}
    creators.insert(tx, creator_rules.register(profile, policy=policies.FIRST, now=tx.now, **ids_of))
    for number, stars in enumerate((2, 4)):
        rated.rate(tx, number, RATED, stars=stars)
    for number in range(1, 4):
        journal.append(tx, lines.NewEvent(f"event_{number}", ORDER, "told", {"number": number}))
    numbers = iter(range(10))
    act = Act("user_desk", "orderFreeze", (ORDER,), "a court's order", {"order_id": ORDER})
    audit.append(tx, lambda prefix: f"{prefix}_9{next(numbers)}", act, {}, {ORDER: {"frozen_at": "now"}}, told="told")


def verify(where: Where, clock: Clock) -> list[Violation]:
    store = databases.opened(where, clock, writing=False, any_schema=True, readers=1)
    try:
        return store.read_now(lambda tx: ledger_proof.verify(tx, books=BOOKS))
    finally:
        store.close()


def tamper(where: Where, statements: tuple[str, ...]) -> None:
    """Changes rows with every guard dropped, and puts the guards back, as a careful thief would."""
    unguarded = _unguarded_server if isinstance(where, str) else _unguarded_file
    with databases.outside(where) as raw, unguarded(raw):
        for statement in statements:
            assert raw.execute(statement).rowcount != 0, statement


@contextmanager
def _unguarded_file(raw: Any) -> Iterator[None]:
    guards = raw.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    raw.execute("PRAGMA ignore_check_constraints = ON")
    for name, _ in guards:
        raw.execute(f"DROP TRIGGER {name}")
    yield
    for _, sql in guards:
        raw.execute(sql)


@contextmanager
def _unguarded_server(raw: Any) -> Iterator[None]:
    checks = raw.execute(
        "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
    ).fetchall()
    raw.execute("SET session_replication_role = replica")
    for table, name, _ in checks:
        raw.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    yield
    for table, name, check in checks:
        raw.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {check} NOT VALID")


def _account(code: str) -> str:
    return f"(SELECT id FROM account WHERE code = '{code}')"


def _change(table: str, change: str, where: str) -> str:
    return f"UPDATE {table} SET {change} WHERE {where}"


def _move(debit: str, credit: str, amount: int, asset: str = "COIN") -> tuple[str, ...]:
    """A posting made by hand: applied, with its entries, under the last transfer."""
    posting = (
        "INSERT INTO posting (transfer_id, asset, debit_id, credit_id, amount, reason)"
        f" SELECT max(id), '{asset}', {_account(debit)}, {_account(credit)}, {amount}, 'x' FROM transfer"
    )
    steps = [posting]
    for code, side in ((debit, "debits"), (credit, "credits")):
        latest = f"{side} = {side} + {amount}, version = version + 1, last_posting = (SELECT max(id) FROM posting)"
        steps += [
            _change("account", latest, f"code = '{code}'"),
            f"INSERT INTO entry SELECT id, version, last_posting, debits, credits FROM account WHERE code = '{code}'",
        ]
    return tuple(steps)


_LINE = "id, instance, line_id, operation_id, amount_minor, currency, made_at, found_at, state, revision, opened"
_KIND = "'recon.suspense'"
TAMPERINGS = {
    "coins out of nothing": Tampering(
        Law.BALANCED, "COIN", (_change("account", "credits = credits + 7", f"code = '{PAID.code}'"),)
    ),
    "a balance that its postings do not make": Tampering(
        Law.REPLAY, PAID.code, (_change("account", "credits = credits + 7", f"code = '{PAID.code}'"),)
    ),
    "an overdrawn account": Tampering(
        Law.FLOOR, f"{PAYOUT.code}: floor 1, balance -1", _move(PAYOUT.code, accounts.available(CREATOR).code, 6)
    ),
    "a closed account that holds coins": Tampering(
        Law.FLOOR, PAYOUT.code, (_change("account", "closed = 1", f"code = '{PAYOUT.code}'"),)
    ),
    "coins in an account that is neither held nor owed": Tampering(
        Law.COINS,
        "mint: minted 100, held 95, owed 0",
        (_change("account", "floor = 0", f"code = '{PAYOUT.code}'"),),
    ),
    "coins without their money": Tampering(
        Law.PAR, "liab:coins:EUR: carries 10000, coins at par 10500", _move("mint", PAYOUT.code, 5)
    ),
    "an escrow that was drained": Tampering(
        Law.ESCROW,
        f"{ORDER}: is SCREENING, needs 30, holds 25",
        _move(ESCROW.code, accounts.available(CREATOR).code, 5),
    ),
    "an ended order that still holds coins": Tampering(
        Law.ESCROW, f"{ENDED}: is COMPLETED, needs 0, holds 3", _move(PAYOUT.code, ESCROW_ENDED.code, 3)
    ),
    "an open order that was declared ended": Tampering(
        Law.ESCROW, f"{ORDER}: is REFUNDED", (_change("orders", "state = 'REFUNDED'", f"id = '{ORDER}'"),)
    ),
    "more refunded than the price": Tampering(
        Law.CAP, f"{ENDED}: price 20, refunded 21", _move(CAP.code, "capmint", 21, "CAP")
    ),
    "a finished payout whose account stays open": Tampering(
        Law.HOLDING, f"{PAYOUT.code}: moved 5", _move(PAYOUT.code, accounts.available(CREATOR).code, 5)
    ),
    "an entry that is gone": Tampering(
        Law.ENTRIES, PAID.code, (f"DELETE FROM entry WHERE version = 2 AND account_id = {_account(PAID.code)}",)
    ),
    "the last entry gone": Tampering(
        Law.ENTRIES, PAID.code, (f"DELETE FROM entry WHERE version = 3 AND account_id = {_account(PAID.code)}",)
    ),
    "an entry that says something else": Tampering(
        Law.ENTRIES,
        f"{PAID.code}: version 2",
        (_change("entry", "debits = debits - 1", f"version = 2 AND account_id = {_account(PAID.code)}"),),
    ),
    "an entry of another posting": Tampering(
        Law.ENTRIES,
        f"{PAID.code}: version 2, posting ",
        (
            _change(
                "entry",
                "posting_id = (SELECT min(id) FROM posting)",
                f"version = 2 AND account_id = {_account(PAID.code)}",
            ),
        ),
    ),
    "a posting that is gone": Tampering(Law.REPLAY, PAID.code, (f"DELETE FROM posting WHERE {FIRST}",)),
    "a posting of another amount": Tampering(Law.REPLAY, PAID.code, (_change("posting", "amount = 99", FIRST),)),
    "a transfer that moved nothing": Tampering(
        Law.TRANSFERS,
        "kind x, ref y",
        ("INSERT INTO transfer (kind, ref, digest, at) SELECT 'x', 'y', digest, 0 FROM transfer WHERE id = 1",),
    ),
    "a wallet that is not its lots": Tampering(
        Law.WALLETS, f"{PAID.code}: balance 50, lots 51", (_change("lot", "remaining = 51", "id = 'lot_1'"),)
    ),
    "a lot that its moves do not make": Tampering(
        Law.LOTS, "lot_1: rest 51, moved 50", (_change("lot", "remaining = 51", "id = 'lot_1'"),)
    ),
    "a lot move that is gone": Tampering(
        Law.LOTS, "lot_1: rest 50, moved 80", (f"DELETE FROM lot_move WHERE order_id = '{ORDER}'",)
    ),
    "a lot move in another transfer": Tampering(
        Law.ORIGINS,
        f"{PAID.code}: in order.placed, of {ORDER}",
        (_change("lot_move", "transfer_id = 5", f"order_id = '{ORDER}'"),),
    ),
    "an event that was changed": Tampering(Law.CHAIN, "event 2", (_change("event", "body = '{}'", "seq = 2"),)),
    "an event that is gone": Tampering(Law.CHAIN, "event 2", ("DELETE FROM event WHERE seq = 2",)),
    "a subject's line that is gone": Tampering(
        Law.TOPICS, f"{ORDER}: lines 2, last 3", ("DELETE FROM event WHERE seq = 2",)
    ),
    "an act of another member of staff": Tampering(
        Law.AUDIT, "audit_90", (_change("audit", "actor = 'user_else'", "id = 'audit_90'"),)
    ),
    "an act that is gone": Tampering(Law.AUDIT, "audit_90", ("DELETE FROM audit",)),
    "an act that nobody did": Tampering(
        Law.AUDIT, "audit_x", ("INSERT INTO audit VALUES ('audit_x', 'a', 'b', NULL, NULL, '{}', '[]', 0)",)
    ),
    "a rating that is gone": Tampering(
        Law.RATINGS, f"{RATED}: kept 2, counted 1", ("DELETE FROM rating_words", "DELETE FROM rating WHERE stars = 4")
    ),
    "a rating of other stars": Tampering(
        Law.RATINGS, f"{RATED}: kept 2, counted 2", (_change("rating", "stars = 5", "stars = 4"),)
    ),
    "a rating that counts although it is hidden": Tampering(
        Law.RATINGS, f"{RATED}: kept 2, counted 1", (_change("rating", "hidden = 1", "stars = 4"),)
    ),
    "a tally that is gone": Tampering(Law.RATINGS, f"{RATED}: kept 0, counted 2", ("DELETE FROM rating_tally",)),
    "a fee that was swept while it can be refunded": Tampering(
        Law.FEES,
        f"{accounts.fee(SENT).code}: holds 2, refundable 3",
        (_change("account", "credits = 2", f"code = '{accounts.fee(SENT).code}'"),),
    ),
    "a reserve that no account holds": Tampering(
        Law.RESERVES,
        f"creator:{CREATOR}:reserve: holds 0, kept 4",
        (_change("earning", "state = 'AVAILABLE', reserved_coins = 4", "id = 'earning_1'"),),
    ),
    "a gain of rates that nobody booked": Tampering(
        Law.RATES,
        "2026-01-01: differs by 5",
        ("INSERT INTO fx_revaluation VALUES ('2026-01-01', 'EUR', 'EUR', NULL, 5, 5, 0)",),
    ),
    "an exchange that nobody booked": Tampering(
        Law.RATES,
        "payout_x: in rev:payout:EUR, differs by 100",
        (
            "INSERT INTO payout_exchange VALUES ('payout_x', 'USD', 'EUR', 1, 100, 100, 1, 99)",
            _change("transfer", "kind = 'payout.paid', ref = 'payout_x'", "id = 5"),
        ),
    ),
    "a correction that nobody booked": Tampering(
        Law.ADJUSTED,
        "adj_x: from exp:goodwill, to mint, amount 5",
        (
            "INSERT INTO ledger_adjustment VALUES ('adj_x', 'DONE', 'a', 'b', 1, 1, 'x', 0, 'y', 0, 'ledger.adjusted')",
            "INSERT INTO ledger_adjustment_leg VALUES ('adj_x', 0, 'exp:goodwill', 'mint', 5)",
        ),
    ),
    "a lapse that nobody booked": Tampering(
        Law.LAPSED,
        "lot_1: by breakage, lot lot_1, as INCOME, differs by 5",
        ("INSERT INTO lapse VALUES ('lot_1', 'dormancy_x', 'user_fan', 'INCOME', 5, 0, NULL, NULL, 'breakage', NULL)",),
    ),
    "coins that lapsed without a notice": Tampering(
        Law.LAPSED,
        "lot_1: by breakage, lot lot_1, as INCOME, differs by 100",
        (_change("transfer", "kind = 'breakage', ref = 'lot_1'", "ref = 'topup_1'"),),
    ),
    "a total that never lapsed": Tampering(
        Law.LAPSED,
        "UNCLAIMED: lots kept 1, lapsed 0, coins kept 5, lapsed 0, returned kept 2, returned 0",
        ("INSERT INTO lapse_total VALUES ('UNCLAIMED', 1, 5, 2)",),
    ),
    "a line that nobody booked": Tampering(
        Law.SUSPENSE,
        "suspense:sandbox:EUR: differs by -500",
        (f"INSERT INTO suspense_line ({_LINE}) VALUES ('x', 'sandbox', 'l', 'l', 5, 'EUR', 0, 0, 'OPEN', 1, {_KIND})",),
    ),
    "a card for which nothing is set aside": Tampering(
        Law.CARDS,
        "card_x: worth 5, set aside 0",
        (A_CARD,),
    ),
    "a total that nobody gave": Tampering(
        Law.GIFTS,
        "creator_x ALL user_x: coins kept 5, given 0, gifts kept 1, given 0",
        ("INSERT INTO gift_total VALUES ('creator_x', 'ALL', 0, 'user_x', 5, 1)",),
    ),
    "an average that nobody gave": Tampering(
        Law.RATINGS,
        f"{RATED}: sum 10, tallied 6, count 2, tallied 2",
        (_change("creator", "rating_sum = 10", f"id = '{RATED}'"),),
    ),
}


def keep(where: Where) -> None:
    """Writes the books into a database."""
    store = databases.opened(where, Clock(), readers=1)
    store.write_now(books)
    store.settle_journal_now()
    store.close()


@pytest.fixture
def told(place: Place) -> Where:
    return place.filled("told", keep)


def test_books_that_were_kept_well_are_proven(told: Where, clock: Clock) -> None:
    assert verify(told, clock) == []


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_broken_law_is_named_with_its_rows(told: Where, clock: Clock, name: str) -> None:
    tampering = TAMPERINGS[name]
    tamper(told, tampering.statements)
    found = verify(told, clock)
    rows = [row for violation in found if violation.law is tampering.law for row in violation.rows]
    assert any(tampering.row in row for row in rows), found


def test_every_law_is_broken_by_a_test() -> None:
    assert {tampering.law for tampering in TAMPERINGS.values()} == set(Law)


def test_a_law_that_is_broken_often_names_some_rows(store: Store, where: Where, clock: Clock) -> None:
    for number in range(ledger_proof.ROWS_MAX + 5):
        moved = Posting(accounts.MINT, accounts.available(ids.CreatorId(f"creator_{number}")), 5, "x")
        store.write_now(lambda tx, moved=moved, number=number: ledger.post(tx, Transfer("x", str(number), (moved,))))
    store.close()
    tamper(where, ("UPDATE account SET credits = credits + 1 WHERE code LIKE 'creator:%'",))
    replay = next(violation for violation in verify(where, clock) if violation.law is Law.REPLAY)
    assert len(replay.rows) == ledger_proof.ROWS_MAX


def test_books_without_a_currency_are_proven_but_for_their_par(told: Where, clock: Clock) -> None:
    tamper(told, TAMPERINGS["coins without their money"].statements)
    store = databases.opened(told, clock, writing=False, any_schema=True, readers=1)
    assert store.read_now(ledger_proof.verify) == []
    store.close()
