"""What payouts in another currency were exchanged at: agreed with the request, and never changed.

Units: minor units of the book currency and of the payout's own.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import ids
from shoutgraph.domain.exchanges import AMOUNT_MAX_MINOR, GROSS_MAX_MINOR, Exchange
from shoutgraph.domain.packages import Rate
from shoutgraph.storage import columns, rates
from shoutgraph.storage.columns import Integer, Text
from shoutgraph.storage.ledger.tables import AccountRow, PostingRow, TransferRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

SPREAD: Final = "(gross_minor * spread_bps + 9999) / 10000"
"""The spread rounded up, as the database counts."""


class ExchangeRow(SQLModel, table=True):
    """The exchange of one payout. The database compares it with the payout and the rate."""

    __tablename__: ClassVar[str] = "payout_exchange"
    __table_args__ = (
        sa.CheckConstraint(f"gross_minor BETWEEN 1 AND {GROSS_MAX_MINOR}", name="payout_exchange_gross"),
        sa.CheckConstraint("spread_bps BETWEEN 0 AND 9999", name="payout_exchange_bps"),
        sa.CheckConstraint(f"spread_minor = {SPREAD}", name="payout_exchange_spread"),
        sa.CheckConstraint(f"amount_minor BETWEEN 1 AND {AMOUNT_MAX_MINOR}", name="payout_exchange_amount"),
        sa.CheckConstraint("currency <> book_currency", name="payout_exchange_currency"),
        sa.ForeignKeyConstraint(
            ["currency", "book_currency", "rate_version"],
            [f"fx_rate.{name}" for name in ("currency", "book_currency", "version")],
            name="payout_exchange_rate",
        ),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )

    payout_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("payout.id"), primary_key=True, nullable=False))
    currency: str = Field(sa_type=Text)
    book_currency: str = Field(sa_type=Text)
    rate_version: int = Field(sa_type=Integer)
    gross_minor: int = Field(sa_type=Integer)
    spread_bps: int = Field(sa_type=Integer)
    spread_minor: int = Field(sa_type=Integer)
    amount_minor: int = Field(sa_type=Integer)


_T: Final = columns.table_of(ExchangeRow)
_RATE: Final = rates.TABLE
_ACCOUNT: Final = columns.table_of(AccountRow)
_POSTING: Final = columns.table_of(PostingRow)
_TRANSFER: Final = columns.table_of(TransferRow)
_AGREED: Final = ("gross_minor", "spread_bps", "spread_minor", "amount_minor")


def insert(tx: Tx, payout_id: ids.PayoutId, exchange: Exchange) -> None:
    """Stores at what a new payout was exchanged."""
    agreed = {name: getattr(exchange, name) for name in _AGREED}
    rate = exchange.rate
    of = {"currency": rate.currency, "book_currency": rate.book_currency, "rate_version": rate.version}
    tx.put(_INSERT, payout_id=payout_id, **of, **agreed)


def find(tx: Tx, payout_id: ids.PayoutId) -> Exchange | None:
    """At what a payout was exchanged; None for one in the book currency."""
    return find_many(tx, [payout_id]).get(payout_id)


def find_many(tx: Tx, payout_ids: Sequence[str]) -> dict[str, Exchange]:
    """At what payouts were exchanged, by their ids; those in the book currency are not there."""
    size = len(_AGREED) + 1
    rows = tx.all(_FIND, ids=list(payout_ids))
    return {row[0]: Exchange(Rate(*row[size:]), *row[1:size]) for row in rows}


def unlike_postings() -> sa.Select[Any]:
    """Payouts whose postings to the exchange accounts and to the spread are not what was agreed, either way."""
    own = _T.c.book_currency
    hundred: sa.ColumnElement[int] = sa.literal_column("100")
    paid: sa.ColumnElement[str] = sa.literal_column("'payout.paid'")
    sign = sa.case((_TRANSFER.c.kind == paid, hundred), else_=-hundred)
    legs = (
        ("fx:", _T.c.currency, -_T.c.amount_minor),
        ("fx:", own, _T.c.gross_minor - _T.c.spread_minor),
        ("rev:payout:", own, _T.c.spread_minor),
    )
    of = (_TRANSFER.c.ref == _T.c.payout_id) & _booked()
    agreed = [
        sa.select(
            _T.c.payout_id.label("payout"),
            (sa.literal_column(f"'{name}'", Text) + currency).label("account"),
            (sign * minor).label("units"),
        ).join_from(_T, _TRANSFER, of)
        for name, currency, minor in legs
    ]
    came = sa.case((_ACCOUNT.c.id == _POSTING.c.credit_id, _POSTING.c.amount), else_=-_POSTING.c.amount)
    side = (_ACCOUNT.c.id == _POSTING.c.credit_id) | (_ACCOUNT.c.id == _POSTING.c.debit_id)
    code = _ACCOUNT.c.code
    ours = sa.or_(*(sa.func.substr(code, 1, len(name)) == sa.literal_column(f"'{name}'") for name, *_ in legs[1:]))
    posted = (
        sa.select(_TRANSFER.c.ref, code, -came)
        .join_from(_TRANSFER, _POSTING, _POSTING.c.transfer_id == _TRANSFER.c.id)
        .join(_ACCOUNT, side & ours)
        .where(_booked())
    )
    sides = sa.union_all(*agreed, posted).subquery()
    rest = sa.cast(sa.func.sum(sides.c.units), columns.Integer)
    return sa.select(sides.c.payout, sides.c.account, rest).group_by(sides.c.payout, sides.c.account).having(rest != 0)


def _booked() -> sa.ColumnElement[bool]:
    return _TRANSFER.c.kind.in_([sa.literal_column(f"'payout.{ending}'") for ending in ("paid", "returned")])


def _find() -> sa.ClauseElement:
    known = [_RATE.c.currency == _T.c.currency, _RATE.c.book_currency == _T.c.book_currency]
    rate = sa.and_(*known, _RATE.c.version == _T.c.rate_version)
    shown = (_T.c.payout_id, *(_T.c[name] for name in _AGREED), *(_RATE.c[name] for name in rates.NAMES))
    return sa.select(*shown).join_from(_T, _RATE, rate).where(columns.any_of(_T.c.payout_id, "ids"))


_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))
_FIND: Final = Statement[Any](_find)
