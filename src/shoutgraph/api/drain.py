"""The end of a process, announced: streams end by themselves, so that clients resume elsewhere."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Final

END_S: Final = 10.0
"""From being told to end to the end of the process. Whoever starts processes waits this long before it kills."""
REQUESTS_S: Final = 7.0
"""How long requests and connections may take to end by themselves."""
WORK_S: Final = 8.0
"""How long what has no client any more may take: jobs, and mutations whose client has gone."""
CUT_S: Final = 9.5
"""After this nothing is waited for."""


class Drain:
    """Starts once; whoever holds a stream open waits for it or is called back."""

    def __init__(self) -> None:
        self._started = asyncio.Event()
        self._started_at: float | None = None
        self._callbacks: dict[object, Callable[[], None]] = {}

    @property
    def started(self) -> bool:
        """Whether the process is going away."""
        return self._started.is_set()

    def left(self, of_s: float) -> float:
        """How much is left of this time since the start. Units: seconds."""
        return of_s if self._started_at is None else max(self._started_at + of_s - time.monotonic(), 0.0)

    async def wait(self) -> None:
        """Returns when the process is going away."""
        await self._started.wait()

    def when_started(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Calls back at the start, or at once after it; the function it gives takes this back."""
        token = object()
        self._callbacks[token] = callback
        if self.started:
            callback()

        def forget() -> None:
            self._callbacks.pop(token, None)

        return forget

    @contextlib.contextmanager
    def calling(self, callback: Callable[[], None]) -> Iterator[None]:
        """Has it call back if it starts before the block ends."""
        forget = self.when_started(callback)
        try:
            yield
        finally:
            forget()

    def start(self) -> None:
        """Tells every stream to end. To be called on the event loop."""
        if self.started:
            return
        self._started_at = time.monotonic()
        self._started.set()
        for callback in list(self._callbacks.values()):
            callback()
