"""Top-ups and payouts by Stripe from end to end: its own library, a simulated Stripe, webhooks, and both databases."""

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

import shoutgraph_stripe
from shoutgraph.api import webhooks
from shoutgraph.domain import ids, postings
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.earnings import Balances, Earning, EarningKind
from shoutgraph.domain.packages import Platform
from shoutgraph.domain.payouts import Payout, PayoutState
from shoutgraph.domain.recipients import Recipient, RecipientState
from shoutgraph.domain.topups.refund import Refund, RefundState
from shoutgraph.domain.topups.topup import Status, Topup
from shoutgraph.domain.users import ROLES, Viewer
from shoutgraph.jobs import payouts as payout_jobs, reconcile
from shoutgraph.plugins import loading
from shoutgraph.services import earnings as earning_services, packages
from shoutgraph.services.orders import timers
from shoutgraph.services.payouts import decide, onboard, request as requests
from shoutgraph.services.payouts.request import Wish as PayoutWish
from shoutgraph.services.topups import create, refund
from shoutgraph.services.topups.create import Wish
from shoutgraph.storage import earnings, ledger as books, payouts, recipients, refunds, topups
from shoutgraph.storage.tx import Tx
from shoutgraph_stripe.simulator import app, checkout, connect, reversals
from shoutgraph_stripe.simulator.state import Thing, World as Stripe, shown
from shoutgraph_stripe.simulator.upstream import API_KEY, SECRET, signed

FINANCE = Viewer(scopes=ROLES["finance"], principal="staff:frank")


@dataclass
class Desk:
    """A fan, a creator, and Stripe."""

    world: World
    stripe: Stripe
    hooks: Starlette
    fan: Viewer
    viewer: Viewer
    creator: Creator

    def buy(self, coins: int = 1_000) -> Topup:
        world = self.world
        wish = Wish(
            package_id=None,
            coins=coins,
            currency="EUR",
            platform=Platform.WEB,
            provider_code="stripe-eu",
            return_url="https://fan.example/back",
        )
        asked = world.request("topUpCreate", self.fan, None, coins=coins)
        work = create.create(world.tools, self.fan, asked, wish, reverse_orders=timers.reverse_orders)
        return world.run(work).value

    def paid(self) -> tuple[Topup, Thing]:
        topup = self.buy()
        session = self.session()
        checkout.pay(self.stripe, session)
        self.tell()
        return topup, session

    def session(self) -> Thing:
        """The session that was opened last."""
        return self.stripe.all_of(checkout.KIND)[0]

    def tell(self, *, backwards: bool = False, instance: str = "stripe-eu") -> list[int]:
        """Sends the webhooks that are to be told; gives our answers."""
        told, self.stripe.untold[:] = list(self.stripe.untold), []
        return self.world.run(self._post(told[::-1] if backwards else told, instance))

    async def _post(self, told: list[Thing], instance: str) -> list[int]:
        answers = []
        async with httpx.AsyncClient(transport=httpx.ASGITransport(self.hooks), base_url="http://api") as client:
            for event in told:
                body = json.dumps(shown(event)).encode()
                headers = signed(body, SECRET, self.stripe.now())
                answers.append((await client.post(f"/hooks/{instance}", content=body, headers=headers)).status_code)
        return answers

    def tick(self, **move: int) -> None:
        self.world.clock.move(**move)
        for job in (payout_jobs.tick, reconcile.tick):
            self.world.run(job(self.world.tools))

    def now(self, topup: Topup) -> Topup:
        return self.world.read(lambda tx: topups.get(tx, topup.id))

    def give_back(self, topup: Topup, minor: int) -> Refund:
        asked = self.world.request("topUpRefund", FINANCE, None, topup=topup.id, minor=minor)
        wish = refund.Wish(topup.id, "asked nicely", minor=minor)
        work = refund.refund(self.world.tools, FINANCE, asked, wish, reverse_orders=timers.reverse_orders)
        return self.world.run(work).value

    def approved(self, coins: int) -> Payout:
        """Earned, asked for and approved."""
        world = self.world
        account = connect.create_account(self.stripe, {"capabilities": {"transfers": {"requested": "true"}}})
        connect.complete(self.stripe, account)
        recipient = world.write(lambda tx: self._earn_and_add(tx, coins, account["id"]))
        world.run(earning_services.mature_due(world.tools))
        asked = world.request("payoutRequest", self.viewer, coins=coins)
        payout = world.run(requests.request(world.tools, self.viewer, asked, PayoutWish(coins, recipient.id))).value
        asked = world.request("payoutApprove", FINANCE, payout=payout.id)
        return world.run(decide.approve(world.tools, FINANCE, asked, payout.id)).value

    def _earn_and_add(self, tx: Tx, coins: int, ref: str) -> Recipient:
        order_id = ids.OrderId(new_id(ids.ORDER))
        books.post(tx, postings.creator_compensated(BOOKS, order_id=order_id, creator_id=self.creator.id, coins=coins))
        kind = EarningKind.COMPENSATION
        earnings.insert(tx, Earning(new_id(ids.EARNING), self.creator.id, kind, order_id, coins, 0, tx.now, tx.now))
        id_, state = new_id(ids.RECIPIENT), RecipientState.READY
        recipient = Recipient(id_, self.creator.id, "stripe-out", "Mine", ref, state=state, created_at=tx.now)
        recipients.insert(tx, recipient)
        return recipient

    def payout(self, payout: Payout) -> Payout:
        return self.world.read(lambda tx: payouts.get(tx, payout.id))

    @property
    def balances(self) -> Balances:
        return self.world.run(earning_services.summary(self.world.tools, self.viewer)).balances


@pytest.fixture
def desk(place: Place) -> Iterator[Desk]:
    with open_world(place) as world, listening() as (listener, url):
        config = {
            "mode": "test",
            "base_url": url,
            "secret_key": {"env": "STRIPE_KEY"},
            "webhook_secrets": [{"env": "STRIPE_WEBHOOKS"}],
        }
        setup = loading.Setup(
            instances={
                "stripe-eu": {"plugin": "stripe", **config},
                "stripe-out": {"plugin": "stripe-payouts", **config},
            },
            environ={"STRIPE_KEY": API_KEY.get_secret_value(), "STRIPE_WEBHOOKS": SECRET.get_secret_value()},
            clock=world.clock,
            monotonic=world.loop.time,
            extra={"stripe": shoutgraph_stripe},
            discover=False,
            strict=True,
        )
        world.tools = replace(world.tools, providers=loading.load(setup), public_url="https://api.example")
        world.run(packages.load(world.tools, world.staff("admin"), PRICES))
        stripe = Stripe(url, world.clock)
        simulated = app.build(stripe, API_KEY.get_secret_value())
        viewer, creator, _ = world.creator()
        hooks = Starlette(routes=webhooks.routes(world.tools))
        with serving(simulated, listener):
            yield Desk(world, stripe, hooks, world.person("mia"), viewer, creator)
            world.run(world.tools.providers.aclose())


def test_what_a_fan_pays_is_credited_once_whoever_tells_of_it_first(desk: Desk) -> None:
    desk.stripe.doubled.add("checkout.session.completed")
    topup = desk.buy()
    assert topup.status is Status.ACTION_REQUIRED
    checkout.pay(desk.stripe, desk.session())
    assert set(desk.tell(backwards=True)) == {200}
    desk.tick()
    assert desk.now(topup).status is Status.PAID
    assert desk.world.wallet(desk.fan) == (1_000, 0, 0)
    desk.world.verify()


def test_a_dispute_that_names_the_payment_alone_reaches_the_top_up(desk: Desk) -> None:
    topup, session = desk.paid()
    opened = reversals.dispute(desk.stripe, session["payment_intent"])
    assert desk.tell() == [200]
    desk.tick()
    assert desk.now(topup).status is Status.DISPUTED
    reversals.decide(desk.stripe, opened, "won")
    desk.tell()
    desk.tick()
    assert desk.now(topup).status is Status.PAID
    assert desk.world.wallet(desk.fan) == (1_000, 0, 0)
    desk.world.verify()


def test_a_dispute_of_another_shop_on_the_same_account_is_answered_and_left_alone(desk: Desk) -> None:
    topup, session = desk.paid()
    session["metadata"] = {"shoutgraph_instance": "another"}
    reversals.dispute(desk.stripe, session["payment_intent"])
    assert desk.tell() == [200]
    assert desk.now(topup).status is Status.PAID


def test_a_refund_in_the_dashboard_takes_its_coins(desk: Desk) -> None:
    topup, session = desk.paid()
    reversals.create(desk.stripe, {"payment_intent": session["payment_intent"], "amount": 400})
    assert set(desk.tell()) == {200}
    desk.tick()
    assert desk.now(topup).status is Status.PARTLY_REFUNDED
    assert desk.world.wallet(desk.fan) == (600, 0, 0)
    desk.world.verify()


def test_a_refund_of_ours_that_fails_in_the_end_gives_the_coins_back(desk: Desk) -> None:
    topup, session = desk.paid()
    desk.stripe.hold_refunds.add(session["payment_intent"])
    asked = desk.give_back(topup, 400)
    assert desk.world.wallet(desk.fan) == (600, 0, 0)
    reversals.fail(desk.stripe, desk.stripe.all_of(reversals.REFUND)[0])
    desk.tell()
    for _ in range(8):
        desk.tick(hours=2)
    ended = desk.world.read(lambda tx: refunds.get(tx, asked.id)).state
    assert ended is RefundState.REVERSED  # Stripe does not say whether it ever was done; its coins are back
    assert desk.now(topup).status is Status.PAID
    assert desk.world.wallet(desk.fan) == (1_000, 0, 0)
    desk.world.verify()


def test_a_saved_500_is_unknown_until_stripe_ends_the_session(desk: Desk) -> None:
    desk.stripe.fail_next = True
    topup = desk.buy()
    for _ in range(4):
        desk.tick(minutes=10)
    assert desk.now(topup).status is Status.PROCESSING
    assert len(desk.stripe.all_of(checkout.KIND)) == 1
    checkout.expire(desk.stripe, desk.session())
    desk.tell()
    assert desk.now(topup).status is Status.FAILED


def test_a_creator_becomes_known_on_stripes_page_and_a_webhook_says_so(desk: Desk) -> None:
    world = desk.world
    wish = onboard.Introduction(
        "stripe-out", "Mine", "DE", "EUR", "https://fan.example/back", {"email": "n@fan.example"}
    )
    asked = world.request("payoutRecipientCreate", desk.viewer, None, provider="stripe-out")
    recipient = world.run(onboard.introduce(world.tools, desk.viewer, asked, wish)).value
    assert recipient.state is RecipientState.NEEDS_ACTION
    (account,) = desk.stripe.all_of(connect.ACCOUNT)
    assert (recipient.ref, account["email"]) == (account["id"], "n@fan.example")
    desk.stripe.untold.clear()
    desk.tick(days=2)  # Stripe has forgotten the key by now, and the page has closed
    desk.stripe.saved.clear()
    asked = world.request("payoutRecipientRefresh", desk.viewer, None, recipient=recipient.id)
    world.run(onboard.refresh(world.tools, desk.viewer, asked, recipient.id))
    assert len(desk.stripe.all_of(connect.ACCOUNT)) == 1
    connect.complete(desk.stripe, account)
    assert desk.tell(instance="stripe-out") == [200]
    desk.tick(seconds=1)
    found = world.read(lambda tx: recipients.get(tx, recipient.id, desk.creator.id))
    assert found.state is RecipientState.READY


def test_a_payout_is_a_transfer_that_may_be_reversed(desk: Desk) -> None:
    payout = desk.approved(2_000)
    desk.tick()
    assert desk.payout(payout).state is PayoutState.PAID
    assert desk.balances == Balances(0, 0, 0, 2_000)
    (transfer,) = desk.stripe.all_of(connect.TRANSFER)
    assert (transfer["amount"], transfer["transfer_group"]) == (payout.amount_minor, payout.key)
    desk.stripe.untold.clear()
    connect.reverse(desk.stripe, transfer)
    assert desk.tell(instance="stripe-out") == [200]
    assert desk.payout(payout).state is PayoutState.RETURNED
    assert desk.balances == Balances(0, 2_000, 0, 0)
    desk.world.verify()


def test_a_transfer_of_which_the_answer_was_lost_is_found_and_never_made_twice(desk: Desk) -> None:
    desk.stripe.fail_next = True
    payout = desk.approved(2_000)
    desk.tick()
    assert desk.payout(payout).state in {PayoutState.UNKNOWN, PayoutState.PAID}
    for _ in range(3):
        desk.tick(minutes=10)
    assert desk.payout(payout).state is PayoutState.PAID
    assert len(desk.stripe.all_of(connect.TRANSFER)) == 1
    desk.world.verify()
