"""What the cash books have at each provider, beside what top-ups, payouts and suspense say that it should be."""

from collections import Counter
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain import accounts, money
from shoutgraph.domain.payouts import PayoutState
from shoutgraph.storage import columns, suspense
from shoutgraph.storage.ledger.tables import AccountRow
from shoutgraph.storage.payouts import PayoutRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.sweeps import Total
from shoutgraph.storage.topups import TopupRow
from shoutgraph.storage.tx import Tx

_TOPUP = columns.table_of(TopupRow)
_PAYOUT = columns.table_of(PayoutRow)
_ACCOUNT = columns.table_of(AccountRow)
_PREFIX: Final = accounts.provider_cash("", "").code.removesuffix(":")

Place = tuple[str, str]
"""An instance and a currency."""


def compare(tx: Tx, day: str) -> tuple[Total, ...]:
    """Every instance and currency that ever had money of ours."""
    known: Counter[Place] = Counter()
    waiting: Counter[Place] = Counter()
    for instance, currency, settled, reversed_, unbooked in tx.all(_TOPUPS):
        known[instance, currency] += (settled - reversed_) * money.BOOK_UNITS_PER_MINOR
        waiting[instance, currency] += unbooked
    for instance, currency, fee in tx.all(_FEES):
        known[instance, currency] -= fee * money.BOOK_UNITS_PER_MINOR
    for instance, currency, paid in tx.all(_PAID):
        known[instance, currency] -= paid * money.BOOK_UNITS_PER_MINOR
    for instance, currency, minor in suspense.in_cash(tx):
        known[instance, currency] += minor * money.BOOK_UNITS_PER_MINOR
    books = {_place(code): units for code, units in tx.all(_CASH)}
    places = sorted({*books, *known, *waiting})
    return tuple(Total(day, *place, books.get(place, 0), known[place], waiting[place]) for place in places)


def _place(code: str) -> Place:
    instance, _, currency = code.removeprefix(_PREFIX).rpartition(":")
    return instance, currency


def _sum(value: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.coalesce(sa.func.sum(value), 0), columns.Integer)


def _topups() -> sa.ClauseElement:
    credited = _TOPUP.c.credited == columns.YES
    zero: sa.ColumnElement[Any] = sa.literal_column("0")
    refunded = _TOPUP.c.refunded_minor - _TOPUP.c.refunds_failed_minor
    more_refunded = refunded - (_TOPUP.c.booked_refunded_minor - _TOPUP.c.booked_refunds_failed_minor)
    return sa.select(
        _TOPUP.c.instance,
        _TOPUP.c.currency,
        _sum(sa.case((credited, _TOPUP.c.price_minor), else_=zero)),
        _sum(_TOPUP.c.reversed_minor),
        _sum(sa.case((credited, -more_refunded), else_=_TOPUP.c.settled_minor - refunded)),
    ).group_by(_TOPUP.c.instance, _TOPUP.c.currency)


_TOPUPS: Final = Statement[tuple[str, str, int, int, int]](_topups)
_FEES: Final = Statement[tuple[str, str, int]](
    lambda: (
        sa.select(_TOPUP.c.instance, _TOPUP.c.fee_currency, _sum(_TOPUP.c.booked_fee_minor))
        .where(_TOPUP.c.booked_fee_minor > sa.literal_column("0"))
        .group_by(_TOPUP.c.instance, _TOPUP.c.fee_currency)
    )
)
_PAID: Final = Statement[tuple[str, str, int]](
    lambda: (
        sa.select(_PAYOUT.c.instance, _PAYOUT.c.currency, _sum(_PAYOUT.c.amount_minor))
        .where(_PAYOUT.c.state == sa.literal_column(f"'{PayoutState.PAID}'"))
        .group_by(_PAYOUT.c.instance, _PAYOUT.c.currency)
    )
)
_CASH: Final = Statement[tuple[str, int]](
    lambda: sa.select(_ACCOUNT.c.code, _ACCOUNT.c.debits - _ACCOUNT.c.credits).where(
        _ACCOUNT.c.code.startswith(_PREFIX, autoescape=False)
    )
)
