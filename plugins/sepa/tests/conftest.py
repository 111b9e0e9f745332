"""The plugin as the application loads it, and two banks: the pretended one, and one that others wrote."""

import itertools
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

import shoutgraph_sepa
from shoutgraph.plugins.loading import Setup, load
from shoutgraph.plugins.payouts import Payouts
from shoutgraph.sdk import Artifact, Call, Money, Notice, PayoutBatch, PayoutItem
from shoutgraph_sepa.simulator.bank import OWN_IBAN, Bank

MADE_AT = datetime(2026, 11, 20, 9, 30, 15, tzinfo=UTC)
GOOD = "DE89370400440532013000||Jürgen Weiß"
SERIALS = itertools.count(1)


def clock() -> datetime:
    return MADE_AT


class World:
    """An instance of the plugin behind the fence, and the pretended bank."""

    def __init__(self, payouts: Payouts) -> None:
        self.payouts = payouts
        self.bank = Bank(clock)

    def call(self, key: str = "batch_1") -> Call:
        return Call(key, key, timedelta(seconds=20))

    def item(self, cents: int, to: str = GOOD, item_id: str | None = None) -> PayoutItem:
        return PayoutItem(item_id or f"payout_{next(SERIALS)}", Money(cents, "EUR"), to, "Earnings")

    def batch(self, *items: PayoutItem, key: str = "batch_1", made_at: datetime | None = MADE_AT) -> PayoutBatch:
        return PayoutBatch(self.call(key), items, made_at)

    async def file(self, batch: PayoutBatch) -> bytes:
        (artifact,) = (await self.payouts.submit(batch)).artifacts
        return artifact.body

    def read(self, *bodies: bytes) -> list[Notice]:
        return [each for body in bodies for each in self.payouts.ingest(Artifact("news.xml", "application/xml", body))]

    def news(self) -> list[Notice]:
        return self.read(*(each.body for each in self.bank.papers()))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def world(request: Any) -> AsyncIterator[World]:
    changes = getattr(request, "param", {})
    fields = {"plugin": "sepa", "name": "Müller & Söhne GmbH", "iban": OWN_IBAN, **changes}
    setup = Setup(
        instances={"bank": fields},
        environ={},
        clock=clock,
        monotonic=time.monotonic,
        extra={"sepa": shoutgraph_sepa},
        discover=False,
    )
    providers = load(setup)
    assert [each.state.name for each in providers.instances] == ["ACTIVE"]
    yield World(providers.payout("bank"))
    await providers.aclose()
