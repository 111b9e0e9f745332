"""A server that does something first, behind closed doors: who knocks is told to come back later."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.api import deployment
from tests.storage.databases import Place
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from shoutgraph import app
from shoutgraph.serving import process

PATIENCE_S = 60.0
QUERY = {"query": "{ serverTime }"}
KNOCKS = [
    ("POST", "/graphql", {"json": QUERY}),
    ("POST", "/hooks/sandbox", {"content": b"{}"}),
    ("GET", "/health/ready", {}),
    ("GET", "/nowhere", {}),
]


class Doors:
    """A server and what it does first, which lasts until `done` has a result."""

    def __init__(self, place: Place) -> None:
        self.settings = deployment.settings_of(place, port=0)
        self.listener = process.listen(self.settings)
        self.url = process.address_of(self.settings, self.listener)
        self.done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.open = asyncio.Event()

    async def serve(self) -> None:
        async def first(_opened: app.App) -> bool:
            return await self.done

        await process.serve_after(self.settings, self.listener, first, on_ready=lambda *_: self.open.set())

    async def knock(self, method: str, path: str, **more: object) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.url, timeout=PATIENCE_S) as client:
            return await client.request(method, path, **more)

    async def socket_status(self) -> int:
        """The status that answers a socket's handshake."""
        try:
            async with connect(self.url.replace("http", "ws", 1) + "/graphql", subprotocols=["graphql-transport-ws"]):
                return httpx.codes.SWITCHING_PROTOCOLS
        except InvalidStatus as refused:
            return refused.response.status_code


@contextlib.asynccontextmanager
async def closed(place: Place) -> AsyncIterator[tuple[Doors, asyncio.Task[None]]]:
    doors = Doors(place)
    serving = asyncio.create_task(doors.serve())
    try:
        yield doors, serving
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


@pytest.mark.sqlite_only
def test_nobody_comes_in_until_the_doors_are_opened(place: Place):
    async def story() -> None:
        async with closed(place) as (doors, _):
            assert (await doors.knock("GET", "/health/live")).status_code == httpx.codes.OK
            for method, path, more in KNOCKS:
                answer = await doors.knock(method, path, **more)
                (error,) = answer.json()["errors"]
                assert (answer.status_code, error["extensions"]["code"]) == (503, "RESTORING"), path
                assert answer.headers["retry-after"] == "30"
            assert await doors.socket_status() == httpx.codes.SERVICE_UNAVAILABLE
            doors.done.set_result(True)
            await asyncio.wait_for(doors.open.wait(), PATIENCE_S)
            assert "serverTime" in (await doors.knock("POST", "/graphql", json=QUERY)).json()["data"]
            assert await doors.socket_status() == httpx.codes.SWITCHING_PROTOCOLS

    asyncio.run(story())


@pytest.mark.sqlite_only
def test_nobody_is_let_in_where_what_came_first_failed(place: Place):
    async def story() -> None:
        async with closed(place) as (doors, serving):
            assert (await doors.knock("GET", "/health/live")).status_code == httpx.codes.OK
            doors.done.set_result(False)
            await asyncio.wait_for(serving, PATIENCE_S)
            assert not doors.open.is_set()
            with pytest.raises(httpx.ConnectError):
                await doors.knock("GET", "/health/live")

    asyncio.run(story())
