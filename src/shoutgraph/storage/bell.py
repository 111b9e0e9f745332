"""The bell: wakes whoever waits for a newer line of the journal, and knows nothing else.

It keeps the newest number, so a ring is never lost: who has read up to a number asks for one past it, and is answered
at once if there is one already. The journal stays the truth; the bell may ring for a line that a filter drops.
"""

import asyncio
import contextlib
import threading
from typing import Final

POLL_S: Final = 1.0
"""How long a follower waits at most before it looks by itself, should a ring be missed outside this process."""


class Bell:
    """Rings across threads and event loops."""

    def __init__(self, newest: int = 0) -> None:
        self._lock = threading.Lock()
        self._newest = newest
        self._waiting: dict[asyncio.AbstractEventLoop, set[asyncio.Future[None]]] = {}

    @property
    def newest(self) -> int:
        """The number of the newest line that was rung for."""
        return self._newest

    def ring(self, seq: int) -> None:
        """Says, from any thread, that lines up to this number can be read."""
        with self._lock:
            if seq <= self._newest:
                return
            self._newest = seq
            waiting, self._waiting = self._waiting, {}
        for loop, futures in waiting.items():
            with contextlib.suppress(RuntimeError):  # a loop that has ended has nobody left to wake
                loop.call_soon_threadsafe(_wake, futures)

    async def wait_past(self, seq: int, *, timeout_s: float = POLL_S) -> int:
        """Waits until a line after this number was rung for, or the time is over; gives the newest number."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if self._newest > seq:
                return self._newest
            future = loop.create_future()
            waiting = self._waiting.setdefault(loop, set())
            waiting.add(future)
        try:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(future, timeout_s)
        finally:
            waiting.discard(future)
        return self._newest


def _wake(futures: set[asyncio.Future[None]]) -> None:
    for future in tuple(futures):
        if not future.done():
            future.set_result(None)
