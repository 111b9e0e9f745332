"""What sellers earned, gave back and were paid in a year: sums along indexes of creator and time. Units: coins.

What was earned and given back stands beside the postings of the same unit of work, and never changes.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain import seller_reports as rules
from shoutgraph.domain.adjustments import AdjustmentKind
from shoutgraph.domain.earnings import EarningKind
from shoutgraph.domain.payouts import PayoutState
from shoutgraph.domain.seller_reports import Quarter
from shoutgraph.domain.tax import TaxProfile
from shoutgraph.storage import adjustments, columns, creators, earnings, payouts, tax
from shoutgraph.storage.columns import Integer, Micros, Text
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

_E: Final = columns.table_of(earnings.EarningRow)
_A: Final = columns.table_of(adjustments.AdjustmentRow)
_P: Final = columns.table_of(payouts.PayoutRow)
_C: Final = columns.table_of(creators.CreatorRow)
_X: Final = columns.table_of(tax.TaxProfileRow)

Year = dict[int, Quarter]
_STARTS: Final = ("start_1", "start_2", "start_3", "start_4")


def list_of_sellers(tx: Tx, year: int, *, after: str, size: int, everyone: bool) -> list[tuple[str, str]]:
    """The next sellers by id, each with the country of their profile: those with anything in the year, or all."""
    first, *_, last = rules.bounds(year)
    found = tx.all(_SELLERS, after=after, size=size, everyone=int(everyone), since=first, until=last)
    return [(row[0], row[1]) for row in found]


def countries_of(tx: Tx, creator_ids: Sequence[str]) -> dict[str, str]:
    """The country of each creator's profile."""
    return dict(tx.all(_COUNTRIES, ids=list(creator_ids)))


def quarters_of(tx: Tx, creator_ids: Sequence[str], year: int) -> dict[str, tuple[Quarter, ...]]:
    """The quarters of a year of each creator."""
    starts = rules.bounds(year)
    params = dict(zip((*_STARTS, "until"), starts, strict=True)) | {"ids": list(creator_ids)}
    found: dict[str, Year] = {each: {n: Quarter(n) for n in range(1, rules.QUARTERS + 1)} for each in creator_ids}
    for creator_id, number, kind, count, coins, fee in tx.all(_EARNED, **params):
        _add(found[creator_id], number, **_earned(kind, int(count), int(coins), int(fee)))
    for creator_id, number, _, coins, fee in tx.all(_GIVEN_BACK, **params):
        _add(found[creator_id], number, refunded_coins=int(coins), refunded_fee_coins=int(fee))
    for creator_id, number, count, coins in tx.all(_PAID, **params):
        _add(found[creator_id], number, payouts=int(count), paid_out_coins=int(coins))
    for creator_id, number, _, coins in tx.all(_RETURNED, **params):
        _add(found[creator_id], number, returned_coins=int(coins))
    return {creator_id: tuple(quarters.values()) for creator_id, quarters in found.items()}


def profiles_of(tx: Tx, creator_ids: Sequence[str], year: int) -> dict[str, TaxProfile]:
    """The tax profile of each creator for a year: the newest of the country in which they paid taxes at its end.

    Who had certified none by then counts as what they certified first. Blanked ones are not seen.
    """
    until = rules.bounds(year)[-1]
    return {row[0]: TaxProfile(*row) for row in tx.all(_PROFILES, ids=list(creator_ids), until=until)}


def _earned(kind: EarningKind, count: int, coins: int, fee: int) -> dict[str, int]:
    if kind is EarningKind.COMPENSATION:
        return {"compensation_coins": coins}
    counted = "orders" if kind is EarningKind.ORDER else "gifts"
    return {counted: count, "gross_coins": coins + fee, "fee_coins": fee}


def _add(year: Year, number: int, **more: int) -> None:
    before = year[number]
    year[number] = replace(before, **{name: getattr(before, name) + value for name, value in more.items()})


def _start(number: int) -> sa.BindParameter[Any]:
    return sa.bindparam(_STARTS[number - 1], type_=Micros)


def _quarter(at: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    whens = [(at >= _start(number), sa.literal_column(str(number), Integer)) for number in (4, 3, 2)]
    return sa.case(*whens, else_=sa.literal_column("1", Integer)).label("quarter")


def _within(table: sa.Table, at: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[bool], ...]:
    until = sa.bindparam("until", type_=Micros)
    return columns.any_of(table.c.creator_id, "ids"), at >= _start(1), at < until


def _sum(column: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    return sa.cast(sa.func.sum(column), Integer)


def _sums(
    table: sa.Table, at: str, names: Sequence[str], *where: sa.ColumnElement[bool], by: Sequence[str] = ()
) -> Statement[Any]:
    """By creator and quarter: how many there are, and the sums of these columns."""

    def build() -> sa.ClauseElement:
        when, own = table.c[at], [table.c[name] for name in (*by, *names)]
        parts = sa.select(table.c.creator_id, _quarter(when), *own).where(*_within(table, when), *where).subquery()
        keys = [parts.c.creator_id, parts.c.quarter, *(parts.c[name] for name in by)]
        return sa.select(*keys, sa.func.count(), *(_sum(parts.c[name]) for name in names)).group_by(*keys)

    return Statement(build)


def _any(table: sa.Table, at: str, *where: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    when = table.c[at]
    since, until = sa.bindparam("since", type_=Micros), sa.bindparam("until", type_=Micros)
    return sa.exists().where(table.c.creator_id == _C.c.id, when >= since, when < until, *where)


def _sellers() -> sa.ClauseElement:
    return (
        sa.select(_C.c.id, _C.c.country)
        .where(
            _C.c.id > sa.bindparam("after", type_=Text),
            sa.or_(
                sa.bindparam("everyone", type_=Integer) == _ONE,
                _any(_E, "earned_at"),
                _any(_A, "decided_at", _REFUNDED),
                _any(_P, "paid_at"),
                _any(_P, "closed_at", _BACK),
            ),
        )
        .order_by(_C.c.id)
        .limit(sa.bindparam("size"))
    )


def _profiles() -> sa.ClauseElement:
    newer, held, then = _X.alias("newer"), _X.alias("held"), _X.alias("then_")
    in_time = sa.case((held.c.certified_at < sa.bindparam("until", type_=Micros), held.c.version))
    version = (
        sa.select(sa.func.coalesce(sa.func.max(in_time), sa.func.min(held.c.version)))
        .where(held.c.creator_id == _X.c.creator_id, held.c.erased_at.is_(None))
        .correlate(_X)
    )
    country = (
        sa.select(then.c.country)
        .where(then.c.creator_id == _X.c.creator_id, then.c.version == version.scalar_subquery())
        .correlate(_X)
    )
    newest = (
        sa.select(sa.func.max(newer.c.version))
        .where(newer.c.creator_id == _X.c.creator_id, newer.c.erased_at.is_(None), newer.c.country == _X.c.country)
        .correlate(_X)
    )
    shown = [column for column in _X.c if column.name != "erased_at"]
    return sa.select(*shown).where(
        columns.any_of(_X.c.creator_id, "ids"),
        _X.c.country == country.scalar_subquery(),
        _X.c.version == newest.scalar_subquery(),
    )


_ONE: Final = sa.literal_column("1", Integer)
_REFUNDED: Final = _A.c.kind == sa.literal_column(f"'{AdjustmentKind.REFUND}'", Text)
_BACK: Final = _P.c.state == sa.literal_column(f"'{PayoutState.RETURNED}'", Text)
_SELLERS: Final = Statement[Any](_sellers)
_PROFILES: Final = Statement[Any](_profiles)
_COUNTRIES: Final = Statement[tuple[str, str]](
    lambda: sa.select(_C.c.id, _C.c.country).where(columns.any_of(_C.c.id, "ids"))
)
_EARNED: Final = _sums(_E, "earned_at", ("coins", "fee_coins"), by=("kind",))
_GIVEN_BACK: Final = _sums(_A, "decided_at", ("coins", "fee_coins"), _REFUNDED)
_PAID: Final = _sums(_P, "paid_at", ("coins",))
_RETURNED: Final = _sums(_P, "closed_at", ("coins",), _BACK)
