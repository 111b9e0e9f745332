"""`POST /hooks/{instance}`: providers tell us what became of money.

The body is taken byte for byte and bounded; a proven delivery is answered 200 even if it is a repeat, since the
provider would send it again otherwise. Refusals are JSON, `{"errors": [{"message", "extensions": {"code"}}]}`.
"""

import hashlib
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from shoutgraph import sdk
from shoutgraph.domain import errors
from shoutgraph.domain.notices import BODY_BYTES_MAX, Stored, kept_headers
from shoutgraph.plugins.webhooks import PluginFaultError
from shoutgraph.services import notices
from shoutgraph.services.notices import Handlers
from shoutgraph.services.orders import timers
from shoutgraph.services.payouts import notice as payout_notices, onboard
from shoutgraph.services.topups import notice as topup_notices
from shoutgraph.tools import Tools

logger = logging.getLogger("shoutgraph.api")

PATH: Final = "/hooks/{instance}"
QUERY_CHARS_MAX: Final = 2_048
SAFE_HEADERS: Final = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

HANDLERS: Final[Handlers] = {
    sdk.NoticeKind.TOPUP: partial(topup_notices.notified, reverse_orders=timers.reverse_orders),
    sdk.NoticeKind.PAYOUT: payout_notices.notified,
    sdk.NoticeKind.RECIPIENT: onboard.notified,
}
"""Which room applies which kind of notice."""

STATUS: Final[dict[type[Exception], tuple[int, str | None]]] = {
    errors.NotFoundError: (404, None),
    errors.ValidationError: (400, None),
    errors.OverloadedError: (503, None),
    errors.StoreUnavailableError: (503, "UNAVAILABLE"),
    PluginFaultError: (500, "PLUGIN_FAULT"),
}
"""The status of each refusal or fault, and the code of those that have none of their own."""

RETRY_AFTER_S: Final = 5


def routes(tools: Tools) -> list[Route]:
    """The route of webhooks."""
    return [Route(PATH, _endpoint(tools), methods=["POST"])]


def _endpoint(tools: Tools) -> Callable[[Request], Awaitable[Response]]:
    inbox = notices.Inbox(tools, HANDLERS)

    async def receive(request: Request) -> Response:
        try:
            body = await _read(request)
        except ClientDisconnect:
            return Response(status_code=400)
        if body is None:
            return _refusal(413, "BODY_TOO_LARGE", f"A webhook has at most {BODY_BYTES_MAX} bytes.", close=True)
        arrived = Stored(
            number=None,
            instance=request.path_params["instance"],
            sha256=hashlib.sha256(body).digest(),
            body=body,
            headers=kept_headers(request.headers),
            query=request.url.query[:QUERY_CHARS_MAX],
            remote=request.client.host if request.client else "",
            received_at=tools.clock(),
        )
        try:
            receipt = await inbox.receive(arrived)
        except tuple(STATUS) as error:
            return _refused(error)
        return Response(receipt.body, 200, headers=SAFE_HEADERS, media_type=receipt.media_type)

    return receive


async def _read(request: Request) -> bytes | None:
    """The whole body, or None as soon as it is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return None
    return bytes(body)


def _refused(error: Exception) -> Response:
    status, code = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    if isinstance(error, errors.ShoutgraphError):
        return _refusal(status, error.code, error.message)
    logger.error("a webhook could not be handled", exc_info=error)
    return _refusal(status, code or "INTERNAL", "Something went wrong on our side; please send it again.")


def _refusal(status: int, code: str, message: str, *, close: bool = False) -> Response:
    headers = dict(SAFE_HEADERS)
    if close:
        headers["connection"] = "close"
    if status == 503:  # noqa: PLR2004 - HTTP's own number
        headers["retry-after"] = str(RETRY_AFTER_S)
    body = {"errors": [{"message": message, "extensions": {"code": code}}]}
    return Response(orjson.dumps(body), status, headers=headers, media_type="application/json")
