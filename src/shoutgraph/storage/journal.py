"""The journal's table: append-only, dense, and chained by a trigger as well as by the hash.

In SQLite the writer numbers the lines inside the transaction that they tell of; nothing can be read out of order. Where
several processes write, a line waits in the outbox until the sequencer gives it its place.
Source: docs/adr/0003-ledger.md, docs/adr/0014-postgresql.md.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from shoutgraph.domain import journal
from shoutgraph.storage import columns
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

PAGE_EVENTS_MAX: Final = 500
"""The most lines that one reading returns."""

SCAN_EVENTS: Final = 5_000
"""The most lines that one filtered reading looks at, so that a rare event costs no more than a common one."""


class EventRow(SQLModel, table=True):
    """A line of the journal."""

    __tablename__: ClassVar[str] = "event"
    __table_args__ = (
        sa.CheckConstraint("length(prev) = 32", name="event_prev"),
        sa.CheckConstraint("length(hash) = 32", name="event_hash"),
        sa.UniqueConstraint("topic", "topic_seq", name="event_topic"),
        {"sqlite_strict": True},
    )
    seq: int = Field(sa_column=sa.Column(columns.Integer, primary_key=True))
    id: str = Field(sa_column=sa.Column(columns.Text, unique=True, nullable=False))
    topic: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    topic_seq: int = Field(sa_column=sa.Column(columns.Integer, nullable=False))
    type: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    transfer_id: int | None = Field(sa_column=sa.Column(columns.Integer, sa.ForeignKey("transfer.id"), nullable=True))
    body: str = Field(sa_column=sa.Column(columns.Text, nullable=False))
    at: datetime = Field(sa_column=sa.Column(columns.Micros, nullable=False))
    prev: bytes = Field(sa_column=sa.Column(columns.Blob, nullable=False))
    hash: bytes = Field(sa_column=sa.Column(columns.Blob, nullable=False))


_T = columns.table_of(EventRow)
_TOPIC_SEQ: Final = Statement[tuple[int]](
    lambda: sa.select(sa.func.coalesce(sa.func.max(_T.c.topic_seq), 0)).where(_T.c.topic == sa.bindparam("topic"))
)
_APPEND: Final = Statement(lambda: sa.insert(_T).values({c.name: sa.bindparam(c.name) for c in _T.c}))
_OUTBOX: Final = sa.table(
    "outbox",
    sa.column("event_id", columns.Text),
    sa.column("topic", columns.Text),
    sa.column("topic_seq", columns.Integer),
    sa.column("type", columns.Text),
    sa.column("transfer_id", columns.Integer),
    sa.column("body", columns.Text),
    sa.column("at", columns.Micros),
)
"""Only PostgreSQL has it: its trigger numbers the line within its subject."""
_PUT_OUT: Final = Statement(lambda: sa.insert(_OUTBOX).values({c.name: sa.bindparam(c.name) for c in _OUTBOX.c}))
_ALL: Final = Statement(lambda: sa.select(_T).order_by(_T.c.seq))
_OF_TOPIC: Final = Statement(
    lambda: (
        sa.select(_T)
        .where(_T.c.topic == sa.bindparam("topic"), _T.c.topic_seq > sa.bindparam("after"))
        .order_by(_T.c.topic_seq)
        .limit(sa.bindparam("size"))
    )
)
_AFTER: Final = Statement(lambda: _after())  # noqa: PLW0108 - it is defined below
_AFTER_PREFIX: Final = Statement(lambda: _after().where(_starts_with_prefix()))
_AFTER_TYPES: Final = Statement(lambda: _after().where(columns.any_of(_T.c.type, "types")))
_AFTER_PREFIX_TYPES: Final = Statement(
    lambda: _after().where(_starts_with_prefix(), columns.any_of(_T.c.type, "types"))
)
_AFTER_OF: Final = Statement(
    lambda: (
        sa.select(_T)
        .where(columns.any_of(_T.c.topic, "topics"), _T.c.seq > sa.bindparam("after"))
        .order_by(_T.c.seq)
        .limit(sa.bindparam("size"))
    )
)


def append(tx: Tx, event: journal.NewEvent) -> None:
    """Writes the next line of a subject, at the time of this command."""
    if tx.shared:
        _wait_for_seal(tx, event)
    else:
        _seal(tx, event)


def _seal(tx: Tx, event: journal.NewEvent) -> None:
    topic_seq = event.topic_seq
    if topic_seq is None:
        row = tx.one(_TOPIC_SEQ, topic=event.topic)
        assert row is not None, "an aggregate has one row"
        topic_seq = row[0] + 1
    text = journal.to_text(event.body)
    fields = (event.id, event.topic, topic_seq, event.type, event.transfer_id, text, tx.now)
    line = journal.seal(tx.head, journal.Unsealed(*fields))
    tx.run(
        _APPEND,
        seq=line.seq,
        id=line.id,
        topic=line.topic,
        topic_seq=line.topic_seq,
        type=line.type,
        transfer_id=line.transfer_id,
        body=line.text,
        at=line.at,
        prev=line.prev,
        hash=line.hash,
    )
    tx.head = journal.Head(line.seq, line.hash, line.at)


def _wait_for_seal(tx: Tx, event: journal.NewEvent) -> None:
    tx.put(
        _PUT_OUT,
        event_id=event.id,
        topic=event.topic,
        topic_seq=event.topic_seq,
        type=event.type,
        transfer_id=event.transfer_id,
        body=journal.to_text(event.body),
        at=tx.now,
    )


def head(tx: Tx) -> journal.Head:
    """The newest line's number, hash and time."""
    return tx.head


def read_after(
    tx: Tx, seq: int, *, limit: int, prefix: str | None = None, types: Sequence[str] | None = None
) -> tuple[tuple[journal.Event, ...], int]:
    """The lines after a number, and the number up to which everything was looked at.

    Args:
        seq: the last number seen; 0 for the start.
        prefix: how the topic begins, such as `order_` or a whole id.
        types: which events; all where it is None.
    """
    size = min(limit, PAGE_EVENTS_MAX)
    until = min(seq + SCAN_EVENTS, tx.head.seq)
    params: dict[str, object] = {"after": seq, "until": until, "size": size}
    statement = _AFTER if types is None else _AFTER_TYPES
    if prefix is not None:
        params |= {"prefix": prefix, "chars": len(prefix)}
        statement = _AFTER_PREFIX if types is None else _AFTER_PREFIX_TYPES
    if types is not None:
        params["types"] = types
    found = tuple(journal.Event(*row) for row in tx.all(statement, **params))
    return found, found[-1].seq if len(found) == size else max(seq, until)


def read_after_of(tx: Tx, seq: int, topics: Sequence[str], *, limit: int) -> tuple[tuple[journal.Event, ...], int]:
    """The lines of some subjects after a number, and the number up to which everything was looked at.

    However far apart they are, the lines between them are not read.
    """
    size = min(limit, PAGE_EVENTS_MAX)
    found = tuple(journal.Event(*row) for row in tx.all(_AFTER_OF, topics=topics, after=seq, size=size))
    return found, found[-1].seq if len(found) == size else max(seq, tx.head.seq)


def list_of_topic(tx: Tx, topic: str, *, after: int, limit: int) -> tuple[journal.Event, ...]:
    """The lines of one subject after a number of its own, in order."""
    rows = tx.all(_OF_TOPIC, topic=topic, after=after, size=min(limit, PAGE_EVENTS_MAX))
    return tuple(journal.Event(*row) for row in rows)


def each(tx: Tx) -> Iterator[journal.Event]:
    """Streams the whole journal, for a proof or an export."""
    for row in tx.each(_ALL):
        yield journal.Event(*row)


def _after() -> sa.Select[Any]:
    return (
        sa.select(_T)
        .where(_T.c.seq > sa.bindparam("after"), _T.c.seq <= sa.bindparam("until"))
        .order_by(_T.c.seq)
        .limit(sa.bindparam("size"))
    )


def _starts_with_prefix() -> sa.ColumnElement[bool]:
    # not LIKE: an underscore in an id would be a wildcard, and an index on topic would lose the order by seq
    return sa.func.substr(_T.c.topic, 1, sa.bindparam("chars", type_=sa.Integer())) == sa.bindparam(
        "prefix", type_=columns.Text
    )
