"""Short queries, run by whoever asks: a thread between would cost more than they do.

An event loop may not stand still, so a glance is broken off after `GLANCE_MS`, or what the settings say; the query then
goes to a thread, and so do its like for a while. Only for a database in this process: one behind a socket makes every
query wait.
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
"""How long an event loop stands still for one query, unless it is set otherwise."""
NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000
STEPS: Final = 1_000
"""Steps of the database between two looks at the clock: some tens of microseconds."""
REST_MIN_S: Final = 1
REST_MAX_S: Final = 60
"""How long a query that took too long goes to a thread at once; twice as long each time it does so again."""


class Breakable(Session, Protocol):
    """A connection that asks now and then whether it shall go on."""

    def break_off_when(self, enough: Callable[[], bool], *, steps: int) -> None:
        """Has each query asked after so many steps whether it is enough; then it is broken off."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """Until when a query is not tried, in nanoseconds of the monotonic clock, and for how long that is."""

    until: int
    lasts_s: int


class Glances:
    """Runs queries on a connection of its own, one at a time, in the thread that asks."""

    def __init__(self, session: Breakable, wall: clock.Clock, *, most_ms: int = GLANCE_MS) -> None:
        self._most_ns = most_ms * NS_PER_MS
        self._session = session
        self._wall = wall
        self._lock = threading.Lock()
        self._until = 0
        self._late = False
        self._closed = most_ms == 0
        self._rests: dict[CodeType, _Rest] = {}
        session.break_off_when(self._out_of_time, steps=STEPS)

    def look(self, query: Callable[[Tx], Any]) -> Outcome | None:
        """What a query came to, or None if it needs a thread."""
        code: CodeType | None = getattr(query, "__code__", None)
        if code is None or not self._lock.acquire(blocking=False):
            return None
        try:
            began = time.monotonic_ns()
            rest = self._rests.get(code)
            if self._closed or (rest is not None and rest.until > began):
                return None
            self._until, self._late = began + self._most_ns, False
            outcome = self._attempt(query)
            if self._out_of_time():
                self._let_rest(code, rest)
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
        self._late = self._late or time.monotonic_ns() > self._until
        return self._late

    def _let_rest(self, code: CodeType, before: _Rest | None) -> None:
        lasts_s = REST_MIN_S if before is None else min(2 * before.lasts_s, REST_MAX_S)
        self._rests[code] = _Rest(time.monotonic_ns() + lasts_s * NS_PER_S, lasts_s)
