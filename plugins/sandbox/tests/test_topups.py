"""Top-ups against the simulator over HTTP, through the loader and its fence."""

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shoutgraph.plugins.breaker import FAILURES_MAX
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
    TopUpOutcome,
    Totals,
    Unknown,
)

pytestmark = pytest.mark.anyio


def totals(
    settled: int, refunded: int = 0, disputed: int = 0, won: int = 0, lost: int = 0, *, failed: int = 0
) -> Totals:
    euros = [Money(minor, "EUR") for minor in (settled, refunded, disputed, settled * 2 // 100, won, lost, failed)]
    return Totals(*euros)


async def paid(world: Any, minor: int = 10_000) -> str:
    """A payment that the fan has paid; gives its ref."""
    outcome = await world.topups.create(world.request(minor))
    assert isinstance(outcome, NeedsAction)
    await world.control(f"payments/{outcome.ref}/pay", {})
    return outcome.ref


async def fetched(world: Any, ref: str | None = None, minor: int | None = None) -> TopUpOutcome | Absent:
    return await world.topups.fetch(world.target(ref, minor), world.call())


async def test_a_payment_needs_the_fan_and_settles_once_the_page_is_paid(world: Any) -> None:
    outcome = await world.topups.create(world.request(10_999))
    assert isinstance(outcome, NeedsAction)
    assert isinstance(outcome.action, Redirect)
    assert outcome.action.url == f"{world.served.url}/sandbox/checkout/{outcome.ref}"
    assert await fetched(world, outcome.ref, 10_999) == outcome
    left = await world.fan.post(outcome.action.url, data={"choice": "pay"})
    assert (left.status_code, left.headers["location"]) == (303, "https://shop.test/back?order=1")
    settled = await fetched(world, outcome.ref, 10_999)
    assert isinstance(settled, Settled)
    assert settled.totals == totals(10_999)


async def test_01_is_declined(world: Any) -> None:
    outcome = await world.topups.create(world.request(1001))
    assert (type(outcome), outcome.code) == (Declined, "card_declined")
    assert await fetched(world, outcome.ref) == outcome


async def test_02_needs_the_3d_secure_step(world: Any) -> None:
    outcome = await world.topups.create(world.request(1002))
    assert isinstance(outcome, NeedsAction)
    page = await world.fan.get(outcome.action.url)
    step = await world.fan.post(outcome.action.url, data={"choice": "pay"})
    await world.fan.post(step.headers["location"], data={"code": "1234"})
    assert 'value="pay"' not in page.text
    assert step.headers["location"] == f"{outcome.action.url}/verify"
    assert isinstance(await fetched(world, outcome.ref, 1002), Settled)


async def test_03_is_pending_and_then_paid(world: Any) -> None:
    outcome = await world.topups.create(world.request(1003))
    assert isinstance(outcome, Pending)
    await world.control("advance", {"seconds": 600})
    assert isinstance(await fetched(world, outcome.ref, 1003), Settled)


async def test_04_loses_the_answer_and_a_look_by_key_finds_the_money(world: Any) -> None:
    assert await world.topups.create(world.request(1004)) == Unknown("no_answer")
    settled = await fetched(world, None, 1004)
    assert isinstance(settled, Settled)
    again = await world.topups.create(world.request(1004))
    assert (type(again), again.ref) == (Settled, settled.ref)


async def test_05_is_too_slow_for_the_deadline_and_a_look_by_key_finds_it(world: Any) -> None:
    slow = world.request(1005, call=world.call(seconds=0.2))
    assert await world.topups.create(slow) == Unknown("timeout")
    assert isinstance(await fetched(world), Pending)
    await world.control("advance", {"seconds": 600})
    assert isinstance(await fetched(world, None, 1005), Settled)


async def test_05_answers_a_caller_who_waits(world: Any) -> None:
    assert isinstance(await world.topups.create(world.request(1005)), Pending)


async def test_06_is_declined_and_succeeds_late(world: Any) -> None:
    outcome = await world.topups.create(world.request(1006))
    assert isinstance(outcome, Declined)
    await world.control("advance", {"seconds": 600})
    assert isinstance(await fetched(world, outcome.ref, 1006), Settled)


async def test_07_is_paid_and_then_disputed(world: Any) -> None:
    ref = await paid(world, 1007)
    assert (await fetched(world, ref)).totals == totals(1007)
    await world.control("advance", {"seconds": 600})
    assert (await fetched(world, ref)).totals == totals(1007, disputed=1007)
    await world.control(f"payments/{ref}/dispute", {"outcome": "won"})
    assert (await fetched(world, ref)).totals == totals(1007, disputed=1007, won=1007)


async def test_08_settles_a_part_and_the_host_does_not_know_what_to_make_of_it(world: Any) -> None:
    ref = await paid(world, 1008)
    assert (await fetched(world, ref)).totals == totals(504)
    unknown = await fetched(world, ref, 1008)
    assert (type(unknown), unknown.reason, unknown.ref) == (Unknown, "amount_mismatch", ref)


async def test_09_settles_another_amount_and_the_host_does_not_know_what_to_make_of_it(world: Any) -> None:
    ref = await paid(world, 1009)
    assert (await fetched(world, ref)).totals == totals(1109)
    assert (await fetched(world, ref, 1009)).reason == "amount_mismatch"


async def test_the_same_key_and_payload_make_one_payment(world: Any) -> None:
    outcomes = await asyncio.gather(*(world.topups.create(world.request(10_000)) for _ in range(20)))
    assert len({each.ref for each in outcomes}) == 1
    listed = (await world.control("payments"))["payments"]
    assert len([each for each in listed if each["operation_id"] == f"topup_{world.serial}"]) == 1


async def test_the_same_key_with_another_payload_is_unknown_and_makes_nothing(world: Any) -> None:
    first = await world.topups.create(world.request(10_000))
    assert await world.topups.create(world.request(20_000)) == Unknown("idempotency_key_reused")
    assert await fetched(world) == first


async def test_a_payment_that_was_never_made_is_absent_by_ref_and_by_key(world: Any) -> None:
    assert await fetched(world) == Absent()
    assert await fetched(world, "pay_of_nobody") == Absent()


async def test_a_ref_of_another_payment_is_not_believed(world: Any) -> None:
    ref = await paid(world)
    other = Target("topup_x", "key_x", ref)
    assert await world.topups.fetch(other, world.call()) == Unknown("other_object")


async def test_refunds_add_up_and_stop_at_what_was_paid(world: Any) -> None:
    ref = await paid(world)
    first = await world.topups.refund(world.refund(ref, 3000, 10_000, "refund_1"))
    again = await world.topups.refund(world.refund(ref, 3000, 10_000, "refund_1"))
    second = await world.topups.refund(world.refund(ref, 7000, 10_000, "refund_2"))
    assert [each.totals.refunded.minor for each in (first, again, second)] == [3000, 3000, 10_000]
    too_much = await world.topups.refund(world.refund(ref, 1, 10_000, "refund_3"))
    assert too_much == NotExecuted("amount_too_large")
    other = await world.topups.refund(world.refund(ref, 2999, 10_000, "refund_1"))
    assert other == Unknown("idempotency_key_reused")


async def test_a_refund_of_an_unknown_payment_is_not_executed(world: Any) -> None:
    assert await world.topups.refund(world.refund("pay_of_nobody", 1, 2)) == NotExecuted("not_found")


async def test_a_refund_at_the_provider_itself_shows_in_the_totals(world: Any) -> None:
    ref = await paid(world)
    await world.control(f"payments/{ref}/refund", {"amount": 2500})
    assert (await fetched(world, ref)).totals == totals(10_000, refunded=2500)


async def test_a_refund_that_fails_after_all_stays_refunded_and_came_back(world: Any) -> None:
    ref = await paid(world)
    await world.topups.refund(world.refund(ref, 3000, 10_000, "refund_1"))
    await world.topups.refund(world.refund(ref, 7000, 10_000, "refund_2"))
    await world.control(f"payments/{ref}/fail-refund", {})
    assert (await fetched(world, ref)).totals == totals(10_000, refunded=10_000, failed=7000)
    again = await world.topups.refund(world.refund(ref, 7000, 10_000, "refund_2"))
    assert again.totals == totals(10_000, refunded=10_000, failed=7000)
    more = await world.topups.refund(world.refund(ref, 7000, 10_000, "refund_3"))
    assert more.totals == totals(10_000, refunded=17_000, failed=7000)
    assert await world.topups.refund(world.refund(ref, 1, 10_000, "refund_4")) == NotExecuted("amount_too_large")


async def test_a_cancelled_payment_cannot_be_paid_any_more(world: Any) -> None:
    outcome = await world.topups.create(world.request(10_000))
    cancelled = await world.topups.cancel(world.target(outcome.ref), world.call())
    assert (type(cancelled), cancelled.code) == (Declined, "cancelled")
    assert await world.control(f"payments/{outcome.ref}/pay", {}) == 409
    assert await fetched(world, outcome.ref) == cancelled


async def test_cancelling_a_paid_payment_shows_that_it_is_paid(world: Any) -> None:
    ref = await paid(world)
    assert isinstance(await world.topups.cancel(world.target(ref), world.call()), Settled)
    assert await world.topups.cancel(world.target("pay_of_nobody"), world.call()) == Unknown("not_found")


async def test_late_money_settles_an_expired_payment(world: Any) -> None:
    outcome = await world.topups.create(world.request(10_000))
    await world.control(f"payments/{outcome.ref}/expire", {})
    assert (await fetched(world, outcome.ref)).code == "expired"
    await world.control(f"payments/{outcome.ref}/pay", {})
    assert isinstance(await fetched(world, outcome.ref, 10_000), Settled)


@pytest.mark.parametrize(("minor", "currency"), [(5000, "JPY"), (12_345, "KWD"), (999, "USD")])
async def test_amounts_of_every_precision_come_back_exactly(world: Any, minor: int, currency: str) -> None:
    outcome = await world.topups.create(world.request(minor, currency))
    await world.control(f"payments/{outcome.ref}/pay", {})
    target = replace(world.target(outcome.ref), amount=Money(minor, currency))
    settled = await world.topups.fetch(target, world.call())
    assert settled.totals.settled == Money(minor, currency)


async def test_a_currency_that_is_not_declared_never_reaches_the_provider(world: Any) -> None:
    assert await world.topups.create(world.request(1000, "XAU")) == NotExecuted("unsupported_currency")
    assert await fetched(world) == Absent()


async def test_a_refused_connection_is_not_executed_and_a_look_is_unknown(world: Any) -> None:
    registry = world.loaded(base_url="http://127.0.0.1:1")
    topups = registry.topup("sandbox")
    assert await topups.create(world.request(1000)) == NotExecuted("unavailable")
    assert await topups.fetch(world.target(), world.call()) == Unknown("unavailable")
    await registry.aclose()


async def test_a_provider_that_is_down_opens_the_breaker_for_new_money_only(world: Any) -> None:
    registry = world.loaded(base_url="http://127.0.0.1:1")
    topups = registry.topup("sandbox")
    for _ in range(FAILURES_MAX):
        assert await topups.create(world.request(1000)) == NotExecuted("unavailable")
    assert (await topups.create(world.request(1000))).code == "breaker_open"
    assert await topups.fetch(world.target(), world.call()) == Unknown("unavailable")
    assert await topups.refund(world.refund("pay_1", 1, 2)) == NotExecuted("unavailable")
    await registry.aclose()


@pytest.mark.parametrize(
    ("way", "outcome", "looked"),
    [
        ("html", Unknown("unreadable"), Unknown("unreadable")),
        ("empty", Unknown("unreadable"), Unknown("unreadable")),
        ("other", Unknown("unreadable"), Unknown("unreadable")),
        ("moved", Unknown("unreadable"), Unknown("unreadable")),
        ("failing", Unknown("provider_error"), Unknown("provider_error")),
        ("gateway", Unknown("provider_error"), Unknown("provider_error")),
        ("away", Unknown("unreadable"), Unknown("unreadable")),
        ("busy", NotExecuted("rate_limited", timedelta(seconds=7)), Unknown("rate_limited")),
    ],
)
async def test_an_answer_that_makes_no_sense_is_unknown(
    world: Any, way: str, outcome: TopUpOutcome, looked: TopUpOutcome
) -> None:
    registry = world.loaded(base_url=f"{world.served.url}/broken/{way}")
    topups = registry.topup("sandbox")
    assert await topups.create(world.request(1000)) == outcome
    assert await topups.fetch(world.target(), world.call()) == looked
    await registry.aclose()


async def test_a_wrong_key_is_turned_away_at_the_door(world: Any) -> None:
    registry = world.loaded(api_key={"env": "SANDBOX_WEBHOOKS"})
    topups = registry.topup("sandbox")
    assert await topups.create(world.request(1000)) == NotExecuted("unauthorized")
    assert await topups.fetch(world.target(), world.call()) == Unknown("unauthorized")
    assert await world.control("payments", key="wrong") == 401
    await registry.aclose()


async def test_what_the_provider_has_can_be_listed_with_our_ids(world: Any) -> None:
    started = datetime.now(UTC)  # noqa: TID251 -- the simulator's own clock is the real one
    ref = await paid(world)
    listed = await world.topups.list_since(started, world.call())
    mine = [each for each in listed if each.target.ref == ref]
    assert [each.target for each in mine] == [world.target(ref, 10_000)]
    assert isinstance(mine[0].observation, Settled)


async def test_no_secret_is_logged_or_shown(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await world.topups.create(world.request(1004))
    await fetched(world)
    shown = caplog.text + repr(world.registry) + repr(world.topups.provider.__dict__)
    assert "sandbox-key-of-the-tests" not in shown
    assert "whsec_" not in shown


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"base_url": "not a url"}, "base_url: "),
        ({"base_url": "ftp://127.0.0.1"}, "base_url: "),
        ({"webhook_secrets": []}, "webhook_secrets: "),
        ({"webhook_secrets": [{"env": "SANDBOX_KEY"}]}, "webhook_secrets.0: "),
        ({"api_key": {"env": "NOT_THERE"}}, "api_key: "),
        ({"colour": "red"}, "colour: "),
    ],
)
async def test_a_wrong_configuration_names_the_field(world: Any, config: dict[str, object], told: str) -> None:
    details = [each.detail for each in world.loaded(**config).instances]
    assert all(told in detail for detail in details)
    assert not any("sandbox-key" in detail for detail in details)
