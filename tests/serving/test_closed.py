"""A server with closed doors, as while a restore runs: who knocks is told to come back later."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
from tests.api import deployment
from tests.storage.databases import Place
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from shoutgraph import app
from shoutgraph.api import health
from shoutgraph.api.closed import ClosedDoors
from shoutgraph.api.server import build_server
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
    """A server whose doors are closed until they are opened."""

    def __init__(self, opened: app.App, listener: socket.socket) -> None:
        self.url = opened.base_url
        self.doors = ClosedDoors(opened.asgi, free=(health.LIVE, app.SANDBOX_PATH))
        self._listener = listener
        self._server = build_server(self.doors, opened.drain, signals=False)

    async def serve(self) -> None:
        await self._server.serve(sockets=[self._listener])

    def end(self) -> None:
        self._server.end()

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
async def closed(place: Place) -> AsyncIterator[Doors]:
    settings = deployment.settings_of(place, port=0)
    listener = process.listen(settings)
    async with app.open_app(settings, base_url=process.address_of(settings, listener), restoring=True) as opened:
        doors = Doors(opened, listener)
        serving = asyncio.create_task(doors.serve())
        try:
            yield doors
        finally:
            doors.end()
            await asyncio.wait_for(serving, PATIENCE_S)


@pytest.mark.sqlite_only
def test_nobody_comes_in_until_the_doors_are_opened(place: Place):
    async def story() -> None:
        async with closed(place) as doors:
            assert (await doors.knock("GET", "/health/live")).status_code == httpx.codes.OK
            for method, path, more in KNOCKS:
                answer = await doors.knock(method, path, **more)
                (error,) = answer.json()["errors"]
                assert (answer.status_code, error["extensions"]["code"]) == (503, "RESTORING"), path
                assert answer.headers["retry-after"] == "30"
            assert await doors.socket_status() == httpx.codes.SERVICE_UNAVAILABLE
            doors.doors.open()
            assert "serverTime" in (await doors.knock("POST", "/graphql", json=QUERY)).json()["data"]
            assert await doors.socket_status() == httpx.codes.SWITCHING_PROTOCOLS

    asyncio.run(story())
