"""The public keys of manifests, for whoever checks one without asking us."""

from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shoutgraph.tools import Tools

PATH: Final = "/.well-known/video-keys.json"
FRESH_S: Final = 3_600
"""How long a copy may be used: a new key signs nothing that is older than itself."""


def routes(tools: Tools) -> list[Route]:
    """The route of the key set."""
    return [Route(PATH, partial(_answer, tools), methods=["GET"])]


async def _answer(tools: Tools, _request: Request) -> Response:
    keys = {"keys": []} if tools.manifests is None else tools.manifests.public
    headers = {
        "Cache-Control": f"public, max-age={FRESH_S}",
        "Access-Control-Allow-Origin": "*",
        "X-Content-Type-Options": "nosniff",
    }
    return JSONResponse(keys, headers=headers, media_type="application/jwk-set+json")
