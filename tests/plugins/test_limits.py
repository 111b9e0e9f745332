"""What a plugin declares is what it is asked for."""
# ruff: noqa: ARG001 -- protocols name their arguments

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.plugins.written import (
    EUR,
    PAYOUT_CAPS,
    TOPUP_CAPS,
    Offer,
    batch,
    call,
    offering,
    payout_of,
    payout_plugin,
    request,
    setup,
    topup_of,
    topup_plugin,
)

from shoutgraph.domain.errors import ProviderUnavailableError
from shoutgraph.plugins.fence import LEFT_BEHIND_MAX
from shoutgraph.plugins.loading import load
from shoutgraph.plugins.statuses import State
from shoutgraph.plugins.topups import TopUps
from shoutgraph.sdk import (
    Artifact,
    Intake,
    Money,
    NotExecuted,
    Pending,
    Redemption,
    RefundRequest,
    Refunds,
    Target,
    Unknown,
)

pytestmark = pytest.mark.anyio

PENDING = Pending("ref", timedelta(1))
TARGET = Target("topup_1", "key_1", "ref")


async def pends(*args: object) -> object:
    return PENDING


def declaring(**caps: object) -> TopUps:
    plugin = topup_plugin({"redeem": pends, "refund": pends}, caps=replace(TOPUP_CAPS, **caps))
    return offering(plugin).topup("one")


def refund(minor: int, currency: str = "EUR") -> RefundRequest:
    return RefundRequest(call(), "ref", Money(minor, currency), EUR, "asked")


async def test_a_store_redeems_and_never_creates_or_cancels() -> None:
    store = declaring(intake=Intake.REDEEM)
    assert await store.redeem(Redemption(call(), "receipt", "user_1", "coins")) == PENDING
    assert await store.create(request()) == NotExecuted("unsupported")
    assert await store.cancel(TARGET, call()) == Unknown("unsupported")


async def test_a_provider_that_creates_never_redeems() -> None:
    assert await declaring().redeem(Redemption(call(), "receipt", "user_1", "coins")) == NotExecuted("unsupported")


@pytest.mark.parametrize("refunds", [Refunds.NONE, Refunds.EXTERNAL])
async def test_refunds_that_the_host_may_not_ask_for_are_not_asked_for(refunds: Refunds) -> None:
    assert await declaring(refunds=refunds).refund(refund(1000)) == NotExecuted("unsupported")


async def test_a_provider_of_full_refunds_gets_no_part() -> None:
    topups = declaring(refunds=Refunds.FULL)
    assert await topups.refund(refund(999)) == NotExecuted("unsupported")
    assert await topups.refund(refund(1000)) == PENDING


async def test_a_refund_is_in_the_currency_of_the_payment_and_positive() -> None:
    assert await declaring().refund(refund(1000, "USD")) == NotExecuted("unsupported_currency")
    assert await declaring().refund(refund(0)) == NotExecuted("refund_too_large")


async def test_a_batch_with_an_item_twice_is_not_sent() -> None:
    twice = batch(100, 200)
    twice = replace(twice, items=(twice.items[0], twice.items[0]))
    outcome = await payout_of({}).payout("one").submit(twice)
    assert outcome.items == {"payout_0": NotExecuted("batch_invalid")}


async def test_payouts_that_cannot_be_cancelled_are_not() -> None:
    plugin = Offer(payouts=(payout_plugin(caps=replace(PAYOUT_CAPS, cancel=False)),))
    instances = {"one": {"plugin": "written-payouts", "api_key": {"env": "KEY"}}}
    payouts = load(setup(extra={"offer": plugin}, instances=instances)).payout("one")
    assert await payouts.cancel(TARGET, call()) == Unknown("unsupported")


async def test_looking_at_no_payout_asks_nobody() -> None:
    assert await payout_of({"fetch": lambda *_: 1 / 0}).payout("one").fetch([], call()) == {}


async def test_a_statement_goes_to_the_plugin_as_it_is() -> None:
    payouts = payout_of({"ingest": lambda document: [document.name]}).payout("one")
    assert payouts.ingest(Artifact("camt.xml", "application/xml", b"")) == ["camt.xml"]


async def test_a_payout_instance_that_is_not_there_is_unavailable() -> None:
    with pytest.raises(ProviderUnavailableError):
        payout_of({}).payout("two")


@pytest.mark.parametrize("max_batch", [0, 10_001])
async def test_a_batch_size_that_makes_no_sense_makes_the_plugin_invalid(max_batch: int) -> None:
    plugin = Offer(payouts=(payout_plugin(caps=replace(PAYOUT_CAPS, max_batch=max_batch)),))
    assert load(setup(extra={"offer": plugin})).plugins[0].state is State.INVALID


async def test_a_plugin_with_too_many_calls_left_behind_is_not_called_any_more() -> None:
    released = asyncio.Event()

    async def never_lets_go(*args: object) -> object:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue
        return PENDING

    methods = dict.fromkeys(("create", "fetch"), never_lets_go)
    topups = topup_of(methods).topup("one")
    left = await asyncio.gather(*(topups.fetch(TARGET, call(milliseconds=10)) for _ in range(LEFT_BEHIND_MAX)))
    assert set(left) == {Unknown("timeout")}
    assert await topups.create(request()) == NotExecuted("busy")
    assert await topups.fetch(TARGET, call()) == Unknown("busy")
    released.set()
    async with asyncio.timeout(1):
        while await topups.create(request()) != PENDING:  # noqa: ASYNC110 -- what was left behind tells nobody
            await asyncio.sleep(0)
