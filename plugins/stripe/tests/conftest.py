"""The simulated Stripe on a loopback server, and the plugin as the application would load it."""

import asyncio
import itertools
import json
import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

import shoutgraph_stripe
from shoutgraph.plugins.loading import Setup, load
from shoutgraph.plugins.payouts import Payouts
from shoutgraph.plugins.providers import Providers
from shoutgraph.plugins.topups import TopUps
from shoutgraph.sdk import (
    Call,
    Money,
    Notice,
    OnboardRequest,
    PayoutBatch,
    PayoutItem,
    RawWebhook,
    RefundRequest,
    Target,
    TopUpRequest,
)
from shoutgraph_stripe.simulator import app, connect
from shoutgraph_stripe.simulator.state import Thing, World, shown
from shoutgraph_stripe.simulator.upstream import API_KEY, PREVIOUS, SECRET, signed

PATIENCE_S = 5.0
SERIALS = itertools.count(1)
CERTIFICATES = ssl.create_default_context()


def clock() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


@dataclass
class Asked:
    """What came over the wire."""

    method: str
    path: str
    headers: dict[str, str]


class Served:
    """The server, of which each test replaces the world."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.asked: list[Asked] = []
        self.renew()

    def renew(self) -> World:
        self.asked.clear()
        self.world = World(self.url, clock)
        self._app = app.build(self.world, API_KEY.get_secret_value())
        return self.world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.asked.append(Asked(scope["method"], scope["path"], headers))
        await self._app(scope, receive, send)


@dataclass
class Shop:
    """What a test works with."""

    url: str
    world: World
    registry: Providers
    fan: httpx.AsyncClient
    asked: list[Asked]
    serial: int = field(default_factory=lambda: next(SERIALS))

    @property
    def topups(self) -> TopUps:
        return self.registry.topup("stripe")

    @property
    def payouts(self) -> Payouts:
        return self.registry.payout("stripe-payouts")

    def call(self, key: str | None = None, *, attempt: int = 1) -> Call:
        return Call(f"topup_{self.serial}", key or f"key_{self.serial}", timedelta(seconds=5), attempt)

    def request(self, minor: int, currency: str = "EUR", **changes: Any) -> TopUpRequest:
        fields = {
            "call": self.call(),
            "amount": Money(minor, currency),
            "customer_ref": "user_1",
            "country": "DE",
            "locale": "de-DE",
            "return_url": "https://shop.test/back?topup=1",
            "cancel_url": "https://shop.test/cancel",
            "webhook_url": "https://api.shop.test/hooks/stripe",
            "descriptor": "700 coins",
            "metadata": {"package": "small"},
        }
        return TopUpRequest(**{**fields, **changes})

    def target(self, ref: str | None = None) -> Target:
        return Target(f"topup_{self.serial}", f"key_{self.serial}", ref)

    def refund(self, ref: str, minor: int, of: int, key: str = "refund_1", attempt: int = 1) -> RefundRequest:
        call = Call("refund_of_ours", key, timedelta(seconds=5), attempt)
        return RefundRequest(call, ref, Money(minor, "EUR"), Money(of, "EUR"), "asked")

    async def opened(self, minor: int = 4990, currency: str = "EUR", **changes: Any) -> Thing:
        """A session that was opened by the plugin."""
        outcome: Any = await self.topups.create(self.request(minor, currency, **changes))
        return self.world.things[outcome.ref]

    def account(self) -> Thing:
        """An account that can be paid."""
        wanted = {"country": "DE", "capabilities": {"transfers": {"requested": "true"}}}
        account = connect.create_account(self.world, wanted)
        connect.complete(self.world, account)
        self.world.untold.clear()
        return account

    def batch(
        self, to: str, minor: int = 2500, currency: str = "EUR", key: str | None = None, attempt: int = 1
    ) -> PayoutBatch:
        item = PayoutItem(f"payout_{self.serial}", Money(minor, currency), to, "Earnings")
        return PayoutBatch(self.call(key, attempt=attempt), (item,))

    def payout_target(self, ref: str | None = None, key: str | None = None) -> Target:
        return Target(f"payout_{self.serial}", key or f"key_{self.serial}", ref, Money(2500, "EUR"))

    def onboarding(self, **changes: Any) -> OnboardRequest:
        fields = {
            "call": self.call(),
            "recipient_id": f"recipient_{self.serial}",
            "country": "DE",
            "currency": "EUR",
            "values": {},
            "return_url": "https://shop.test/onboarded",
            "refresh_url": "https://shop.test/again",
            "email": "nova@shop.test",
        }
        return OnboardRequest(**{**fields, **changes})

    def webhooks(self) -> list[tuple[str, RawWebhook]]:
        """What was to be told since the last time, by its type."""
        told, self.world.untold[:] = list(self.world.untold), []
        return [(each["type"], self.raw(each)) for each in told]

    def raw(self, event: Thing) -> RawWebhook:
        body = json.dumps(shown(event)).encode()
        return RawWebhook(body, signed(body, SECRET, self.world.now()), "", clock(), "127.0.0.1")

    def told(self, instance: str = "stripe") -> list[tuple[str, Notice]]:
        """What the plugin reads in them."""
        return [
            (kind, notice) for kind, raw in self.webhooks() for notice in self.registry.receive(instance, raw).notices
        ]


def load_with(url: str, **fields: object) -> Providers:
    """The plugin, loaded with a configuration."""
    config = {
        "mode": "test",
        "base_url": url,
        "secret_key": {"env": "STRIPE_KEY"},
        "webhook_secrets": [{"env": "STRIPE_WEBHOOKS"}, {"env": "STRIPE_WEBHOOKS_OLD"}],
        **fields,
    }
    environ = {
        "STRIPE_KEY": API_KEY.get_secret_value(),
        "ANOTHER_KEY": "sk_test_of0another0account",
        "STRIPE_WEBHOOKS": SECRET.get_secret_value(),
        "STRIPE_WEBHOOKS_OLD": PREVIOUS.get_secret_value(),
    }
    setup = Setup(
        instances={name: {"plugin": name.removesuffix("-2"), **config} for name in INSTANCES},
        environ=environ,
        clock=clock,
        monotonic=time.monotonic,
        extra={"stripe": shoutgraph_stripe},
        discover=False,
    )
    return load(setup)


INSTANCES = ("stripe", "stripe-2", "stripe-payouts")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        served = Served(listening.getsockname()[1])
        server = uvicorn.Server(uvicorn.Config(served, lifespan="off", log_config=None))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])), daemon=True)
        thread.start()
        yield served
        server.should_exit = True
        thread.join(PATIENCE_S)


@pytest.fixture
async def shop(served: Served) -> AsyncIterator[Shop]:
    registry = load_with(served.url)
    async with httpx.AsyncClient(verify=CERTIFICATES) as fan:
        yield Shop(served.url, served.renew(), registry, fan, served.asked)
    await registry.aclose()
