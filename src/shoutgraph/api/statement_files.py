"""The route of statements: `GET /exports/{kind}/{subject}/{period}.csv` behind a signed link, part by part.

Refusals are JSON, `{"errors": [{"message", "extensions": {"code"}}]}`.
"""

from functools import partial
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from shoutgraph.api.bank_files import SAFE_HEADERS, STATUS
from shoutgraph.domain import errors
from shoutgraph.files.links import EXPORTS_PATH
from shoutgraph.services import statements
from shoutgraph.tools import Tools

MEDIA_TYPE: Final = "text/csv; charset=utf-8"


def routes(tools: Tools) -> list[Route]:
    """The route of statements."""
    return [Route(f"{EXPORTS_PATH}/{{kind}}/{{subject}}/{{name}}", partial(_fetch, tools), methods=["GET"])]


async def _fetch(tools: Tools, request: Request) -> Response:
    kind, subject, name = (request.path_params[part] for part in ("kind", "subject", "name"))
    try:
        parts = await statements.export(tools, f"{kind}/{subject}/{name}", request.query_params.get("token"))
    except errors.StoreUnavailableError:
        return _refusal(503, "UNAVAILABLE", "The database is away for now; please try again.")
    except errors.ShoutgraphError as refusal:
        status = next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)
        return _refusal(status, refusal.code, refusal.message)
    headers = SAFE_HEADERS | {"content-disposition": f'attachment; filename="{kind}-{subject}.csv"'}
    return StreamingResponse(parts, headers=headers, media_type=MEDIA_TYPE)


def _refusal(status: int, code: str, message: str) -> Response:
    body = {"errors": [{"message": message, "extensions": {"code": code}}]}
    return Response(orjson.dumps(body), status, headers=SAFE_HEADERS, media_type="application/json")
