"""The ASGI application: the GraphQL path for all transports, the process's health, and the routes of other rooms."""

from asyncio import timeout
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from typing import Any, Final

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.http.websocket_origin import normalize_allowed_origins

from shoutgraph.api import health, tus
from shoutgraph.api.drain import WORK_S
from shoutgraph.api.failures import Code
from shoutgraph.api.graphql_http import GraphQLOverHttp
from shoutgraph.api.health import Check
from shoutgraph.api.sockets import GraphQLOverSockets
from shoutgraph.api.transport import SAFE_HEADERS, Transport
from shoutgraph.telemetry import spans

PATH: Final = "/graphql"
PREFLIGHT_S: Final = 600
"""How long a browser may remember what a front end is allowed."""
OF_CLIENTS: Final = ("apollo-require-preflight", "apollographql-client-name", "apollographql-client-version")
"""Headers that GraphQL clients send by themselves; nothing here reads them."""
CORS: Final[dict[str, Any]] = {
    "allow_methods": ["GET", "POST", *tus.METHODS],
    "allow_headers": [
        *("authorization", "content-type", "if-none-match", "last-event-id", "x-request-id"),
        *OF_CLIENTS,
        *spans.PARENTS,
        *tus.SENT_HEADERS,
    ],
    "expose_headers": ["etag", "retry-after", "x-request-id", *tus.EXPOSED_HEADERS],
    "max_age": PREFLIGHT_S,
}

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]

_CODE_OF_STATUS: Final = {404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED}


class Application(Starlette):
    """Starlette with a door of its own for the GraphQL path, which middlewares and routing would make slower."""

    def __init__(self, shared: Transport, routes: Sequence[BaseRoute], lifespan: Lifespan) -> None:
        origins = sorted(normalize_allowed_origins(shared.allowed_origins))
        super().__init__(
            routes=routes,
            middleware=[Middleware(CORSMiddleware, allow_origins=origins, **CORS)] if origins else [],
            exception_handlers={HTTPException: _say_status},
            lifespan=lifespan,
        )
        graphql: ASGIApp = GraphQLOverHttp(shared)
        self._doors: dict[str, ASGIApp] = {
            "http": CORSMiddleware(graphql, allow_origins=origins, **CORS) if origins else graphql,
            "websocket": GraphQLOverSockets(shared),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or serves one socket."""
        if scope["type"] in self._doors and scope["path"] == PATH:
            await self._doors[scope["type"]](scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def build_asgi(
    shared: Transport,
    *,
    routes: Sequence[BaseRoute] = (),
    checks: Sequence[Check] = (),
    lifespan: Lifespan | None = None,
) -> Application:
    """The application that a server runs.

    Args:
        routes: what other rooms serve: media, webhooks, simulators.
        checks: what must be well before requests are sent here.
        lifespan: opens and closes the tools; mutations whose client has gone end before it closes.
    """
    return Application(shared, [*health.routes(shared.drain, checks), *routes], _settling(shared, lifespan))


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
        async with inner(app) if inner is not None else nullcontext():
            yield
            with suppress(TimeoutError):
                async with timeout(shared.drain.left(WORK_S)):
                    await shared.runner.settle()

    return lifespan
