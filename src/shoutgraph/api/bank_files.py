"""The routes of bank files: `GET /bank-files/{file}` behind a signed link, `POST /bank-files/{instance}` for finance.

A statement is posted byte for byte with its media type, its name in the query and a bearer token; the answer is JSON
and says what became of it. Refusals are JSON, `{"errors": [{"message", "extensions": {"code"}}]}`.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from shoutgraph.domain import errors
from shoutgraph.domain.bank_files import BODY_BYTES_MAX, Content
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.files.links import BANK_FILES_PATH
from shoutgraph.plugins.statements import Statements
from shoutgraph.services.payouts import rail, statements
from shoutgraph.services.payouts.statements import Ingested
from shoutgraph.tools import Tools

Authenticate = Callable[[str | None], Awaitable[Viewer]]
"""The viewer behind the value of an `Authorization` header."""

SAFE_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; sandbox",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
STATUS: Final[dict[type[Exception], int]] = {
    errors.UnauthenticatedError: 401,
    errors.ForbiddenError: 403,
    errors.NotFoundError: 404,
    errors.OverloadedError: 503,
    errors.StoreUnavailableError: 503,
    errors.ShoutgraphError: 400,
}
STATUS_OF_CODE: Final = {"UNSUPPORTED_MEDIA_TYPE": 415, "STATEMENT_UNREADABLE": 422, "STATEMENT_PLUGIN_FAULT": 500}
RETRY_AFTER_S: Final = 5


def routes(tools: Tools, authenticate: Authenticate) -> list[Route]:
    """The routes of bank files."""
    take_in = partial(_take_in, tools, authenticate, Statements())
    return [
        Route(f"{BANK_FILES_PATH}/{{file_id}}", _answering(partial(_fetch, tools)), methods=["GET"]),
        Route(f"{BANK_FILES_PATH}/{{instance}}", _answering(take_in), methods=["POST"]),
    ]


def described(ingested: Ingested) -> dict[str, Any]:
    """What became of a statement, as JSON values."""
    file, summary = ingested.file, ingested.file.summary
    told = {} if summary is None else summary.to_data()
    return {
        "id": file.id,
        "instance": file.instance,
        "sha256": file.sha256.hex(),
        "status": file.state.value,
        "repeated": ingested.repeated,
        "applied": told.get("applied", 0),
        "known": told.get("repeated", 0),
        "foreign": told.get("foreign_count", 0),
        "ignored": told.get("ignored", 0),
        "foreignEntries": told.get("foreign", []),
        "problem": told.get("problem"),
    }


async def _fetch(tools: Tools, request: Request) -> Response:
    content = await rail.download(tools, request.path_params["file_id"], request.query_params.get("token"))
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(content.name, safe='')}"}
    return Response(content.body, headers=headers, media_type=content.media_type)


async def _take_in(tools: Tools, authenticate: Authenticate, reader: Statements, request: Request) -> Response:
    viewer = await authenticate(request.headers.get("authorization"))
    viewer.require(Scope.FINANCE_MANAGE)  # before anything is read: nobody else makes us hold so many bytes
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return _refusal(413, "BODY_TOO_LARGE", f"A statement has at most {BODY_BYTES_MAX} bytes.")
    name = request.query_params.get("name", "statement")
    content = Content(name, request.headers.get("content-type", ""), bytes(body))
    done = await statements.ingest(tools, reader, viewer, request.path_params["instance"], content)
    return Response(orjson.dumps(described(done)), media_type="application/json")


def _answering(handle: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            response = await handle(request)
        except ClientDisconnect:
            response = Response(status_code=400)
        except errors.StoreUnavailableError:
            response = _refusal(503, "UNAVAILABLE", "The database is away for now; please try again.")
        except errors.ShoutgraphError as refusal:
            by_kind = next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)
            response = _refusal(STATUS_OF_CODE.get(refusal.code, by_kind), refusal.code, refusal.message)
        response.headers.update(SAFE_HEADERS)
        return response

    return answer


def _refusal(status: int, code: str, message: str) -> Response:
    headers = {"connection": "close"} if status == 413 else {}  # noqa: PLR2004 - HTTP's own number
    if status == 503:  # noqa: PLR2004 - HTTP's own number
        headers["retry-after"] = str(RETRY_AFTER_S)
    body = {"errors": [{"message": message, "extensions": {"code": code}}]}
    return Response(orjson.dumps(body), status, headers=headers, media_type="application/json")
