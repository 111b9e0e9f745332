"""A few threads of its own for each instance whose vendor library blocks.

A shared pool would let one hanging provider starve every other one. A thread cannot be stopped: it holds its
place until the library returns, and the place is what bounds how many hang.
"""

import asyncio
import contextvars
import functools
import threading
from collections.abc import Callable
from typing import Final, TypeVar

THREADS_MAX: Final = 4
WAITING_MAX: Final = 32
"""The most calls that wait for a thread."""

T = TypeVar("T")


class NoThreadError(Exception):
    """No thread came free in time: the call was never started."""


class Threads:
    """Runs blocking calls, at most `THREADS_MAX` at once."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._free = asyncio.Semaphore(THREADS_MAX)
        self._waiting_count = 0

    async def run(self, work: Callable[[], T], seconds: float) -> T:
        """Runs the call, and waits for it no longer than this. Units: seconds.

        Raises:
            NoThreadError: it was never started.
            TimeoutError: it was started, and did not come back in time.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        await self._place(until)
        future: asyncio.Future[tuple[T | None, BaseException | None]] = loop.create_future()
        run = functools.partial(contextvars.copy_context().run, self._run, work, loop, future)
        # A daemon: a call that hangs must not keep the process from ending.
        threading.Thread(target=run, name=f"plugin-{self._name}", daemon=True).start()
        async with asyncio.timeout_at(until):
            value, error = await future
        if isinstance(error, Exception):
            raise error
        if error is not None:
            raise RuntimeError("the plugin tried to end its thread or the process") from error
        return value  # type: ignore[return-value]  # without an error there is a value

    async def _place(self, until: float) -> None:
        if self._waiting_count >= WAITING_MAX:
            raise NoThreadError
        self._waiting_count += 1
        try:
            async with asyncio.timeout_at(until):
                await self._free.acquire()
        except TimeoutError:
            raise NoThreadError from None
        finally:
            self._waiting_count -= 1

    def _run(
        self,
        work: Callable[[], T],
        loop: asyncio.AbstractEventLoop,
        future: "asyncio.Future[tuple[T | None, BaseException | None]]",
    ) -> None:
        value, error = None, None
        try:
            value = work()
        except BaseException as raised:  # noqa: BLE001 -- told to the caller, who names the plugin
            error = raised
        try:
            loop.call_soon_threadsafe(self._done, future, (value, error))
        except RuntimeError:
            return  # the loop has closed, and nobody waits any more

    def _done(
        self,
        future: "asyncio.Future[tuple[T | None, BaseException | None]]",
        result: tuple[T | None, BaseException | None],
    ) -> None:
        self._free.release()
        if not future.done():
            future.set_result(result)
