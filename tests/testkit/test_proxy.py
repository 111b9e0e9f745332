"""The fault proxy over real sockets: what each fault lets through, and what the caller sees of it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.testkit import wire

from shoutgraph.sdk import HttpAnswer, NoAnswer, NotSent
from shoutgraph.testkit import faults, watching
from shoutgraph.testkit.proxy import Proxy, Which

LONG_S = 30.0

pytestmark = pytest.mark.anyio


class Counter:
    """Says how often it was asked."""

    def __init__(self) -> None:
        self.count = 0
        self.hung_up = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        if scope["path"] == "/broken":
            raise RuntimeError("broken")
        if scope["path"] == "/patient":
            await receive()
            self.hung_up.set()
        self.count += 1
        told = {
            "count": self.count,
            "path": scope["path"],
            "query": scope["query_string"].decode(),
            "body": body.decode(),
        }
        answer = json.dumps(told).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-name", b"counter")]})
        await send({"type": "http.response.body", "body": answer[:5], "more_body": True})
        if scope["path"] != "/half":
            await send({"type": "http.response.body", "body": answer[5:]})


@asynccontextmanager
async def standing(*aside: str) -> AsyncIterator[tuple[Proxy, Counter]]:
    proxy, counter = Proxy(), Counter()
    proxy.serve(counter, aside)
    await proxy.start()
    try:
        yield proxy, counter
    finally:
        await proxy.aclose()


async def ask(proxy: Proxy, target: str = "/", method: str = "POST", body: bytes = b"hello") -> HttpAnswer:
    return await wire.request(method, proxy.url + target, {}, body)


async def test_a_request_passes_unchanged_and_is_written_down() -> None:
    async with standing() as (proxy, _):
        answer = await ask(proxy, "/pay?x=1")
    assert json.loads(answer.body) == {"count": 1, "path": "/pay", "query": "x=1", "body": "hello"}
    assert answer.headers["x-name"] == "counter"
    assert [(each.method, each.path, each.target, each.body) for each in proxy.asked] == [
        ("POST", "/pay", "/pay?x=1", b"hello")
    ]


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [(faults.DROPPED_BEFORE, 0), (faults.DROPPED_AFTER, 1), (faults.CUT, 1)],
    ids=lambda each: str(getattr(each, "name", each)),
)
async def test_a_broken_connection_gives_no_answer(fault: faults.Fault, arrived: int) -> None:
    async with standing() as (proxy, counter):
        proxy.plan(fault)
        with pytest.raises(NoAnswer):
            await ask(proxy)
        assert counter.count == arrived
        assert (await ask(proxy)).status == 200


@pytest.mark.parametrize(
    ("fault", "status", "body", "arrived"),
    [
        (faults.RATE_LIMITED, 429, b'{"error": "slow down"}', 0),
        (faults.failing(503), 503, b"<html><h1>503</h1></html>", 0),
        (faults.SAVED_500, 500, b"oh", 1),
        (faults.saying("nothing", b""), 200, b"", 1),
        (faults.redirecting("http://127.0.0.1/"), 307, b"", 0),
    ],
    ids=lambda each: str(getattr(each, "name", each)),
)
async def test_an_answer_is_replaced(fault: faults.Fault, status: int, body: bytes, arrived: int) -> None:
    async with standing() as (proxy, counter):
        proxy.plan(fault)
        answer = await ask(proxy)
    assert (answer.status, answer.body, counter.count) == (status, body, arrived)


async def test_half_a_body_is_a_proper_answer() -> None:
    async with standing() as (proxy, _):
        whole = (await ask(proxy)).body
        proxy.plan(faults.HALF)
        assert (await ask(proxy)).body == whole.replace(b"1", b"2")[: len(whole) // 2]


async def test_a_request_that_arrives_twice_is_answered_once() -> None:
    async with standing() as (proxy, counter):
        proxy.plan(faults.TWICE)
        assert json.loads((await ask(proxy)).body)["count"] == 2
        assert (counter.count, len(proxy.asked)) == (2, 1)


async def test_an_answer_that_never_comes_waits_until_the_caller_hangs_up() -> None:
    async with standing() as (proxy, _):
        proxy.plan(faults.HANG)
        task = asyncio.create_task(ask(proxy))
        assert await watching.settled(lambda: proxy.hurt_count > 0, LONG_S)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await watching.settled(lambda: proxy.open_count == 0, LONG_S)


async def test_a_simulator_hears_that_its_caller_hung_up() -> None:
    async with standing() as (proxy, counter):
        task = asyncio.create_task(ask(proxy, "/patient"))
        assert await watching.settled(lambda: len(proxy.asked) > 0, LONG_S)
        task.cancel()
        await asyncio.wait({task})
        async with asyncio.timeout(LONG_S):
            await counter.hung_up.wait()


async def test_faults_leave_looks_and_what_is_asked_aside_alone() -> None:
    async with standing("/token") as (proxy, _):
        proxy.plan(faults.failing(500))
        assert (await ask(proxy, "/token")).status == 200
        assert (await ask(proxy, "/look", "GET", b"")).status == 200
        assert (await ask(proxy)).status == 500
        proxy.plan(faults.failing(500), times=2, which=Which.ANY)
        assert [(await ask(proxy, "/look", "GET", b"")).status for _ in range(3)] == [500, 500, 200]
        proxy.plan(faults.failing(500))
        proxy.mend()
        assert (await ask(proxy)).status == 200
    assert len(proxy.asked) - len(proxy.money()) == 1
    assert [each.path for each in proxy.changes(since=2)] == ["/", "/"]


async def test_an_answer_that_the_simulator_does_not_finish_is_cut() -> None:
    async with standing() as (proxy, _):
        with pytest.raises(NoAnswer):
            await ask(proxy, "/half")


async def test_a_simulator_that_breaks_is_remembered() -> None:
    async with standing() as (proxy, _):
        assert (await ask(proxy, "/broken")).status == 500
    assert [str(each) for each in proxy.broke] == ["broken"]


async def test_an_error_page_repeats_what_was_sent() -> None:
    async with standing() as (proxy, _):
        proxy.plan(faults.echoing(401))
        answer = await wire.request("POST", f"{proxy.url}/", {"authorization": "Bearer secret"}, b"payload")
    assert answer.status == 401
    assert b"Bearer secret" in answer.body
    assert b"payload" in answer.body


async def test_where_nobody_listens_every_connection_is_refused() -> None:
    async with standing() as (proxy, _):
        with pytest.raises(NotSent):
            await wire.request("GET", proxy.refusing_url, {}, None)


async def test_without_a_simulator_nobody_is_there() -> None:
    proxy = Proxy()
    await proxy.start()
    assert (await ask(proxy)).status == 404
    await proxy.aclose()


async def test_a_connection_can_be_used_again_and_expects_to_continue() -> None:
    async with standing() as (proxy, counter):
        host, port = proxy.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\nexpect: 100-continue\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
            writer.write(b"hi")
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            assert b'"body": "hi"' in await reader.readexactly(length)
        writer.close()
        await writer.wait_closed()
    assert counter.count == 2


async def test_what_is_no_http_is_hung_up_on() -> None:
    async with standing() as (proxy, _):
        host, port = proxy.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"\x16\x03\x01 not http\r\n\r\n")
        assert await reader.read() == b""
        writer.close()
