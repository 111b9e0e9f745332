"""What currencies are worth, in versions that never change; each holds from an instant on.

The database refuses any change. Units: minor units of the currency, units of the books.
"""

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, packages
from shoutgraph.domain.packages import Rate
from shoutgraph.domain.pages import PageArgs
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

VERSIONS_END: Final = 2**62
"""Above every version."""


class RateRow(SQLModel, table=True):
    """What a currency was worth under one version: a minor unit is `numerator / denominator` book units."""

    __tablename__ = "fx_rate"
    __table_args__ = (
        sa.CheckConstraint(f"numerator BETWEEN 1 AND {packages.RATIO_MAX}", name="fx_rate_numerator"),
        sa.CheckConstraint(f"denominator BETWEEN 1 AND {packages.RATIO_MAX}", name="fx_rate_denominator"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )

    currency: str = Field(sa_type=Text, primary_key=True)
    book_currency: str = Field(sa_type=Text, primary_key=True)
    version: int = Field(sa_type=Integer, primary_key=True)
    numerator: int = Field(sa_type=Integer)
    denominator: int = Field(sa_type=Integer)
    created_at: datetime = Field(sa_type=Micros)
    spread_bps: int = Field(sa_column=sa.Column(Integer, server_default=sa.text("0"), nullable=False))
    source: str | None = Field(sa_type=Text)
    observed_at: datetime | None = Field(sa_type=Micros)
    effective_from: datetime | None = Field(sa_type=Micros)


TABLE: Final = columns.table_of(RateRow)
NAMES: Final = tuple(each.name for each in fields(Rate))
_RATE: Final = tuple(TABLE.c[name] for name in NAMES)
_TIMED: Final = (*_RATE[:-1], sa.func.coalesce(TABLE.c.effective_from, TABLE.c.created_at, type_=Micros))
"""A rate with the time from which it holds, also where that is when it was stored."""


def _since(rates: sa.FromClause) -> sa.ColumnElement[Any]:
    """From when a version holds."""
    return sa.func.coalesce(rates.c.effective_from, rates.c.created_at, type_=Micros)


def _in_force(rates: sa.FromClause) -> sa.ColumnElement[bool]:
    """Whether a version holds by now: one for at once does as soon as it is stored, whatever a clock says."""
    return sa.or_(rates.c.effective_from.is_(None), rates.c.effective_from <= sa.bindparam("at", type_=Micros))


def _rates_in_force() -> sa.ClauseElement:
    later = TABLE.alias("later")
    same = sa.and_(_since(later) == _since(TABLE), later.c.version > TABLE.c.version)
    after = sa.and_(
        later.c.currency == TABLE.c.currency,
        later.c.book_currency == TABLE.c.book_currency,
        _in_force(later),
        sa.or_(_since(later) > _since(TABLE), same),
    )
    return sa.select(*_RATE).where(_in_force(TABLE), ~sa.exists(sa.select(later.c.version).where(after)))


def _latest(holds: sa.ColumnElement[bool], *shown: sa.ColumnElement[Any]) -> sa.ClauseElement:
    of = sa.and_(TABLE.c.currency == sa.bindparam("currency"), TABLE.c.book_currency == sa.bindparam("book_currency"))
    newest = (_since(TABLE).desc(), TABLE.c.version.desc())
    return sa.select(*shown).where(of, holds).order_by(*newest).limit(sa.literal_column("1"))


_RATES_IN_FORCE: Final = Statement[Any](_rates_in_force)
_RATE_IN_FORCE: Final = Statement[Any](lambda: _latest(_in_force(TABLE), *_RATE))
_RATE_AT: Final = Statement[Any](lambda: _latest(_since(TABLE) <= sa.bindparam("at", type_=Micros), *_TIMED))
_RATE_VERSIONS: Final = Statement[tuple[str, str, int, datetime]](
    lambda: sa.select(
        TABLE.c.currency,
        TABLE.c.book_currency,
        sa.func.max(TABLE.c.version),
        sa.func.max(TABLE.c.created_at, type_=Micros),
    ).group_by(TABLE.c.currency, TABLE.c.book_currency)
)


def _page(*, backward: bool) -> Statement[Any]:
    key, order = sa.bindparam("key", type_=Integer), TABLE.c.version.asc() if backward else TABLE.c.version.desc()
    beyond = TABLE.c.version > key if backward else TABLE.c.version < key
    of = sa.and_(TABLE.c.currency == sa.bindparam("currency"), TABLE.c.book_currency == sa.bindparam("book_currency"))
    return Statement(lambda: sa.select(*_TIMED).where(of, beyond).order_by(order).limit(sa.bindparam("size")))


_ONE: Final = Statement[Any](
    lambda: sa.select(*_TIMED).where(
        *(TABLE.c[name] == sa.bindparam(name) for name in ("currency", "book_currency", "version"))
    )
)
_PAGES: Final = {backward: _page(backward=backward) for backward in (False, True)}
_INSERT: Final = Statement[Any](
    lambda: sa.insert(TABLE).values({column.name: sa.bindparam(column.name) for column in TABLE.c})
)


def list_of_in_force(tx: Tx) -> list[Rate]:
    """What each currency is worth now."""
    return [Rate(*row) for row in tx.all(_RATES_IN_FORCE, at=tx.now)]


def find_at(tx: Tx, currency: str, book_currency: str, at: datetime) -> Rate | None:
    """What a currency is worth at an instant, with the time from which it is, or None."""
    row = tx.one(_RATE_AT, currency=currency, book_currency=book_currency, at=at)
    return None if row is None else Rate(*row)


def find_in_force(tx: Tx, currency: str, book_currency: str) -> Rate | None:
    """What a currency is worth now, or None."""
    row = tx.one(_RATE_IN_FORCE, currency=currency, book_currency=book_currency, at=tx.now)
    return None if row is None else Rate(*row)


def get(tx: Tx, currency: str, book_currency: str, version: int) -> Rate:
    """A version of what a currency is worth, with the time from which it is.

    Raises:
        NotFoundError: there is no such version.
    """
    row = tx.one(_ONE, currency=currency, book_currency=book_currency, version=version)
    if row is None:
        raise errors.NotFoundError("There is no such rate.")
    return Rate(*row)


def find_newest(tx: Tx, currency: str, book_currency: str) -> Rate | None:
    """The newest version of what a currency is worth, in force or not, or None."""
    newest = list_of_page(tx, currency, book_currency, PageArgs(size=0, key=None, backward=False))
    return newest[0] if newest else None


def versions(tx: Tx) -> dict[tuple[str, str], int]:
    """The newest version of every rate, in force or not, by its currency and that of the books."""
    return {(currency, book): version for currency, book, version, _ in tx.all(_RATE_VERSIONS)}


def list_of_page(tx: Tx, currency: str, book_currency: str, args: PageArgs) -> list[Rate]:
    """Up to one version more than the page holds of what a currency is worth, newest first; the key is `(version,)`."""
    key = args.key[0] if args.key is not None else 0 if args.backward else VERSIONS_END
    of = {"currency": currency, "book_currency": book_currency}
    return [Rate(*row) for row in tx.all(_PAGES[args.backward], size=args.size + 1, key=key, **of)]


def insert(tx: Tx, rates: Iterable[Rate]) -> None:
    """Stores new versions of rates, none before the one that it follows: the clocks of processes differ."""
    stored = {(currency, book): at for currency, book, _, at in tx.all(_RATE_VERSIONS)}
    tx.many(
        _INSERT,
        [
            {name: getattr(rate, name) for name in NAMES}
            | {"created_at": max(tx.now, stored.get((rate.currency, rate.book_currency), tx.now))}
            for rate in rates
        ],
    )
