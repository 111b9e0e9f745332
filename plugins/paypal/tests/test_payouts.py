"""Payouts, through the application's own loader: batches that go once, and what becomes of each item."""

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeAlias

import pytest

from shoutgraph.sdk import (
    Absent,
    Call,
    Declined,
    Money,
    NotExecuted,
    NoticeKind,
    OnboardRequest,
    Paid,
    Pending,
    Ready,
    Rejected,
    Returned,
    Target,
    Unknown,
)
from shoutgraph.testkit import faults
from shoutgraph.testkit.kinds import PayoutTrial
from shoutgraph.testkit.proxy import Which
from shoutgraph.testkit.trials import TIMEOUT, Deal, ref_of
from shoutgraph.testkit.upstreams import Act, Recipient
from shoutgraph_paypal import items, receivers
from shoutgraph_paypal.shapes import ItemShape
from shoutgraph_paypal.simulator import batches
from shoutgraph_paypal.simulator.state import Thing, World
from shoutgraph_paypal.simulator.upstream import PayPalUpstream

Staged: TypeAlias = Callable[[Callable[[PayoutTrial], Awaitable[Any]]], Any]

STATUSES = {
    "NEW": Pending,
    "PENDING": Pending,
    "UNCLAIMED": Pending,
    "ONHOLD": Pending,
    "SUCCESS": Paid,
    "FAILED": Rejected,
    "BLOCKED": Rejected,
    "DENIED": Rejected,
    "CANCELED": Rejected,
    "RETURNED": Returned,
    "REFUNDED": Returned,
    "REVERSED": Returned,
    "SOMETHING_NEW": Unknown,
}


def world_of(trial: PayoutTrial) -> World:
    assert isinstance(trial.upstream, PayPalUpstream)
    return trial.upstream.world


def item_of(trial: PayoutTrial, deal: Deal) -> Thing:
    return batches.find(world_of(trial), deal.operation_id)


async def lost(trial: PayoutTrial) -> Deal:
    """A batch that PayPal took, and whose answer was lost."""
    deal, outcome = await trial.hurt(faults.DROPPED_AFTER)
    assert isinstance(outcome, Unknown)
    return deal


def test_a_batch_whose_answer_was_lost_is_found_by_sending_it_again(bank: Staged) -> None:
    async def story(trial: PayoutTrial) -> None:
        deal = await lost(trial)
        again = await trial.send(deal)
        assert isinstance(again, Pending)
        await trial.act(Act.PAY, again.ref or "")
        assert isinstance(await trial.send(deal), Paid)
        assert len(world_of(trial).batches) == 1
        assert isinstance(await trial.look(deal, again.ref), Paid)

    bank(story)


@pytest.mark.parametrize("where", ["links", "link", "details"])
def test_the_first_batch_is_found_wherever_paypal_names_it(bank: Staged, where: str) -> None:
    async def story(trial: PayoutTrial) -> None:
        deal = await lost(trial)
        (batch_id,) = world_of(trial).batches
        href = {"href": f"https://api.sandbox.paypal.com/v1/payments/payouts/{batch_id}", "rel": "self"}
        detail = {"link": href} if where == "link" else {}
        said: dict[str, object] = {"name": "USER_BUSINESS_ERROR", "details": [{"issue": "In words.", **detail}]}
        if where == "links":
            said["links"] = [{"rel": "self"}, None, href]
        if where == "details":
            said["details"] = [{"issue": "In words.", "links": [href]}]
        trial.proxy.plan(faults.saying("a repeat", json.dumps(said).encode(), status=400), which=Which.MONEY)
        seen = await trial.send(deal)
        assert isinstance(seen, Pending)
        assert seen.ref == items.ref_of(batch_id, deal.operation_id)
        assert {each.path for each in trial.proxy.money()} <= {
            "/v1/payments/payouts",
            f"/v1/payments/payouts/{batch_id}",
        }

    bank(story)


def test_a_repeat_that_names_no_first_batch_is_unknown_and_another_refusal_is_none(bank: Staged) -> None:
    async def story(trial: PayoutTrial) -> None:
        answers = {
            "SENDER_BATCH_ID": Unknown("idempotency_key_reused"),
            "items[0].receiver": NotExecuted("validation_error"),
        }
        for field, wanted in answers.items():
            said: dict[str, object] = {"name": "VALIDATION_ERROR", "details": [{"issue": "In words.", "field": field}]}
            trial.proxy.plan(faults.saying(field, json.dumps(said).encode(), status=400), which=Which.MONEY)
            assert await trial.send(await trial.deal()) == wanted
        said = {"name": "USER_BUSINESS_ERROR", "details": []}
        trial.proxy.plan(faults.saying("in doubt", json.dumps(said).encode(), status=400), which=Which.MONEY)
        assert await trial.send(await trial.deal()) == Unknown("idempotency_key_reused")

    bank(story)


def test_a_ref_of_another_payout_shows_nothing(bank: Staged) -> None:
    async def story(trial: PayoutTrial) -> None:
        deals = [await trial.deal()]
        deals.append(await trial.payout_to(Recipient.OTHER, batch_key=deals[0].key))
        outcome = await trial.submit(*deals)
        asked = len(trial.proxy.asked)
        for wrong in (ref_of(outcome.items[deals[1].operation_id]), "nothing", "../x/" + deals[0].operation_id):
            assert await trial.look(deals[0], wrong) == Unknown("other_object")
        assert len(trial.proxy.asked) == asked

    bank(story)


def test_a_batch_that_shows_no_items_yet_is_under_way(bank: Staged) -> None:
    async def story(trial: PayoutTrial) -> None:
        world_of(trial).items_after = timedelta(minutes=5)
        deal = await lost(trial)
        again = await trial.send(deal)
        assert isinstance(again, Pending)
        assert isinstance(await trial.look(deal, again.ref), Pending)
        trial.clock.advance(timedelta(minutes=5))
        assert isinstance(await trial.look(deal, again.ref), Pending)
        await trial.act(Act.PAY, again.ref or "")
        assert isinstance(await trial.look(deal, again.ref), Paid)

    bank(story)


def test_a_batch_of_the_same_name_and_other_payouts_is_unknown(bank: Staged) -> None:
    async def story(trial: PayoutTrial) -> None:
        deal = await lost(trial)
        other = await trial.payout_to(Recipient.GOOD, batch_key=deal.key)
        assert await trial.send(other) == Unknown("idempotency_key_reused")
        elsewhere = Deal(deal.operation_id, deal.key, deal.amount, "other@creators.example")
        assert await trial.send(elsewhere) == Unknown("idempotency_key_reused")
        assert len(await trial.objects()) == 1

    bank(story)


def test_a_batch_that_cannot_be_looked_at_after_it_was_refused_as_a_repeat_is_unknown(bank: Staged) -> None:
    async def story(trial: PayoutTrial) -> None:
        deal = await lost(trial)
        (batch,) = world_of(trial).batches.values()
        batch["batch_header"]["payout_batch_id"] = "GONE"
        assert await trial.send(deal) == Unknown("resource_not_found")
        batch["batch_header"]["payout_batch_id"] = "../../v1/oauth2/token"
        assert await trial.send(deal) == Unknown("idempotency_key_reused")

    bank(story)


def test_a_batch_that_was_denied_paid_nobody(bank: Staged) -> None:
    async def story(trial: PayoutTrial) -> None:
        deal, ref = await trial.begun()
        batches.deny(world_of(trial), ref.partition(items.SEPARATOR)[0])
        assert await trial.look(deal, ref) == Rejected(ref, "batch_denied")
        notices = [trial.receive(raw).notices[0] for raw in await trial.deliveries()]
        assert [each.target.operation_id for each in notices] == [deal.key, deal.key]
        assert [each.observation for each in notices] == [None, None]

    bank(story)


def test_what_nobody_claimed_can_be_taken_back_and_what_was_paid_cannot(bank: Staged) -> None:
    async def story(trial: PayoutTrial) -> None:
        guarded = trial.guarded(trial.providers)
        deal, ref = await trial.begun()
        batches.turn(world_of(trial), item_of(trial, deal), "UNCLAIMED", error="RECEIVER_UNREGISTERED")
        seen = await trial.look(deal, ref)
        assert isinstance(seen, Pending)
        assert seen.expires_at is not None
        target = Target(deal.operation_id, deal.key, ref)
        outcome = await guarded.cancel(target, trial.call(deal))
        assert isinstance(outcome, Returned)
        assert (outcome.amount, outcome.code, outcome.ref) == (deal.amount, "returned", ref)
        paid, paid_ref = await trial.paid()
        asked = len(trial.proxy.asked)
        outcome = await guarded.cancel(Target(paid.operation_id, paid.key, paid_ref), trial.call(paid))
        assert isinstance(outcome, Paid)
        assert trial.proxy.changes(asked) == []
        assert isinstance(await guarded.cancel(Target("x", "y", "NOBODY/x"), trial.call(paid)), Unknown)

    bank(story)


@pytest.mark.parametrize(("status", "kind"), STATUSES.items())
def test_every_status_has_its_meaning(bank: Staged, status: str, kind: type) -> None:
    async def story(trial: PayoutTrial) -> None:
        deal, ref = await trial.begun()
        item_of(trial, deal).update(transaction_status=status, time_processed=world_of(trial).now())
        seen = await trial.look(deal, ref)
        assert type(seen) is kind
        assert getattr(seen, "ref", None) == ref

    bank(story)


def test_one_look_at_a_batch_shows_all_its_items(bank: Staged) -> None:
    async def story(trial: PayoutTrial) -> None:
        first = await trial.deal()
        deals = [first, *[Deal(f"item{at:03}", first.key, Money(1000 + at, "EUR"), first.who) for at in range(1, 120)]]
        outcome = await trial.submit(*deals)
        asked = len(trial.proxy.asked)
        refs = {each.operation_id: outcome.items[each.operation_id].ref for each in deals}  # type: ignore[union-attr]
        seen = await trial.guarded(trial.providers).fetch(trial.targets(deals, refs)[:100], trial.call(first))
        assert {type(each) for each in seen.values()} == {Pending}
        assert len(trial.proxy.asked) == asked + 1

    bank(story)


def test_pages_of_a_batch_are_read_one_after_the_other(bank: Staged, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "PAGE_MAX", 2)

    async def story(trial: PayoutTrial) -> None:
        first = await trial.deal()
        deals = [first, *[Deal(f"item{at:03}", first.key, first.amount, first.who) for at in range(4)]]
        outcome = await trial.submit(*deals)
        refs = {each.operation_id: outcome.items[each.operation_id].ref for each in deals}  # type: ignore[union-attr]
        await trial.act(Act.PAY, refs[deals[-1].operation_id] or "")
        seen = await trial.look_at(deals, refs)
        assert isinstance(seen[deals[-1].operation_id], Paid)
        trial.proxy.plan(faults.failing(500), which=Which.ANY)
        seen = await trial.look_at(deals, refs)
        assert {type(each) for each in seen.values()} == {Unknown}

    bank(story)


def test_an_item_that_a_finished_batch_does_not_have_is_absent(bank: Staged) -> None:
    async def story(trial: PayoutTrial) -> None:
        deal, ref = await trial.paid()
        batch_id = ref.partition(items.SEPARATOR)[0]
        stranger = Target("stranger", deal.key, items.ref_of(batch_id, "stranger"))
        seen = await trial.guarded(trial.providers).fetch([stranger], trial.call(deal))
        assert seen == {"stranger": Absent()}
        foreign = Target("stranger", "another batch", items.ref_of(batch_id, "stranger"))
        seen = await trial.guarded(trial.providers).fetch([foreign], trial.call(deal))
        assert seen == {"stranger": Unknown("other_object")}

    bank(story)


def test_an_event_about_an_item_tells_what_it_is_now(bank: Staged) -> None:
    async def story(trial: PayoutTrial) -> None:
        deal, ref = await trial.paid()
        (_, paid) = [trial.receive(raw).notices[0] for raw in await trial.deliveries()]
        assert paid.kind is NoticeKind.PAYOUT
        assert paid.target == Target(deal.operation_id, deal.key, ref)
        assert isinstance(paid.observation, Paid)
        assert (paid.observation.amount, paid.observation.fee) == (deal.amount, Money(25, "EUR"))

    bank(story)


@pytest.mark.parametrize("bad", ["nobody", "a@b", "a b@shop.example", "ABCDEFGHIJKLM", "", "x" * 120 + "@shop.example"])
def test_only_accounts_are_onboarded(bank: Staged, bad: str) -> None:
    async def story(trial: PayoutTrial) -> None:
        def request(account: str) -> OnboardRequest:
            call = Call("recipient_1", "key_1", TIMEOUT)
            values = {receivers.NAME: account}
            return OnboardRequest(call, "recipient_1", "DE", "EUR", values, "https://a.example", "https://b.example")

        guarded = trial.guarded(trial.providers)
        assert await guarded.onboard(request(bad)) == Declined(None, "invalid_account")
        assert await guarded.onboard(request("Nova@Shop.Example")) == Ready("Nova@shop.example")
        assert await guarded.onboard(request("WDJJHEBZ4X2LY")) == Ready("WDJJHEBZ4X2LY")
        deal = await trial.deal()
        assert await trial.send(Deal("item", "key", deal.amount, bad)) == NotExecuted("invalid_account")
        assert trial.proxy.asked == []

    bank(story)


def test_what_paypal_cannot_name_is_not_sent(bank: Staged) -> None:
    async def story(trial: PayoutTrial) -> None:
        deal = await trial.deal()
        for item_id in ("x" * 64, "a/b"):
            outcome = await trial.send(Deal(item_id, deal.key, deal.amount, deal.who))
            assert outcome == NotExecuted("id_not_expressible")
        assert trial.proxy.asked == []

    bank(story)


def test_an_item_whose_amount_cannot_be_read_is_unknown() -> None:
    item = {
        "payout_item_id": "A",
        "payout_batch_id": "B",
        "transaction_status": "SUCCESS",
        "payout_item": {"sender_item_id": "C", "amount": {"currency": "HUF", "value": "10.50"}},
        "time_processed": "2026-11-22T10:00:00Z",
    }
    assert items.outcome_of(ItemShape.model_validate(item, strict=False), None) == Unknown("unreadable", ref="B/C")
