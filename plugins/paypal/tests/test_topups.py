"""Top-ups, through the application's own loader: who takes the money, when, and how often."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx
import pytest
from pydantic import SecretStr

from shoutgraph.sdk import (
    Absent,
    Declined,
    Money,
    NeedsAction,
    NotExecuted,
    Pending,
    Redirect,
    Settled,
    Target,
    Unknown,
)
from shoutgraph.testkit import faults
from shoutgraph.testkit.kinds import TopUpTrial
from shoutgraph.testkit.proxy import Which
from shoutgraph.testkit.trials import Deal
from shoutgraph.testkit.upstreams import Act
from shoutgraph_paypal import words
from shoutgraph_paypal.simulator import orders
from shoutgraph_paypal.simulator.state import Thing, World, shown
from shoutgraph_paypal.simulator.upstream import CLIENT_ID, PayPalUpstream

Staged: TypeAlias = Callable[[Callable[[TopUpTrial], Awaitable[Any]]], Any]


def world_of(trial: TopUpTrial) -> World:
    assert isinstance(trial.upstream, PayPalUpstream)
    return trial.upstream.world


def order_of(trial: TopUpTrial, ref: str) -> Thing:
    return world_of(trial).orders[ref.partition("-")[0]]


def captures(trial: TopUpTrial) -> list[str]:
    return [each.path for each in trial.proxy.asked if each.path.endswith("/capture")]


async def approved(trial: TopUpTrial, amount: Money | None = None) -> tuple[Deal, str]:
    """An order that the fan has approved, and nobody has completed."""
    deal, ref = await trial.begun(await trial.deal(amount))
    orders.approve(world_of(trial), order_of(trial, ref))
    return deal, ref


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


def test_a_dispute_that_ends_by_a_refund_counts_once(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.paid()
        for verb in (Act.DISPUTE, Act.REFUND, Act.LOSE):
            await trial.act(verb, ref)
        seen = await trial.look(deal, ref)
        assert isinstance(seen, Settled)
        nothing = Money(0, "EUR")
        assert (seen.totals.refunded, seen.totals.disputes_lost) == (deal.amount, nothing)
        assert (seen.totals.disputed, seen.totals.disputes_won) == (deal.amount, deal.amount)

    shop(story)


def test_a_payment_whose_disputes_cannot_be_read_is_not_half_known(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.paid()
        for _ in range(10):
            await trial.act(Act.DISPUTE, ref)
        assert isinstance(await trial.look(deal, ref), Settled)
        await trial.act(Act.DISPUTE, ref)
        assert await trial.look(deal, ref) == Unknown("unreadable", ref=ref)
        order_of(trial, ref)["purchase_units"][0]["payments"]["captures"][0]["id"] = "not an id"
        assert await trial.look(deal, ref) == Unknown("unreadable", ref=ref)

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


def test_a_refund_answers_with_the_totals_of_the_payment(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.paid()
        outcome = await trial.refund(deal, ref, Money(1000, "EUR"), key="one")
        assert isinstance(outcome, Settled)
        assert outcome.totals.refunded == Money(1000, "EUR")
        assert await trial.refund(deal, ref, Money(500, "EUR"), key="one") == Unknown("idempotency_key_reused", ref=ref)
        await trial.act(Act.HOLD_REFUND, ref)
        assert isinstance(await trial.refund(deal, ref, Money(500, "EUR"), key="two"), Pending)
        unpaid, unpaid_ref = await trial.begun()
        assert await trial.refund(unpaid, unpaid_ref, Money(500, "EUR"), key="three") == NotExecuted("not_paid")
        stranger = words.ref_of("AAAAAAAAAAAAAAAAA", words.Ours("conformance", deal.operation_id))
        assert isinstance(await trial.refund(deal, stranger, Money(500, "EUR"), key="four"), NotExecuted)

    shop(story)


@pytest.mark.parametrize("status", ["FAILED", "CANCELLED"])
def test_a_refund_that_was_done_and_came_back_is_in_both_totals(shop: Staged, status: str) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.paid()
        for minor, key in ((1000, "one"), (2000, "two")):
            assert isinstance(await trial.refund(deal, ref, Money(minor, "EUR"), key=key), Settled)
        assert orders.capture_of(order_of(trial, ref))["status"] == "REFUNDED"
        await trial.deliveries()
        await trial.act(Act.FAIL_REFUND, ref)
        order_of(trial, ref)["purchase_units"][0]["payments"]["refunds"][-1]["status"] = status
        (told,) = [trial.receive(raw).notices[0] for raw in await trial.deliveries()]
        assert (told.target.operation_id, told.observation) == (deal.operation_id, None)
        seen = await trial.look(deal, ref)
        assert isinstance(seen, Settled)
        assert (seen.totals.refunded, seen.totals.refunds_failed) == (Money(3000, "EUR"), Money(2000, "EUR"))
        again = await trial.refund(deal, ref, Money(2000, "EUR"), key="two")
        assert again == Declined(ref, status.lower()), "the same wish is not carried out a second time"
        more = await trial.refund(deal, ref, Money(2000, "EUR"), key="three")
        assert isinstance(more, Settled)
        assert (more.totals.refunded, more.totals.refunds_failed) == (Money(5000, "EUR"), Money(2000, "EUR"))

    shop(story)


def test_a_refund_that_came_back_does_not_hide_that_a_dispute_was_lost(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.paid()
        for verb in (Act.REFUND, Act.FAIL_REFUND, Act.DISPUTE, Act.LOSE):
            await trial.act(verb, ref)
        seen = await trial.look(deal, ref)
        assert isinstance(seen, Settled)
        assert seen.totals.refunded == seen.totals.refunds_failed == deal.amount
        assert (seen.totals.disputes_lost, seen.totals.disputes_won) == (deal.amount, Money(0, "EUR"))

    shop(story)


def test_an_access_token_is_kept_until_shortly_before_it_ends(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        def tokens() -> int:
            return sum(each.path == "/v1/oauth2/token" for each in trial.proxy.asked)

        deal, ref = await trial.begun()
        await trial.look(deal, ref)
        assert tokens() == 1
        named = dict(trial.proxy.asked[0].headers)[b"authorization"].decode().removeprefix("Basic ")
        assert base64.b64decode(named).decode().startswith(f"{CLIENT_ID}:")
        trial.clock.advance(timedelta(hours=9) - timedelta(seconds=60))
        await trial.send(await trial.deal())
        assert tokens() == 2

    shop(story)


def test_a_token_that_paypal_forgot_is_replaced_at_the_next_request(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.begun()
        world_of(trial).tokens.clear()
        assert await trial.look(deal, ref) == Unknown("not_permitted")
        assert isinstance(await trial.look(deal, ref), NeedsAction)

    shop(story)


ANSWERS = {
    (500, "INTERNAL_SERVICE_ERROR"): Unknown("provider_error"),
    (503, "SERVICE_UNAVAILABLE"): Unknown("provider_error"),
    (409, "PREVIOUS_REQUEST_IN_PROGRESS"): Unknown("in_progress"),
    (422, "DUPLICATE_REQUEST_ID"): Unknown("idempotency_key_reused"),
    (422, "DUPLICATE_INVOICE_ID"): Unknown("idempotency_key_reused"),
    (422, "PAYEE_ACCOUNT_RESTRICTED"): NotExecuted("payee_account_restricted"),
    (422, "In words that may repeat what was sent."): NotExecuted("unprocessable_entity"),
    (403, "PERMISSION_DENIED"): NotExecuted("not_permitted"),
    (302, "FOUND"): Unknown("unreadable"),
}


@pytest.mark.parametrize(("status", "issue", "wanted"), [(*asked, wanted) for asked, wanted in ANSWERS.items()])
def test_every_refusal_is_a_proof_or_unknown(shop: Staged, status: int, issue: str, wanted: object) -> None:
    async def story(trial: TopUpTrial) -> None:
        said = {"name": "UNPROCESSABLE_ENTITY", "message": "In words.", "details": [{"issue": issue}]}
        trial.proxy.plan(faults.saying(issue, json.dumps(said).encode(), status=status), which=Which.MONEY)
        assert await trial.send(await trial.deal()) == wanted

    shop(story)


def test_an_answer_about_another_order_is_unknown(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.begun()
        other, other_ref = await trial.begun()
        whole = json.dumps(shown(order_of(trial, other_ref))).encode()
        for which, ask in ((Which.MONEY, trial.send(await trial.deal())), (Which.ANY, trial.look(deal, ref))):
            trial.proxy.plan(faults.saying("another order", whole), which=which)
            assert await ask == Unknown("other_object")
            trial.proxy.mend()
        assert isinstance(await trial.look(other, other_ref), NeedsAction)

    shop(story)


def test_a_refund_of_a_ref_that_does_not_fit_is_not_sent(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.paid()
        for wrong in (ref.partition("-")[0], f"{ref[:-1]}{'1' if ref[-1] == '0' else '0'}", "not an id"):
            outcome = await trial.refund(deal, wrong, Money(500, "EUR"), key="one")
            assert outcome == NotExecuted("resource_not_found")
        assert [each.path for each in trial.proxy.asked if each.path.endswith("/refund")] == []

    shop(story)


def test_what_paypal_has_no_room_for_is_not_sent(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal = await trial.deal()
        for changed in ({"operation_id": "x" * 110}, {"operation_id": "a:b"}, {"key": "k" * 109}):
            assert await trial.send(replace(deal, **changed)) == NotExecuted("id_not_expressible")
        paid, ref = await trial.paid()
        outcome = await trial.refund(paid, ref, Money(500, "EUR"), key="k" * 109)
        assert outcome == NotExecuted("id_not_expressible")
        assert [each.path for each in trial.proxy.asked if each.path.endswith("/refund")] == []

    shop(story)


def test_a_wrong_secret_sends_nothing(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        wrong = trial.loaded({**trial.config(), "client_secret": SecretStr("E_another_secret_than_that_one")})
        assert await trial.send(await trial.deal(), wrong) == NotExecuted("not_permitted")
        assert trial.proxy.money() == []

    shop(story)


@pytest.mark.parametrize(
    ("status", "issue", "kind"),
    [(422, "PAYER_CANNOT_PAY", Declined), (422, "ORDER_EXPIRED", Declined), (400, "INVALID_REQUEST", Unknown)],
)
def test_a_completion_that_is_refused_is_a_decision_or_unknown(
    shop: Staged, status: int, issue: str, kind: type
) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await approved(trial)
        said = {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": issue}]}
        trial.proxy.plan(faults.saying(issue, json.dumps(said).encode(), status=status), which=Which.MONEY)
        seen = await trial.look(deal, ref)
        assert type(seen) is kind
        assert getattr(seen, "ref", None) == ref
        assert isinstance(await trial.look(deal, ref), Settled), "the answer lied: it was carried out"

    shop(story)


def test_without_a_token_nothing_is_sent(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        world_of(trial).token_s = 0
        assert await trial.send(await trial.deal()) == NotExecuted("unavailable")
        assert trial.proxy.money() == []

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
