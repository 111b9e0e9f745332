"""A provider's web server that misbehaves on request, on loopback."""

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.listening import listening, serving

Message = MutableMapping[str, Any]

CLOSED_PORT = 1
"""A port on which nobody listens."""


@dataclass
class Upstream:
    """What it saw, and where it is."""

    port: int = 0
    seen: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.seen.append((scope["method"], scope["path"], headers, body))
        await getattr(self, "answer" + scope["path"].replace("/", "_"), self.answer)(send)

    async def answer(self, send: Any, status: int = 200, body: bytes = b"{}", **headers: str) -> None:
        raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": body})

    async def answer_redirect(self, send: Any) -> None:
        await self.answer(send, 302, location=f"{self.url}/elsewhere")

    async def answer_cookie(self, send: Any) -> None:
        await self.answer(send, set_cookie="session=1; Path=/")

    async def answer_large(self, send: Any) -> None:
        await self.answer(send, body=b"x" * 5_000_000)

    async def answer_packed(self, send: Any) -> None:
        await self.answer(send, content_encoding="gzip")

    async def answer_truncated(self, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


@contextmanager
def running(app: Upstream) -> Iterator[Upstream]:
    """Serves the upstream for a while."""
    with listening() as (listener, _url):
        app.port = listener.getsockname()[1]
        with serving(app, listener):
            yield app
