"""The batches that payouts are sent in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors
from shoutgraph.domain.batches import Batch
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class BatchRow(SQLModel, table=True):
    """Payouts that are handed over with one call; its key stands for exactly its payouts."""

    __tablename__ = "payout_batch"
    __table_args__ = (sa.CheckConstraint("attempts > 0", name="payout_batch_attempts"), {"sqlite_strict": True})

    id: str = Field(sa_type=Text, primary_key=True)
    instance: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    first_sent_at: datetime = Field(sa_type=Micros)
    answer_due_at: datetime = Field(sa_type=Micros)
    attempts: int = Field(sa_type=Integer)
    ref: str | None = Field(sa_type=Text)


_B = columns.table_of(BatchRow)
_CHANGES: Final = ("answer_due_at", "attempts", "ref")


def insert(tx: Tx, batch: Batch) -> None:
    """Stores a batch that is about to be sent."""
    tx.put(_INSERT, **{column.name: getattr(batch, column.name) for column in _B.c})


def save(tx: Tx, batch: Batch) -> None:
    """Stores another attempt at a batch, or the provider's name for it."""
    tx.put(_SAVE, of=batch.id, **{name: getattr(batch, name) for name in _CHANGES})


def get(tx: Tx, batch_id: str, *, to_change: bool = False) -> Batch:
    """A batch.

    Args:
        to_change: holds it, after its payouts.

    Raises:
        NotFoundError: there is no such batch.
    """
    rows = tx.all(_HOLD if to_change else _GET, ids=[batch_id])
    if not rows:
        raise errors.NotFoundError("There is no such batch.")
    return Batch(*rows[0])


def find_many(tx: Tx, batch_ids: Sequence[str]) -> dict[str, Batch]:
    """Batches by their ids."""
    return {row[0]: Batch(*row) for row in tx.all(_GET, ids=batch_ids)}


def _some() -> sa.ClauseElement:
    return sa.select(*_B.c).where(columns.any_of(_B.c.id, "ids"))


_INSERT: Final = Statement[Any](lambda: sa.insert(_B).values({c.name: sa.bindparam(c.name) for c in _B.c}))
_GET: Final = Statement[Any](_some)
_HOLD: Final = Statement[Any](_some, holds=_B)
_SAVE: Final = Statement[Any](
    lambda: sa.update(_B).where(_B.c.id == sa.bindparam("of")).values({name: sa.bindparam(name) for name in _CHANGES})
)
