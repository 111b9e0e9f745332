"""What every storage function takes first: an open unit of work on one connection.

Nothing in it waits for a network, and nothing in it commits: the writer does, for many units of work at once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, Protocol, cast

import sqlalchemy as sa

from shoutgraph.domain import clock, journal
from shoutgraph.storage.statements import Hold, Prepared, R, Row, Statement, unpacked

CHUNK_ROWS: Final = 1_000
"""Rows that a streamed query takes from the driver at a time."""


class Cursor(Protocol):
    """The part of a DBAPI cursor that is used."""

    @property
    def rowcount(self) -> int:
        """Rows changed."""

    def fetchall(self) -> list[Row]:
        """All rows."""


class Answer(Protocol):
    """The rows of a query that was asked ahead."""

    def fetchall(self) -> list[Row]:
        """All rows."""


class Connection(Protocol):
    """The part of a connection that is used."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Cursor:  # noqa: ANN401 - the driver's
        """Runs one statement."""

    def executemany(self, sql: str, parameters: Any, /) -> Cursor:  # noqa: ANN401 - the driver's
        """Runs one statement for each row."""

    def put(self, sql: str, parameters: Any, /) -> object:  # noqa: ANN401 - the driver's
        """Runs one statement whose outcome nobody waits for; an error shows later in the same command."""

    def ask(self, sql: str, parameters: Any, /) -> "Answer":  # noqa: ANN401 - the driver's
        """Runs one query whose rows are looked at later; an error shows later in the same command."""

    def stream(self, sql: str, parameters: Any, size: int, /) -> Iterator[list[Row]]:  # noqa: ANN401 - the driver's
        """Runs a query whose rows are too many to hold at once; gives so many at a time."""


End = Callable[["Tx"], None]
"""What a room still has to write before its command ends."""


class Tx:
    """One unit of work.

    `now` is the time of this command: aware, in UTC, never earlier than anything this process wrote before.
    `notes` is what rooms remember for later calls in the same command, `lasting` what outlives it, even where it is
    taken back, such as numbers of a sequence. `hold` says how rows are held where several
    processes write, and `shared` whether they do.
    """

    __slots__ = ("_connection", "_dialect", "_ends", "_foreseen", "_head", "hold", "lasting", "notes", "now")

    def __init__(self, connection: Connection, dialect: sa.Dialect, now: datetime, hold: Hold = Hold.NO) -> None:
        self._connection = connection
        self._dialect = dialect
        self._head: journal.Head | None = None
        self._ends: list[tuple[frozenset[str], End]] = []
        self._foreseen: list[tuple[str, object, Answer]] = []
        self.notes: dict[str, object] = {}
        self.lasting: dict[str, object] = {}
        self.hold = hold
        self.now = now

    @property
    def shared(self) -> bool:
        """Whether other processes write to this database too."""
        return self._dialect.name != "sqlite"

    def all(self, statement: Statement[R], /, **params: object) -> list[R]:
        """Every row."""
        prepared = self._prepare(statement)
        if prepared.packed is None:
            return cast("list[R]", self._rows(prepared, params))
        ((text,),) = self._connection.execute(prepared.packed, prepared.bind(params)).fetchall()
        rows = unpacked(text)
        return cast("list[R]", prepared.read(rows) if prepared.read else rows)

    def one(self, statement: Statement[R], /, **params: object) -> R | None:
        """The only row, or None."""
        return _only(cast("list[R]", self._rows(self._prepare(statement), params)))

    def peek(self, statement: Statement[R], /, **params: object) -> R | None:
        """Like `one`, but without what this command has put off."""
        return _only(cast("list[R]", self._rows(statement.prepared(self._dialect, self.hold), params)))

    def foresee(self, statement: Statement[Any], /, **params: object) -> None:
        """Asks ahead what will be asked soon, before anything is changed: many questions go in one round trip.

        Whoever asks the same next is given this answer, so rows are held in the order in which they are foreseen; once
        something else was changed or held, it is asked again. Where there is no way to go, nothing is asked ahead.
        """
        if self.shared:
            prepared = self._prepare(statement)
            values = prepared.bind(params)
            self._foreseen.append((prepared.sql, values, self._connection.ask(prepared.sql, values)))

    def run(self, statement: Statement[Any], /, **params: object) -> int:
        """Runs a change and says how many rows it touched."""
        prepared = self._prepare(statement)
        return self._execute(prepared, prepared.bind(params)).rowcount

    def put(self, statement: Statement[Any], /, **params: object) -> None:
        """Runs a change without waiting for its outcome; an error shows before the command ends."""
        prepared = self._prepare(statement)
        self._forget(prepared)
        self._connection.put(prepared.sql, prepared.bind(params))

    def many(self, statement: Statement[Any], rows: Iterable[Mapping[str, object]], /) -> int:
        """Runs a change once for each row and says how many rows were touched."""
        prepared = self._prepare(statement)
        self._forget(prepared)
        return self._connection.executemany(prepared.sql, [prepared.bind(row) for row in rows]).rowcount

    def each(self, statement: Statement[R], /, **params: object) -> Iterator[R]:
        """Streams the rows of a large query in chunks."""
        prepared = self._prepare(statement)
        for rows in self._connection.stream(prepared.sql, prepared.bind(params), CHUNK_ROWS):
            yield from cast("list[R]", prepared.read(rows) if prepared.read else rows)

    def at_end(self, end: End, *, of: frozenset[str]) -> None:
        """Has `end` run before the command ends, or before any of these tables is read."""
        self._ends.append((of, end))

    def finish(self) -> None:
        """Runs what was put off until the command ends."""
        while self._ends:
            _, end = self._ends.pop(0)
            end(self)

    def _rows(self, prepared: Prepared, params: Mapping[str, object]) -> list[Row]:
        values = prepared.bind(params)
        rows = (self._foreknown(prepared.sql, values) or self._execute(prepared, values)).fetchall()
        return prepared.read(rows) if prepared.read else rows

    def _execute(self, prepared: Prepared, values: object) -> Cursor:
        self._forget(prepared)
        return self._connection.execute(prepared.sql, values)

    def _forget(self, prepared: Prepared) -> None:
        """What was seen before a change, or before something was held, may not be what is there after it."""
        if not prepared.only_reads:
            self._foreseen.clear()

    def _foreknown(self, sql: str, values: object) -> Answer | None:
        for place, (asked, of, answer) in enumerate(self._foreseen):
            if asked == sql and of == values:
                del self._foreseen[place]
                return answer
        return None

    def _prepare(self, statement: Statement[Any]) -> Prepared:
        prepared = statement.prepared(self._dialect, self.hold)
        if self._ends and not all(prepared.tables.isdisjoint(tables) for tables, _ in self._ends):
            self.finish()
        return prepared

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

    def start(self, now: datetime, hold: Hold = Hold.NO) -> journal.Head | None:
        """Begins a command, and gives what `restart` needs to take it back."""
        self.now = now
        self.hold = hold
        self.notes = {}
        self._ends = []
        self._foreseen = []
        if self.shared:
            self._head = None  # others write lines, too
        return self._head

    def restart(self, head: journal.Head | None = None) -> None:
        """Forgets what was carried beside the database since the command began; without a head, all of it."""
        self._head = head
        self._ends = []
        self._foreseen = []
        self.notes = {}


def _only(rows: list[R]) -> R | None:
    assert len(rows) <= 1, "this query was expected to find one row at most"
    return rows[0] if rows else None


def _newest_line() -> sa.ClauseElement:
    event = sa.table("event", sa.column("seq"), sa.column("hash"), sa.column("at"))
    return sa.select(event.c.seq, event.c.hash, event.c.at).order_by(event.c.seq.desc()).limit(1)


_HEAD: Final = Statement[tuple[int, bytes, int]](_newest_line)
