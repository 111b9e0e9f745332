"""A connection to PostgreSQL that sends what nobody waits for along with the next question.

Statements are prepared the first time and then only named, and what goes together is written at once and read at once:
the driver's cursors would write, wait and read for each.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from psycopg import pq, waiting
from psycopg.abc import PQGen, Transformer
from psycopg.adapt import PyFormat, Transformer as Adapter

from shoutgraph.domain import errors
from shoutgraph.storage.statements import Row
from shoutgraph.storage.tx import Cursor

NAMES_MAX: Final = 1_000
"""Statements that are kept prepared; what comes later is prepared each time."""

_UNNAMED: Final = b""


class Result:
    """What one statement gave."""

    __slots__ = ("_adapter", "_result")

    def __init__(self, result: pq.abc.PGresult, adapter: Transformer) -> None:
        self._result = result
        self._adapter = adapter

    def fetchall(self) -> list[Row]:
        """All rows."""
        self._adapter.set_pgresult(self._result)
        return self._adapter.load_rows(0, self._result.ntuples, tuple)

    @property
    def rowcount(self) -> int:
        """Rows changed, or read."""
        return self._result.command_tuples or 0

    @property
    def statusmessage(self) -> str:
        """What the server says was done."""
        return (self._result.command_status or b"").decode()


class Answer:
    """The rows of a question that is asked ahead, once it has gone."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self.result: Result | None = None

    def fetchall(self) -> list[Row]:
        """All rows; sends the question if it still waits."""
        if self.result is None:
            self._connection.flush()
        assert self.result is not None, "what was taken back is not looked at"
        return self.result.fetchall()


_Key = tuple[str, tuple[int, ...]]
"""A text with the types of its parameters, as a server prepares it."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A statement that goes with the next one, in the words of the protocol."""

    sql: str
    values: Sequence[Any]
    types: tuple[int, ...]
    formats: Sequence[pq.Format] | None
    answer: Answer | None


class Connection:
    """The driver's connection, as a unit of work sees it.

    What is put or asked ahead waits for the next statement with an answer and goes with it, in one round trip.
    """

    def __init__(self, raw: "psycopg.Connection[Any]") -> None:
        self._waiting: list[_Waiting] = []
        self._streams = itertools.count()
        self.raw = raw

    @property
    def raw(self) -> "psycopg.Connection[Any]":
        """The driver's own."""
        return self._raw

    @raw.setter
    def raw(self, raw: "psycopg.Connection[Any]") -> None:
        self._raw = raw
        self._adapter: Transformer = Adapter(raw)
        self._names: dict[tuple[str, tuple[int, ...]], bytes] = {}

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> Result:
        """Runs one statement, prepared the first time, after all that waits."""
        self._waiting.append(self._dumped(sql, parameters))
        return self._send_all()

    def executemany(self, sql: str, parameters: Sequence[Sequence[object]], /) -> Cursor:
        """Runs one statement for each row, without waiting for each."""
        self.flush()
        cursor = self.raw.cursor()
        cursor.executemany(sql, parameters)
        return cursor

    def put(self, sql: str, parameters: Sequence[object] = (), /) -> None:
        """Runs one statement whose outcome nobody waits for; an error shows with a later statement."""
        self._waiting.append(self._dumped(sql, parameters))

    def ask(self, sql: str, parameters: Sequence[object] = (), /) -> Answer:
        """Runs one query whose rows are looked at later; an error shows with a later statement."""
        answer = Answer(self)
        self._waiting.append(self._dumped(sql, parameters, answer))
        return answer

    def stream(self, sql: str, parameters: Sequence[object], size: int, /) -> Iterator[list[Row]]:
        """Runs a query whose rows stay at the server until they are asked for; gives so many at a time."""
        self.flush()
        name = f"shoutgraph_{next(self._streams)}"
        with psycopg.RawServerCursor(self.raw, name) as cursor:
            cursor.execute(sql, parameters)
            while rows := cursor.fetchmany(size):
                yield rows

    def flush(self) -> None:
        """Runs what waits."""
        if self._waiting:
            self._send_all()

    def forget(self, since: str | None = None) -> bool:
        """Drops what waits, from the last `since` on; False, and nothing is dropped, if that does not wait."""
        places = [place for place, each in enumerate(self._waiting) if since in {None, each.sql}]
        if not places:
            return False
        del self._waiting[places[0] if since is None else places[-1] :]
        return True

    def _send_all(self) -> Result:
        """Sends what waits; gives what the last of it gave."""
        statements, self._waiting = self._waiting, []
        results = self._exchange(statements)
        for statement, result in zip(statements, results, strict=True):
            if statement.answer is not None:
                statement.answer.result = result
        return results[-1]

    def _exchange(self, statements: Sequence[_Waiting]) -> list[Result]:
        """Sends statements together and reads what each gave.

        Raises:
            psycopg.Error: the first that failed; those after it were not run.
        """
        if self._raw.closed:
            raise psycopg.OperationalError("the connection is closed")
        pgconn, sending = self._raw.pgconn, _Sending(self._names)
        with self._raw.lock:
            pgconn.enter_pipeline_mode()
            try:
                for statement in statements:
                    sending.send(pgconn, statement)
                pgconn.pipeline_sync()
                results = self._raw.wait(_read(pgconn))
            finally:
                if pgconn.status == pq.ConnStatus.OK:
                    pgconn.exit_pipeline_mode()
        for place, key, name in sending.prepared:
            if results[place].status == pq.ExecStatus.COMMAND_OK:
                self._names[key] = name
        for result in results:
            if result.status == pq.ExecStatus.FATAL_ERROR:
                raise psycopg.errors.error_from_result(result, encoding=self._raw.info.encoding)
        return [Result(results[place], self._adapter) for place in sending.places]

    def _dumped(self, sql: str, parameters: Sequence[object], answer: Answer | None = None) -> _Waiting:
        """A statement in the words of the protocol."""
        if not parameters:
            return _Waiting(sql, (), (), None, answer)
        adapter = self._adapter
        try:
            values = adapter.dump_sequence(parameters, [PyFormat.AUTO] * len(parameters))
        except psycopg.DataError:
            if not any(map(_has_nul, parameters)):
                raise
            raise errors.ValidationError("No text holds the character NUL.", code="INVALID_TEXT") from None
        return _Waiting(sql, values, adapter.types or (), adapter.formats, answer)


class _Sending:
    """Statements on their way: where the result of each will be, and which are prepared along with it."""

    def __init__(self, names: Mapping[_Key, bytes]) -> None:
        self._names = names
        self._new: dict[_Key, bytes] = {}
        self._place = itertools.count()
        self.prepared: list[tuple[int, _Key, bytes]] = []
        self.places: list[int] = []

    def send(self, pgconn: pq.abc.PGconn, statement: _Waiting) -> None:
        """Writes one, after its text if the server does not know it yet."""
        key = (statement.sql, statement.types)
        name = self._names.get(key) or self._new.get(key)
        if name is None:
            count = len(self._names) + len(self._new)
            name = b"shoutgraph_%d" % count if count < NAMES_MAX else _UNNAMED
            pgconn.send_prepare(name, statement.sql.encode(), statement.types)
            place = next(self._place)
            if name:
                self._new[key] = name
                self.prepared.append((place, key, name))
        pgconn.send_query_prepared(name, statement.values, statement.formats)
        self.places.append(next(self._place))


def _read(pgconn: pq.abc.PGconn) -> PQGen[list[pq.abc.PGresult]]:
    """Sends what is buffered and reads results until the server has done all of it.

    Raises:
        psycopg.OperationalError: the connection is gone.
    """
    while pgconn.flush():
        if (yield waiting.WAIT_RW) & waiting.READY_R:
            pgconn.consume_input()
    results: list[pq.abc.PGresult] = []
    while True:
        while pgconn.is_busy():
            yield waiting.WAIT_R
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is not None:
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                return results
            results.append(result)
        if pgconn.status == pq.ConnStatus.BAD:
            raise _lost(pgconn, results)


def _lost(pgconn: pq.abc.PGconn, results: Sequence[pq.abc.PGresult]) -> psycopg.Error:
    """What the server said before the connection went, or that it went."""
    for result in results:
        if result.status == pq.ExecStatus.FATAL_ERROR:
            return psycopg.errors.error_from_result(result)
    return psycopg.OperationalError(pgconn.get_error_message())


def _has_nul(value: object) -> bool:
    """Whether a text, or one of a list, has the character that PostgreSQL cannot keep."""
    return "\0" in value if isinstance(value, str) else isinstance(value, list) and any(map(_has_nul, value))
