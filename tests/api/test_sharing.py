"""Shared streams: one run for many clients, no gap where a client that resumes changes over, and bounds."""

import asyncio
import itertools
import json
import socket as connections
import struct
from collections.abc import AsyncGenerator, Iterable, Iterator
from contextlib import ExitStack, aclosing

import pytest
from hypothesis import given, settings, strategies as st
from tests.api.harness import PATIENCE_S, Client, Served, Socket
from tests.api.sample import World
from tests.api.test_sockets import until

from shoutgraph.api import limits, server
from shoutgraph.api.graphql.answers import Answer
from shoutgraph.api.graphql.sharing import Follower, SharedStreams, SlowConsumerError
from shoutgraph.telemetry import metrics

EVENTS = 3_000
"""So many of 20 kB no kernel keeps for a client."""
LOG = "subscription ($after: String) { log(after: $after) { number cursor star { version } } }"


@pytest.fixture
def sockets(served: Served) -> Iterator[list[Socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Socket(served.socket_url)).init("fan") for _ in range(5)]


def number_of(socket: Socket) -> int:
    return int(socket.next("s")["data"]["log"]["number"])


def open_sockets() -> int:
    return int(metrics.REGISTRY.get_sample_value("shoutgraph_sockets") or 0)


def opened(world: World) -> list[str]:
    return [call for call in world.calls if call.startswith("log opened")]


def test_an_event_is_run_once_for_all_who_ask_the_same(sockets: list[Socket], world: World) -> None:
    follow(sockets)
    until(lambda: len(opened(world)) == 1)
    for number in (1, 2, 3):
        world.log.append()
        assert [number_of(socket) for socket in sockets] == [number] * 5
    assert opened(world) == ["log opened after None"]
    assert world.log.reads == 3
    assert world.calls.count("version of 1") == 3


def follow(sockets: Iterable[Socket], query: str = LOG) -> None:
    """Subscribes each of them; what happens from now on is told to all."""
    for socket in sockets:
        socket.subscribe("s", query)
        socket.send({"type": "ping"})
        assert socket.receive() == {"type": "pong"}  # by then it has its place


def deaf(served: Served, query: str) -> connections.socket:
    """A subscriber with hardly any room for what it is sent, which reads its acknowledgement and then nothing."""
    made = connections.socket()
    made.setsockopt(connections.SOL_SOCKET, connections.SO_RCVBUF, 4_096)
    made.settimeout(PATIENCE_S)
    made.connect(("127.0.0.1", served.port))
    made.sendall(
        b"GET /graphql HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
        b"sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n"
        b"sec-websocket-protocol: graphql-transport-ws\r\n\r\n"
    )
    assert made.recv(65_536).startswith(b"HTTP/1.1 101 ")
    for message in (
        {"type": "connection_init", "payload": {"authorization": "Bearer fan", "long": "." * 99}},
        {"type": "subscribe", "id": "s", "payload": {"query": query}},
    ):
        text = json.dumps(message).encode()
        made.sendall(struct.pack("!BBH4x", 0x81, 0x80 | 126, len(text)) + text)  # masked with zeros
    heard = b""
    while b"connection_ack" not in heard:
        heard += made.recv(65_536)
    return made


def test_who_shares_a_stream_with_somebody_deaf_misses_nothing(
    sockets: list[Socket], served: Served, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEND_S", 0.1)
    quick = sockets[0]
    before, wide = open_sockets(), " ".join(f"{'n' * 2_000}{at}: number" for at in range(10))
    query = f"subscription {{ log {{ number cursor {wide} }} }}"
    with deaf(served, query) as shut:
        follow([quick], query)
        until(lambda: len(opened(world)) == 1 and open_sockets() == before + 1)
        while open_sockets() > before:
            world.log.append()
            assert number_of(quick) == world.log.length
            assert world.log.length < EVENTS, "it is let go"
        heard = size = len(shut.recv(65_536))
        while size:  # until it is let go
            size = len(shut.recv(65_536))
            heard += size
    assert heard < len(wide) * limits.QUEUE_MAX, "what it did not take is not kept for it"
    assert opened(world) == ["log opened after None"]


def test_an_event_is_put_into_a_frame_once_for_all(sockets: list[Socket], world: World) -> None:
    follow(sockets)
    until(lambda: len(opened(world)) == 1)
    world.log.append()
    assert [number_of(socket) for socket in sockets] == [1] * 5  # each is in its place by now
    server.frame_of.cache_clear()
    world.log.append()
    assert [number_of(socket) for socket in sockets] == [2] * 5
    made = server.frame_of.cache_info()
    assert (made.misses, made.hits) == (1, 4)


def test_the_order_of_variables_and_spelling_of_null_make_no_difference(served: Served, world: World) -> None:
    with Socket(served.socket_url).init() as one, Socket(served.socket_url).init() as two:
        two.subscribe("s", LOG, after=None)
        follow([one])
        until(lambda: len(opened(world)) == 1)
        world.log.append()
        assert (number_of(one), number_of(two)) == (1, 1)
    assert world.log.reads == 1


def test_other_rights_get_a_stream_of_their_own(served: Served, world: World) -> None:
    with Socket(served.socket_url).init("fan") as fan, Socket(served.socket_url).init("staff") as staff:
        follow([fan, staff])
        until(lambda: len(opened(world)) == 2)
        world.log.append()
        assert (number_of(fan), number_of(staff)) == (1, 1)


def test_a_client_that_resumes_joins_without_a_gap(sockets: list[Socket], world: World) -> None:
    sockets[0].subscribe("s", LOG)
    until(lambda: len(opened(world)) == 1)
    for _ in range(4):
        world.log.append()
    assert [number_of(sockets[0]) for _ in range(4)] == [1, 2, 3, 4]
    sockets[1].subscribe("s", LOG, after="1")
    assert [number_of(sockets[1]) for _ in range(3)] == [2, 3, 4]
    for number in range(5, 12):
        world.log.append()
        assert (number_of(sockets[0]), number_of(sockets[1])) == (number, number)
    assert "log closed after 1" in world.calls


def test_the_last_client_to_go_ends_the_stream(sockets: list[Socket], world: World) -> None:
    follow(sockets[:2])
    until(lambda: len(opened(world)) == 1)
    sockets[0].send({"type": "complete", "id": "s"})
    world.log.append()
    assert number_of(sockets[1]) == 1
    assert "log closed after None" not in world.calls
    sockets[1].send({"type": "complete", "id": "s"})
    until(lambda: "log closed after None" in world.calls)
    sockets[2].subscribe("s", LOG)
    until(lambda: len(opened(world)) == 2)


def test_streams_over_http_share_with_sockets(client: Client, served: Served, world: World) -> None:
    with Socket(served.socket_url).init() as socket, client.events(LOG) as stream:
        follow([socket])
        until(lambda: len(opened(world)) == 1)
        world.log.append()
        event = stream.next()
        assert event is not None
        assert (event.id, number_of(socket)) == ("1", 1)
        assert world.log.reads == 1


def test_a_refused_cursor_ends_only_the_client_that_sent_it(sockets: list[Socket], world: World) -> None:
    sockets[0].subscribe("s", LOG)
    sockets[1].subscribe("s", LOG, after="expired")
    error = sockets[1].next("s")["errors"][0]
    assert error["extensions"]["reason"] == "CURSOR_EXPIRED"
    assert sockets[1].receive() == {"id": "s", "type": "complete"}
    until(lambda: len(opened(world)) == 1)
    world.log.append()
    assert number_of(sockets[0]) == 1


@pytest.mark.parametrize(
    "query",
    [
        'subscription { log(after: "0") { number } }',
        "subscription ($after: String) { ...F } fragment F on Subscription { log(after: $after) { number } }",
        'subscription ($after: String = "0") { log(after: $after) { number cursor @include(if: true) } }',
    ],
)
def test_every_spelling_of_a_subscription_is_answered(socket: Socket, world: World, query: str) -> None:
    socket.init().subscribe("s", query, **({"after": "0"} if "$after" in query else {}))
    until(lambda: bool(opened(world)))
    world.log.append()
    assert number_of(socket) == 1


def test_wrong_variables_are_refused_for_each(sockets: list[Socket]) -> None:
    for socket in sockets[:2]:
        socket.subscribe(
            "s", "subscription ($n: Int!) { log { number cursor @include(if: true) } ticks(count: $n) { number } }"
        )
        assert socket.receive()["type"] == "error"


class Source:
    """A log of numbers that opens like a subscription."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.grown = asyncio.Condition()

    async def append(self) -> None:
        async with self.grown:
            self.numbers.append(len(self.numbers) + 1)
            self.grown.notify_all()

    async def grow(self, count: int, pauses: int) -> None:
        for _ in range(count):
            await self.append()
        for _ in range(pauses):
            await asyncio.sleep(0)

    async def follow(
        self, streams: SharedStreams, after: int | None, last: int, takes: Iterable[bool] = (False,)
    ) -> list[int]:
        """What a client sees that begins now or after a number, until the last one; it takes some at once."""
        own = None if after is None else (lambda: self.after(after))
        seen: list[int] = []
        turns = itertools.cycle(takes)

        def take(answer: Answer) -> bool:
            taken = next(turns) and answer.cursor != str(last)
            if taken:
                seen.extend(numbers([answer]))
            return taken

        async with aclosing(streams.follow("key", lambda: self.after(len(self.numbers)), own, take)) as answers:
            async for answer in answers:
                seen += numbers([answer])
                if seen[-1] == last:
                    break
        return seen

    async def after(self, number: int) -> AsyncGenerator[Answer, None]:
        while True:
            async with self.grown:
                while len(self.numbers) <= number:
                    await self.grown.wait()
            number += 1
            yield Answer({"number": number}, cursor=str(number))
            await asyncio.sleep(0)


def numbers(answers: list[Answer]) -> list[int]:
    return [int(answer.cursor or 0) for answer in answers]


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 12),
    st.integers(0, 12),
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3)), min_size=1, max_size=12),
    st.lists(st.booleans(), min_size=1, max_size=4),
)
def test_no_client_that_resumes_misses_or_reorders_an_event(
    stored: int, behind: int, growth: list[tuple[int, int]], takes: list[bool]
) -> None:
    total = stored + sum(count for count, _ in growth)
    start = max(stored - behind, 0)

    async def play() -> list[int]:
        source, streams = Source(), SharedStreams()
        await source.grow(stored, 0)
        first = asyncio.create_task(source.follow(streams, None, total))
        await source.grow(0, 3)
        resumed = asyncio.create_task(source.follow(streams, start, total, takes))
        for count, pauses in growth:
            await source.grow(count, pauses)
        await asyncio.wait_for(first, 5)
        return await asyncio.wait_for(resumed, 5)

    assert asyncio.run(play()) == list(range(start + 1, total + 1))


async def started(*streams: AsyncGenerator[Answer, None]) -> list[asyncio.Task[Answer]]:
    """Lets each client ask for its first answer before there is one."""
    tasks = [asyncio.create_task(anext(stream)) for stream in streams]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def rest(stream: AsyncGenerator[Answer, None]) -> list[int]:
    return numbers([answer async for answer in stream])


def test_who_waits_for_more_takes_an_answer_at_once_and_who_is_leaving_takes_none() -> None:
    async def play() -> tuple[list[int], ...]:
        taken: list[Answer] = []
        follower = Follower(lambda answer: taken.append(answer) is None)
        first, second, third = (Answer(None, cursor=str(number)) for number in (1, 2, 3))
        follower.push(first)
        early = numbers(taken)
        answers = follower.answers()
        waited = numbers([await anext(answers)])
        (task,) = await started(answers)
        follower.push(second)
        task.cancel()
        follower.push(third)
        return early, waited, numbers(taken)

    assert asyncio.run(play()) == ([], [1], [2])


def test_a_client_that_takes_nothing_loses_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "QUEUE_MAX", 3)

    async def play() -> list[int]:
        source, streams = Source(), SharedStreams()
        slow, quick = (streams.follow("key", lambda: source.after(0), None) for _ in range(2))
        first = await started(slow, quick)
        await source.append()
        seen = numbers([await task for task in first])
        for _ in range(5):
            await source.append()
            seen += numbers([await anext(quick)])
        with pytest.raises(SlowConsumerError):
            await rest(slow)
        await quick.aclose()
        return seen

    assert asyncio.run(play()) == [1, 1, 2, 3, 4, 5, 6]


def test_a_long_way_behind_is_no_slowness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "QUEUE_MAX", 3)

    async def play() -> list[int]:
        source, streams = Source(), SharedStreams()
        quick = streams.follow("key", lambda: source.after(0), None)
        await source.append()
        await anext(quick)
        resumed = streams.follow("key", lambda: source.after(1), lambda: source.after(0))
        seen = numbers([await anext(resumed)])
        for _ in range(20):
            await source.append()
            await anext(quick)
        while len(seen) < 21:
            seen += numbers([await anext(resumed)])
        await source.append()
        seen += numbers([await anext(resumed)])
        await resumed.aclose()
        await quick.aclose()
        return seen

    assert asyncio.run(play()) == list(range(1, 23))


def test_a_stream_that_breaks_ends_for_all(caplog: pytest.LogCaptureFixture) -> None:
    async def broken() -> AsyncGenerator[Answer, None]:
        yield Answer({"number": 1}, cursor="1")
        raise RuntimeError("a bug")

    async def play() -> list[list[int]]:
        streams = SharedStreams()
        both = [streams.follow("key", broken, None) for _ in range(2)]
        return [numbers([await task]) + await rest(each) for task, each in zip(await started(*both), both, strict=True)]

    assert asyncio.run(play()) == [[1], [1]]
    assert "a shared stream broke" in caplog.text


def test_an_answer_is_encoded_once() -> None:
    answer = Answer({"a": 1}, cursor="c")
    assert answer.json() is answer.json()
    assert json.loads(answer.json()) == {"data": {"a": 1}, "extensions": {"cursor": "c"}}
    assert json.loads(Answer(None, [{"message": "m"}], ran=False).json()) == {"errors": [{"message": "m"}]}
