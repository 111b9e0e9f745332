"""Proves the books: every law of the ledger as a query that finds what breaks it.

It trusts no running total: balances are replayed from postings, lots from their moves, and the journal from its first
line. Source: docs/adr/0003-ledger.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain import accounts, journal as lines, ledger
from shoutgraph.domain.orders import states
from shoutgraph.domain.postings import Books
from shoutgraph.domain.proof import Law, Violation
from shoutgraph.storage import (
    audit,
    cards,
    columns,
    corrections,
    earnings,
    exchanges,
    fees,
    gifts,
    journal,
    lapses,
    ratings,
    revaluations,
    suspense,
)
from shoutgraph.storage.ledger.reading import balance_coins
from shoutgraph.storage.ledger.tables import AccountRow, EntryRow, LotMoveRow, LotRow, PostingRow, TransferRow
from shoutgraph.storage.orders import OrderRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

ROWS_MAX: Final = 20
"""The most rows that a violation names."""

HOLDING_KINDS: Final = ("payout", "refund", "dispute", "card")
"""How the codes of accounts begin that hold coins for one object."""

_ACCOUNT = columns.table_of(AccountRow)
_TRANSFER = columns.table_of(TransferRow)
_POSTING = columns.table_of(PostingRow)
_ENTRY = columns.table_of(EntryRow)
_LOT = columns.table_of(LotRow)
_MOVE = columns.table_of(LotMoveRow)
_ORDER = columns.table_of(OrderRow)
_EVENT = columns.table_of(journal.EventRow)
_BALANCE: Final = _ACCOUNT.c.credits - _ACCOUNT.c.debits


@dataclass(frozen=True, slots=True)
class _Check:
    """A query for rows that break a law: a name first, then what the labels say."""

    law: Law
    what: str
    labels: tuple[str, ...]
    statement: Statement[Any]


def verify(tx: Tx, *, books: Books | None = None) -> list[Violation]:
    """Everything that is wrong with the books; an empty list is a proof that nothing is.

    Args:
        books: the book currency and a coin's par value; without it the cash books are not compared with the coins.
    """
    found = [violation for check in _CHECKS for violation in _run(tx, check)]
    found += _coins(tx)
    found += _chain(tx)
    found += _audit(tx)
    if books is not None:
        found += _par(tx, books)
    return found


def counts(tx: Tx) -> dict[str, int]:
    """How many rows of each kind the proof looks at."""
    return dict(tx.all(_COUNTS))


def _run(tx: Tx, check: _Check) -> Iterator[Violation]:
    rows = tx.all(check.statement, size=ROWS_MAX)
    if rows:
        named = (
            f"{name}: " + ", ".join(f"{label} {value}" for label, value in zip(check.labels, values, strict=True))
            for name, *values in rows
        )
        yield Violation(check.law, check.what, tuple(named))


def _coins(tx: Tx) -> Iterator[Violation]:
    held, owed = _held_and_owed(tx)
    minted = -balance_coins(tx, accounts.MINT.code)
    if held - owed != minted:
        yield Violation(
            Law.COINS,
            "coins exist that were not minted, or the reverse",
            (f"{accounts.MINT.code}: minted {minted}, held {held}, owed {owed}",),
        )


def _par(tx: Tx, books: Books) -> Iterator[Violation]:
    held, owed = _held_and_owed(tx)
    for account, carried, coins in (
        (accounts.coin_liability(books.currency), 1, held),
        (accounts.receivable(books.currency), -1, owed),
    ):
        balance = carried * balance_coins(tx, account.code)
        if balance != coins * books.par_units:
            yield Violation(
                Law.PAR,
                "the cash books carry another number of coins than exist",
                (f"{account.code}: carries {balance}, coins at par {coins * books.par_units}",),
            )


def _held_and_owed(tx: Tx) -> tuple[int, int]:
    row = tx.one(_COINS)
    assert row is not None, "an aggregate has one row"
    return row


def _chain(tx: Tx) -> Iterator[Violation]:
    broken = lines.first_break(journal.each(tx))
    if broken is not None:
        yield Violation(Law.CHAIN, "the journal was changed, or lost a line", (f"event {broken}",))


def _audit(tx: Tx) -> Iterator[Violation]:
    wrong = audit.wrong_lines(tx)
    if wrong:
        yield Violation(Law.AUDIT, "the audit trail was changed, or lost a line", tuple(wrong))


def _unbalanced() -> sa.Select[Any]:
    debits, credits_ = sa.func.sum(_ACCOUNT.c.debits), sa.func.sum(_ACCOUNT.c.credits)
    return sa.select(_ACCOUNT.c.asset, debits, credits_).group_by(_ACCOUNT.c.asset).having(debits != credits_)


def _beyond_floor() -> sa.Select[Any]:
    over = (_ACCOUNT.c.floor * _BALANCE < 0) | ((_ACCOUNT.c.closed == columns.YES) & (_BALANCE != 0))
    return sa.select(_ACCOUNT.c.code, _ACCOUNT.c.floor, _BALANCE).where(over)


def _held_and_owed_coins() -> sa.ClauseElement:
    def total(floor: ledger.Floor) -> sa.ColumnElement[int]:
        side = _ACCOUNT.c.floor == int(floor)
        return sa.func.coalesce(sa.func.sum(sa.case((side, _BALANCE), else_=0)), 0)

    return sa.select(total(ledger.Floor.CREDIT), -total(ledger.Floor.DEBIT)).where(_ACCOUNT.c.asset == ledger.COIN)


def _wrong_escrow() -> sa.Select[Any]:
    held = (
        sa.select(sa.func.coalesce(sa.func.sum(_BALANCE), 0))
        .where(_ACCOUNT.c.order_id == _ORDER.c.id)
        .scalar_subquery()
    )
    live = sa.or_(*(_ORDER.c.state == state for state in states.LIVE))
    due = sa.case((live, _ORDER.c.price_coins), else_=0)
    return sa.select(_ORDER.c.id, sa.cast(_ORDER.c.state, sa.Text), due, held).where(held != due)


def _beyond_cap() -> sa.Select[Any]:
    cap = _ACCOUNT.c.code == sa.literal("cap:") + _ORDER.c.id
    given = _ACCOUNT.c.debits
    over = (given > _ORDER.c.price_coins) | (_ACCOUNT.c.credits > _ORDER.c.price_coins)
    return sa.select(_ORDER.c.id, _ORDER.c.price_coins, given).join_from(_ORDER, _ACCOUNT, cap).where(over)


def _left_open() -> sa.Select[Any]:
    kinds = [sa.func.substr(_ACCOUNT.c.code, 1, len(kind) + 1) == f"{kind}:" for kind in HOLDING_KINDS]
    empty = (_BALANCE == 0) & (_ACCOUNT.c.version > 0)
    return sa.select(_ACCOUNT.c.code, _ACCOUNT.c.debits).where(sa.or_(*kinds), empty, _ACCOUNT.c.closed == columns.NO)


def _gaps() -> sa.Select[Any]:
    count, last = sa.func.count(_ENTRY.c.version), sa.func.coalesce(sa.func.max(_ENTRY.c.version), 0)
    return (
        sa.select(_ACCOUNT.c.code, _ACCOUNT.c.version, count, last)
        .join_from(_ACCOUNT, _ENTRY, _ENTRY.c.account_id == _ACCOUNT.c.id, isouter=True)
        .group_by(_ACCOUNT.c.id, _ACCOUNT.c.code, _ACCOUNT.c.version)
        .having((count != _ACCOUNT.c.version) | (last != _ACCOUNT.c.version))
    )


def _wrong_entries() -> sa.Select[Any]:
    def before(total: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
        by_version = sa.func.lag(total).over(partition_by=_ENTRY.c.account_id, order_by=_ENTRY.c.version)
        return sa.func.coalesce(by_version, 0)

    steps = sa.select(
        *_ENTRY.c,
        before(_ENTRY.c.debits).label("before_debits"),
        before(_ENTRY.c.credits).label("before_credits"),
    ).subquery()
    out = sa.case((_POSTING.c.debit_id == steps.c.account_id, _POSTING.c.amount), else_=0)
    came = sa.case((_POSTING.c.credit_id == steps.c.account_id, _POSTING.c.amount), else_=0)
    wrong = (
        _POSTING.c.id.is_(None)
        | (out + came == 0)
        | (steps.c.debits != steps.c.before_debits + out)
        | (steps.c.credits != steps.c.before_credits + came)
    )
    return (
        sa.select(_ACCOUNT.c.code, steps.c.version, steps.c.posting_id)
        .join_from(steps, _ACCOUNT, _ACCOUNT.c.id == steps.c.account_id)
        .join(_POSTING, _POSTING.c.id == steps.c.posting_id, isouter=True)
        .where(wrong)
    )


def _wrong_totals() -> sa.Select[Any]:
    sides = sa.union_all(
        sa.select(_POSTING.c.debit_id.label("of"), _POSTING.c.amount.label("out"), sa.literal(0).label("came")),
        sa.select(_POSTING.c.credit_id, sa.literal(0), _POSTING.c.amount),
    ).subquery()
    sums = (
        sa.select(
            sides.c.of,
            sa.func.sum(sides.c.out).label("out"),
            sa.func.sum(sides.c.came).label("came"),
            sa.func.count().label("count"),
        )
        .group_by(sides.c.of)
        .subquery()
    )
    out, came, count = (sa.func.coalesce(sums.c[name], 0) for name in ("out", "came", "count"))
    wrong = (_ACCOUNT.c.debits != out) | (_ACCOUNT.c.credits != came) | (_ACCOUNT.c.version != count)
    return (
        sa.select(_ACCOUNT.c.code, _ACCOUNT.c.debits, out, _ACCOUNT.c.credits, came)
        .join_from(_ACCOUNT, sums, sums.c.of == _ACCOUNT.c.id, isouter=True)
        .where(wrong)
    )


def _empty_transfers() -> sa.Select[Any]:
    moved = sa.exists().where(_POSTING.c.transfer_id == _TRANSFER.c.id)
    return sa.select(_TRANSFER.c.id, _TRANSFER.c.kind, _TRANSFER.c.ref).where(~moved)


def _wrong_wallets() -> sa.Select[Any]:
    lots = (
        sa.select(sa.func.coalesce(sa.func.sum(_LOT.c.remaining), 0))
        .where(_LOT.c.account_id == _ACCOUNT.c.id)
        .scalar_subquery()
    )
    return sa.select(_ACCOUNT.c.code, _BALANCE, lots).where(_ACCOUNT.c.wallet == columns.YES, lots != _BALANCE)


def _wrong_lots() -> sa.Select[Any]:
    moved = (
        sa.select(sa.func.coalesce(sa.func.sum(_MOVE.c.coins), 0)).where(_MOVE.c.lot_id == _LOT.c.id).scalar_subquery()
    )
    rest = _LOT.c.remaining
    return sa.select(_LOT.c.id, rest, moved, _LOT.c.granted).where(
        (moved != rest) | (rest < 0) | (rest > _LOT.c.granted)
    )


def _unmatched_lots() -> sa.Select[Any]:
    """Per transfer and wallet: what its postings moved against what its lot moves moved."""
    sides = sa.union_all(
        sa.select(
            _POSTING.c.transfer_id.label("transfer"),
            _POSTING.c.debit_id.label("of"),
            (-_POSTING.c.amount).label("coins"),
        ),
        sa.select(_POSTING.c.transfer_id, _POSTING.c.credit_id, _POSTING.c.amount),
        sa.select(_MOVE.c.transfer_id, _LOT.c.account_id, -_MOVE.c.coins).join_from(
            _MOVE, _LOT, _LOT.c.id == _MOVE.c.lot_id
        ),
    ).subquery()
    rest = sa.func.sum(sides.c.coins)
    return (
        sa.select(_ACCOUNT.c.code, _TRANSFER.c.kind, _TRANSFER.c.ref, rest)
        .join_from(sides, _ACCOUNT, (_ACCOUNT.c.id == sides.c.of) & (_ACCOUNT.c.wallet == columns.YES))
        .join(_TRANSFER, _TRANSFER.c.id == sides.c.transfer)
        .group_by(_ACCOUNT.c.code, _TRANSFER.c.id, _TRANSFER.c.kind, _TRANSFER.c.ref)
        .having(rest != 0)
    )


def _topic_gaps() -> sa.Select[Any]:
    count, last = sa.func.count(), sa.func.max(_EVENT.c.topic_seq)
    return sa.select(_EVENT.c.topic, count, last).group_by(_EVENT.c.topic).having(count != last)


def _limited(query: sa.Select[Any]) -> Statement[Any]:
    return Statement(lambda: query.limit(sa.bindparam("size")))


_COINS: Final = Statement[tuple[int, int]](_held_and_owed_coins)
_CHECKS: Final = (
    _Check(Law.BALANCED, "an asset's debits and credits differ", ("debits", "credits"), _limited(_unbalanced())),
    _Check(Law.FLOOR, "an account is beyond its floor", ("floor", "balance"), _limited(_beyond_floor())),
    _Check(
        Law.ESCROW, "an escrow does not hold what its order needs", ("is", "needs", "holds"), _limited(_wrong_escrow())
    ),
    _Check(Law.CAP, "more was refunded than the price", ("price", "refunded"), _limited(_beyond_cap())),
    _Check(Law.HOLDING, "an empty holding account is still open", ("moved",), _limited(_left_open())),
    _Check(Law.ENTRIES, "entries are missing", ("version", "entries", "last"), _limited(_gaps())),
    _Check(
        Law.ENTRIES, "an entry does not follow from its posting", ("version", "posting"), _limited(_wrong_entries())
    ),
    _Check(
        Law.REPLAY,
        "totals do not follow from postings",
        ("debits", "replayed", "credits", "replayed"),
        _limited(_wrong_totals()),
    ),
    _Check(Law.TRANSFERS, "a transfer moved nothing", ("kind", "ref"), _limited(_empty_transfers())),
    _Check(Law.WALLETS, "a wallet is not the sum of its lots", ("balance", "lots"), _limited(_wrong_wallets())),
    _Check(Law.LOTS, "a lot does not follow from its moves", ("rest", "moved", "granted"), _limited(_wrong_lots())),
    _Check(Law.ORIGINS, "lots and wallet moved differently", ("in", "of", "by"), _limited(_unmatched_lots())),
    _Check(Law.TOPICS, "a subject's lines have a gap", ("lines", "last"), _limited(_topic_gaps())),
    _Check(Law.RATINGS, "a tally is not what the ratings say", ("kept", "counted"), _limited(ratings.wrong_tallies())),
    _Check(
        Law.RATINGS,
        "an average is not that of the tally",
        ("sum", "tallied", "count", "tallied"),
        _limited(ratings.wrong_averages()),
    ),
    _Check(
        Law.FEES,
        "a fee stripe was swept of what can still be refunded",
        ("holds", "refundable"),
        _limited(fees.wrong_stripes()),
    ),
    _Check(
        Law.RESERVES,
        "a reserve is not what its earnings keep there",
        ("holds", "kept"),
        _limited(earnings.wrong_reserves()),
    ),
    _Check(
        Law.RATES,
        "the exchange accounts were valued otherwise than it was booked",
        ("differs by",),
        _limited(revaluations.wrong_days()),
    ),
    _Check(
        Law.CARDS,
        "a gift card is not what is set aside for it",
        ("worth", "set aside"),
        _limited(cards.unlike_holdings()),
    ),
    _Check(
        Law.RATES,
        "a payout was exchanged otherwise than it was agreed",
        ("in", "differs by"),
        _limited(exchanges.unlike_postings()),
    ),
    _Check(
        Law.GIFTS,
        "a total is not the sum of the gifts",
        ("coins kept", "given", "gifts kept", "given"),
        _limited(gifts.wrong_totals()),
    ),
    _Check(
        Law.ADJUSTED,
        "a correction was posted otherwise than it was agreed",
        ("from", "to", "amount"),
        _limited(corrections.unlike_postings()),
    ),
    _Check(
        Law.LAPSED,
        "what lapsed is not what was posted",
        ("by", "lot", "as", "differs by"),
        _limited(lapses.unlike_postings()),
    ),
    _Check(
        Law.LAPSED,
        "a total is not the sum of what lapsed",
        ("lots kept", "lapsed", "coins kept", "lapsed", "returned kept", "returned"),
        _limited(lapses.wrong_totals()),
    ),
    _Check(
        Law.SUSPENSE,
        "suspense is not what the unexplained lines come to",
        ("differs by",),
        _limited(suspense.unlike_accounts()),
    ),
)


def _counts() -> sa.ClauseElement:
    tables = (_ACCOUNT, _POSTING, _LOT, _ORDER)
    return sa.union_all(
        *(sa.select(sa.literal_column(f"'{table.name}'"), sa.func.count()).select_from(table) for table in tables)
    )


_COUNTS: Final = Statement[tuple[str, int]](_counts)
