"""The test clock: the wall clock and an offset that only grows, kept in a file that all processes share."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from shoutgraph.domain.clock import MICROSECOND, Clock
from shoutgraph.files import key_files

LOCK_SUFFIX: Final = ".lock"
LOCK_MODE: Final = 0o600
NO_TIME: Final = timedelta()

_Mark = tuple[int, int, int]


class TravelClock:
    """The time as far ahead as any process has moved it; a restart keeps it."""

    def __init__(self, path: Path, wall: Clock) -> None:
        self._path = path
        self._wall = wall
        self._mark: _Mark | None = None
        self._offset = NO_TIME

    def __call__(self) -> datetime:
        """The time now."""
        self._look()
        return self._wall() + self._offset

    def advance(self, by: timedelta) -> datetime:
        """Moves time ahead, in every process, and gives the new time."""
        assert by >= NO_TIME, "time only goes forward"
        with self._turn():
            self._look()
            key_files.write_over(self._path, str((self._offset + by) // MICROSECOND).encode())
        return self()

    def _look(self) -> None:
        """Reads the file if it is another one than last time: it is replaced, never written to."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return
        mark = (found.st_ino, found.st_mtime_ns, found.st_size)
        if mark != self._mark:
            self._offset = max(self._offset, int(self._path.read_bytes()) * MICROSECOND)
            self._mark = mark

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """One process at a time adds to the offset."""
        lock = os.open(self._path.with_name(self._path.name + LOCK_SUFFIX), os.O_RDWR | os.O_CREAT, LOCK_MODE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
