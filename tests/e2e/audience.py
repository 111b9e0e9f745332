"""A thousand subscribers in one process: raw bytes over both transports, cut again and again, resumed anywhere.

Nothing is parsed that need not be: an event is found by its bytes, and kept as a number.
"""

import array
import asyncio
import itertools
import json
import random
import re
import struct
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, NamedTuple, cast

AGAIN_S: Final = 0.1
"""The most that a subscriber waits before it connects again."""
TAIL_BYTES: Final = 4_096
"""An answer is shorter."""

FEED: Final = """subscription Feed($after: String, $only: OrderEventFilterInput) {
  orderEvents(after: $after, filter: $only) { id cursor } }"""
EVENT: Final = re.compile(rb'"orderEvents":\{"id":"([^"]+)","cursor":"([^"]+)"\}')
CODE: Final = re.compile(rb'"code":"([A-Z_]+)"')

SWITCHED: Final = b"HTTP/1.1 101"
ENDS_HEAD: Final = b"\r\n\r\n"
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
NO_MASK: Final = b"\0\0\0\0"
"""A client has to mask what it sends; with this mask the bytes stay as they are."""


class Transport(StrEnum):
    SSE = "sse"
    SOCKET = "socket"


@dataclass(frozen=True)
class Taste:
    """Which events a group of subscribers wants, and as whom it asks."""

    name: str
    token: str
    only: dict[str, Any] | None = None


class Arrival(NamedTuple):
    """A live event: which, through which server, since when that subscriber listened, and when it came. Units: s."""

    event: int
    server: int
    since: float
    at: float


@dataclass
class Subscriber:
    """One subscriber: it keeps the numbers of all events that it heard, in order, and resumes wherever it can."""

    audience: "Audience"
    taste: Taste
    transport: Transport
    sampled: bool = False
    """Whether it notes when events come."""
    behind: int = 0
    """It resumes so many events before the last that it heard, as one that forgets its newest cursors."""
    heard: "array.array[int]" = field(default_factory=lambda: array.array("I"))
    breaks: list[int] = field(default_factory=list)
    """How much it had heard when each of its connections began."""
    connection: "Connection | None" = None
    cursors: deque[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.cursors = deque([self.audience.start], maxlen=self.behind + 1)

    @property
    def last(self) -> int | None:
        """The number of the newest event."""
        return self.heard[-1] if self.heard else None

    def hear(self, event: bytes, cursor: bytes) -> int:
        """Keeps an event; gives its number."""
        numbers = self.audience.numbers
        number = numbers.setdefault(event, len(numbers))
        self.heard.append(number)
        self.cursors.append(cursor)
        return number

    def cut(self) -> None:
        """Drops its connection, with whatever is on its way."""
        if self.connection is not None:
            self.connection.abort()

    async def listen(self) -> None:
        """Listens until cancelled, at any of the servers, and at another one where that fails."""
        try:
            await self._listen()
        finally:
            self.cut()

    async def _listen(self) -> None:
        loop, chance = asyncio.get_running_loop(), self.audience.chance
        while True:
            server = chance.randrange(len(self.audience.ports))
            connection = (_Sse if self.transport is Transport.SSE else _Socket)(self, server)
            try:
                await loop.create_connection(lambda made=connection: made, "127.0.0.1", self.audience.ports[server])
            except OSError:
                self.audience.ends["refused"] += 1
            else:
                self.breaks.append(len(self.heard))
                self.connection = connection
                self.audience.ends[await connection.ended] += 1
            await asyncio.sleep(chance.uniform(0, AGAIN_S))


@dataclass
class Audience:
    """All subscribers."""

    ports: Sequence[int]
    start: bytes
    """The cursor before the first event."""
    chance: random.Random
    numbers: dict[bytes, int] = field(default_factory=dict)
    """The number of each event, in the order in which anybody heard of it."""
    arrivals: list[Arrival] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    """How connections ended."""
    subscribers: list[Subscriber] = field(default_factory=list)

    @property
    def connections(self) -> int:
        """How often anybody was connected."""
        return sum(len(subscriber.breaks) for subscriber in self.subscribers)

    @property
    def deliveries(self) -> int:
        """How many events came, counted for everybody who heard them."""
        return sum(len(subscriber.heard) for subscriber in self.subscribers)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Everybody listens until the block ends."""
        tasks = [asyncio.create_task(each.listen()) for each in self.subscribers]
        try:
            yield
            assert not any(task.done() for task in tasks), "everybody goes on listening"
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(AGAIN_S)  # connections end in a later round of the loop

    async def until(self, done: Callable[[Subscriber], bool], patience_s: float, *, beside: int | None = None) -> None:
        """Waits until everybody has heard enough, but for those at the server of this number."""
        until = time.monotonic() + patience_s
        missing = [each for each in self.subscribers if each.connection is None or each.connection.server != beside]
        while missing := [each for each in missing if not done(each)]:
            assert time.monotonic() < until, f"{len(missing)} wait in vain; {self.ends}"
            await asyncio.sleep(AGAIN_S)

    def check(self, expected: Mapping[str, Sequence[str]]) -> int:
        """Compares what everybody heard with the ids that belong to their taste; gives how many events came again."""
        repeats = 0
        for subscriber in self.subscribers:
            wanted = array.array("I", [self.numbers[event.encode()] for event in expected[subscriber.taste.name]])
            place = {number: at for at, number in enumerate(wanted)}
            assert place.keys() == set(subscriber.heard), f"{subscriber.taste} heard all of its own and nothing else"
            assert array.array("I", dict.fromkeys(subscriber.heard)) == wanted, "in the order of the journal"
            for begin, end in itertools.pairwise([*subscriber.breaks, len(subscriber.heard)]):
                places = [place[number] for number in subscriber.heard[begin:end]]
                assert not places or places == [*range(places[0], places[0] + len(places))], "no gap in a connection"
            again = len(subscriber.heard) - len(wanted)
            assert again <= subscriber.behind * (len(subscriber.breaks) - 1), "only who forgets is told again"
            repeats += again
        return repeats

    def cut(self, count: int) -> None:
        """Drops the connections of so many of them, whoever it hits."""
        for subscriber in self.chance.sample(self.subscribers, min(count, len(self.subscribers))):
            subscriber.cut()


class Connection(asyncio.Protocol, ABC):
    """One connection of a subscriber; `ended` is how it ended."""

    def __init__(self, subscriber: Subscriber, server: int) -> None:
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._subscriber = subscriber
        self.server = server
        self._since = 0.0
        self._why = "lost"
        self._bytes = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._since = time.time()
        self._transport.write(self.hello())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how the loop calls it
        if not self.ended.done():
            self.ended.set_result(self._why)

    def abort(self) -> None:
        self.close("cut")

    def close(self, why: str) -> None:
        """Ends it now; why is counted."""
        if not self._transport.is_closing():
            self._why = why
            self._transport.abort()

    @abstractmethod
    def hello(self) -> bytes:
        """What is sent first."""

    def hear(self, found: "re.Match[bytes]") -> None:
        """Hands an event over."""
        number = self._subscriber.hear(found[1], found[2])
        if self._subscriber.sampled:
            arrival = Arrival(number, self.server, self._since, time.time())
            self._subscriber.audience.arrivals.append(arrival)

    def head(self, first: bytes, *headers: tuple[str, str]) -> bytes:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        return first + b" HTTP/1.1\r\nhost: 127.0.0.1\r\n" + lines.encode() + b"\r\n"


class _Sse(Connection):
    """Server-Sent Events, resumed by `Last-Event-ID`; each event comes as one chunk, so its bytes hang together."""

    def hello(self) -> bytes:
        taste = self._subscriber.taste
        body = json.dumps({"query": FEED, "variables": {"only": taste.only}}).encode()
        head = self.head(
            b"POST /graphql",
            ("content-type", "application/json"),
            ("accept", "text/event-stream"),
            ("authorization", f"Bearer {taste.token}"),
            ("last-event-id", self._subscriber.cursors[0].decode()),
            ("content-length", str(len(body))),
        )
        return head + body

    def data_received(self, data: bytes) -> None:
        text, end = self._bytes + data, 0
        for found in EVENT.finditer(text):
            self.hear(found)
            end = found.end()
        self._bytes = text[end:]
        if b"event: complete" in self._bytes or b'"errors"' in self._bytes or len(self._bytes) > TAIL_BYTES:
            self.close(_reason(self._bytes) or "complete")


class _Socket(Connection):
    """`graphql-transport-ws`, resumed by the variable `after`."""

    _open = False

    def hello(self) -> bytes:
        return self.head(
            b"GET /graphql",
            ("upgrade", "websocket"),
            ("connection", "Upgrade"),
            ("sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="),
            ("sec-websocket-version", "13"),
            ("sec-websocket-protocol", "graphql-transport-ws"),
        )

    def data_received(self, data: bytes) -> None:
        self._bytes += data
        if not self._open and not self._switch():
            return
        at = 0
        while (frame := _frame(self._bytes, at)) is not None:
            kind, start, at = frame
            self._take(kind, self._bytes[start:at])
        self._bytes = self._bytes[at:]

    def _switch(self) -> bool:
        """Whether the server speaks our protocol by now; then it is asked for the feed."""
        head, ends, rest = self._bytes.partition(ENDS_HEAD)
        if not ends:
            return False
        if not head.startswith(SWITCHED):
            self.close(head[9:12].decode())
            return False
        taste, self._bytes, self._open = self._subscriber.taste, rest, True
        variables = {"after": self._subscriber.cursors[0].decode(), "only": taste.only}
        payload = {"query": FEED, "variables": variables}
        self._send({"type": "connection_init", "payload": {"authorization": f"Bearer {taste.token}"}})
        self._send({"type": "subscribe", "id": "1", "payload": payload})
        return True

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == TEXT:
            found = EVENT.search(payload)
            if found is not None:
                self.hear(found)
            elif b"connection_ack" not in payload:
                self.close(_reason(payload) or "complete")
        elif kind == PING:
            self._transport.write(bytes([0x80 | PONG, 0x80 | len(payload)]) + NO_MASK + payload)
        elif kind == CLOSE:
            self.close(str(int.from_bytes(payload[:2])))

    def _send(self, message: dict[str, Any]) -> None:
        text = json.dumps(message).encode()
        self._transport.write(bytes([0x80 | TEXT, 0x80 | 126]) + struct.pack("!H", len(text)) + NO_MASK + text)


def _frame(text: bytes, at: int) -> tuple[int, int, int] | None:
    """The kind, the start and the end of the payload of the frame that begins here; None if it is not all there."""
    if len(text) < at + 2:
        return None
    size, start = text[at + 1] & 0x7F, at + 2
    if size > 125:
        width = 2 if size == 126 else 8
        size, start = int.from_bytes(text[start : start + width]), start + width
    return (text[at] & 0x0F, start, start + size) if len(text) >= start + size else None


def _reason(text: bytes) -> str | None:
    found = CODE.search(text)
    return None if found is None else found[1].decode()
