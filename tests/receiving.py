"""A receiver of webhooks on 127.0.0.1: it proves every message with the standard's own library, and answers as told."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError
from starlette.requests import Request
from starlette.responses import Response
from tests.listening import listening, serving


@dataclass
class Receiver:
    """What it was sent, what proved it, and what it answers next; it takes everything else."""

    url: str
    secrets: list[str] = field(default_factory=list)
    answers: list[Response] = field(default_factory=list)
    got: list[dict[str, Any]] = field(default_factory=list)
    proven: list[list[bool]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    calls: int = 0
    most: int = 0
    """Calls now, and the most that there ever were at a time."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls += 1
        self.most = max(self.most, self.calls)
        try:
            await self._take(scope, receive, send)
        finally:
            self.calls -= 1

    async def _take(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        body, headers = await request.body(), dict(request.headers)
        self.got.append({"webhook-id": headers["webhook-id"], **json.loads(body)})
        self.proven.append([_proves(secret, body, headers) for secret in self.secrets])
        self.headers.append(headers)
        answer = self.answers.pop(0) if self.answers else Response("thanks", 200)
        await answer(scope, receive, send)

    @property
    def told(self) -> list[str]:
        """The ids of the events that it was told of."""
        return [each["data"]["id"] for each in self.got]

    def forget(self) -> None:
        self.got.clear()
        self.proven.clear()
        self.headers.clear()


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver behind a real socket."""
    with listening() as (listener, url):
        receiver = Receiver(f"{url}/hook")
        with serving(receiver, listener):
            yield receiver


def _proves(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True
