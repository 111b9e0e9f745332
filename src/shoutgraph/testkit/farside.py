"""The far side: a thread with an event loop on which the simulators and the proxy live, apart from the plugin."""

import asyncio
import functools
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from shoutgraph.testkit import watching

WAIT_S: Final = 60.0
"""The longest that anything is waited for on the far side. Units: seconds."""

T = TypeVar("T")


class FarSideError(Exception):
    """The far side did not do in time what it was asked to."""


class FarSide:
    """Runs coroutines on the other loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix=f"{watching.FAR_SIDE}-pool"))
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"{watching.FAR_SIDE}-side", daemon=True)
        self._thread.start()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs a coroutine over there, and waits for it.

        Raises:
            FarSideError: it takes too long.
        """
        future = asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))
        try:
            async with asyncio.timeout(WAIT_S):
                return await future
        except TimeoutError:
            if not future.cancelled():
                raise
            raise FarSideError("the simulator does not answer") from None


@functools.cache
def shared() -> FarSide:
    """The one far side of this process, started when it is first asked for. A daemon: nobody has to stop it."""
    return FarSide()
