"""Top-ups and payouts by PayPal from end to end: who takes the money, batches, signed webhooks, and both databases."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace

import httpx
import pytest
from starlette.applications import Starlette
from tests.listening import listening, serving
from tests.services.till import PRICES
from tests.services.world import BOOKS, World, new_id, open_world
from tests.storage.databases import Place

import shoutgraph_paypal
from shoutgraph.api import webhooks
from shoutgraph.domain import ids, postings
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.earnings import Balances, Earning, EarningKind
from shoutgraph.domain.packages import Platform
from shoutgraph.domain.payouts import Payout, PayoutState
from shoutgraph.domain.recipients import Recipient, RecipientState
from shoutgraph.domain.topups.topup import Status, Topup
from shoutgraph.domain.users import ROLES, Viewer
from shoutgraph.jobs import payouts as payout_jobs, reconcile
from shoutgraph.plugins import loading
from shoutgraph.services import earnings as earning_services, packages
from shoutgraph.services.orders import timers
from shoutgraph.services.payouts import decide, onboard, request as requests
from shoutgraph.services.payouts.request import Wish as PayoutWish
from shoutgraph.services.topups import cancel, create
from shoutgraph.services.topups.create import Wish
from shoutgraph.storage import earnings, ledger as books, payouts, recipients, topups
from shoutgraph.storage.tx import Tx
from shoutgraph_paypal.simulator import app, batches, orders
from shoutgraph_paypal.simulator.signing import Seal
from shoutgraph_paypal.simulator.state import Thing, World as PayPal
from shoutgraph_paypal.simulator.upstream import CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID, config_for, foreign, present

FINANCE = Viewer(scopes=ROLES["finance"], principal="staff:frank")


@dataclass
class Desk:
    """A fan, a creator, and PayPal."""

    world: World
    paypal: PayPal
    hooks: Starlette
    fan: Viewer
    viewer: Viewer
    creator: Creator

    def buy(self) -> Topup:
        world = self.world
        wish = Wish(
            package_id=None,
            coins=1_000,
            currency="EUR",
            platform=Platform.WEB,
            provider_code="paypal-eu",
            return_url="https://fan.example/back",
        )
        asked = world.request("topUpCreate", self.fan, None, coins=1_000)
        work = create.create(world.tools, self.fan, asked, wish, reverse_orders=timers.reverse_orders)
        return world.run(work).value

    def approved(self) -> tuple[Topup, Thing]:
        """The fan agreed on PayPal's page, and closed the browser."""
        topup = self.buy()
        orders.approve(self.paypal, self.order())
        return topup, self.order()

    def paid(self) -> tuple[Topup, Thing]:
        topup, order = self.approved()
        self.tell()
        self.tick()
        return topup, order

    def give_up(self, topup: Topup) -> Topup:
        asked = self.world.request("topUpCancel", self.fan, None, topup=topup.id)
        work = cancel.cancel(self.world.tools, self.fan, asked, topup.id, reverse_orders=timers.reverse_orders)
        return self.world.run(work).value

    def order(self) -> Thing:
        """The order that was made last."""
        return list(self.paypal.orders.values())[-1]

    def tell(self, *, seal: Seal | None = None, instance: str = "paypal-eu") -> list[int]:
        """Sends the webhooks that are to be told; gives our answers."""
        told, self.paypal.untold[:] = list(self.paypal.untold), []
        return self.world.run(self._post(told, seal or present(), instance))

    async def _post(self, told: list[Thing], seal: Seal, instance: str) -> list[int]:
        answers = []
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.hooks), base_url="http://api") as client:
            for event in told:
                body = json.dumps(event).encode()
                headers = seal.headers(body, WEBHOOK_ID, self.world.clock())
                answers.append((await client.post(f"/hooks/{instance}", content=body, headers=headers)).status_code)
        return answers

    def tick(self, **move: int) -> None:
        self.world.clock.move(**move)
        for job in (payout_jobs.tick, reconcile.tick):
            self.world.run(job(self.world.tools))

    def now(self, topup: Topup) -> Topup:
        return self.world.read(lambda tx: topups.get(tx, topup.id))

    def known(self) -> Recipient:
        """The creator names their account."""
        world, values = self.world, {"paypal_account": "nova@creators.example"}
        wish = onboard.Introduction("paypal-out", "Mine", "DE", "EUR", "https://fan.example/back", values)
        asked = world.request("payoutRecipientCreate", self.viewer, None, provider="paypal-out")
        return world.run(onboard.introduce(world.tools, self.viewer, asked, wish)).value

    def asked_for(self, coins: int) -> Payout:
        """Earned, asked for and approved."""
        world, recipient = self.world, self.known()
        world.write(lambda tx: self._earn(tx, coins))
        world.run(earning_services.mature_due(world.tools))
        asked = world.request("payoutRequest", self.viewer, coins=coins)
        payout = world.run(requests.request(world.tools, self.viewer, asked, PayoutWish(coins, recipient.id))).value
        asked = world.request("payoutApprove", FINANCE, payout=payout.id)
        return world.run(decide.approve(world.tools, FINANCE, asked, payout.id)).value

    def _earn(self, tx: Tx, coins: int) -> None:
        order_id = ids.OrderId(new_id(ids.ORDER))
        books.post(tx, postings.creator_compensated(BOOKS, order_id=order_id, creator_id=self.creator.id, coins=coins))
        kind = EarningKind.COMPENSATION
        earnings.insert(tx, Earning(new_id(ids.EARNING), self.creator.id, kind, order_id, coins, 0, tx.now, tx.now))

    def payout(self, payout: Payout) -> Payout:
        return self.world.read(lambda tx: payouts.get(tx, payout.id))

    @property
    def balances(self) -> Balances:
        return self.world.run(earning_services.summary(self.world.tools, self.viewer)).balances


@pytest.fixture
def desk(place: Place) -> Iterator[Desk]:
    with open_world(place) as world, listening() as (listener, url):
        config = {**config_for(url), "client_secret": {"env": "PAYPAL_SECRET"}}
        setup = loading.Setup(
            instances={
                "paypal-eu": {"plugin": "paypal", **config},
                "paypal-out": {"plugin": "paypal-payouts", **config},
            },
            environ={"PAYPAL_SECRET": CLIENT_SECRET.get_secret_value()},
            clock=world.clock,
            monotonic=world.loop.time,
            extra={"paypal": shoutgraph_paypal},
            discover=False,
            strict=True,
        )
        world.tools = replace(world.tools, providers=loading.load(setup), public_url="https://api.example")
        world.run(packages.load(world.tools, world.staff("admin"), PRICES))
        paypal = PayPal(url, world.clock)
        simulated = app.build(paypal, CLIENT_ID, CLIENT_SECRET.get_secret_value())
        viewer, creator, _ = world.creator()
        hooks = Starlette(routes=webhooks.routes(world.tools))
        with serving(simulated, listener):
            yield Desk(world, paypal, hooks, world.person("mia"), viewer, creator)
            world.run(world.tools.providers.aclose())


def test_what_a_fan_approves_is_taken_and_credited_once(desk: Desk) -> None:
    topup, order = desk.approved()
    assert desk.now(topup).status is Status.ACTION_REQUIRED
    assert desk.tell() == [200]
    for _ in range(3):
        desk.tick(minutes=10)
    assert desk.now(topup).status is Status.PAID
    assert set(desk.tell()) == {200}
    desk.tick()
    assert desk.world.wallet(desk.fan) == (1_000, 0, 0)
    assert len(order["purchase_units"][0]["payments"]["captures"]) == 1
    desk.world.verify()


def test_what_a_fan_approves_is_taken_although_no_webhook_comes(desk: Desk) -> None:
    topup, _ = desk.approved()
    for _ in range(8):
        desk.tick(minutes=15)
    assert desk.now(topup).status is Status.PAID
    assert desk.world.wallet(desk.fan) == (1_000, 0, 0)


def test_a_webhook_of_somebody_else_changes_nothing(desk: Desk) -> None:
    topup, order = desk.approved()
    elsewhere = replace(foreign(), url="https://shop.example/v1/notifications/certs/CERT-360caa42")
    told = list(desk.paypal.untold)
    assert desk.tell(seal=foreign()) == [400]
    desk.paypal.untold += told
    assert desk.tell(seal=elsewhere) == [400]
    assert (desk.now(topup).status, order["status"]) == (Status.ACTION_REQUIRED, "APPROVED")


def test_what_a_fan_gave_up_is_not_taken_from_them_afterwards(desk: Desk) -> None:
    topup = desk.buy()
    assert desk.give_up(topup).status is Status.FAILED
    orders.approve(desk.paypal, desk.order())
    assert desk.tell() == [200]
    for _ in range(8):
        desk.tick(minutes=15)
    assert desk.now(topup).status is Status.FAILED
    assert desk.order()["status"] == "APPROVED"
    assert desk.world.wallet(desk.fan) == (0, 0, 0)


def test_an_order_that_nobody_approved_ends_when_paypal_has_forgotten_it(desk: Desk) -> None:
    topup = desk.buy()
    for _ in range(8):
        desk.tick(hours=1)
    assert desk.now(topup).status is Status.FAILED
    assert desk.now(topup).declined_code == "expired"


def test_a_completion_whose_answer_was_lost_is_credited_once(desk: Desk) -> None:
    topup, order = desk.approved()
    desk.paypal.fail_next = True
    desk.tell()
    for _ in range(8):
        desk.tick(minutes=15)
    assert desk.now(topup).status is Status.PAID
    assert len(order["purchase_units"][0]["payments"]["captures"]) == 1
    assert desk.world.wallet(desk.fan) == (1_000, 0, 0)
    desk.world.verify()


def test_a_dispute_that_names_the_capture_alone_reaches_the_top_up(desk: Desk) -> None:
    topup, order = desk.paid()
    desk.tell()
    orders.dispute(desk.paypal, order)
    assert desk.tell() == [200]
    desk.tick()
    assert desk.now(topup).status is Status.DISPUTED
    orders.end_dispute(desk.paypal, order, "RESOLVED_SELLER_FAVOUR")
    desk.tell()
    desk.tick()
    assert desk.now(topup).status is Status.PAID
    assert desk.world.wallet(desk.fan) == (1_000, 0, 0)
    desk.world.verify()


def test_a_dispute_that_ends_by_a_refund_takes_the_coins_once(desk: Desk) -> None:
    topup, order = desk.paid()
    orders.dispute(desk.paypal, order)
    orders.refund(desk.paypal, orders.capture_of(order), order, {})
    orders.end_dispute(desk.paypal, order, "RESOLVED_BUYER_FAVOUR")
    assert set(desk.tell()) == {200}
    desk.tick()
    assert desk.now(topup).status is Status.REFUNDED
    assert desk.world.wallet(desk.fan) == (0, 0, 0)
    desk.world.verify()


def test_a_refund_that_fails_after_it_was_done_gives_the_coins_back(desk: Desk) -> None:
    topup, order = desk.paid()
    orders.refund(desk.paypal, orders.capture_of(order), order, {})
    assert set(desk.tell()) == {200}
    desk.tick()
    assert desk.now(topup).status is Status.REFUNDED
    assert desk.world.wallet(desk.fan) == (0, 0, 0)
    orders.fail_refund(desk.paypal, order)
    assert desk.tell() == [200]
    desk.tick()
    assert desk.now(topup).status is Status.PAID
    assert desk.world.wallet(desk.fan) == (1_000, 0, 0)
    desk.world.verify()


def test_a_creator_who_names_an_account_is_ready(desk: Desk) -> None:
    recipient = desk.known()
    assert (recipient.state, recipient.ref) == (RecipientState.READY, "nova@creators.example")
    found = desk.world.read(lambda tx: recipients.get(tx, recipient.id, desk.creator.id))
    assert found.state is RecipientState.READY


def test_a_payout_is_an_item_that_may_come_back(desk: Desk) -> None:
    payout = desk.asked_for(2_000)
    desk.tick()
    assert desk.payout(payout).state is PayoutState.SUBMITTED
    item = batches.find(desk.paypal, payout.key)
    batches.turn(desk.paypal, item, "SUCCESS")
    assert set(desk.tell(instance="paypal-out")) == {200}
    assert desk.payout(payout).state is PayoutState.PAID
    assert desk.balances == Balances(0, 0, 0, 2_000)
    batches.turn(desk.paypal, item, "REFUNDED")
    assert desk.tell(instance="paypal-out") == [200]
    assert desk.payout(payout).state is PayoutState.RETURNED
    assert desk.balances == Balances(0, 2_000, 0, 0)
    desk.world.verify()


def test_a_payout_that_nobody_claims_comes_back(desk: Desk) -> None:
    payout = desk.asked_for(2_000)
    desk.tick()
    item = batches.find(desk.paypal, payout.key)
    batches.turn(desk.paypal, item, "UNCLAIMED", error="RECEIVER_UNREGISTERED")
    desk.tell(instance="paypal-out")
    assert desk.payout(payout).state is PayoutState.SUBMITTED
    batches.turn(desk.paypal, item, "RETURNED")
    desk.paypal.untold.clear()
    for _ in range(3):
        desk.tick(days=1)
    assert desk.payout(payout).state is PayoutState.RETURNED
    assert desk.balances == Balances(0, 2_000, 0, 0)
    desk.world.verify()


def test_a_batch_whose_answer_was_lost_is_found_and_never_sent_twice(desk: Desk) -> None:
    desk.paypal.fail_next = True
    payout = desk.asked_for(2_000)
    desk.tick()
    assert desk.payout(payout).state is PayoutState.UNKNOWN
    for _ in range(3):
        desk.tick(minutes=10)
    assert desk.payout(payout).state is PayoutState.SUBMITTED
    assert len(desk.paypal.batches) == 1
    batches.turn(desk.paypal, batches.find(desk.paypal, payout.key), "SUCCESS")
    desk.paypal.untold.clear()
    for _ in range(3):
        desk.tick(hours=6)
    assert desk.payout(payout).state is PayoutState.PAID
    desk.world.verify()
