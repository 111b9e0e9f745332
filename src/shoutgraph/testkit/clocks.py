"""Clocks that the kit moves: the time of day that plugin and simulator see, and the one that breakers count by."""

import itertools
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Final

STEP_S: Final = 60.0
"""How far the leaping clock goes each time: longer than an open breaker refuses. Units: seconds."""


class Clock:
    """The time of day, moved forward by the kit. Thread-safe."""

    def __init__(self) -> None:
        self._moved = timedelta(0)
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """The time, aware and in UTC."""
        return datetime.fromtimestamp(time.time(), UTC) + self._moved

    def advance(self, by: timedelta) -> None:
        """Lets time pass."""
        with self._lock:
            self._moved += by


class Leaps:
    """A monotonic clock that leaps at every look, so that a breaker which the faults opened lets the next call go."""

    def __init__(self) -> None:
        self._steps = itertools.count(1)

    def __call__(self) -> float:
        """The time. Units: seconds."""
        return time.monotonic() + next(self._steps) * STEP_S
