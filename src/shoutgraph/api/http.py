"""The ASGI application: the GraphQL path for all transports, the health check, and the routes of other rooms."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from strawberry.http.websocket_origin import normalize_allowed_origins

from shoutgraph.api.failures import Code
from shoutgraph.api.graphql_http import GraphQLOverHttp
from shoutgraph.api.sockets import GraphQLOverSockets
from shoutgraph.api.transport import SAFE_HEADERS, Transport

PATH: Final = "/graphql"
HEALTH: Final = "/health"
PREFLIGHT_S: Final = 600
"""How long a browser may remember what a front end is allowed."""

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]

_CODE_OF_STATUS: Final = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED}


def build_asgi(shared: Transport, *, routes: Sequence[BaseRoute] = (), lifespan: Lifespan | None = None) -> Starlette:
    """The application that a server runs.

    Args:
        routes: what other rooms serve: media, webhooks, simulators.
        lifespan: opens and closes the tools; mutations whose client has gone end before it closes.
    """
    return Starlette(
        routes=[
            Route(PATH, GraphQLOverHttp(shared)),
            WebSocketRoute(PATH, GraphQLOverSockets(shared)),
            Route(HEALTH, _health_of(shared), methods=["GET"]),
            *routes,
        ],
        middleware=_cors_of(shared),
        exception_handlers={HTTPException: _say_status},
        lifespan=_settling(shared, lifespan),
    )


def _cors_of(shared: Transport) -> list[Middleware]:
    if not shared.allowed_origins:
        return []
    cors = Middleware(
        CORSMiddleware,
        allow_origins=sorted(normalize_allowed_origins(shared.allowed_origins)),
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", "last-event-id", "x-request-id"],
        expose_headers=["x-request-id"],
        max_age=PREFLIGHT_S,
    )
    return [cors]


def _health_of(shared: Transport) -> Callable[[Request], Response]:
    def health(_request: Request) -> Response:
        going = shared.drain.started
        body = orjson.dumps({"status": "draining" if going else "ok"})
        return Response(body, 503 if going else 200, media_type="application/json")

    return health


def _say_status(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException), "Starlette gives each handler its own errors"
    code = _CODE_OF_STATUS.get(error.status_code, Code.BAD_REQUEST)
    body = {"errors": [{"message": error.detail, "extensions": {"code": code}}]}
    response = Response(orjson.dumps(body), error.status_code, error.headers, media_type="application/json")
    for name, value in SAFE_HEADERS:
        response.headers[name.decode()] = value.decode()
    return response


def _settling(shared: Transport, inner: Lifespan | None) -> Lifespan:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        if inner is None:
            yield
            await shared.runner.settle()
            return
        async with inner(app):
            yield
            await shared.runner.settle()

    return lifespan
