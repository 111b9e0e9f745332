"""One event to many sockets: the time until the last has it, what a waiting one costs, and the limit beside both.

The limit is a server that keeps one frame of the same length and writes it to each transport as soon as it is told.
Nothing is parsed here but the first byte of a frame.
"""

import asyncio
import json
import statistics
import struct
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

import uvloop

TEXT, PING = 0x81, 0x89
NO_MASK: Final = b"\0\0\0\0"
PATIENCE_S: Final = 30.0
REST_S: Final = 0.3
"""What lies between two events, so that the first is over."""
OPENING: Final = 50
"""Connections that are opened at once."""
FEED: Final = "subscription { orderEvents { id cursor order { id status } } }"
TELL: Final = b"tell\n"


class Listener(asyncio.Protocol):
    """One subscriber; it notes when the first frame came after it was told to watch."""

    def __init__(self, token: str | None) -> None:
        self._token = token
        self._open = token is None
        self._bytes = b""
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.heard: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks for a socket, or for nothing where bytes are all that comes."""
        self.transport = cast("asyncio.Transport", transport)
        if self._open:
            self.ready.set_result(None)
            return
        self.transport.write(
            b"GET /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
            b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n"
            b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
        )

    def data_received(self, data: bytes) -> None:
        """Subscribes as soon as it may; afterwards anything that is no ping is the event."""
        if self.ready.done():
            if data[0] == PING:
                self.transport.write(b"\x8a\x80" + NO_MASK)
            elif not self.heard.done():
                self.size = len(data)
                self.heard.set_result(time.perf_counter())
            return
        self._bytes += data
        if not self._open and b"\r\n\r\n" in self._bytes:
            assert self._bytes.startswith(b"HTTP/1.1 101"), self._bytes
            self._open = True
            self._send({"type": "connection_init", "payload": {"authorization": f"Bearer {self._token}"}})
            self._send({"type": "subscribe", "id": "1", "payload": {"query": FEED}})
        if b"connection_ack" in self._bytes:
            self.ready.set_result(None)

    def _send(self, message: dict[str, Any]) -> None:
        text = json.dumps(message).encode()
        self.transport.write(bytes([TEXT, 0x80 | 126]) + struct.pack("!H", len(text)) + NO_MASK + text)


async def gather(port: int, count: int, token: str | None) -> list[Listener]:
    """Opens so many sockets that listen."""
    loop, made = asyncio.get_running_loop(), []
    for begin in range(0, count, OPENING):
        several = range(begin, min(begin + OPENING, count))
        opened = [loop.create_connection(lambda: Listener(token), "127.0.0.1", port) for _ in several]
        made += [listener for _, listener in await asyncio.gather(*opened)]
        await asyncio.wait_for(asyncio.gather(*(each.ready for each in made[begin:])), PATIENCE_S)
    await asyncio.sleep(2 * REST_S)  # what was subscribed to is looked up after the last acknowledgement
    return made


async def spread(listeners: list[Listener], tell: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds from telling the server until the last listener has it."""
    loop = asyncio.get_running_loop()
    for each in listeners:
        each.heard = loop.create_future()
    start = time.perf_counter()
    telling = asyncio.ensure_future(tell())
    last = max(await asyncio.wait_for(asyncio.gather(*(each.heard for each in listeners)), PATIENCE_S))
    await telling
    await asyncio.sleep(REST_S)
    return (last - start) * 1e3


async def median_of(listeners: list[Listener], tell: Callable[[], Awaitable[object]], events: int) -> float:
    """The median of several events; the first is not counted."""
    return statistics.median([await spread(listeners, tell) for _ in range(events + 1)][1:])


class _Writer(asyncio.Protocol):
    """The limit: who sends nothing listens, and who says so lets all others have the frame."""

    everybody: Final[set[asyncio.Transport]] = set()
    frame = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.everybody.add(self._transport)

    def data_received(self, data: bytes) -> None:
        assert data == TELL
        for each in self.everybody:
            if each is not self._transport:
                each.write(self.frame)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how the loop calls it
        self.everybody.discard(self._transport)


async def _write(size: int) -> None:
    _Writer.frame = bytes([TEXT]) + b"." * (size - 1)
    server = await asyncio.get_running_loop().create_server(_Writer, "127.0.0.1", 0, backlog=1_000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_write(int(sys.argv[1])))
