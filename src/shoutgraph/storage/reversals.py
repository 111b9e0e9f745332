"""Reversals: the disputes of a top-up's money, each opened once and decided once. Units: minor units, coins."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import ids
from shoutgraph.domain.ledger import LotMove
from shoutgraph.domain.topups.booking import Dispute
from shoutgraph.domain.topups.parts import Slice
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, JsonText, Micros, Text
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

DISPUTES_MAX: Final = 1_000
"""The most disputes of one top-up that are read."""


class DisputeRow(SQLModel, table=True):
    """One withdrawal of a top-up's money by its provider."""

    __tablename__ = "topup_dispute"
    __table_args__ = (
        sa.CheckConstraint("lost_minor BETWEEN 0 AND minor", name="topup_dispute_lost"),
        sa.CheckConstraint("minor >= 0 AND coins >= 0 AND order_coins >= 0 AND owed_coins >= 0", name="topup_dispute"),
        sa.Index("topup_dispute_topup", "topup_id", "until_minor"),
        {"sqlite_strict": True},
    )

    ref: str = Field(sa_type=Text, primary_key=True)
    topup_id: str = Field(sa_column=sa.Column(Text, sa.ForeignKey("topup.id"), nullable=False))
    minor: int = Field(sa_type=Integer)
    coins: int = Field(sa_type=Integer)
    book_units: int = Field(sa_type=Integer)
    until_minor: int = Field(sa_type=Integer)
    taken: list[list[object]] = Field(sa_type=JsonText)
    order_coins: int = Field(sa_type=Integer)
    owed_coins: int = Field(sa_type=Integer)
    opened_at: datetime = Field(sa_type=Micros)
    decided_at: datetime | None = Field(sa_type=Micros)
    lost_minor: int = Field(sa_type=Integer)


_D: Final = columns.table_of(DisputeRow)


def insert(tx: Tx, dispute: Dispute) -> None:
    """Stores a dispute that was opened."""
    tx.put(
        _INSERT,
        ref=dispute.ref,
        topup_id=dispute.topup_id,
        minor=dispute.part.minor,
        coins=dispute.part.coins,
        book_units=dispute.part.book_units,
        until_minor=dispute.until_minor,
        taken=[[move.lot_id, move.coins] for move in dispute.taken],
        order_coins=dispute.order_coins,
        owed_coins=dispute.owed_coins,
        opened_at=dispute.opened_at,
        decided_at=dispute.decided_at,
        lost_minor=dispute.lost_minor,
    )


def decide(tx: Tx, ref: str, *, lost_minor: int) -> None:
    """Stores how a dispute ended."""
    changed = tx.run(_DECIDE, of=ref, now=tx.now, lost=lost_minor)
    assert changed == 1, "a dispute is decided once"


def list_of_topup(tx: Tx, topup_id: ids.TopupId) -> tuple[Dispute, ...]:
    """The disputes of a top-up, in the order opened."""
    return tuple(_dispute(row) for row in tx.all(_OF_TOPUP, topup_id=topup_id))


def _dispute(row: Sequence[Any]) -> Dispute:
    ref, topup_id, minor, coins, book_units, until, taken, order_coins, owed, opened_at, decided_at, lost = row
    return Dispute(
        ref=ref,
        topup_id=topup_id,
        part=Slice(minor, coins, book_units),
        until_minor=until,
        taken=tuple(LotMove(lot_id, moved) for lot_id, moved in taken),
        order_coins=order_coins,
        owed_coins=owed,
        opened_at=opened_at,
        decided_at=decided_at,
        lost_minor=lost,
    )


_INSERT: Final = Statement[Any](lambda: sa.insert(_D).values({c.name: sa.bindparam(c.name) for c in _D.c}))
_DECIDE: Final = Statement[Any](
    lambda: (
        sa.update(_D)
        .where(_D.c.ref == sa.bindparam("of"), _D.c.decided_at.is_(None))
        .values(decided_at=sa.bindparam("now"), lost_minor=sa.bindparam("lost"))
    )
)
_OF_TOPUP: Final = Statement[Any](
    lambda: (
        sa.select(*_D.c).where(_D.c.topup_id == sa.bindparam("topup_id")).order_by(_D.c.until_minor).limit(DISPUTES_MAX)
    )
)
