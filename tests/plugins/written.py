# ruff: noqa: ARG002, ARG005 -- protocols name their arguments
"""A plugin whose methods each test writes, and short ways to load and ask it."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict, SecretStr

from shoutgraph.plugins.loading import Setup, load
from shoutgraph.plugins.providers import Providers
from shoutgraph.sdk import (
    Absent,
    BatchOutcome,
    Call,
    Delivery,
    Host,
    Idempotency,
    Lookup,
    MalformedNotice,
    Money,
    PayoutBatch,
    PayoutCaps,
    PayoutItem,
    PayoutPlugin,
    Pending,
    RawWebhook,
    RefundRequest,
    Refunds,
    Target,
    TopUpCaps,
    TopUpPlugin,
    TopUpRequest,
    Webhooks,
    hookimpl,
)

NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)
EUR = Money(1000, "EUR")
SECRET = "a-secret-nobody-may-see"

TOPUP_CAPS = TopUpCaps(
    currencies=frozenset({"EUR", "JPY"}),
    webhooks=Webhooks.SIGNED,
    refunds=Refunds.PARTIAL,
    countries=frozenset({"DE"}),
    limits={"EUR": (100, 50_000)},
    granularity={"JPY": 10},
    idempotency=Idempotency("account", timedelta(days=1)),
    lookup=Lookup(by_key=True),
)
PAYOUT_CAPS = PayoutCaps(currencies=frozenset({"EUR"}), max_batch=3, cancel=True, webhooks=Webhooks.SIGNED)


class Config(BaseModel):
    model_config = ConfigDict(frozen=True)

    api_key: SecretStr
    hosts: list[str] = []


class Written:
    """A provider of which a test writes the methods; what it leaves out answers harmlessly."""

    def __init__(self, methods: Mapping[str, Callable[..., object]], host: Host) -> None:
        self.host = host
        self.closed = False
        for name, method in methods.items():
            setattr(self, name, method)

    async def create(self, request: TopUpRequest) -> object:
        return Pending("ref", timedelta(1))

    async def fetch(self, target: object, call: Call) -> object:
        return Absent()

    async def refund(self, request: RefundRequest) -> object:
        return Pending("ref", timedelta(1))

    async def submit(self, batch: PayoutBatch) -> object:
        return BatchOutcome({})

    async def cancel(self, target: Target, call: Call) -> object:
        return Pending("ref", timedelta(1))

    def receive(self, raw: RawWebhook) -> Delivery:
        raise MalformedNotice

    async def aclose(self) -> None:
        self.closed = True


class Offer:
    """A plugin object, as a test hands it over."""

    def __init__(self, *topups: object, payouts: tuple[object, ...] = ()) -> None:
        self.topups, self.payouts = topups, payouts

    @hookimpl
    def shoutgraph_topup_plugins(self) -> tuple[object, ...]:
        return self.topups

    @hookimpl
    def shoutgraph_payout_plugins(self) -> tuple[object, ...]:
        return self.payouts


class Ticks:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def hosts(config: Config) -> frozenset[str]:
    return frozenset(config.hosts)


def topup_plugin(methods: Mapping[str, Callable[..., object]] | None = None, **changes: object) -> object:
    fields = {
        "key": "written",
        "label": "Written",
        "caps": TOPUP_CAPS,
        "config": Config,
        "build": lambda config, host: Written(methods or {}, host),
        "api_hosts": hosts,
    }
    return TopUpPlugin(**{**fields, **changes})


def payout_plugin(methods: Mapping[str, Callable[..., object]] | None = None, **changes: object) -> object:
    fields = {
        "key": "written-payouts",
        "label": "Written",
        "caps": PAYOUT_CAPS,
        "config": Config,
        "build": lambda config, host: Written(methods or {}, host),
        "api_hosts": hosts,
    }
    return PayoutPlugin(**{**fields, **changes})


def setup(**changes: object) -> Setup:
    fields = {
        "instances": {"one": {"plugin": "written", "api_key": {"env": "KEY"}}},
        "environ": {"KEY": SECRET},
        "clock": lambda: NOW,
        "monotonic": time.monotonic,
        "discover": False,
        "host_version": "0.1.0",
    }
    return Setup(**{**fields, **changes})


def offering(*topups: object, **changes: object) -> Providers:
    """A registry of plugins that are handed over."""
    return load(setup(extra={"offer": Offer(*topups)}, **changes))


def topup_of(methods: Mapping[str, Callable[..., object]], **changes: object) -> Providers:
    """A registry with one instance, `one`, whose provider has these methods."""
    return offering(topup_plugin(methods), **changes)


class Blocking:
    """A provider of a vendor library that blocks, of which a test writes the methods."""

    def __init__(self, methods: Mapping[str, Callable[..., object]]) -> None:
        for name, method in methods.items():
            setattr(self, name, method)

    def create(self, request: TopUpRequest) -> object:
        return Pending("ref", timedelta(1))

    def fetch(self, target: Target, call: Call) -> object:
        return Absent()

    def refund(self, request: RefundRequest) -> object:
        return Pending("ref", timedelta(1))

    def cancel(self, target: Target, call: Call) -> object:
        return Pending("ref", timedelta(1))

    def receive(self, raw: RawWebhook) -> Delivery:
        raise MalformedNotice

    def close(self) -> None:
        """Holds nothing."""


def written_in_threads(methods: Mapping[str, Callable[..., object]], **changes: object) -> Providers:
    """A registry of blocking providers with these methods."""
    return offering(topup_plugin(threaded=True, build=lambda config, host: Blocking(methods)), **changes)


def payout_of(methods: Mapping[str, Callable[..., object]], **changes: object) -> Providers:
    """A registry with one payout instance, `one`, whose provider has these methods."""
    instances = {"one": {"plugin": "written-payouts", "api_key": {"env": "KEY"}}}
    return load(setup(extra={"offer": Offer(payouts=(payout_plugin(methods),))}, instances=instances, **changes))


def call(seconds: int | None = None, *, milliseconds: int = 2000) -> Call:
    timeout = timedelta(milliseconds=milliseconds) if seconds is None else timedelta(seconds=seconds)
    return Call("topup_1", "key_1", timeout)


def request(amount: Money = EUR, *, milliseconds: int = 2000, country: str = "DE") -> TopUpRequest:
    return TopUpRequest(
        call=call(milliseconds=milliseconds),
        amount=amount,
        customer_ref="user_1",
        country=country,
        locale="de",
        return_url="https://shop.test/back",
        cancel_url="https://shop.test/cancel",
        webhook_url="https://shop.test/hooks/one",
        descriptor="Coins",
    )


def batch(*minors: int, milliseconds: int = 2000) -> PayoutBatch:
    items = tuple(
        PayoutItem(f"payout_{at}", Money(minor, "EUR"), f"recipient_{at}", "Earnings")
        for at, minor in enumerate(minors)
    )
    return PayoutBatch(call(milliseconds=milliseconds), items)
