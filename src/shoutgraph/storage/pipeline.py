"""A connection to PostgreSQL that sends what nobody waits for along with the next question."""

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from shoutgraph.storage.statements import Row
from shoutgraph.storage.tx import Cursor


@contextlib.contextmanager
def _pipeline(raw: "psycopg.Connection[Any]") -> Iterator[None]:
    """Sends statements together; the driver's own pipeline would also warn of all that follows from an error."""
    failure: psycopg.Error | None = None
    try:
        with raw.pipeline():
            try:
                yield
            except psycopg.Error as error:
                failure = error
    except psycopg.Error as error:
        raise failure or error from None
    if failure is not None:
        raise failure


class Connection:
    """The driver's connection, as a unit of work sees it.

    What is put waits for the next statement with an answer and goes with it, in one round trip.
    """

    def __init__(self, raw: "psycopg.Connection[Any]") -> None:
        self.raw = raw
        self._waiting: list[tuple[str, Sequence[object]]] = []
        self._streams = itertools.count()

    def execute(self, sql: str, parameters: Sequence[object] = (), /) -> "psycopg.Cursor[tuple[Any, ...]]":
        """Runs one statement, prepared the first time, after all that waits."""
        if not self._waiting:
            return self.raw.execute(sql, parameters or None)
        waiting, self._waiting = self._waiting, []
        with _pipeline(self.raw):
            for each, values in waiting:
                self.raw.execute(each, values or None)
            return self.raw.execute(sql, parameters or None)

    def executemany(self, sql: str, parameters: Sequence[Sequence[object]], /) -> Cursor:
        """Runs one statement for each row, without waiting for each."""
        self.flush()
        cursor = self.raw.cursor()
        cursor.executemany(sql, parameters)
        return cursor

    def put(self, sql: str, parameters: Sequence[object] = (), /) -> None:
        """Runs one statement whose outcome nobody waits for; an error shows with a later statement."""
        self._waiting.append((sql, parameters))

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
            sql, parameters = self._waiting.pop()
            self.execute(sql, parameters)

    def forget(self, since: str | None = None) -> bool:
        """Drops what waits, from the last `since` on; False, and nothing is dropped, if that does not wait."""
        places = [place for place, (sql, _) in enumerate(self._waiting) if since in {None, sql}]
        if not places:
            return False
        del self._waiting[places[0] if since is None else places[-1] :]
        return True
