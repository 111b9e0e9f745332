"""Clients that outlive a server: a kept-alive connection for operations, and feeds that resume over both transports."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

PATIENCE_S = 30.0
AGAIN_S = 0.02
LOOK_S = 0.002


async def until(true: Callable[[], bool]) -> None:
    """Waits until something is true."""
    for _ in range(int(PATIENCE_S / LOOK_S)):
        if true():
            return
        await asyncio.sleep(LOOK_S)
    raise AssertionError(f"waited {PATIENCE_S} s in vain")


class LostError(Exception):
    """The connection ended before the answer came: what became of the request is not known."""


class Wire:
    """GraphQL over one kept-alive connection, by hand, so that sixty-four of them cost little."""

    def __init__(self, port: int, token: str) -> None:
        self._port = port
        self._head = (
            f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
            f"accept: application/graphql-response+json\r\nauthorization: Bearer {token}\r\n"
        )
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, query: str, /, **variables: object) -> tuple[int, dict[str, Any]]:
        """The status and the answer of one operation; raises LostError where the connection ended first."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        try:
            status, text = await self._exchange(body)
        except (OSError, EOFError) as error:
            self.close()
            raise LostError from error
        return status, json.loads(text)

    async def once(self, query: str, /, **variables: object) -> Any:
        """The data of one operation; raises LostError where the connection ended first."""
        status, answer = await self.ask(query, **variables)
        assert status == 200, answer
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def sure(self, query: str, /, **variables: object) -> tuple[Any, bool]:
        """The data of an operation that is sent until it is answered, and whether it was sent more than once."""
        again = False
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    return await self.once(query, **variables), again
                except LostError:
                    again = True
                    await asyncio.sleep(AGAIN_S)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def _exchange(self, body: bytes) -> tuple[int, bytes]:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._writer.write(self._head.encode() + f"content-length: {len(body)}\r\n\r\n".encode() + body)
        await self._writer.drain()
        head = await self._reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        return int(head[9:12]), await self._reader.readexactly(size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True)
class Heard:
    """An event as a feed received it, and on which connection."""

    id: str
    cursor: str
    order_id: str
    revision: int
    connection: int


FEED = """subscription Feed($after: String) { orderEvents(after: $after) {
  id cursor orderId orderRevision previousStatus status } }"""

Stream = Callable[[str], AsyncGenerator[dict[str, Any], None]]


@dataclass
class Feed:
    """An internal tool: it keeps every event that it hears, and resumes after the last one whenever a stream ends."""

    stream: Stream
    cursor: str
    hangs_up_every: int = 10**9
    """After so many events it hangs up and calls again by itself."""
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0

    async def listen(self) -> None:
        """Listens until cancelled."""
        while True:
            self.connections += 1
            with contextlib.suppress(OSError, httpx.TransportError, WebSocketException, TimeoutError):
                await self._call()
            await asyncio.sleep(AGAIN_S)

    async def _call(self) -> None:
        async with contextlib.aclosing(self.stream(self.cursor)) as payloads:
            async for payload in payloads:
                self._keep(payload)
                if len(self.heard) % self.hangs_up_every == 0:
                    return

    def _keep(self, payload: dict[str, Any]) -> None:
        assert "errors" not in payload, payload
        event = payload["data"]["orderEvents"]
        assert payload["extensions"]["cursor"] == event["cursor"], payload
        self.cursor = event["cursor"]
        self.heard.append(
            Heard(event["id"], event["cursor"], event["orderId"], event["orderRevision"], self.connections)
        )


def over_socket(port: int, token: str) -> Stream:
    """A feed over graphql-transport-ws, resumed by the variable `after`."""

    async def stream(cursor: str) -> AsyncGenerator[dict[str, Any], None]:
        async with connect(
            f"ws://127.0.0.1:{port}/graphql",
            subprotocols=[Subprotocol("graphql-transport-ws")],
            compression=None,
            proxy=None,
            close_timeout=1,
        ) as socket:
            await socket.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
            assert json.loads(await socket.recv())["type"] == "connection_ack"
            payload = {"query": FEED, "variables": {"after": cursor}}
            await socket.send(json.dumps({"type": "subscribe", "id": "feed", "payload": payload}))
            async for text in socket:
                message = json.loads(text)
                assert message["type"] == "next", message
                yield message["payload"]

    return stream


def over_sse(port: int, token: str) -> Stream:
    """A feed over Server-Sent Events, resumed by the header `Last-Event-ID`."""

    async def stream(cursor: str) -> AsyncGenerator[dict[str, Any], None]:
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {token}", "last-event-id": cursor}
        async with (
            httpx.AsyncClient(timeout=PATIENCE_S) as http,
            http.stream("POST", f"http://127.0.0.1:{port}/graphql", json={"query": FEED}, headers=headers) as response,
        ):
            assert response.status_code == 200, await response.aread()
            async for fields in _blocks(response):
                assert fields["event"] == "next", fields
                payload = json.loads(fields["data"])
                assert fields["id"] == payload["data"]["orderEvents"]["cursor"], fields
                yield payload

    return stream


async def _blocks(response: httpx.Response) -> AsyncIterator[dict[str, str]]:
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield fields
            fields = {}
