"""A worker's side of its parent: it says when it is ready and that it lives, and ends when the parent is gone."""

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Final

BEAT_S: Final = 1.0
"""How often a worker says that its event loop answers."""


class Worker:
    """One of several processes that serve behind one port.

    `first` says that nobody was in its place before.
    """

    READY: Final = b"+"
    BEAT: Final = b"."

    def __init__(self, number: int, says: int, lifeline: int, *, first: bool) -> None:
        self.number: Final = number
        self.first: Final = first
        self._says = says
        self._lifeline = lifeline
        os.set_blocking(says, False)

    def ready(self) -> None:
        """Says that it answers requests."""
        self._say(self.READY)

    @contextlib.contextmanager
    def tied(self, end: Callable[[], None]) -> Iterator[None]:
        """Says that it lives, for as long as the event loop answers; calls `end` when the parent is gone."""
        loop = asyncio.get_running_loop()

        def orphaned() -> None:
            loop.remove_reader(self._lifeline)
            end()

        loop.add_reader(self._lifeline, orphaned)
        beating = loop.create_task(self._beat())
        try:
            yield
        finally:
            beating.cancel()
            loop.remove_reader(self._lifeline)

    async def _beat(self) -> None:
        while True:
            self._say(self.BEAT)
            await asyncio.sleep(BEAT_S)

    def _say(self, word: bytes) -> None:
        # A pipe that is full was not read for an hour, and one that is closed never will be: the lifeline tells.
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self._says, word)
