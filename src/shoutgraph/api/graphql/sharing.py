"""Streams that many clients watch: each event is run and encoded once for all who ask the same with the same rights.

A client that resumes first gets its own stream of what it missed, while the shared one is already kept for it; where
the two meet, it changes over without a gap. A client that is too slow loses its place, and resumes by its cursor.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Hashable
from contextlib import aclosing

from shoutgraph.api import limits
from shoutgraph.api.graphql.answers import Answer

logger = logging.getLogger("shoutgraph.api")

Open = Callable[[], AsyncGenerator[Answer, None]]
Take = Callable[[Answer], bool]
"""Sends a client its answer at once; gives False where the answer has to wait."""


class SlowConsumerError(Exception):
    """The client takes its events too slowly: what waits for it has reached the limit."""


class Follower:
    """One client's place in a shared stream."""

    __slots__ = ("_ended", "_lost", "_met", "_seen", "_take", "_waiter", "_waiting", "took_over")

    def __init__(self, take: Take | None = None) -> None:
        self.took_over = False
        self._take = take
        self._waiting: list[Answer] = []  # short or empty, and a deque takes ten times the memory
        self._waiter: asyncio.Future[None] | None = None
        self._seen: str | None = None
        self._met = False
        self._lost = False
        self._ended = False

    def push(self, answer: Answer) -> None:
        """Sends an answer to this client if it can take it at once; keeps it otherwise, and wakes the client."""
        if self._seen is not None and answer.cursor == self._seen:
            self._met = True
            self._waiting.clear()
            return
        if self._take is not None and self._idle and self._take(answer):
            return  # a thousand such need no task of theirs to run
        self._waiting.append(answer)
        if len(self._waiting) > limits.QUEUE_MAX:
            self._waiting.pop(0)
            self._lost, self._met = True, False
        self._wake()

    def end(self) -> None:
        """Says that nothing more comes."""
        self._ended = True
        self._wake()

    def meets(self, answer: Answer) -> bool:
        """Whether the shared stream goes on from here, which it then does with this very answer.

        It does where the answer waits already, or where it has passed the one before: what came since waits too.
        """
        cursors = [each.cursor for each in self._waiting]
        if answer.cursor is not None and answer.cursor in cursors:
            del self._waiting[: cursors.index(answer.cursor)]
            self.took_over = True
        elif self._met:
            self.took_over = True
        else:
            self._seen = answer.cursor
        return self.took_over

    async def answers(self) -> AsyncGenerator[Answer, None]:
        """What was kept, and then what comes.

        Raises:
            SlowConsumerError: more waits than may.
        """
        self._seen, self._lost = None, False
        while True:
            while self._waiting and not self._lost:
                yield self._waiting.pop(0)
            if self._lost:
                raise SlowConsumerError
            if self._ended:
                return
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    @property
    def _idle(self) -> bool:
        """Whether it has had everything, and waits for more."""
        return self._waiter is not None and not self._waiter.done()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class SharedStream:
    """A stream with its followers; it runs while there is one."""

    def __init__(self, source: AsyncGenerator[Answer, None]) -> None:
        self.ended = False
        self._followers: dict[Follower, None] = {}
        self._task = asyncio.create_task(self._pump(source))

    def join(self, take: Take | None = None) -> Follower:
        """A new place, from now on."""
        follower = Follower(take)
        self._followers[follower] = None
        return follower

    def leave(self, follower: Follower) -> bool:
        """Gives a place up; whether it was the last, which ends the stream."""
        self._followers.pop(follower, None)
        if self._followers:
            return False
        self._task.cancel()
        return True

    async def _pump(self, source: AsyncGenerator[Answer, None]) -> None:
        try:
            async with aclosing(source):
                async for answer in source:
                    self._push(answer)
        except Exception:
            logger.exception("a shared stream broke")
        finally:
            self.ended = True
            for follower in self._followers:
                follower.end()

    def _push(self, answer: Answer) -> None:
        for follower in self._followers:
            follower.push(answer)


class SharedStreams:
    """The shared streams that run now, by what they answer and for whom."""

    def __init__(self) -> None:
        self._running: dict[Hashable, SharedStream] = {}

    async def follow(
        self, key: Hashable, live: Open, missed: Open | None, take: Take | None = None
    ) -> AsyncGenerator[Answer, None]:
        """The answers of a shared stream, after those of the client's own where it missed some.

        Args:
            live: opens the stream that begins now; called where none runs under this key.
            missed: opens the client's own stream, which begins after its cursor.
            take: sends an answer at once. What it has sent is not given any more.
        """
        stream = self._stream_of(key, live)
        follower = stream.join(take)
        try:
            if missed is not None:
                async for answer in _until_met(missed(), follower):
                    yield answer
            if missed is None or follower.took_over:
                async for answer in follower.answers():
                    yield answer
        finally:
            if stream.leave(follower) and self._running.get(key) is stream:
                del self._running[key]

    def _stream_of(self, key: Hashable, live: Open) -> SharedStream:
        stream = self._running.get(key)
        if stream is None or stream.ended:
            stream = self._running[key] = SharedStream(live())
        return stream


async def _until_met(own: AsyncGenerator[Answer, None], follower: Follower) -> AsyncGenerator[Answer, None]:
    """The client's own stream up to where the shared one takes over."""
    async with aclosing(own):
        async for answer in own:
            if follower.meets(answer):
                return
            yield answer
