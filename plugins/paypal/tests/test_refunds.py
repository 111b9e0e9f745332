"""Money that goes back: what each refund and dispute adds to the totals of its payment."""

import pytest
from plugins.paypal.tests.shops import Staged, order_of

from shoutgraph.sdk import (
    Declined,
    Money,
    NotExecuted,
    Pending,
    Settled,
    Unknown,
)
from shoutgraph.testkit.kinds import TopUpTrial
from shoutgraph.testkit.upstreams import Act
from shoutgraph_paypal import words
from shoutgraph_paypal.simulator import orders


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


def test_a_refund_of_a_ref_that_does_not_fit_is_not_sent(shop: Staged) -> None:
    async def story(trial: TopUpTrial) -> None:
        deal, ref = await trial.paid()
        for wrong in (ref.partition("-")[0], f"{ref[:-1]}{'1' if ref[-1] == '0' else '0'}", "not an id"):
            outcome = await trial.refund(deal, wrong, Money(500, "EUR"), key="one")
            assert outcome == NotExecuted("resource_not_found")
        assert [each.path for each in trial.proxy.asked if each.path.endswith("/refund")] == []

    shop(story)
