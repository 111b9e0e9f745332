"""Calls a web application in the same process: one request in, one whole answer out."""

import asyncio
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from shoutgraph.sdk import AsgiMessage
from shoutgraph.testkit.upstreams import AsgiApp

Headers = tuple[tuple[bytes, bytes], ...]

_HOP_BY_HOP: Final = frozenset({b"connection", b"keep-alive", b"transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in; `target` is path and query, header names are in lower case."""

    method: str
    target: str
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `whole` says that all of its body came."""

    status: int
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    whole: bool = True


def reply(status: int, body: bytes = b"", **headers: str) -> Reply:
    """An answer of the kit's own; an underscore in a header's name stands for a dash."""
    named = tuple((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items())
    return Reply(status, named, body)


NOT_FOUND: Final = reply(404, b'{"error": "there is nobody here"}', content_type="application/json")


async def answered(app: AsgiApp, asked: Asked, host: str, gone: asyncio.Event) -> Reply | None:
    """The application's answer, or None where it gave none.

    Args:
        gone: is set when the caller has hung up.
    """
    exchange = _Exchange(asked, gone)
    await app(_scope(asked, host), exchange.receive, exchange.send)
    return exchange.reply()


class _Exchange:
    """The two ends of one ASGI call."""

    def __init__(self, asked: Asked, gone: asyncio.Event) -> None:
        self._unread: list[bytes] = [asked.body]
        self._gone = gone
        self._start: AsgiMessage | None = None
        self._body = bytearray()
        self._whole = False

    async def receive(self) -> AsgiMessage:
        if self._unread:
            return {"type": "http.request", "body": self._unread.pop(), "more_body": False}
        if not self._whole:
            await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: AsgiMessage) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")
            self._whole = not message.get("more_body", False)

    def reply(self) -> Reply | None:
        if self._start is None:
            return None
        headers = tuple(
            (bytes(name).lower(), bytes(value))
            for name, value in self._start.get("headers", ())
            if bytes(name).lower() not in _HOP_BY_HOP
        )
        return Reply(self._start["status"], headers, bytes(self._body), self._whole)


def _scope(asked: Asked, host: str) -> AsgiMessage:
    name, _, port = host.partition(":")
    raw_path, _, query = asked.target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http",
        "path": unquote(raw_path),
        "raw_path": raw_path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": list(asked.headers),
        "client": (name, 1),
        "server": (name, int(port)),
    }
