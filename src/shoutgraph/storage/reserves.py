"""How much of a creator's earnings is kept in reserve, where finance said another share than the policy's."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain.earnings import ReserveRate
from shoutgraph.storage import columns, statements
from shoutgraph.storage.columns import Integer, Micros, Text
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class CreatorReserveRow(SQLModel, table=True):
    """A creator's own share; no row: the policy's. The audit trail has what it was before."""

    __tablename__ = "creator_reserve"
    __table_args__ = (
        sa.CheckConstraint("basis_points BETWEEN 0 AND 10000", name="creator_reserve_share"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )

    creator_id: str = Field(sa_type=Text, foreign_key="creator.id", primary_key=True)
    basis_points: int = Field(sa_type=Integer)
    reason: str = Field(sa_type=Text)
    set_by: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=Micros)


_T: Final = columns.table_of(CreatorReserveRow)
_LIST: Final = Statement[tuple[str, int]](
    lambda: sa.select(_T.c.creator_id, _T.c.basis_points).where(columns.any_of(_T.c.creator_id, "ids"))
)
_SAVE: Final = Statement[Any](lambda: statements.upsert(_T, "creator_id"))
_DELETE: Final = Statement[Any](lambda: sa.delete(_T).where(_T.c.creator_id == sa.bindparam("creator_id")))


def rates_of(tx: Tx, creator_ids: Sequence[str]) -> dict[str, int]:
    """The own shares of those creators who have one. Units: basis points."""
    return dict(tx.all(_LIST, ids=list(creator_ids)))


def save(tx: Tx, rate: ReserveRate) -> None:
    """Stores a creator's own share, or forgets it. Whoever does holds the creator."""
    if rate.basis_points is None:
        tx.run(_DELETE, creator_id=rate.creator_id)
        return
    tx.put(
        _SAVE,
        creator_id=rate.creator_id,
        basis_points=rate.basis_points,
        reason=rate.reason,
        set_by=rate.set_by,
        at=tx.now,
    )
