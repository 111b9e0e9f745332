"""`python -m benchmarks.memory_server <candidate> <port>`: serves the catalogue in memory in one of several ways."""

import asyncio
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

import orjson
import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send
from strawberry.asgi import GraphQL

from benchmarks import memory
from shoutgraph.api import tokens
from shoutgraph.api.auth import Doorkeeper
from shoutgraph.api.drain import Drain
from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.documents import Documents
from shoutgraph.api.graphql.engine.engine import CompiledEngine
from shoutgraph.api.graphql.execution import Runner
from shoutgraph.api.http import build_asgi
from shoutgraph.api.server import build_server
from shoutgraph.api.transport import Transport
from shoutgraph.domain.ids import UserId
from shoutgraph.domain.users import ANONYMOUS, Principal, Viewer

HEAD: Final[dict[str, Any]] = {"type": "http.response.start", "status": 200}
NO_TOOLS: Final[Any] = None
CANDIDATES: Final = ("fixed", "dictionaries", "endpoint", "whole", "core", "stock")
"""Fixed bytes; by hand; the engine behind nothing; behind everything; graphql-core behind everything; Strawberry."""


def now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - a benchmark has a real clock


async def _answer(send: Send, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send(HEAD | {"headers": headers})
    await send({"type": "http.response.body", "body": body})


def fixed() -> ASGIApp:
    body = memory.by_hand()

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await _answer(send, body)

    return app


def dictionaries() -> ASGIApp:
    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        orjson.loads((await receive())["body"])
        await _answer(send, memory.by_hand())

    return app


def endpoint() -> ASGIApp:
    engine, documents = CompiledEngine(memory.SCHEMA), Documents(memory.GRAPH, hide_suggestions=True)

    async def app(_scope: Scope, receive: Receive, send: Send) -> None:
        asked = orjson.loads((await receive())["body"])
        operation = documents.get(asked["query"]).pick(None)
        context = Context(tools=NO_TOOLS, viewer=ANONYMOUS, request_id="")
        data = await engine.run(operation, {}, context)
        data = data or await engine.run(operation, {}, context)
        await _answer(send, orjson.dumps({"data": data}))

    return app


def product(*, compiled: bool) -> tuple[ASGIApp, Drain, str]:
    """The whole stack, and a token that it takes."""
    with tempfile.TemporaryDirectory() as folder:
        issuer = tokens.open_local(Path(folder), audience=tokens.AUDIENCE, clock=now)

    async def identify(principal: Principal) -> Viewer:
        return Viewer(user_id=cast("UserId", "user_fan"), principal="fan", expires_at=principal.expires_at)

    keeper = Doorkeeper(issuers=[issuer], identify=identify, clock=now)
    engine = CompiledEngine(memory.SCHEMA) if compiled else None
    drain = Drain()
    runner = Runner(memory.SCHEMA, engine=engine)
    shared = Transport(runner, NO_TOOLS, keeper, new_request_id=lambda: "request-0001", drain=drain, clock=now)
    return build_asgi(shared), drain, issuer.issue("user_fan", ttl=timedelta(hours=1))


def main() -> None:
    """Serves until it is told to end; prints what `authorization` should say."""
    name, port = sys.argv[1], int(sys.argv[2])
    if name in {"whole", "core"}:
        app, drain, token = product(compiled=name == "whole")
        print(f"Bearer {token}", flush=True)
        server: uvicorn.Server = build_server(app, drain, port=port)
    else:
        made: dict[str, Any] = {"fixed": fixed, "dictionaries": dictionaries, "endpoint": endpoint}
        print("-", flush=True)
        plain = made[name]() if name in made else _stock()
        config = uvicorn.Config(plain, port=port, http="httptools", lifespan="off", log_config=None, access_log=False)
        server = uvicorn.Server(config)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(server.serve())


def _stock() -> ASGIApp:
    class Stock(GraphQL[Any, Any]):
        def encode_json(self, data: object) -> bytes:
            return orjson.dumps(data)

    return Stock(memory.STOCK)


if __name__ == "__main__":
    main()
