"""The batches that payouts are sent in."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import errors, pages
from shoutgraph.domain.batches import Batch, BatchFilter, BatchState
from shoutgraph.storage import columns
from shoutgraph.storage.columns import Integer, Micros, Text
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx


class BatchRow(SQLModel, table=True):
    """Payouts that are handed over with one call; its key stands for exactly its payouts."""

    __tablename__ = "payout_batch"
    __table_args__ = (
        sa.CheckConstraint("attempts > 0", name="payout_batch_attempts"),
        sa.Index("payout_batch_instance", "instance", "id"),
        sa.Index("payout_batch_key", "instance", "key", "id"),
        {"sqlite_strict": True},
    )

    id: str = Field(sa_type=Text, primary_key=True)
    instance: str = Field(sa_type=Text)
    key: str = Field(sa_type=Text)
    first_sent_at: datetime = Field(sa_type=Micros)
    answer_due_at: datetime = Field(sa_type=Micros)
    attempts: int = Field(sa_type=Integer)
    ref: str | None = Field(sa_type=Text)
    exported_at: datetime | None = Field(sa_type=Micros)
    handed_over_at: datetime | None = Field(sa_type=Micros)
    handed_over_by: str | None = Field(sa_type=Text)
    answered_at: datetime | None = Field(sa_type=Micros)
    alarm: str | None = Field(sa_type=Text)


_B = columns.table_of(BatchRow)
_FIXED: Final = frozenset({"id", "instance", "key", "first_sent_at"})
_CHANGES: Final = tuple(column.name for column in _B.c if column.name not in _FIXED)


def insert(tx: Tx, batch: Batch) -> None:
    """Stores a batch that is about to be sent."""
    tx.put(_INSERT, **{column.name: getattr(batch, column.name) for column in _B.c})


def save(tx: Tx, batch: Batch) -> None:
    """Stores another attempt at a batch, the provider's name for it, or how far it is."""
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
        raise errors.NotFoundError("There is no such batch.", path=("input", "batchId"))
    return Batch(*rows[0])


def find_by_key(tx: Tx, *, instance: str, key: str) -> Batch | None:
    """The batch that went out under this key, or None.

    Payouts that provably never left and go out again together have the same key again: they are in the newest.
    """
    rows = tx.all(_FIND, of_instance=instance, of_key=key)
    return Batch(*rows[0]) if rows else None


def find_many(tx: Tx, batch_ids: Sequence[str]) -> dict[str, Batch]:
    """Batches by their ids."""
    return {row[0]: Batch(*row) for row in tx.all(_GET, ids=batch_ids)}


def list_of_page(tx: Tx, args: pages.PageArgs, only: BatchFilter) -> list[Batch]:
    """Up to one batch more than the page holds, newest first. The key is `(id,)`."""
    params: dict[str, object] = {}
    if only.instance is not None:
        params["of_instance"] = only.instance
    if args.key is not None:
        params["key"] = args.key[0]
    statement = _page(frozenset(params), only.states, not args.backward)
    return [Batch(*row) for row in tx.all(statement, size=args.size + 1, **params)]


@cache
def _page(given: frozenset[str], states: tuple[BatchState, ...], descending: bool) -> Statement[Any]:  # noqa: FBT001 - part of a cache key
    def build() -> sa.ClauseElement:
        query = sa.select(*_B.c).limit(sa.bindparam("size"))
        query = query.order_by(_B.c.id.desc() if descending else _B.c.id.asc())
        if "of_instance" in given:
            query = query.where(_B.c.instance == sa.bindparam("of_instance"))
        if "key" in given:
            key = sa.bindparam("key", type_=Text)
            query = query.where(_B.c.id < key if descending else _B.c.id > key)
        return query.where(sa.or_(*(_IN_STATE[state]() for state in states))) if states else query

    return Statement(build)


_IN_STATE: Final[dict[BatchState, Callable[[], sa.ColumnElement[bool]]]] = {
    BatchState.RESERVED: lambda: _B.c.answered_at.is_(None) & _B.c.exported_at.is_(None),
    BatchState.EXPORTED: lambda: (
        _B.c.answered_at.is_(None) & _B.c.exported_at.is_not(None) & _B.c.handed_over_at.is_(None)
    ),
    BatchState.HANDED_OVER: lambda: _B.c.answered_at.is_(None) & _B.c.handed_over_at.is_not(None),
    BatchState.SUBMITTED: lambda: _B.c.answered_at.is_not(None),
}


def _some() -> sa.ClauseElement:
    return sa.select(*_B.c).where(columns.any_of(_B.c.id, "ids"))


_INSERT: Final = Statement[Any](lambda: sa.insert(_B).values({c.name: sa.bindparam(c.name) for c in _B.c}))
_GET: Final = Statement[Any](_some)
_HOLD: Final = Statement[Any](_some, holds=_B)
_FIND: Final = Statement[Any](
    lambda: (
        sa.select(*_B.c)
        .where(_B.c.instance == sa.bindparam("of_instance"), _B.c.key == sa.bindparam("of_key"))
        .order_by(_B.c.id.desc())
        .limit(1)
    )
)
_SAVE: Final = Statement[Any](
    lambda: sa.update(_B).where(_B.c.id == sa.bindparam("of")).values({name: sa.bindparam(name) for name in _CHANGES})
)
