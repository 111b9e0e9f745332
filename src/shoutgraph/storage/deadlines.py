"""Deadlines as rows: claimed in the transaction of their effect, so that a crash gives them back."""

from collections.abc import Collection
from datetime import datetime, timedelta
from functools import cache
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import clock, deadlines
from shoutgraph.domain.deadlines import NO_TIME
from shoutgraph.storage import columns
from shoutgraph.storage.statements import Statement, upsert_rows
from shoutgraph.storage.tx import Tx

CLAIM_MAX: Final = 100
"""The most deadlines that one unit of work claims."""


class DeadlineRow(SQLModel, table=True):
    """What is due for a subject."""

    __tablename__: ClassVar[str] = "deadline"
    __table_args__ = (
        sa.CheckConstraint("(paused_remaining IS NULL) = (paused_at IS NULL)", name="deadline_pause"),
        sa.CheckConstraint("paused_remaining IS NULL OR paused_remaining >= 0", name="deadline_remaining"),
        columns.partial_index("deadline_running", "due_at", where="paused_remaining IS NULL"),
        {"sqlite_strict": True, "sqlite_with_rowid": False},
    )
    subject_id: str = Field(sa_column=sa.Column(columns.Text, primary_key=True))
    kind: str = Field(sa_column=sa.Column(columns.Text, primary_key=True))
    due_at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))
    revision: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    paused_remaining: int | None = Field(sa_column=sa.Column(columns.Integer, nullable=True))
    paused_at: datetime | None = Field(sa_column=sa.Column(columns.Micros, nullable=True))


_T = columns.table_of(DeadlineRow)


def put(tx: Tx, *given: deadlines.Deadline) -> None:
    """Sets deadlines, each in place of one of the same kind for the same subject."""
    if not given:
        return
    values: dict[str, object] = {}
    for place, deadline in enumerate(given):
        left = None if deadline.paused_remaining is None else deadline.paused_remaining // clock.MICROSECOND
        row = (deadline.subject_id, deadline.kind, deadline.due_at, deadline.revision, left, deadline.paused_at)
        values |= {f"{column.name}_{place}": value for column, value in zip(_T.c, row, strict=True)}
    tx.put(_put(len(given)), **values)


@cache
def _put(count: int) -> Statement[Any]:
    """As many at once as there are kinds of deadlines of one state, at most."""
    return Statement(lambda: upsert_rows(_T, count, "subject_id", "kind"))


def delete(tx: Tx, subject_id: str, kind: str | None = None) -> int:
    """Drops one deadline of a subject, or all; gives how many."""
    if kind is None:
        return tx.run(_DELETE_ALL, subject=subject_id)
    return tx.run(_DELETE, subject=subject_id, of_kind=kind)


def claim_due(tx: Tx, *, kinds: Collection[str], limit: int = CLAIM_MAX) -> tuple[deadlines.Deadline, ...]:
    """Takes deadlines of orders that are due. Their rows are gone if this unit of work commits.

    It holds their orders from now on, as everybody does who changes an order's deadlines, and leaves out those that
    somebody holds already. The orders with the longest due are taken; they come by id, each with what is due for it in
    the order of time.
    """
    held = tx.all(_HOLD_DUE, now=tx.now, kinds=sorted(kinds), size=min(limit, CLAIM_MAX))
    if not held:
        return ()
    rows = tx.all(_TAKE, subjects=sorted({row[0] for row in held}), kinds=sorted(kinds), now=tx.now)
    return tuple(sorted(map(_read, rows), key=lambda deadline: (deadline.subject_id, deadline.due_at)))


def delete_due(tx: Tx, deadline: deadlines.Deadline) -> bool:
    """Drops a deadline if it still is what it was; whoever does holds its subject."""
    return tx.run(_DELETE_DUE, subject=deadline.subject_id, of_kind=deadline.kind, due=deadline.due_at) == 1


def list_due(tx: Tx, *, kinds: Collection[str], limit: int) -> tuple[deadlines.Deadline, ...]:
    """Deadlines of these kinds that are due, the longest due first, left where they are."""
    return tuple(map(_read, tx.all(_DUE, now=tx.now, kinds=sorted(kinds), size=limit)))


def find_next_due(tx: Tx) -> datetime | None:
    """When the next deadline is due, or None."""
    row = tx.one(_NEXT)
    return row[0] if row else None


def list_of_subject(tx: Tx, subject_id: str) -> tuple[deadlines.Deadline, ...]:
    """A subject's deadlines, the next one first."""
    return tuple(map(_read, tx.all(_OF_SUBJECT, subject=subject_id)))


def list_of_subjects(tx: Tx, subject_ids: list[str]) -> tuple[deadlines.Deadline, ...]:
    """The deadlines of many subjects, by subject and then the next one first."""
    return tuple(map(_read, tx.all(_OF_SUBJECTS, subjects=subject_ids)))


def pause(tx: Tx, subject_id: str, kind: str | None = None) -> int:
    """Stops the clock of one deadline of a subject, or of all that run; gives how many."""
    paused = 0
    for deadline in list_of_subject(tx, subject_id):
        if deadline.paused or kind not in {None, deadline.kind}:
            continue
        left = max(deadline.due_at - tx.now, NO_TIME)
        paused += _set_pause(tx, deadline, due=deadline.due_at, left=left, since=tx.now)
    return paused


def resume(tx: Tx, subject_id: str, kind: str | None = None, *, at_least: timedelta = NO_TIME) -> int:
    """Lets the clock of one paused deadline of a subject run again, or of all; gives how many.

    Args:
        at_least: the time that is left at the least.
    """
    resumed = 0
    for deadline in list_of_subject(tx, subject_id):
        if deadline.paused_remaining is None or kind not in {None, deadline.kind}:
            continue
        due = tx.now + max(deadline.paused_remaining, at_least)
        resumed += _set_pause(tx, deadline, due=due, left=None, since=None)
    return resumed


def _set_pause(
    tx: Tx, deadline: deadlines.Deadline, *, due: datetime, left: timedelta | None, since: datetime | None
) -> int:
    return tx.run(
        _PAUSE,
        subject=deadline.subject_id,
        of_kind=deadline.kind,
        due=due,
        left=None if left is None else left // clock.MICROSECOND,
        since=since,
    )


def _read(row: tuple[Any, ...]) -> deadlines.Deadline:
    subject_id, kind, due_at, revision, left, since = row
    remaining = None if left is None else left * clock.MICROSECOND
    return deadlines.Deadline(subject_id, kind, due_at, revision, remaining, since)


_ORDERS: Final = sa.table("orders", sa.column("id", columns.Text))
_IS_DUE: Final = (
    _T.c.paused_remaining.is_(None),
    _T.c.due_at <= sa.bindparam("now"),
    columns.any_of(_T.c.kind, "kinds"),
)
_KEY: Final = (_T.c.subject_id == sa.bindparam("subject"), _T.c.kind == sa.bindparam("of_kind"))
_PAUSED: Final[dict[str, Any]] = {
    "due_at": sa.bindparam("due"),
    "paused_remaining": sa.bindparam("left"),
    "paused_at": sa.bindparam("since"),
}


def _hold_due() -> sa.ClauseElement:
    return (
        sa.select(_T.c.subject_id)
        .join_from(_T, _ORDERS, _ORDERS.c.id == _T.c.subject_id)
        .where(*_IS_DUE)
        .order_by(_T.c.due_at, _T.c.subject_id)
        .limit(sa.bindparam("size"))
        .with_for_update(of=_ORDERS, skip_locked=True, key_share=True)  # SQLite has one writer, and ignores it
    )


_PAUSE: Final = Statement(lambda: sa.update(_T).where(*_KEY).values(_PAUSED))
_DELETE: Final = Statement(lambda: sa.delete(_T).where(*_KEY))
_DELETE_DUE: Final = Statement(
    lambda: sa.delete(_T).where(*_KEY, _T.c.due_at == sa.bindparam("due"), _T.c.paused_remaining.is_(None))
)
_DELETE_ALL: Final = Statement(lambda: sa.delete(_T).where(_KEY[0]))
_HOLD_DUE: Final = Statement[tuple[str]](_hold_due)
_TAKE: Final = Statement(
    lambda: sa.delete(_T).where(columns.any_of(_T.c.subject_id, "subjects"), *_IS_DUE).returning(*_T.c)
)
_DUE: Final = Statement(lambda: sa.select(_T).where(*_IS_DUE).order_by(_T.c.due_at).limit(sa.bindparam("size")))
_NEXT: Final = Statement[tuple[datetime]](
    lambda: sa.select(_T.c.due_at).where(_T.c.paused_remaining.is_(None)).order_by(_T.c.due_at).limit(1)
)
_OF_SUBJECT: Final = Statement(lambda: sa.select(_T).where(_KEY[0]).order_by(_T.c.due_at, _T.c.kind))
_OF_SUBJECTS: Final = Statement(
    lambda: (
        sa.select(_T)
        .where(columns.any_of(_T.c.subject_id, "subjects"))
        .order_by(_T.c.subject_id, _T.c.due_at, _T.c.kind)
    )
)
