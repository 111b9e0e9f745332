"""The simulator on a loopback server, and the plugin as the application would load it."""

import asyncio
import base64
import itertools
import json
import logging
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

import shoutgraph_sandbox
from shoutgraph.plugins.loading import Setup, load
from shoutgraph.plugins.payouts import Payouts
from shoutgraph.plugins.providers import Providers
from shoutgraph.plugins.topups import TopUps
from shoutgraph.sdk import (
    Call,
    Money,
    PayoutBatch,
    PayoutItem,
    RawWebhook,
    RefundRequest,
    SimulatorSetup,
    Target,
    TopUpRequest,
)
from shoutgraph_sandbox.simulator.app import Sandbox
from shoutgraph_sandbox.simulator.rules import Rules

API_KEY = "sandbox-key-of-the-tests"
OLD_SECRET = "whsec_" + base64.b64encode(b"the secret before the present one").decode()
SECRET = "whsec_" + base64.b64encode(b"the present secret of the webhooks").decode()
WAIT_S = 5.0
SERIALS = itertools.count(1)
CERTIFICATES = ssl.create_default_context()


def clock() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


@dataclass
class Served:
    """The server: the simulator at `/sandbox`, broken providers at `/broken/...`, and our webhook address."""

    port: int
    received: list[tuple[str, RawWebhook]] = field(default_factory=list)
    refuse: int = 0
    refuse_about: bytes = b""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def hook(self, request: Request) -> Response:
        body = await request.body()
        if self.refuse > 0 and self.refuse_about in body:
            self.refuse -= 1
            return Response(status_code=503)
        headers = {name.lower(): value for name, value in request.headers.items()}
        raw = RawWebhook(body, headers, request.url.query, clock(), "127.0.0.1")
        self.received.append((request.path_params["instance"], raw))
        return Response(status_code=204)

    async def broken(self, request: Request) -> Response:
        answers = {
            "html": Response("<h1>Welcome</h1>", media_type="text/html"),
            "empty": Response(b""),
            "other": Response('{"id": 1}'),
            "failing": Response("oh", 500),
            "gateway": Response("<h1>Bad gateway</h1>", 502),
            "away": Response("<h1>Not found</h1>", 404),
            "moved": Response(status_code=302, headers={"location": self.url}),
            "busy": Response('{"error": {"code": "busy"}}', 429, headers={"retry-after": "7"}),
        }
        return answers[request.path_params["way"]]


@dataclass
class World:
    """What a test works with."""

    served: Served
    registry: Providers
    fan: httpx.AsyncClient
    serial: int
    secret: str = SECRET

    @property
    def topups(self) -> TopUps:
        return self.registry.topup("sandbox")

    @property
    def payouts(self) -> Payouts:
        return self.registry.payout("sandbox-payouts")

    @staticmethod
    def now() -> datetime:
        return clock()

    def call(self, *, seconds: float = 5, key: str | None = None) -> Call:
        name = f"topup_{self.serial}"
        return Call(name, key or f"key_{self.serial}", timedelta(milliseconds=int(seconds * 1000)))

    def request(self, minor: int, currency: str = "EUR", **changes: Any) -> TopUpRequest:
        fields = {
            "call": self.call(),
            "amount": Money(minor, currency),
            "customer_ref": "user_1",
            "country": "DE",
            "locale": "de-DE",
            "return_url": "https://shop.test/back?order=1",
            "cancel_url": "https://shop.test/cancel",
            "webhook_url": f"{self.served.url}/hooks/sandbox",
            "descriptor": "700 coins",
        }
        return TopUpRequest(**{**fields, **changes})

    def target(self, ref: str | None = None, minor: int | None = None) -> Target:
        amount = None if minor is None else Money(minor, "EUR")
        return Target(f"topup_{self.serial}", f"key_{self.serial}", ref, amount)

    def refund(self, ref: str, minor: int, of: int, key: str = "refund_1") -> RefundRequest:
        return RefundRequest(self.call(key=key), ref, Money(minor, "EUR"), Money(of, "EUR"), "asked")

    def batch(self, *minors: int) -> PayoutBatch:
        items = tuple(
            PayoutItem(f"payout_{self.serial}_i{at}", Money(minor, "EUR"), f"recipient_{at}", "Earnings")
            for at, minor in enumerate(minors)
        )
        return PayoutBatch(self.call(), items)

    def payout_targets(self, batch: PayoutBatch, refs: Mapping[str, str] | None = None) -> list[Target]:
        return [
            Target(item.item_id, batch.call.idempotency_key, (refs or {}).get(item.item_id), item.amount)
            for item in batch.items
        ]

    async def control(self, path: str, body: object = None, *, key: str = API_KEY) -> Any:
        method = "GET" if body is None else "POST"
        url, headers = f"{self.served.url}/sandbox/control/{path}", {"authorization": f"Bearer {key}"}
        answer = await self.fan.request(method, url, headers=headers, json=body)
        return answer.json() if answer.is_success else answer.status_code

    async def webhooks(self, count: int) -> list[RawWebhook]:
        """The webhooks that arrived for this test's operation, once there are this many."""

        def mine() -> list[RawWebhook]:
            return [raw for _, raw in self.served.received if f"_{self.serial}_" in self._about(raw)]

        await self.until(lambda: _when(len(mine()) >= count))
        return mine()

    async def until(self, met: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not await met():  # noqa: ASYNC110 -- another thread's server tells nobody
                await asyncio.sleep(0.02)

    @staticmethod
    def _about(raw: RawWebhook) -> str:
        told = json.loads(raw.body)
        return str(told["payment"]["operation_id"] if "payment" in told else told["payout"]["item_id"]) + "_"

    def loaded(self, **config: object) -> Providers:
        """The plugin loaded once more, with another configuration."""
        return load(setup_of(self.served, config))


async def _when(met: bool) -> bool:  # noqa: FBT001 -- an answer, not a switch
    return met


def setup_of(served: Served, config: Mapping[str, object]) -> Setup:
    fields = {
        "base_url": f"{served.url}/sandbox",
        "api_key": {"env": "SANDBOX_KEY"},
        "webhook_secrets": [{"env": "SANDBOX_WEBHOOKS"}],
        **config,
    }
    return Setup(
        instances={
            "sandbox": {"plugin": "sandbox", **fields},
            "sandbox-payouts": {"plugin": "sandbox-payouts", **fields},
        },
        environ={"SANDBOX_KEY": API_KEY, "SANDBOX_WEBHOOKS": SECRET, "SANDBOX_WEBHOOKS_OLD": OLD_SECRET},
        clock=clock,
        monotonic=time.monotonic,
        extra={"sandbox": shoutgraph_sandbox},
        discover=False,
    )


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    # Cut-off answers are a part of what is tested; the server need not tell of them.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        served = Served(listening.getsockname()[1])
        setup = SimulatorSetup(
            base_url=f"{served.url}/sandbox",
            state_path=tmp_path_factory.mktemp("sandbox") / "state.db",
            webhook_base_url=served.url,
            webhook_secret=SecretStr(SECRET),
            clock=clock,
            api_key=SecretStr(API_KEY),
        )
        # Nothing happens by itself before a test says `advance`, except where it waits for it.
        rule = Rules(setup.base_url, delay=timedelta(minutes=5), slow=timedelta(milliseconds=600))
        simulator = Sandbox(setup, rule)
        routes = [
            Mount("/sandbox", simulator),
            Route("/hooks/{instance}", served.hook, methods=["POST"]),
            Route("/broken/{way}/{path:path}", served.broken, methods=["GET", "POST"]),
        ]
        app = Starlette(routes=routes)
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_config=None))

        def serve() -> None:
            asyncio.run(_serve(server, listening, simulator))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield served
        server.should_exit = True
        thread.join(WAIT_S)


async def _serve(server: uvicorn.Server, listening: socket.socket, simulator: Sandbox) -> None:
    await simulator.start()
    try:
        await server.serve([listening])
    finally:
        await simulator.aclose()


@pytest.fixture
async def world(served: Served) -> AsyncIterator[World]:
    registry = load(setup_of(served, {}))
    async with httpx.AsyncClient(verify=CERTIFICATES) as fan:
        yield World(served, registry, fan, serial=next(SERIALS))
    await registry.aclose()
