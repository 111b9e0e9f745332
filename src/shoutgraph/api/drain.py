"""The end of a process, announced: streams end by themselves, so that clients resume elsewhere."""

import asyncio
from collections.abc import Callable


class Drain:
    """Starts once; whoever holds a stream open waits for it or is called back."""

    def __init__(self) -> None:
        self._started = asyncio.Event()
        self._callbacks: dict[object, Callable[[], None]] = {}

    @property
    def started(self) -> bool:
        """Whether the process is going away."""
        return self._started.is_set()

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

    def start(self) -> None:
        """Tells every stream to end. To be called on the event loop."""
        if self.started:
            return
        self._started.set()
        for callback in list(self._callbacks.values()):
            callback()
