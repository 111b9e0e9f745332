"""The plugin against a Checkout that others wrote: python-getpaid-simulator with python-getpaid-stripe.

It needs Python 3.12; `SHOUTGRAPH_GETPAID_PYTHON` names one that has both. It knows sessions, its page, refunds and
signed webhooks; it knows no idempotency keys, no `expand`, no lists, no disputes and no Connect.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx
import pytest
from plugins.stripe.tests.conftest import CERTIFICATES, Shop, clock, load_with
from plugins.stripe.tests.counterparties import Ear, interpreter, running

from shoutgraph.cli.demo.server import free_port
from shoutgraph.sdk import (
    Declined,
    Money,
    NeedsAction,
    NotExecuted,
    Notice,
    Pending,
    RawWebhook,
    Redirect,
    Settled,
    Totals,
)
from shoutgraph_stripe.simulator.state import World
from shoutgraph_stripe.simulator.upstream import API_KEY, SECRET

pytestmark = pytest.mark.anyio


@dataclass
class Counter:
    shop: Shop
    ear: Ear

    async def opened(self, minor: int = 4990) -> tuple[str, str]:
        """A session's ref and its page."""
        outcome = await self.shop.topups.create(self.shop.request(minor))
        assert isinstance(outcome, NeedsAction)
        assert isinstance(outcome.action, Redirect)
        return outcome.ref, outcome.action.url

    async def press(self, url: str, action: str) -> None:
        answer = await self.shop.fan.post(url, data={"action": action})
        assert answer.is_redirect, answer.text

    async def operate(self, ref: str, **what: str) -> None:
        """Lets something happen that nobody on the page does."""
        answer = await self.shop.fan.post(f"{self.shop.url}/sim/stripe/ops/{ref.removeprefix('cs_sim_')}", json=what)
        assert answer.is_success, answer.text

    async def look(self, ref: str) -> object:
        return await self.shop.topups.fetch(self.shop.target(ref), self.shop.call())

    def told(self, kind: str) -> Notice:
        """What the plugin reads in a webhook of theirs, which is really signed."""
        body, headers = self.ear.wait_for(kind)
        (notice,) = self.shop.registry.receive("stripe", RawWebhook(body, headers, "", clock(), "127.0.0.1")).notices
        return notice


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Ear]]:
    python, port, ear = interpreter("SHOUTGRAPH_GETPAID_PYTHON", "getpaid_simulator"), free_port(), Ear()
    command = [python, "-m", "getpaid_simulator", "--host", "127.0.0.1", "--port", str(port)]
    environ = {
        "SIMULATOR_STRIPE_API_KEY": API_KEY.get_secret_value(),
        "SIMULATOR_STRIPE_WEBHOOK_SECRET": SECRET.get_secret_value(),
        "SIMULATOR_STRIPE_NOTIFY_URL": ear.url,
    }
    with ear.listening(), running(command, port, **environ) as url:
        yield url, ear


@pytest.fixture
async def counter(server: tuple[str, Ear]) -> AsyncIterator[Counter]:
    url, ear = server
    ear.heard.clear()
    registry = load_with(url)
    async with httpx.AsyncClient(verify=CERTIFICATES) as fan:
        yield Counter(Shop(url, World(url, clock), registry, fan, []), ear)
    await registry.aclose()


async def test_what_a_fan_pays_there_is_settled_by_look_and_by_webhook(counter: Counter) -> None:
    ref, page = await counter.opened()
    await counter.press(page, "pay")
    seen = await counter.look(ref)
    assert isinstance(seen, Settled)
    assert seen.totals.settled == Money(4990, "EUR")
    told = counter.told("checkout.session.completed")
    assert isinstance(told.observation, Settled)
    assert told.observation.totals == Totals.of(Money(4990, "EUR"))
    assert told.target == counter.shop.target(ref).__class__(
        f"topup_{counter.shop.serial}", f"key_{counter.shop.serial}", ref, Money(4990, "EUR")
    )


async def test_a_delayed_payment_there_is_pending_until_it_is_made(counter: Counter) -> None:
    ref, page = await counter.opened()
    await counter.press(page, "pay_delayed")
    assert isinstance(counter.told("checkout.session.completed").observation, Pending)
    assert isinstance(await counter.look(ref), Pending)
    await counter.operate(ref, action="settle_delayed")
    assert isinstance(counter.told("checkout.session.async_payment_succeeded").observation, Settled)
    assert isinstance(await counter.look(ref), Settled)


async def test_a_delayed_payment_there_that_fails_is_declined(counter: Counter) -> None:
    ref, page = await counter.opened()
    await counter.press(page, "pay_delayed")
    await counter.operate(ref, action="fail_delayed")
    told = counter.told("checkout.session.async_payment_failed")
    assert told.observation == Declined(ref, "payment_failed", retryable=True)


async def test_a_card_that_is_refused_there_leaves_the_session_open(counter: Counter) -> None:
    ref, page = await counter.opened()
    await counter.press(page, "decline")
    assert isinstance(await counter.look(ref), NeedsAction | Pending)


async def test_a_session_there_can_be_ended_and_then_expires(counter: Counter) -> None:
    ref, _ = await counter.opened()
    ended = await counter.shop.topups.cancel(counter.shop.target(ref), counter.shop.call())
    assert ended == Declined(ref, "expired", retryable=True)
    assert counter.told("checkout.session.expired").observation == ended


async def test_refunds_there_are_taken_in_parts_and_never_beyond_what_was_paid(counter: Counter) -> None:
    ref, page = await counter.opened()
    await counter.press(page, "pay")
    topups, refund = counter.shop.topups, counter.shop.refund
    assert isinstance(await topups.refund(refund(ref, 1000, 4990, "one")), Pending)
    hint = counter.told("refund.updated")
    assert hint.observation is None
    assert (hint.target.ref or "").startswith("pi_sim_")
    assert await topups.refund(refund(ref, 4990, 4990, "two")) == NotExecuted("charge_already_refunded")
