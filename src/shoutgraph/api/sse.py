"""GraphQL over Server-Sent Events: one stream for one operation, resumed by `Last-Event-ID`.

Lines end with LF, since widespread clients split on two of them. Source: the `graphql-sse` protocol, distinct
connections mode; the HTML standard, server-sent events.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from graphql import GraphQLError
from starlette.types import Receive, Send

from shoutgraph.api import failures, limits, media_types, transport
from shoutgraph.api.credentials import Credential
from shoutgraph.api.deadline import within
from shoutgraph.api.failures import Code, FailureError
from shoutgraph.api.graphql.answers import Answer
from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.sharing import SlowConsumerError

logger = logging.getLogger("shoutgraph.api")

HEARTBEAT: Final = b":\n\n"
COMPLETE: Final = b"event: complete\ndata: \n\n"


def encode_next(answer: Answer) -> bytes:
    """An answer as one event; its cursor is the id to resume from."""
    mark = b"" if answer.cursor is None else b"id: " + answer.cursor.encode() + b"\n"
    return b"event: next\n" + mark + b"data: " + answer.json() + b"\n\n"


async def respond(
    credential: Credential, answers: AsyncGenerator[Answer, None], context: Context, *, receive: Receive, send: Send
) -> None:
    """Sends answers as they come, until they end, the client goes, its rights end or the process drains."""
    await send({"type": "http.response.start", "status": 200, "headers": _headers(context)})
    stream = _Stream(send)
    pump = asyncio.create_task(stream.pump(answers))
    gone = asyncio.create_task(_gone(receive))
    drained = asyncio.create_task(credential.shared.drain.wait())
    tasks = (pump, gone, drained)
    try:
        last = await _last_words(stream, tasks, context, credential)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if last is not None:
        await stream.finish(last)


class _Stream:
    def __init__(self, send: Send) -> None:
        self._send = send

    async def pump(self, answers: AsyncGenerator[Answer, None]) -> None:
        async with aclosing(answers):
            async for answer in answers:
                await self.write(answer.written("event", encode_next))

    async def write(self, chunk: bytes, *, more: bool = True) -> None:
        try:
            with within(limits.SEND_S):
                await self._send({"type": "http.response.body", "body": chunk, "more_body": more})
        except TimeoutError:
            raise SlowConsumerError from None

    async def finish(self, last: bytes) -> None:
        try:
            await self.write(last, more=False)
        except SlowConsumerError:
            logger.info("a stream ended without its last words, since its client does not read")


Tasks = tuple[asyncio.Task[None], asyncio.Task[None], asyncio.Task[None]]


async def _last_words(stream: _Stream, tasks: Tasks, context: Context, credential: Credential) -> bytes | None:
    """Waits for the end with heartbeats; gives what is still to be said, or None where nobody listens."""
    pump, gone, drained = tasks
    patience = _Patience(credential)
    while not pump.done():
        await asyncio.wait(tasks, timeout=patience.seconds, return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            return None
        if drained.done():
            return COMPLETE
        reason = await patience.why_not()
        if reason is not None:
            return _failed(context, FailureError(Code.UNAUTHENTICATED, reason)) + COMPLETE
        if not pump.done():
            await stream.write(HEARTBEAT)
    error = pump.exception()
    if isinstance(error, SlowConsumerError):
        return None
    return COMPLETE if error is None else _failed(context, error) + COMPLETE


class _Patience:
    """How long to wait for the next heartbeat or the next check of the credential."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential
        self._now = asyncio.get_running_loop().time
        self._check_at = self._next_check()

    @property
    def seconds(self) -> float:
        left = limits.HEARTBEAT_S if self._check_at is None else self._check_at - self._now()
        return max(min(left, limits.HEARTBEAT_S), 0.0)

    async def why_not(self) -> str | None:
        if self._check_at is None or self._now() < self._check_at:
            return None
        reason = await self._credential.why_not()
        self._check_at = self._next_check()
        return reason

    def _next_check(self) -> float | None:
        seconds = self._credential.next_check_s
        return None if seconds is None else self._now() + seconds


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _failed(context: Context, error: BaseException) -> bytes:
    located = error if isinstance(error, FailureError) else GraphQLError(str(error), original_error=error)  # type: ignore[arg-type]
    return encode_next(Answer(None, failures.present([located], request_id=context.request_id)))


def _headers(context: Context) -> list[tuple[bytes, bytes]]:
    return [
        (b"content-type", media_types.EVENTS.encode() + b"; charset=utf-8"),
        (b"x-request-id", context.request_id.encode()),
        (b"x-accel-buffering", b"no"),
        (b"cache-control", b"no-cache, no-transform"),
        *(pair for pair in transport.SAFE_HEADERS if pair[0] != b"cache-control"),
    ]
