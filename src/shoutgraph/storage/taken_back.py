"""What refunds took back of top-ups, and what of it returned. Units: minor units, coins, book units.

It is kept in the same unit of work as the transfers; whoever changes it holds its top-up first.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import ids
from shoutgraph.domain.ledger import LotMove
from shoutgraph.domain.topups.parts import Slice
from shoutgraph.domain.topups.taken import TakenBack
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, JsonText, Micros, Text
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

OF_TOPUP_MAX: Final = 1_000
"""The most refunds of one top-up that are read."""


class TakenBackRow(SQLModel, table=True):
    """What one refund took of its top-up."""

    __tablename__ = "taken_back"
    __table_args__ = (
        sa.CheckConstraint("minor > 0 AND coins >= 0 AND book_units >= 0", name="taken_back_part"),
        sa.CheckConstraint("order_coins >= 0 AND owed_coins >= 0 AND bonus_coins >= 0", name="taken_back_counts"),
        sa.CheckConstraint("back_minor BETWEEN 0 AND minor", name="taken_back_minor"),
        sa.CheckConstraint("back_coins BETWEEN 0 AND coins", name="taken_back_coins"),
        sa.CheckConstraint("back_book_units BETWEEN 0 AND book_units", name="taken_back_book_units"),
        sa.Index("taken_back_topup", "topup_id", "number"),
        {"sqlite_strict": True},
    )

    ref: str = Field(sa_type=Text, primary_key=True)
    topup_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("topup.id"), nullable=False))
    number: int = Field(sa_type=Integer)
    minor: int = Field(sa_type=Integer)
    coins: int = Field(sa_type=Integer)
    book_units: int = Field(sa_type=Integer)
    taken: list[list[object]] = Field(sa_type=JsonText)
    order_coins: int = Field(sa_type=Integer)
    owed_coins: int = Field(sa_type=Integer)
    bonus_coins: int = Field(sa_type=Integer)
    back_minor: int = Field(sa_type=Integer)
    back_coins: int = Field(sa_type=Integer)
    back_book_units: int = Field(sa_type=Integer)
    at: datetime = Field(sa_type=Micros)


_T: Final = columns.table_of(TakenBackRow)


def insert(tx: Tx, record: TakenBack) -> None:
    """Stores what a refund took, after those before it."""
    number = len(list_of_topup(tx, record.topup_id)) + 1
    tx.put(
        _INSERT,
        ref=record.ref,
        topup_id=record.topup_id,
        number=number,
        minor=record.part.minor,
        coins=record.part.coins,
        book_units=record.part.book_units,
        taken=[[move.lot_id, move.coins] for move in record.taken],
        order_coins=record.order_coins,
        owed_coins=record.owed_coins,
        bonus_coins=record.bonus_coins,
        back_minor=record.back.minor,
        back_coins=record.back.coins,
        back_book_units=record.back.book_units,
        at=record.at,
    )


def save(tx: Tx, record: TakenBack) -> None:
    """Stores what of it returned, and which granted coins went with it."""
    changed = tx.run(
        _SAVE,
        of=record.ref,
        bonus=record.bonus_coins,
        minor=record.back.minor,
        coins=record.back.coins,
        book_units=record.back.book_units,
    )
    assert changed == 1, "what was read is there"


def list_of_topup(tx: Tx, topup_id: ids.TopupId) -> tuple[TakenBack, ...]:
    """What refunds took of a top-up, the oldest first."""
    return tuple(_record(row) for row in tx.all(_OF_TOPUP, topup_id=topup_id))


def _record(row: Sequence[Any]) -> TakenBack:
    ref, topup_id, _, minor, coins, book_units, taken, order_coins, owed, bonus, *back, at = row
    return TakenBack(
        ref=ref,
        topup_id=topup_id,
        part=Slice(minor, coins, book_units),
        taken=tuple(LotMove(lot_id, moved) for lot_id, moved in taken),
        at=at,
        order_coins=order_coins,
        owed_coins=owed,
        bonus_coins=bonus,
        back=Slice(*back),
    )


_INSERT: Final = Statement[Any](lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))
_SAVE: Final = Statement[Any](
    lambda: (
        sa.update(_T)
        .where(_T.c.ref == sa.bindparam("of"))
        .values(
            bonus_coins=sa.bindparam("bonus"),
            back_minor=sa.bindparam("minor"),
            back_coins=sa.bindparam("coins"),
            back_book_units=sa.bindparam("book_units"),
        )
    )
)
_OF_TOPUP: Final = Statement[Any](
    lambda: sa.select(*_T.c).where(_T.c.topup_id == sa.bindparam("topup_id")).order_by(_T.c.number).limit(OF_TOPUP_MAX)
)
