"""Top-ups, through the application's own loader: who takes the money, when, and how often."""

import asyncio
import json
from datetime import timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from plugins.paypal.tests.shops import Staged, approved, captures, order_of, world_of

from shoutgraph.sdk import (
    Absent,
    Declined,
    Money,
    NeedsAction,
    Redirect,
    Settled,
    Target,
    Unknown,
)
from shoutgraph.testkit import faults
from shoutgraph.testkit.kinds import TopUpTrial
from shoutgraph.testkit.proxy import Which
from shoutgraph.testkit.upstreams import Act
from shoutgraph_paypal import words
from shoutgraph_paypal.simulator import orders


def test_what_is_asked_for_is_what_paypal_wants(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        for money, value in ((Money(1005, "EUR"), "10.05"), (Money(700, "JPY"), "700"), (Money(70_000, "HUF"), "700")):
            deal = await trial.deal(money)
            outcome = await trial.send(deal)
            asked = trial.proxy.asked[-1]
            said, headers = json.loads(asked.body), dict(asked.headers)
            (unit,) = said["purchase_units"]
            assert said["intent"] == "CAPTURE"
            assert unit["amount"] == {"value": value, "currency_code": money.currency}
            assert unit["custom_id"] == f"conformance:{deal.operation_id}"
            assert unit["invoice_id"] == deal.operation_id
            assert headers[b"paypal-request-id"] == deal.key.encode()
            assert "processing_instruction" not in said, "PayPal's wallet knows none"
            assert isinstance(outcome, NeedsAction)
            assert outcome.expires_at - trial.clock() <= timedelta(hours=3)

    shop(story)


def test_a_fan_who_approves_on_the_page_has_paid_at_the_next_look(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal = await trial.deal()
        outcome = await trial.send(deal)
        assert isinstance(outcome, NeedsAction)
        assert isinstance(outcome.action, Redirect)
        async with httpx.AsyncClient() as fan:
            assert "30.00 EUR" in (await fan.get(outcome.action.url)).text
            back = await fan.post(outcome.action.url)
        assert back.headers["location"].startswith(f"{trial.request(deal).return_url}&token=")
        assert captures(trial) == []
        seen = await trial.look(deal, outcome.ref)
        assert isinstance(seen, Settled)
        assert seen.totals.settled == deal.amount
        assert seen.totals.fee == Money(90, "EUR")
        assert len(captures(trial)) == 1

    shop(story)


def test_a_look_at_what_nobody_approved_changes_nothing(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.begun()
        asked = len(trial.proxy.asked)
        assert isinstance(await trial.look(deal, ref), NeedsAction)
        assert trial.proxy.changes(asked) == []

    shop(story)


def test_an_approved_order_is_completed_once_however_many_look(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await approved(trial)
        seen = await asyncio.gather(*(trial.look(deal, ref) for _ in range(20)))
        assert all(isinstance(each, Settled) for each in seen)
        assert {each.totals.settled for each in seen if isinstance(each, Settled)} == {deal.amount}
        assert len(order_of(trial, ref)["purchase_units"][0]["payments"]["captures"]) == 1
        keys = {dict(each.headers)[b"paypal-request-id"] for each in trial.proxy.asked if "/capture" in each.path}
        assert len(keys) == 1

    shop(story)


@pytest.mark.parametrize("fault", [faults.DROPPED_AFTER, faults.DROPPED_BEFORE, faults.SAVED_500, faults.RATE_LIMITED])
def test_a_completion_that_is_not_answered_is_unknown_until_the_next_look(shop: Staged, fault: faults.Fault) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await approved(trial)
        trial.proxy.plan(fault, which=Which.MONEY)
        seen = await trial.look(deal, ref)
        trial.proxy.mend()
        assert isinstance(seen, Unknown)
        assert seen.ref == ref
        assert isinstance(await trial.look(deal, ref), Settled)
        assert len(order_of(trial, ref)["purchase_units"][0]["payments"]["captures"]) == 1

    shop(story)


def test_an_order_that_was_given_up_is_never_completed(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.begun()
        assert await trial.cancel(deal, ref) == Declined(ref, "cancelled")
        orders.approve(world_of(trial), order_of(trial, ref))
        assert await trial.look(deal, ref) == Declined(ref, "cancelled")
        other, other_ref = await approved(trial)
        assert await trial.cancel(other, other_ref) == Declined(other_ref, "cancelled")
        assert captures(trial) == []
        assert not [each for each in world_of(trial).orders.values() if each["status"] == "COMPLETED"]

    shop(story)


def test_cancelling_what_paypal_does_not_let_us_change_shows_what_it_is(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await approved(trial)
        assert isinstance(await trial.look(deal, ref), Settled)
        assert isinstance(await trial.cancel(deal, ref), Settled)
        assert order_of(trial, ref)["purchase_units"][0]["custom_id"] == f"conformance:{deal.operation_id}"

    shop(story)


def test_an_order_that_paypal_has_forgotten_is_over(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.begun()
        trial.clock.advance(orders.LIFE)
        assert await trial.look(deal, ref) == Declined(ref, "expired")
        assert await trial.cancel(deal, ref) == Declined(ref, "expired")

    shop(story)


def test_a_ref_of_another_topup_shows_nothing(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        _, ref = await approved(trial)
        stranger = await trial.deal()
        asked = len(trial.proxy.asked)
        assert await trial.look(stranger, ref) == Unknown("other_object")
        assert await trial.cancel(stranger, ref) == Unknown("no_ref")
        assert await trial.look(stranger, "../v1/oauth2/token-00000000") == Unknown("other_object")
        assert len(trial.proxy.asked) == asked
        assert captures(trial) == []

    shop(story)


def test_an_approved_order_of_another_amount_is_left_alone(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await approved(trial)
        order_of(trial, ref)["purchase_units"][0]["amount"]["value"] = "1.00"
        assert await trial.look_straight(deal, ref) == Unknown("other_amount", ref=ref)
        assert captures(trial) == []

    shop(story)


def test_a_fan_whose_way_to_pay_was_refused_chooses_another(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await approved(trial)
        world_of(trial).decline_next = True
        assert isinstance(await trial.look(deal, ref), NeedsAction)
        assert isinstance(await trial.look(deal, ref), Settled)

    shop(story)


def test_what_others_completed_is_seen(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await approved(trial)
        whole = order_of(trial, ref)
        asked = await trial.provider._reader.order(whole["id"])  # noqa: SLF001 -- a look between look and completion
        orders.complete(world_of(trial), whole)
        seen = await trial.provider._complete(asked, trial.target(deal, ref))  # noqa: SLF001 -- as above
        assert isinstance(seen, Settled)
        assert len(whole["purchase_units"][0]["payments"]["captures"]) == 1

    shop(story)


def test_a_webhook_names_the_topup_and_lets_the_host_look(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await approved(trial)
        (told,) = [trial.receive(raw).notices[0] for raw in await trial.deliveries()]
        assert told.target == Target(deal.operation_id, deal.operation_id, ref)
        assert told.observation is None
        await trial.look(deal, ref)
        await trial.act(Act.DISPUTE, ref)
        told, disputed = [trial.receive(raw).notices[0] for raw in await trial.deliveries()]
        assert told.target == Target(deal.operation_id, deal.operation_id, ref)
        assert (disputed.target.ref or "").startswith(words.CAPTURE)
        seen = await trial.look_where(disputed.target)
        assert isinstance(seen, Settled)
        assert (seen.ref, seen.totals.disputed) == (ref, deal.amount)
        assert isinstance(await trial.look_where(Target("x", "x", f"{words.CAPTURE}NOBODY")), Absent)
        assert isinstance(await trial.look_where(Target("x", "x", f"{words.CAPTURE}../x")), Absent)

    shop(story)


def test_what_another_instance_sold_is_not_ours(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        _, ref = await trial.paid()
        order_of(trial, ref)["purchase_units"][0]["payments"]["captures"][0]["custom_id"] = "elsewhere:topup_1"
        await trial.act(Act.DISPUTE, ref)
        await trial.act(Act.REFUND, ref)
        notices = [trial.receive(raw).notices[0] for raw in await trial.deliveries()]
        (hint,) = [each for each in notices if (each.target.ref or "").startswith(words.CAPTURE)]
        assert isinstance(await trial.look_where(hint.target), Absent)
        assert notices[-1].kind == "ignored"

    shop(story)


def test_the_page_is_paypals_and_leads_back(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, _ = await trial.begun()
        page = json.loads(trial.proxy.asked[-1].body)["payment_source"]["paypal"]["experience_context"]
        assert (page["return_url"], page["cancel_url"]) == (
            trial.request(deal).return_url,
            trial.request(deal).cancel_url,
        )
        assert (page["user_action"], page["shipping_preference"], page["locale"]) == ("PAY_NOW", "NO_SHIPPING", "en")
        assert urlsplit(page["return_url"]).scheme == "https"

    shop(story)
