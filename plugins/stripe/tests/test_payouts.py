"""Payouts by Connect: onboarding, transfers, and transfers that come back."""

from datetime import timedelta

import pytest
from plugins.stripe.tests.conftest import Shop

from shoutgraph.sdk import (
    Absent,
    Declined,
    Money,
    NeedsAction,
    NotExecuted,
    Paid,
    Ready,
    Redirect,
    Rejected,
    Restricted,
    Returned,
    Unknown,
)
from shoutgraph_stripe.simulator import connect

pytestmark = pytest.mark.anyio


async def test_a_creator_is_led_to_stripes_page_and_is_ready_after_it(shop: Shop) -> None:
    outcome = await shop.payouts.onboard(shop.onboarding())
    assert isinstance(outcome, NeedsAction)
    assert isinstance(outcome.action, Redirect)
    assert isinstance(await shop.payouts.recipient_status(outcome.ref, shop.call()), NeedsAction)
    back = await shop.fan.post(outcome.action.url, data={"way": "done"})
    assert back.headers["location"] == "https://shop.test/onboarded"
    assert await shop.payouts.recipient_status(outcome.ref, shop.call()) == Ready(outcome.ref)
    account = shop.world.things[outcome.ref]
    assert account["controller"]["stripe_dashboard"] == {"type": "express"}
    assert "type" not in account


async def test_a_creator_who_comes_back_days_later_goes_on_with_the_same_account(shop: Shop) -> None:
    first = await shop.payouts.onboard(shop.onboarding())
    shop.world.saved.clear()  # Stripe has forgotten the key
    again = await shop.payouts.onboard(shop.onboarding(return_url="https://shop.test/elsewhere"))
    assert isinstance(first, NeedsAction)
    assert isinstance(again, NeedsAction)
    assert first.ref == again.ref
    assert len(shop.world.all_of(connect.ACCOUNT)) == 1


async def test_stripe_asks_itself_and_pays_nobody_where_it_is_not(shop: Shop) -> None:
    assert [each.name for each in shop.payouts.requirements("DE", "EUR") or ()] == ["email"]
    assert shop.payouts.requirements("KP", "EUR") == ()
    outcome = await shop.payouts.onboard(shop.onboarding(values={"email": "other@shop.test"}))
    assert isinstance(outcome, NeedsAction)
    assert shop.world.things[outcome.ref]["email"] == "other@shop.test"


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [("requirements.past_due", "requirements_due"), ("rejected.fraud", "rejected.fraud")],
)
async def test_who_is_restricted_is_shown_with_the_reason(shop: Shop, reason: str, wanted: str) -> None:
    account = shop.account()
    connect.restrict(shop.world, account, reason)
    seen = await shop.payouts.recipient_status(account["id"], shop.call())
    kind = Declined if reason.startswith("rejected") else Restricted
    assert seen == kind(account["id"], wanted)


async def test_an_account_that_is_gone_is_declined(shop: Shop) -> None:
    seen = await shop.payouts.recipient_status("acct_nobody", shop.call())
    assert seen == Declined("acct_nobody", "unknown_account")


async def test_a_transfer_is_paid_when_it_is_answered_and_made_once(shop: Shop) -> None:
    batch = shop.batch(shop.account()["id"])
    (first,) = (await shop.payouts.submit(batch)).items.values()
    (again,) = (await shop.payouts.submit(batch)).items.values()
    assert isinstance(first, Paid)
    assert first == again
    ((kind, notice),) = shop.told("stripe-payouts")
    assert kind == "transfer.created"
    assert notice.observation == first
    assert notice.target == shop.payout_target(first.ref)


async def test_a_transfer_that_is_reversed_has_come_back(shop: Shop) -> None:
    (paid,) = (await shop.payouts.submit(shop.batch(shop.account()["id"]))).items.values()
    assert isinstance(paid, Paid)
    connect.reverse(shop.world, shop.world.things[paid.ref])
    (seen,) = (await shop.payouts.fetch([shop.payout_target(paid.ref)], shop.call())).values()
    assert isinstance(seen, Returned)
    assert (seen.ref, seen.amount, seen.code) == (paid.ref, Money(2500, "EUR"), "reversed")
    assert dict(shop.told("stripe-payouts"))["transfer.reversed"].observation == seen


async def test_a_part_that_comes_back_is_a_persons_to_look_at(shop: Shop) -> None:
    (paid,) = (await shop.payouts.submit(shop.batch(shop.account()["id"]))).items.values()
    assert isinstance(paid, Paid)
    connect.reverse(shop.world, shop.world.things[paid.ref], 500)
    (seen,) = (await shop.payouts.fetch([shop.payout_target(paid.ref)], shop.call())).values()
    assert isinstance(seen, Unknown)
    assert (seen.reason, seen.ref) == ("amount_mismatch", paid.ref)


async def test_refusals_say_whether_they_are_for_good(shop: Shop) -> None:
    account = shop.account()
    shop.world.balance = {"eur": 2499}
    (poor,) = (await shop.payouts.submit(shop.batch(account["id"], key="one"))).items.values()
    assert poor == NotExecuted("balance_insufficient")
    connect.restrict(shop.world, account, "requirements.past_due")
    (closed,) = (await shop.payouts.submit(shop.batch(account["id"], key="two"))).items.values()
    assert closed == NotExecuted("insufficient_capabilities_for_transfer")
    (nobody,) = (await shop.payouts.submit(shop.batch("acct_nobody", key="three"))).items.values()
    assert nobody == Rejected(None, "resource_missing")
    assert shop.world.all_of(connect.TRANSFER) == []


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_refused_says_nothing_of_what_it_did_before(shop: Shop, status: int) -> None:
    account = shop.account()["id"]
    shop.world.fail_next = True
    (lost,) = (await shop.payouts.submit(shop.batch(account))).items.values()
    assert lost == Unknown("provider_error")
    shop.world.locked = (status, "api_key_expired")
    (again,) = (await shop.payouts.submit(shop.batch(account, attempt=2))).items.values()
    assert again == Unknown("not_permitted"), "the transfer is there"
    (first,) = (await shop.payouts.submit(shop.batch(account, key="other"))).items.values()
    assert first == NotExecuted("not_permitted"), "nothing is wrong with the recipient"
    assert len(shop.world.all_of(connect.TRANSFER)) == 1


async def test_what_is_refused_at_a_later_attempt_may_have_been_done_at_an_earlier_one(shop: Shop) -> None:
    (again,) = (await shop.payouts.submit(shop.batch("acct_nobody", attempt=2))).items.values()
    assert again == Unknown("resource_missing")


async def test_what_a_connected_account_sends_is_none_of_our_transfers(shop: Shop) -> None:
    (paid,) = (await shop.payouts.submit(shop.batch(shop.account()["id"]))).items.values()
    assert isinstance(paid, Paid)
    shop.webhooks()
    forged = {**shop.world.things[paid.ref], "id": "tr_of_theirs", "amount_reversed": 2500}
    shop.world.tell("transfer.reversed", forged, account="acct_of_a_creator")
    ((_, notice),) = shop.told("stripe-payouts")
    assert (notice.kind.value, notice.observation) == ("ignored", None)


async def test_a_look_by_key_takes_the_transfer_of_that_key_and_no_other(shop: Shop) -> None:
    account = shop.account()
    await shop.payouts.submit(shop.batch(account["id"], key="first"))
    (mine,) = (await shop.payouts.submit(shop.batch(account["id"], key="second"))).items.values()
    (seen,) = (await shop.payouts.fetch([shop.payout_target(key="second")], shop.call())).values()
    assert seen == mine
    (odd,) = (await shop.payouts.fetch([shop.payout_target(key="third")], shop.call())).values()
    assert odd == Unknown("other_object"), "something was sent for this payout, whoever sent it"
    shop.world.things.clear()
    (none,) = (await shop.payouts.fetch([shop.payout_target(key="third")], shop.call())).values()
    assert none == Absent()


async def test_many_are_looked_at_together(shop: Shop) -> None:
    (paid,) = (await shop.payouts.submit(shop.batch(shop.account()["id"]))).items.values()
    assert isinstance(paid, Paid)
    targets = [shop.payout_target(paid.ref)]
    targets += [type(targets[0])(f"payout_other_{at}", "key", f"tr_{at}") for at in range(30)]
    seen = await shop.payouts.fetch(targets, shop.call())
    assert len(seen) == 31
    assert [each for each in seen.values() if each != Absent()] == [paid]


async def test_a_listing_finds_transfers_of_which_the_answer_was_lost(shop: Shop) -> None:
    shop.world.fail_next = True
    (lost,) = (await shop.payouts.submit(shop.batch(shop.account()["id"]))).items.values()
    assert lost == Unknown("provider_error")
    listed = await shop.payouts.list_since(shop.world.clock() - timedelta(minutes=1), shop.call())
    assert listed is not None
    (found,) = listed
    assert (found.target.operation_id, type(found.observation)) == (f"payout_{shop.serial}", Paid)


async def test_forints_are_paid_out_in_whole_ones_only(shop: Shop) -> None:
    account = shop.account()["id"]
    (fine,) = (await shop.payouts.submit(shop.batch(account, 250_000, "HUF"))).items.values()
    assert isinstance(fine, Paid)
    (rough,) = (await shop.payouts.submit(shop.batch(account, 250_050, "HUF", "other"))).items.values()
    assert rough == NotExecuted("amount_too_precise")


async def test_news_of_an_account_are_hints_about_its_creator(shop: Shop) -> None:
    account = shop.account()
    connect.restrict(shop.world, account, "requirements.past_due")
    failed = {"object": "payout", "id": "po_1", "metadata": {}}
    shop.world.tell("payout.failed", failed, account=account["id"])
    shop.world.tell("payout.paid", failed, account=account["id"])
    shop.world.tell("account.updated", account)
    kinds = [(notice.kind.value, notice.target.ref, notice.observation) for _, notice in shop.told("stripe-payouts")]
    assert kinds[:2] == [("recipient", account["id"], None)] * 2
    assert [kind for kind, _, _ in kinds[2:]] == ["ignored", "ignored"]
