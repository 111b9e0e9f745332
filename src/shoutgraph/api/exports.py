"""The route of exports: `GET /exports/{export}` behind a signed link. Refusals are JSON, as everywhere."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from shoutgraph.api.media import Endpoint
from shoutgraph.domain import errors
from shoutgraph.files.links import EXPORTS_PATH
from shoutgraph.services.privacy import export
from shoutgraph.tools import Tools


def routes(tools: Tools) -> list[Route]:
    """The route of exports."""
    return [Route(f"{EXPORTS_PATH}/{{export_id}}", Endpoint(partial(_fetch, tools)))]


async def _fetch(tools: Tools, request: Request) -> Response:
    if request.method not in {"GET", "HEAD"}:
        raise errors.ValidationError("An export is read by GET or HEAD.", code="METHOD_NOT_ALLOWED")
    archive = await export.find(tools, request.path_params["export_id"], request.query_params.get("token"))
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{archive.export.id}.zip"',
        "Content-Length": str(archive.size_bytes),
        "Content-Type": "application/zip",
    }
    if request.method == "HEAD":
        return Response(status_code=200, headers=headers)
    return StreamingResponse(export.read(archive), 200, headers)
