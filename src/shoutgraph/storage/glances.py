"""Short queries, run by whoever asks: a thread between would cost more than they do.

An event loop may not stand still, so a glance is broken off after `GLANCE_MS`; the query then goes to a thread, and so
do its like for a while. Only for a database in this process: one behind a socket makes every query wait.
Source: docs/adr/0005-storage.md.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import CodeType
from typing import Any, Final, Protocol

from shoutgraph.domain import clock
from shoutgraph.storage import inbox
from shoutgraph.storage.inbox import Outcome
from shoutgraph.storage.session import Session
from shoutgraph.storage.tx import Tx

GLANCE_MS: Final = 2
"""How long an event loop stands still for one query at most, but for the step that it is in."""
STEPS: Final = 1_000
"""Steps of the database between two looks at the clock: some tens of microseconds."""
REST_MIN_S: Final = 1.0
REST_MAX_S: Final = 60.0
"""How long a query that took too long goes to a thread at once; twice as long each time it does so again."""


class Breakable(Session, Protocol):
    """A connection that asks now and then whether it shall go on."""

    def break_off_when(self, enough: Callable[[], bool], *, steps: int) -> None:
        """Has each query asked after so many steps whether it is enough; then it is broken off."""


@dataclass(slots=True)
class _Rest:
    """Until when a query is not tried, in seconds of the monotonic clock, and how long it rests the next time."""

    until: float = 0.0
    next_s: float = REST_MIN_S


class Glances:
    """Runs queries on a connection of its own, one at a time, in the thread that asks."""

    def __init__(self, session: Breakable, wall: clock.Clock) -> None:
        self._session = session
        self._wall = wall
        self._lock = threading.Lock()
        self._until = 0.0
        self._late = False
        self._closed = False
        self._rests: dict[CodeType, _Rest] = {}
        session.break_off_when(self._out_of_time, steps=STEPS)

    def look(self, query: Callable[[Tx], Any]) -> Outcome | None:
        """What a query came to, or None if it needs a thread."""
        code: CodeType | None = getattr(query, "__code__", None)
        if code is None or not self._lock.acquire(blocking=False):
            return None
        try:
            began = time.monotonic()
            rest = self._rests.get(code)
            if self._closed or (rest is not None and rest.until > began):
                return None
            self._until, self._late = began + GLANCE_MS / 1_000, False
            outcome = self._attempt(query)
            if self._out_of_time():
                self._let_rest(code)
            elif rest is not None:
                del self._rests[code]
            return outcome
        finally:
            self._lock.release()

    def close(self) -> None:
        """Looks no more."""
        with self._lock:
            self._closed = True

    def _attempt(self, query: Callable[[Tx], Any]) -> Outcome | None:
        session = self._session
        try:
            session.snapshot()
            try:
                return Outcome(value=query(Tx(session.raw, session.dialect, self._wall())))
            finally:
                session.rollback()
        except session.errors:
            return None  # a thread tells what is wrong, and whom it concerns
        except BaseException as error:  # noqa: BLE001 - it belongs to the caller
            return inbox.failed(error)

    def _out_of_time(self) -> bool:
        self._late = self._late or time.monotonic() > self._until
        return self._late

    def _let_rest(self, code: CodeType) -> None:
        rest = self._rests.setdefault(code, _Rest())
        rest.until = time.monotonic() + rest.next_s
        rest.next_s = min(2 * rest.next_s, REST_MAX_S)
