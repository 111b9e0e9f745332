"""Hands work from event loops and plain threads to database threads, and the outcomes back.

One bounded queue per kind of thread; outcomes go back with one wake-up per loop for a whole batch.
"""

import asyncio
import concurrent.futures
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from shoutgraph.domain import errors
from shoutgraph.storage.tx import Tx

RETRY_AFTER_S: Final = 1
"""What a refused caller is told to wait."""

C = TypeVar("C", bound="Command")


@dataclass(slots=True, eq=False)
class Command:
    """A unit of work and who waits for it. Its future may be cancelled; the work is done all the same.

    `tries` counts how often it was taken back because of neighbours, `keys` how often because a key was taken.
    """

    work: Callable[[Tx], Any]
    refused: Callable[[Tx, errors.ShoutgraphError], None] | None
    loop: asyncio.AbstractEventLoop | None
    future: "asyncio.Future[Any] | concurrent.futures.Future[Any]"
    tries: int = 0
    keys: int = 0

    @classmethod
    def from_loop(
        cls, work: Callable[[Tx], Any], refused: Callable[[Tx, errors.ShoutgraphError], None] | None = None
    ) -> "Command":
        """For a caller that awaits in the running event loop."""
        loop = asyncio.get_running_loop()
        return cls(work, refused, loop, loop.create_future())

    @classmethod
    def from_thread(
        cls, work: Callable[[Tx], Any], refused: Callable[[Tx, errors.ShoutgraphError], None] | None = None
    ) -> "Command":
        """For a caller that blocks in a thread of its own."""
        return cls(work, refused, None, concurrent.futures.Future())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command came to: a value or an error."""

    value: Any = None
    error: BaseException | None = None

    def taken(self) -> Any:  # noqa: ANN401 - the caller knows
        """The value; an error is raised."""
        if self.error is not None:
            raise self.error
        return self.value


def failed(error: BaseException) -> Outcome:
    """What a unit of work that broke came to. What no future takes, or what would end the caller's loop, is wrapped."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return Outcome(error=error)
    wrapped = RuntimeError(f"a unit of work raised {type(error).__name__}")
    wrapped.__cause__ = error
    return Outcome(error=wrapped)


class Inbox(Generic[C]):
    """A bounded queue that many threads fill and database threads empty in batches."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._waiting: deque[C] = deque()
        self._filled = threading.Condition(threading.Lock())
        self._closed: str | None = None

    def put(self, command: C) -> None:
        """Queues a command.

        Raises:
            OverloadedError: the queue is full.
            StoreUnavailableError: the queue takes no more commands.
        """
        with self._filled:
            if self._closed is not None:
                raise errors.StoreUnavailableError(self._closed, retry_after_s=RETRY_AFTER_S)
            if len(self._waiting) >= self._limit:
                raise errors.OverloadedError(retry_after_s=RETRY_AFTER_S)
            self._waiting.append(command)
            self._filled.notify()

    def take(self, most: int) -> list[C]:
        """Waits for commands and takes up to `most`; an empty list means that no more will come."""
        with self._filled:
            while not self._waiting:
                if self._closed is not None:
                    return []
                self._filled.wait()
            count = min(most, len(self._waiting))
            return [self._waiting.popleft() for _ in range(count)]

    def close(self, reason: str) -> None:
        """Takes no more commands; those that wait are still done."""
        with self._filled:
            if self._closed is None:
                self._closed = reason
            self._filled.notify_all()

    def drain(self) -> list[C]:
        """Takes everything that still waits, to refuse it."""
        with self._filled:
            waiting = list(self._waiting)
            self._waiting.clear()
            return waiting


def answer(results: Iterable[tuple[Command, Outcome]]) -> None:
    """Tells every caller its outcome, waking each event loop once."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Command, Outcome]]] = {}
    for command, outcome in results:
        if command.loop is None:
            _settle([(command, outcome)])
        else:
            by_loop.setdefault(command.loop, []).append((command, outcome))
    for loop, settled in by_loop.items():
        call_in(loop, _settle, settled)


def call_in(loop: asyncio.AbstractEventLoop, call: Callable[..., object], *args: object) -> None:
    """Runs a call in another thread's event loop; a loop that has ended has nobody left to tell."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *args)


def _settle(settled: Iterable[tuple[Command, Outcome]]) -> None:
    for command, outcome in settled:
        future = command.future
        if future.cancelled() or future.done():
            continue
        if outcome.error is not None:
            future.set_exception(outcome.error)
        else:
            future.set_result(outcome.value)
