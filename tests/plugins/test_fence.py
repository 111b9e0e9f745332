"""Whatever goes wrong inside a plugin is unknown, never failed; only what was never called is not executed."""
# ruff: noqa: ARG001 -- protocols name their arguments

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.plugins.written import (
    EUR,
    NOW,
    SECRET,
    TOPUP_CAPS,
    Ticks,
    batch,
    call,
    offering,
    payout_of,
    request,
    topup_of,
    topup_plugin,
)

from shoutgraph.plugins.breaker import FAILURES_MAX, OPEN_S
from shoutgraph.plugins.fence import CallKind
from shoutgraph.plugins.providers import Providers
from shoutgraph.sdk import (
    Absent,
    BatchOutcome,
    Declined,
    Lookup,
    Money,
    NotExecuted,
    Paid,
    Pending,
    RefundRequest,
    Rejected,
    Settled,
    Target,
    Totals,
    Unknown,
)

pytestmark = pytest.mark.anyio

TARGET = Target("topup_1", "key_1", "ref")
REFUND = RefundRequest(call(), "ref", Money(400, "EUR"), EUR, "asked")
AT = datetime(2026, 5, 17, tzinfo=UTC)


async def broken(*args: object) -> object:
    raise RuntimeError(f"the key {SECRET} was refused")


async def exits(*args: object) -> object:
    raise SystemExit(2)


async def cancels_itself(*args: object) -> object:
    raise asyncio.CancelledError


async def times_out(*args: object) -> object:
    raise TimeoutError


async def hangs(*args: object) -> object:
    await asyncio.sleep(60)


async def hangs_on(*args: object) -> object:
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        try:
            await asyncio.sleep(0.5)
        except asyncio.CancelledError:  # this is what a bad plugin does
            continue


async def says_nothing(*args: object) -> object:
    return None


async def says_true(*args: object) -> object:
    return True


async def says_absent(*args: object) -> object:
    return Absent()


async def says_paid(*args: object) -> object:
    return Paid("ref", EUR, AT)


async def declines(*args: object) -> object:
    return Declined("ref", "card_declined")


def not_async(*args: object) -> object:
    return Pending("ref", timedelta(1))


WAYS_TO_GO_WRONG: Mapping[Callable[..., object], str] = {
    broken: "exception",
    exits: "exception",
    cancels_itself: "exception",
    times_out: "timeout",
    hangs: "timeout",
    hangs_on: "timeout",
    says_nothing: "invalid_answer",
    says_true: "invalid_answer",
    says_paid: "invalid_answer",
    not_async: "invalid_answer",
}


@pytest.mark.parametrize("way", WAYS_TO_GO_WRONG, ids=lambda way: way.__name__)
async def test_whatever_goes_wrong_in_a_call_is_unknown(way: Callable[..., object]) -> None:
    reason = WAYS_TO_GO_WRONG[way]
    methods = dict.fromkeys(("create", "fetch", "refund", "cancel"), way)
    topups = topup_of(methods).topup("one")
    short = call(milliseconds=50)
    answers = await asyncio.gather(
        topups.create(request(milliseconds=50)),
        topups.fetch(TARGET, short),
        topups.refund(RefundRequest(short, "ref", Money(400, "EUR"), EUR, "asked")),
        topups.cancel(TARGET, short),
    )
    assert [(type(each), each.reason) for each in answers] == [(Unknown, reason)] * 4


@pytest.mark.parametrize("way", WAYS_TO_GO_WRONG, ids=lambda way: way.__name__)
async def test_whatever_goes_wrong_with_a_batch_leaves_every_item_unknown(way: Callable[..., object]) -> None:
    payouts = payout_of({"submit": way, "fetch": way}).payout("one")
    outcome = await payouts.submit(batch(1, 2, milliseconds=50))
    assert {type(each) for each in outcome.items.values()} == {Unknown}
    targets = [Target("payout_0", "key_1"), Target("payout_1", "key_1")]
    seen = await payouts.fetch(targets, call(milliseconds=50))
    assert {name: type(each) for name, each in seen.items()} == {"payout_0": Unknown, "payout_1": Unknown}


async def test_only_a_fetch_may_say_absent() -> None:
    topups = topup_of(dict.fromkeys(("create", "fetch", "cancel"), says_absent)).topup("one")
    assert isinstance(await topups.create(request()), Unknown)
    assert isinstance(await topups.cancel(TARGET, call()), Unknown)
    assert await topups.fetch(TARGET, call()) == Absent()


async def test_a_broken_call_names_the_plugin_in_the_log_and_strikes_the_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outcome = await topup_of({"create": broken}).topup("one").create(request())
    assert outcome == Unknown("exception", detail="RuntimeError")
    assert "plugin written ((given)), instance one: the outcome of create topup_1 is unknown" in caplog.text
    assert "the key [secret] was refused" in caplog.text
    assert SECRET not in caplog.text


async def test_a_deadline_is_kept_even_by_a_plugin_that_swallows_its_cancellation() -> None:
    topups = topup_of({"create": hangs_on}).topup("one")
    started = time.monotonic()
    assert isinstance(await topups.create(request(milliseconds=50)), Unknown)
    assert time.monotonic() - started < 0.4


async def test_a_caller_that_goes_away_takes_the_call_with_it() -> None:
    cancelled = asyncio.Event()

    async def waits(*args: object) -> object:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    task = asyncio.create_task(topup_of({"create": waits}).topup("one").create(request()))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(1):
        await cancelled.wait()


async def test_what_the_plugin_declares_impossible_never_reaches_it() -> None:
    topups = topup_of({"create": broken, "refund": broken}).topup("one")
    refused = {
        "unsupported_currency": request(Money(1000, "USD")),
        "unsupported_country": request(country="FR"),
        "amount_out_of_range": request(Money(99, "EUR")),
        "amount_too_precise": request(Money(1001, "JPY")),
    }
    for code, each in refused.items():
        assert await topups.create(each) == NotExecuted(code)
    assert await topups.create(request(Money(50_001, "EUR"))) == NotExecuted("amount_out_of_range")
    assert await topups.create(request(Money(0, "JPY"))) == NotExecuted("amount_out_of_range")
    too_much = RefundRequest(call(), "ref", Money(1001, "EUR"), EUR, "asked")
    assert await topups.refund(too_much) == NotExecuted("refund_too_large")


async def test_a_batch_goes_whole_or_not_at_all() -> None:
    payouts = payout_of({"submit": broken}).payout("one")
    one_bad = await payouts.submit(batch(100, 0, 300))
    assert one_bad.items["payout_1"] == NotExecuted("amount_out_of_range")
    assert one_bad.items["payout_0"] == NotExecuted("batch_refused")
    too_large = await payouts.submit(batch(1, 2, 3, 4))
    assert set(too_large.items.values()) == {NotExecuted("batch_too_large")}
    assert (await payouts.submit(batch())).items == {}


async def test_a_batch_answer_is_cut_to_the_items_that_were_asked_for() -> None:
    async def submit(each: object) -> BatchOutcome:
        return BatchOutcome({"payout_0": Pending("a", timedelta(1)), "foreign": Pending("b", timedelta(1))}, "ref_1")

    outcome = await payout_of({"submit": submit}).payout("one").submit(batch(1, 2))
    assert outcome.items == {"payout_0": Pending("a", timedelta(1)), "payout_1": Unknown("not_answered")}
    assert outcome.batch_ref == "ref_1"


async def test_a_refusal_without_a_ref_says_nothing_of_an_earlier_attempt() -> None:
    async def submit(each: object) -> BatchOutcome:
        return BatchOutcome({"payout_0": Rejected(None, "closed"), "payout_1": Rejected("po_1", "closed")})

    payouts = payout_of({"submit": submit}).payout("one")
    first = batch(1, 2)
    again = replace(first, call=replace(first.call, attempt=2))
    assert (await payouts.submit(first)).items["payout_0"] == Rejected(None, "closed")
    assert (await payouts.submit(again)).items == {
        "payout_0": Unknown("closed"),
        "payout_1": Rejected("po_1", "closed"),
    }


async def test_a_batch_answer_with_something_else_in_it_is_unknown_for_all() -> None:
    async def submit(each: object) -> BatchOutcome:
        return BatchOutcome({"payout_0": Pending("a", timedelta(1)), "payout_1": "paid"})

    outcome = await payout_of({"submit": submit}).payout("one").submit(batch(1, 2))
    assert set(outcome.items.values()) == {Unknown("invalid_answer")}


def settling(minor: int, currency: str = "EUR", refunded: int = 0, failed: int = 0) -> Callable[..., object]:
    async def settle(*args: object) -> object:
        zero, back = Money(0, currency), Money(failed, currency)
        totals = Totals(Money(minor, currency), Money(refunded, currency), zero, refunds_failed=back)
        return Settled("ref", totals, AT)

    return settle


async def test_money_that_agrees_passes_unchanged() -> None:
    topups = topup_of({"create": settling(1000), "refund": settling(1000, refunded=400)}).topup("one")
    assert isinstance(await topups.create(request()), Settled)
    assert isinstance(await topups.refund(REFUND), Settled)


async def test_what_was_refunded_once_more_after_a_refund_failed_agrees() -> None:
    topups = topup_of({"refund": settling(1000, refunded=1400, failed=1000)}).topup("one")
    assert isinstance(await topups.refund(REFUND), Settled)


@pytest.mark.parametrize(
    ("settle", "reason"),
    [
        (settling(999), "amount_mismatch"),
        (settling(1001), "amount_mismatch"),
        (settling(1000, "USD"), "currency_mismatch"),
        (settling(1000, refunded=1001), "totals_mismatch"),
        (settling(1000, refunded=1501, failed=500), "totals_mismatch"),
        (settling(1000, refunded=400, failed=401), "totals_mismatch"),
    ],
)
async def test_money_that_does_not_agree_is_unknown_with_its_ref(settle: Callable[..., object], reason: str) -> None:
    topups = topup_of(dict.fromkeys(("create", "fetch", "cancel"), settle)).topup("one")
    target = Target("topup_1", "key_1", "ref", EUR)
    for seen in (
        await topups.create(request()),
        await topups.fetch(target, call()),
        await topups.cancel(target, call()),
    ):
        assert (type(seen), seen.reason, seen.ref) == (Unknown, reason, "ref")


async def test_a_refund_that_the_totals_do_not_show_is_unknown() -> None:
    outcome = await topup_of({"refund": settling(1000, refunded=399)}).topup("one").refund(REFUND)
    assert (type(outcome), outcome.reason) == (Unknown, "amount_mismatch")


async def test_a_payout_of_another_amount_is_unknown() -> None:
    async def submit(each: object) -> BatchOutcome:
        paid = Paid("ref", Money(2, "EUR"), AT)
        return BatchOutcome({"payout_0": paid, "payout_1": paid, "payout_2": Paid("ref", Money(3, "USD"), AT)})

    outcome = await payout_of({"submit": submit}).payout("one").submit(batch(1, 2, 3))
    assert [type(each) for each in outcome.items.values()] == [Unknown, Paid, Unknown]


async def open_breaker(registry: Providers) -> None:
    for _ in range(FAILURES_MAX):
        await registry.topup("one").create(request())


async def test_an_open_breaker_refuses_new_money_and_nothing_else(ticks: Ticks) -> None:
    methods = {"create": broken, "fetch": says_absent, "refund": settling(1000, refunded=400), "cancel": declines}
    registry = topup_of(methods, monotonic=ticks)
    await open_breaker(registry)
    topups = registry.topup("one")
    assert await topups.create(request()) == NotExecuted("breaker_open", retry_after=timedelta(seconds=OPEN_S))
    assert await topups.fetch(TARGET, call()) == Absent()
    assert isinstance(await topups.refund(REFUND), Settled)
    assert isinstance(await topups.cancel(TARGET, call()), Declined)
    assert topups.fence.open_breakers() == (CallKind.CREATE,)


async def test_an_open_breaker_lets_one_call_try_and_closes_when_it_goes_well(ticks: Ticks) -> None:
    answers = [broken] * (FAILURES_MAX + 1) + [declines] * 2
    calls = []

    async def create(each: object) -> object:
        calls.append(each)
        return await answers[len(calls) - 1](each)

    registry = topup_of({"create": create}, monotonic=ticks)
    await open_breaker(registry)
    topups = registry.topup("one")
    ticks.now_s += OPEN_S
    first, second = await asyncio.gather(topups.create(request()), topups.create(request()))
    assert (type(first), type(second)) == (Unknown, NotExecuted)
    assert isinstance(await topups.create(request()), NotExecuted)
    ticks.now_s += OPEN_S
    assert isinstance(await topups.create(request()), Declined)
    assert isinstance(await topups.create(request()), Declined)
    assert len(calls) == FAILURES_MAX + 3


async def test_declines_never_open_the_breaker_and_unavailability_does() -> None:
    async def unavailable(each: object) -> object:
        return NotExecuted("unavailable")

    declining, down = topup_of({"create": declines}), topup_of({"create": unavailable})
    for registry in (declining, down):
        await open_breaker(registry)
    assert isinstance(await declining.topup("one").create(request()), Declined)
    assert (await down.topup("one").create(request())).code == "breaker_open"


async def test_amounts_that_do_not_agree_do_not_open_the_breaker() -> None:
    registry = topup_of({"create": settling(1)})
    await open_breaker(registry)
    assert registry.topup("one").fence.open_breakers() == ()


async def test_a_breaker_is_of_one_instance() -> None:
    key = {"plugin": "written", "api_key": {"env": "KEY"}}
    registry = topup_of({"create": broken}, instances={"one": key, "two": key})
    await open_breaker(registry)
    assert isinstance(await registry.topup("two").create(request()), Unknown)


async def test_a_lookup_without_ref_is_made_only_where_the_provider_finds_by_key() -> None:
    caps = replace(TOPUP_CAPS, lookup=Lookup())
    topups = offering(topup_plugin({"fetch": says_absent}, caps=caps)).topup("one")
    assert await topups.fetch(Target("topup_1", "key_1"), call()) == Unknown("unsupported")
    assert await topups.fetch(TARGET, call()) == Absent()


async def test_a_provider_that_cannot_list_says_so() -> None:
    assert await topup_of({}).topup("one").list_since(NOW, call()) is None
    assert await topup_of({"list_since": broken}).topup("one").list_since(NOW, call()) is None
    assert await topup_of({"list_since": says_true}).topup("one").list_since(NOW, call()) is None
