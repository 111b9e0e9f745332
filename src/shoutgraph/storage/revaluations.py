"""What the exchange accounts held in each currency, and what that was worth, once a day."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain.packages import Valued
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text
from shoutgraph.storage.ledger.tables import AccountRow, PostingRow, TransferRow
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class RevaluationRow(SQLModel, table=True):
    """One currency on one day. The book currency has a row, too: what its exchange account said before."""

    __tablename__: ClassVar[str] = "fx_revaluation"
    __table_args__ = (
        sa.CheckConstraint("(currency = book_currency) = (rate_version IS NULL)", name="fx_revaluation_rate"),
        sa.CheckConstraint("currency <> book_currency OR worth_units = held_units", name="fx_revaluation_own"),
        sa.ForeignKeyConstraint(
            ["currency", "book_currency", "rate_version"],
            [f"fx_rate.{name}" for name in ("currency", "book_currency", "version")],
            name="fx_revaluation_known",
        ),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    day: str = Field(sa_type=Text, primary_key=True)
    currency: str = Field(sa_type=Text, primary_key=True)
    book_currency: str = Field(sa_type=Text)
    rate_version: int | None = Field(sa_type=Integer)
    held_units: int = Field(sa_type=Integer)
    worth_units: int = Field(sa_type=Integer)
    at: datetime = Field(sa_type=Micros)


_V: Final = columns.table_of(RevaluationRow)
_ACCOUNT: Final = columns.table_of(AccountRow)
_POSTING: Final = columns.table_of(PostingRow)
_TRANSFER: Final = columns.table_of(TransferRow)
_KIND: Final[sa.ColumnElement[str]] = sa.literal_column("'fx.revalued'")


def was_valued(tx: Tx, day: str) -> bool:
    """Whether the exchange accounts were valued on a day."""
    return tx.one(_FIND, day=day) is not None


def insert(tx: Tx, day: str, valued: Sequence[Valued]) -> None:
    """Stores what was held on a day; who comes second is told that the key is taken, and run again."""
    tx.many(
        _INSERT,
        [
            {
                "day": day,
                "currency": each.currency,
                "book_currency": each.book_currency,
                "rate_version": each.rate_version,
                "held_units": each.held_units,
                "worth_units": each.worth_units,
                "at": tx.now,
            }
            for each in valued
        ],
    )


def _found() -> sa.ClauseElement:
    return sa.select(_V.c.day).where(_V.c.day == sa.bindparam("day")).limit(sa.literal_column("1"))


def wrong_days() -> sa.Select[Any]:
    """Days whose gain in the books is not what the rows of the day come to, and gains of days without rows."""
    gain = sa.case((_ACCOUNT.c.id == _POSTING.c.credit_id, _POSTING.c.amount), else_=-_POSTING.c.amount)
    of_expense = (_ACCOUNT.c.id == _POSTING.c.credit_id) | (_ACCOUNT.c.id == _POSTING.c.debit_id)
    sides = sa.union_all(
        sa.select(_V.c.day.label("day"), _V.c.worth_units.label("units")),
        sa.select(_TRANSFER.c.ref, -gain)
        .join_from(_TRANSFER, _POSTING, _POSTING.c.transfer_id == _TRANSFER.c.id)
        .join(_ACCOUNT, of_expense & (sa.func.substr(_ACCOUNT.c.code, 1, 7) == sa.literal_column("'exp:fx:'")))
        .where(_TRANSFER.c.kind == _KIND, _TRANSFER.c.ref >= sa.select(sa.func.min(_V.c.day)).scalar_subquery()),
    ).subquery()
    rest = sa.cast(sa.func.sum(sides.c.units), columns.Integer)
    return sa.select(sides.c.day, rest).group_by(sides.c.day).having(rest != 0)


_FIND: Final = Statement[tuple[str]](_found)
_INSERT: Final = Statement[Any](lambda: sa.insert(_V).values({c.name: sa.bindparam(c.name) for c in _V.c}))
