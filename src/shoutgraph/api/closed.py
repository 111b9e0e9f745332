"""Doors that are closed while a restore runs: the process lives, and nobody comes in.

Everything is answered 503 with the code `RESTORING`, so that providers send their webhooks again and balancers send
people elsewhere. Source: docs/adr/0017-anchors.md.
"""

from collections.abc import Sequence
from typing import Final

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from shoutgraph.api.failures import Code
from shoutgraph.api.transport import SAFE_HEADERS

RETRY_AFTER_S: Final = 30
MESSAGE: Final = "The database is being restored. Nothing was done; try again later."


class ClosedDoors:
    """An application whose doors are closed until somebody opens them.

    Args:
        free: paths that are answered all the same, with everything below them.
    """

    def __init__(self, inner: ASGIApp, *, free: Sequence[str]) -> None:
        self._inner = inner
        self._free = tuple(free)
        self._open = False

    def open(self) -> None:
        """Lets everybody in."""
        self._open = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or says that the doors are closed."""
        if self._open or scope["type"] == "lifespan" or self._is_free(scope["path"]):
            await self._inner(scope, receive, send)
        else:
            if scope["type"] == "websocket":
                await receive()  # the handshake, which is answered like any other request
            await _refusal()(scope, receive, send)

    def _is_free(self, path: str) -> bool:
        return any(path == each or path.startswith(f"{each}/") for each in self._free)


def _refusal() -> Response:
    body = {"errors": [{"message": MESSAGE, "extensions": {"code": Code.RESTORING, "retryAfter": RETRY_AFTER_S}}]}
    headers = {name.decode(): value.decode() for name, value in SAFE_HEADERS} | {"retry-after": str(RETRY_AFTER_S)}
    return Response(orjson.dumps(body), 503, headers=headers, media_type="application/json")
