"""Stripe's library over the host's HTTP, and our reading of answers, against a server that others wrote: localstripe.

It runs as a process of its own, never imported; `SHOUTGRAPH_LOCALSTRIPE_PYTHON` names a Python that has it. It knows
payments, refunds and webhooks; it knows no Checkout, no Connect, no idempotency keys and no `amount_received`.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from plugins.stripe.tests.conftest import clock, load_with
from plugins.stripe.tests.counterparties import Ear, interpreter, running

from shoutgraph.cli.demo.server import free_port
from shoutgraph.plugins.providers import Providers
from shoutgraph.sdk import BadSignature, RawWebhook, Unknown
from shoutgraph_stripe import door, wire
from shoutgraph_stripe.config import StripeConfig
from shoutgraph_stripe.shapes import IntentShape, RefundShape, RefundsShape, Shape, TransferShape
from shoutgraph_stripe.simulator.upstream import API_KEY, SECRET
from shoutgraph_stripe.wire import Refused

pytestmark = pytest.mark.anyio

SERVE = """
import sys
from aiohttp import web
from localstripe import resources, server
resources.store.dump_to_disk = lambda: None  # else it writes a file of a fixed name for all users of the machine
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


class Named(Shape):
    """Whatever has an id."""

    id: str


class Payment(Named):
    """A payment, of which localstripe leaves out what was received."""

    status: str
    currency: str


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, Ear]]:
    python, port, ear = interpreter("SHOUTGRAPH_LOCALSTRIPE_PYTHON", "localstripe"), free_port(), Ear()
    with ear.listening(), running([python, "-c", SERVE, str(port)], port) as url:
        hook = {"url": ear.url, "secret": SECRET.get_secret_value()}
        assert httpx.post(f"{url}/_config/webhooks/ours", json=hook).is_success
        yield url, ear


class Desk:
    """The plugin's own way to Stripe, as its providers go it."""

    def __init__(self, registry: Providers, url: str) -> None:
        config = StripeConfig(mode="test", base_url=url, secret_key=API_KEY, webhook_secrets=[SECRET])
        provider: Any = registry.topup("stripe").provider
        self.api: Any = door.client(config, provider._host).v1  # noqa: SLF001 -- the host that the plugin was lent

    async def paid(self, number: str = "4242424242424242") -> Any:
        card = {"number": number, "exp_month": 12, "exp_year": 2030, "cvc": "123"}
        method = await wire.ask(self.api.payment_methods.create_async({"type": "card", "card": card}), Named)
        assert isinstance(method, Named)
        customer = await wire.ask(self.api.customers.create_async({"description": "a fan"}), Named)
        assert isinstance(customer, Named)
        attached = await wire.ask(self.api.payment_methods.attach_async(method.id, {"customer": customer.id}), Named)
        if not isinstance(attached, Named):
            return attached
        carried = {"shoutgraph_id": "topup_1", "shoutgraph_key": "key_1", "shoutgraph_instance": "stripe"}
        wanted = {
            "amount": 4990,
            "currency": "eur",
            "customer": customer.id,
            "payment_method": method.id,
            "confirm": True,
            "metadata": carried,
        }
        return await wire.ask(self.api.payment_intents.create_async(wanted), Payment)


@pytest.fixture
async def registry(server: tuple[str, Ear]) -> Any:
    providers = load_with(server[0])
    yield providers
    await providers.aclose()


async def test_a_payment_and_its_refunds_are_read_as_stripes(server: tuple[str, Ear], registry: Providers) -> None:
    desk = Desk(registry, server[0])
    intent = await desk.paid()
    assert isinstance(intent, Payment)
    assert (intent.status, intent.currency) == ("succeeded", "eur")
    wanted = {"payment_intent": intent.id, "amount": 1000, "metadata": {"shoutgraph_payment": "cs_1"}}
    refund = await wire.ask(desk.api.refunds.create_async(wanted), RefundShape)
    assert isinstance(refund, RefundShape)
    assert (refund.status, refund.amount) == ("succeeded", 1000)
    page = await wire.ask(desk.api.refunds.list_async({"payment_intent": intent.id, "limit": 100}), RefundsShape)
    assert isinstance(page, RefundsShape)
    assert [each.id for each in page.data] == [refund.id]


async def test_a_payment_that_does_not_say_what_was_received_is_not_guessed(
    server: tuple[str, Ear], registry: Providers
) -> None:
    desk = Desk(registry, server[0])
    intent = await desk.paid()
    seen = await wire.ask(desk.api.payment_intents.retrieve_async(intent.id), IntentShape)
    assert seen == Unknown("unreadable")


async def test_its_webhooks_are_proven_and_hint_at_the_top_up(server: tuple[str, Ear], registry: Providers) -> None:
    url, ear = server
    await Desk(registry, url).paid()
    body, headers = ear.wait_for("payment_intent.succeeded")
    raw = RawWebhook(body, headers, "", clock(), "127.0.0.1")
    (notice,) = registry.receive("stripe", raw).notices
    assert (notice.target.operation_id, notice.observation) == ("topup_1", None)
    with pytest.raises(BadSignature):
        registry.receive("stripe", RawWebhook(body.replace(b"topup_1", b"topup_2"), headers, "", clock(), "127.0.0.1"))


async def test_its_refusals_are_refusals(server: tuple[str, Ear], registry: Providers) -> None:
    desk = Desk(registry, server[0])
    assert await desk.paid("4000000000000002") == Refused("card_declined")
    missing = await wire.ask(desk.api.payment_intents.retrieve_async("pi_nobody"), IntentShape)
    assert isinstance(missing, Refused)
    assert missing.is_missing


async def test_a_path_that_it_does_not_know_is_no_answer_of_stripes(
    server: tuple[str, Ear], registry: Providers
) -> None:
    desk = Desk(registry, server[0])
    outcome = await wire.ask(desk.api.transfers.retrieve_async("tr_1"), TransferShape)
    assert outcome == Unknown("unreadable"), "a page that says 404 proves nothing"
