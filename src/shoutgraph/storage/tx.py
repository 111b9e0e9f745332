"""What every storage function takes first: an open unit of work on one connection.

Nothing in it waits for a network, and nothing in it commits: the writer does, for many units of work at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, Protocol, cast

import sqlalchemy as sa

from shoutgraph.domain import clock, journal
from shoutgraph.storage.statements import R, Row, Statement

CHUNK_ROWS: Final = 1_000
"""Rows that a streamed query takes from the driver at a time."""


class Cursor(Protocol):
    """The part of a DBAPI cursor that is used."""

    @property
    def rowcount(self) -> int:
        """Rows changed."""

    def fetchall(self) -> list[Row]:
        """All rows."""

    def fetchmany(self, size: int, /) -> list[Row]:
        """The next rows."""


class Connection(Protocol):
    """The part of a DBAPI connection that is used."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Cursor:  # noqa: ANN401 - the driver's
        """Runs one statement."""

    def executemany(self, sql: str, parameters: Any, /) -> Cursor:  # noqa: ANN401 - the driver's
        """Runs one statement for each row."""


class Tx:
    """One unit of work.

    `now` is the time of this command: aware, in UTC, never earlier than anything written before.
    `notes` is what rooms remember for later calls in the same command.
    """

    __slots__ = ("_connection", "_dialect", "_head", "notes", "now")

    def __init__(self, connection: Connection, dialect: sa.Dialect, now: datetime) -> None:
        self._connection = connection
        self._dialect = dialect
        self._head: journal.Head | None = None
        self.notes: dict[str, object] = {}
        self.now = now

    def all(self, statement: Statement[R], /, **params: object) -> list[R]:
        """Every row."""
        prepared = statement.prepared(self._dialect)
        rows = self._connection.execute(prepared.sql, prepared.bind(params)).fetchall()
        return cast("list[R]", prepared.read(rows) if prepared.read else rows)

    def one(self, statement: Statement[R], /, **params: object) -> R | None:
        """The only row, or None."""
        rows = self.all(statement, **params)
        assert len(rows) <= 1, "this query was expected to find one row at most"
        return rows[0] if rows else None

    def run(self, statement: Statement[Any], /, **params: object) -> int:
        """Runs a change and says how many rows it touched."""
        prepared = statement.prepared(self._dialect)
        return self._connection.execute(prepared.sql, prepared.bind(params)).rowcount

    def many(self, statement: Statement[Any], rows: Iterable[Mapping[str, object]], /) -> int:
        """Runs a change once for each row and says how many rows were touched."""
        prepared = statement.prepared(self._dialect)
        return self._connection.executemany(prepared.sql, [prepared.bind(row) for row in rows]).rowcount

    def each(self, statement: Statement[R], /, **params: object) -> Iterator[R]:
        """Streams the rows of a large query in chunks."""
        prepared = statement.prepared(self._dialect)
        cursor = self._connection.execute(prepared.sql, prepared.bind(params))
        while rows := cursor.fetchmany(CHUNK_ROWS):
            yield from cast("list[R]", prepared.read(rows) if prepared.read else rows)

    @property
    def head(self) -> journal.Head:
        """The newest line of the journal as this unit of work sees it."""
        if self._head is None:
            row = self.one(_HEAD)
            self._head = journal.GENESIS if row is None else journal.Head(row[0], row[1], clock.from_micros(row[2]))
        return self._head

    @head.setter
    def head(self, head: journal.Head) -> None:
        self._head = head

    def start(self, now: datetime) -> journal.Head | None:
        """Begins a command, and gives what `restart` needs to take it back."""
        self.now = now
        self.notes = {}
        return self._head

    def restart(self, head: journal.Head | None = None) -> None:
        """Forgets what was carried beside the database since the command began; without a head, all of it."""
        self._head = head
        self.notes = {}


def _newest_line() -> sa.ClauseElement:
    event = sa.table("event", sa.column("seq"), sa.column("hash"), sa.column("at"))
    return sa.select(event.c.seq, event.c.hash, event.c.at).order_by(event.c.seq.desc()).limit(1)


_HEAD: Final = Statement[tuple[int, bytes, int]](_newest_line)
