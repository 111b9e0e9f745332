"""Top-ups by Checkout, over real sockets and by Stripe's own library."""

from datetime import timedelta

import pytest
import stripe
from plugins.stripe.tests.conftest import Shop, load_with

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
from shoutgraph_stripe.config import API_VERSION
from shoutgraph_stripe.simulator import checkout, reversals

pytestmark = pytest.mark.anyio


async def test_a_fan_pays_on_the_page_and_a_look_shows_it_with_the_fee(shop: Shop) -> None:
    outcome = await shop.topups.create(shop.request(4990))
    assert isinstance(outcome, NeedsAction)
    assert isinstance(outcome.action, Redirect)
    page = await shop.fan.get(outcome.action.url)
    assert "700 coins: 4990 eur" in page.text
    back = await shop.fan.post(outcome.action.url, data={"way": "pay"})
    assert back.headers["location"] == "https://shop.test/back?topup=1"
    seen = await shop.topups.fetch(shop.target(outcome.ref), shop.call())
    assert isinstance(seen, Settled)
    assert (seen.totals.settled, seen.totals.fee) == (Money(4990, "EUR"), Money(99, "EUR"))


async def test_every_request_is_pinned_signed_in_and_tells_nothing_of_this_machine(shop: Shop) -> None:
    await shop.opened()
    await shop.topups.fetch(shop.target("cs_test_nobody"), shop.call())
    for asked in shop.asked:
        assert asked.headers["stripe-version"] == API_VERSION
        assert "x-stripe-client-telemetry" not in asked.headers
        assert "telemetry_id" not in asked.headers["x-stripe-client-user-agent"]
    assert shop.asked[0].headers["idempotency-key"] == shop.call().idempotency_key
    assert stripe.api_version == API_VERSION, "the library knows another version: read what has changed, then pin it"


async def test_the_library_writes_nothing_of_a_fan_into_the_log(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        await shop.opened()
        await shop.topups.create(shop.request(4991))
    assert [record for record in caplog.records if record.name.startswith("stripe")] == []


async def test_a_payment_that_takes_days_is_pending_and_then_paid(shop: Shop) -> None:
    session = await shop.opened()
    checkout.process(shop.world, session)
    told = dict(shop.told())
    assert isinstance(told["checkout.session.completed"].observation, Pending)
    assert isinstance(await shop.topups.fetch(shop.target(session["id"]), shop.call()), Pending)
    checkout.pay(shop.world, session)
    told = dict(shop.told())
    assert isinstance(told["checkout.session.async_payment_succeeded"].observation, Settled)
    assert isinstance(await shop.topups.fetch(shop.target(session["id"]), shop.call()), Settled)


async def test_a_payment_that_comes_to_nothing_is_declined_with_the_banks_word(shop: Shop) -> None:
    session = await shop.opened()
    checkout.decline(shop.world, session)
    assert isinstance(dict(shop.told())["checkout.session.async_payment_failed"].observation, Declined)
    seen = await shop.topups.fetch(shop.target(session["id"]), shop.call())
    assert seen == Declined(session["id"], "debit_not_authorized", retryable=True)


async def test_one_change_that_comes_as_two_events_is_told_the_same_twice(shop: Shop) -> None:
    shop.world.doubled.add("checkout.session.completed")
    checkout.pay(shop.world, await shop.opened())
    one, other = [notice for kind, notice in shop.told() if kind == "checkout.session.completed"]
    assert one.notice_id != other.notice_id
    assert (one.observation, one.target) == (other.observation, other.target)


async def test_a_repeat_gives_the_first_session_and_another_payload_gives_nothing(shop: Shop) -> None:
    first = await shop.topups.create(shop.request(4990))
    assert await shop.topups.create(shop.request(4990)) == first
    assert await shop.topups.create(shop.request(4991)) == Unknown("idempotency_key_reused")
    assert len(shop.world.all_of(checkout.KIND)) == 1


async def test_a_saved_500_stays_unknown_until_a_webhook_names_the_session(shop: Shop) -> None:
    shop.world.fail_next = True
    for _ in range(2):
        assert await shop.topups.create(shop.request(4990)) == Unknown("provider_error")
    (session,) = shop.world.all_of(checkout.KIND)
    checkout.expire(shop.world, session)
    ((_, notice),) = shop.told()
    assert notice.target == Target(f"topup_{shop.serial}", f"key_{shop.serial}", session["id"], Money(4990, "EUR"))
    assert notice.observation == Declined(session["id"], "expired", retryable=True)


async def test_a_listing_finds_what_an_answer_was_lost_of(shop: Shop) -> None:
    shop.world.fail_next = True
    await shop.topups.create(shop.request(4990))
    since = shop.world.clock() - timedelta(minutes=1)
    listed = await shop.topups.list_since(since, shop.call())
    assert listed is not None
    assert [each.target.operation_id for each in listed] == [f"topup_{shop.serial}"]
    assert await shop.topups.list_since(since + timedelta(minutes=2), shop.call()) == ()


async def test_a_listing_reads_every_page_oldest_first_and_only_what_is_ours(shop: Shop) -> None:
    for serial in range(130):
        carried = {"shoutgraph_instance": "stripe" if serial % 2 else "stripe-2", "shoutgraph_id": f"topup_{serial}"}
        shop.world.make(
            "cs_test",
            checkout.KIND,
            amount_total=100,
            currency="eur",
            client_reference_id=f"topup_{serial}",
            expires_at=shop.world.now() + 60,
            metadata=carried,
            payment_intent=None,
            payment_status="unpaid",
            status="expired",
            url=None,
        )
    listed = await shop.topups.list_since(shop.world.clock() - timedelta(minutes=1), shop.call())
    assert listed is not None
    assert [each.target.operation_id for each in listed] == [f"topup_{serial}" for serial in range(1, 130, 2)]
    assert len(shop.asked) == 2


async def test_what_others_do_with_the_account_spoils_no_listing(shop: Shop) -> None:
    session = await shop.opened()
    shop.world.make("cs_test", checkout.KIND, amount_total=None, currency=None, metadata=None, payment_intent=None)
    since = shop.world.clock() - timedelta(minutes=1)
    (found,) = await shop.topups.list_since(since, shop.call()) or ()
    assert found.target.ref == session["id"]
    session["amount_total"] = None
    assert await shop.topups.list_since(since, shop.call()) is None, "half of what is ours is no listing"
    shop.world.make(
        "cs_test", checkout.KIND, amount_total=None, currency=None, metadata=None, payment_intent="pi_of_theirs"
    )
    assert await shop.topups.fetch(Target("pi", "pi", "pi_of_theirs"), shop.call()) == Absent()


async def test_a_dispute_is_hinted_at_by_its_payment_and_a_look_by_that_finds_the_top_up(shop: Shop) -> None:
    session = await shop.opened()
    checkout.pay(shop.world, session)
    shop.webhooks()
    reversals.dispute(shop.world, session["payment_intent"])
    ((_, hint),) = shop.told()
    assert hint.observation is None
    assert hint.target.ref == session["payment_intent"]
    seen = await shop.topups.fetch(hint.target, shop.call())
    assert isinstance(seen, Settled)
    assert (seen.ref, seen.totals.disputed) == (session["id"], Money(4990, "EUR"))


async def test_an_inquiry_is_no_dispute_until_it_becomes_one(shop: Shop) -> None:
    session = await shop.opened()
    checkout.pay(shop.world, session)
    opened = reversals.dispute(shop.world, session["payment_intent"], status="warning_needs_response")
    seen = await shop.topups.fetch(shop.target(session["id"]), shop.call())
    assert isinstance(seen, Settled)
    assert seen.totals.disputed == Money(0, "EUR")
    reversals.decide(shop.world, opened, "lost")
    seen = await shop.topups.fetch(shop.target(session["id"]), shop.call())
    assert isinstance(seen, Settled)
    assert (seen.totals.disputed, seen.totals.disputes_lost) == (Money(4990, "EUR"), Money(4990, "EUR"))


async def test_what_another_instance_of_the_account_sold_is_not_ours(shop: Shop) -> None:
    session = await shop.opened()
    checkout.pay(shop.world, session)
    other = shop.registry.topup("stripe-2")
    assert await other.fetch(shop.target(session["id"]), shop.call()) == Unknown("other_object")
    by_payment = Target("any", "any", session["payment_intent"])
    assert type(await other.fetch(by_payment, shop.call())).__name__ == "Absent"
    assert {notice.kind.value for _, notice in shop.told("stripe-2")} == {"ignored"}


@pytest.mark.parametrize("change", [{"livemode": True}, {"account": "acct_of_a_creator"}])
async def test_events_of_the_other_mode_and_of_connected_accounts_are_ignored(
    shop: Shop, change: dict[str, object]
) -> None:
    checkout.pay(shop.world, await shop.opened())
    for event in shop.world.untold:
        delivery = shop.registry.receive("stripe", shop.raw({**event, **change}))
        assert [notice.kind.value for notice in delivery.notices] == ["ignored"]


async def test_a_refund_of_what_nobody_paid_is_not_executed(shop: Shop) -> None:
    session = await shop.opened()
    assert await shop.topups.refund(shop.refund(session["id"], 100, 4990)) == NotExecuted("not_paid")
    assert await shop.topups.refund(shop.refund("cs_test_nobody", 100, 4990)) == NotExecuted("resource_missing")
    assert shop.world.all_of(reversals.REFUND) == []


async def test_a_refund_that_fails_in_the_end_counts_as_done_and_as_come_back(shop: Shop) -> None:
    session = await shop.opened()
    checkout.pay(shop.world, session)
    shop.world.hold_refunds.add(session["payment_intent"])
    assert isinstance(await shop.topups.refund(shop.refund(session["id"], 1000, 4990)), Pending)
    assert shop.world.things[session["payment_intent"]]["latest_charge"] is not None
    shop.world.saved.clear()  # days have passed: Stripe has forgotten the key, and the refund is there
    assert isinstance(await shop.topups.refund(shop.refund(session["id"], 1000, 4990, attempt=2)), Pending)
    assert await shop.topups.refund(shop.refund(session["id"], 999, 4990)) == Unknown("idempotency_key_reused")
    (refund,) = shop.world.all_of(reversals.REFUND)
    reversals.fail(shop.world, refund)
    again = await shop.topups.refund(shop.refund(session["id"], 1000, 4990, attempt=3))
    assert again == Declined(session["id"], "expired_or_canceled_card")
    assert [notice.observation for _, notice in shop.told()][-1] is None
    seen = await shop.topups.fetch(shop.target(session["id"]), shop.call())
    assert isinstance(seen, Settled)
    assert seen.totals.refunded == seen.totals.refunds_failed == Money(1000, "EUR")


async def test_a_disputed_payment_is_not_refunded_as_well(shop: Shop) -> None:
    session = await shop.opened()
    checkout.pay(shop.world, session)
    reversals.dispute(shop.world, session["payment_intent"])
    refused = await shop.topups.refund(shop.refund(session["id"], 1000, 4990))
    assert refused == NotExecuted("charge_disputed")


async def test_a_cancelled_session_is_expired_and_a_paid_one_stays_paid(shop: Shop) -> None:
    session = await shop.opened()
    expired = await shop.topups.cancel(shop.target(session["id"]), shop.call())
    assert expired == Declined(session["id"], "expired", retryable=True)
    other = await shop.opened(call=shop.call("another key"))
    checkout.pay(shop.world, other)
    assert isinstance(await shop.topups.cancel(shop.target(other["id"]), shop.call("other")), Settled)


@pytest.mark.parametrize(
    ("minor", "currency", "units"),
    [
        (500, "EUR", 500),
        (700, "JPY", 700),
        (500, "ISK", 50_000),
        (40_000, "UGX", 4_000_000),
        (50_000, "MGA", 500),
        (3_450, "KWD", 3_450),
        (17_534, "HUF", 17_534),
    ],
)
async def test_money_is_counted_as_stripe_counts_it(shop: Shop, minor: int, currency: str, units: int) -> None:
    session = await shop.opened(minor, currency)
    assert (session["amount_total"], session["currency"]) == (units, currency.lower())
    checkout.pay(shop.world, session)
    seen = await shop.topups.fetch(shop.target(session["id"]), shop.call())
    assert isinstance(seen, Settled)
    assert seen.totals.settled == Money(minor, currency)


@pytest.mark.parametrize(("minor", "currency"), [(3_455, "KWD"), (50_050, "MGA"), (49, "EUR"), (100, "XTS")])
async def test_money_that_stripe_does_not_take_is_never_asked_for(shop: Shop, minor: int, currency: str) -> None:
    assert isinstance(await shop.topups.create(shop.request(minor, currency)), NotExecuted)
    assert shop.asked == []


async def test_strange_words_are_made_to_fit_and_the_key_decides(shop: Shop) -> None:
    request = {
        "descriptor": '700 "Münzen" <für> Nova\'s Wunschvideo, mit vielen Grüßen ' * 6,
        "locale": "tlh-Latn",
        "metadata": {"a[b]": "dropped", "long" * 20: "dropped", "text": "x" * 501, "kept": "kept"},
    }
    session = await shop.opened(**request)
    assert session["locale"] == "auto"
    assert session["metadata"]["kept"] == "kept"
    assert "text" not in session["metadata"]
    assert (await shop.topups.create(shop.request(4990, **request))).ref == session["id"]  # type: ignore[union-attr]


async def test_a_key_that_stripe_does_not_take_is_a_refusal_and_not_a_doubt(shop: Shop) -> None:
    other = load_with(shop.url, secret_key={"env": "ANOTHER_KEY"})
    assert await other.topup("stripe").create(shop.request(4990)) == NotExecuted("not_permitted")
    seen = await other.topup("stripe").fetch(shop.target("cs_test_1"), shop.call())
    assert seen == Unknown("not_permitted")
    await other.aclose()
