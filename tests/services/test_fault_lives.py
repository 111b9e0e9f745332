"""What providers tell wrongly, twice, too late or in the wrong order: books that do not move, or a mark for people."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from tests.services.cases import CASES, REVERSE, PayoutFetch, Refund, Submit
from tests.services.line import Line, open_line
from tests.services.simulation import quiet_logs
from tests.storage.databases import Place

from shoutgraph import sdk
from shoutgraph.domain import errors
from shoutgraph.domain.notices import NoticeState
from shoutgraph.domain.payouts import PayoutReview, PayoutState
from shoutgraph.domain.topups.refund import RefundState
from shoutgraph.domain.topups.topup import Review, Status
from shoutgraph.services import strays
from shoutgraph.services.topups import refund
from shoutgraph.testkit import faults
from shoutgraph.testkit.proxy import Which
from shoutgraph.testkit.upstreams import Act, Forgery

FORGED = (Forgery.WRONG_KEY, Forgery.CHANGED_BODY, Forgery.MISSING_SIGNATURE, Forgery.OLD, Forgery.FUTURE)


@pytest.fixture
def line(place: Place) -> Iterator[Line]:
    with quiet_logs(), open_line(place) as line:
        yield line
        line.prove()


@pytest.fixture
def case(line: Line) -> Refund:
    return Refund(line)


def told(line: Line, raw: sdk.RawWebhook, name: str, **changes: Any) -> sdk.RawWebhook:
    """A webhook of the provider that says something else, and is signed properly."""
    body = json.loads(raw.body)
    body["id"] = name
    body["payment"] |= changes
    text = json.dumps(body).encode()
    return replace(raw, body=text, headers=line.signed(name, text))


def test_webhooks_in_any_order_and_often_make_the_same_books(line: Line, case: Refund) -> None:
    for order in permutations(range(3)):
        topup = case.buy()
        line.act(Act.PAY, topup.id)
        line.act(Act.REFUND, topup.id, 300)
        line.act(Act.DISPUTE, topup.id)
        raws = line.deliveries()
        assert len(raws) == 3
        for at in order:
            assert line.deliver(raws[at], raws[at], raws[at])[1:] == [NoticeState.REPEATED] * 2
        after = case.topup(topup)
        assert (after.status, after.booked.refunded_minor, after.booked.disputed_minor) == (Status.DISPUTED, 300, 700)
        line.prove()


@pytest.mark.parametrize("how", FORGED)
def test_what_is_not_proven_now_changes_nothing(line: Line, case: Refund, how: Forgery) -> None:
    topup = case.buy()
    line.act(Act.PAY, topup.id)
    (raw,) = line.deliveries()
    assert line.deliver(line.forged(raw, how)) == ["BAD_SIGNATURE"]
    assert case.topup(topup).status is Status.ACTION_REQUIRED
    assert line.deliver(raw, raw) == [NoticeState.APPLIED, NoticeState.REPEATED]


def test_a_webhook_that_is_faster_than_the_answer_is_not_undone_by_it(line: Line, case: Refund) -> None:
    async def paid() -> None:
        operation = json.loads(line.proxy.asked[-1].body)["operation_id"]
        await line.far.run(line.upstream.act(Act.PAY, operation))
        for raw in await line.far.run(line.upstream.deliveries()):
            assert await line.arrive(raw) is NoticeState.APPLIED

    line.before_answer(paid)
    topup = case.buy()
    assert (topup.status, line.world.wallet(case.fan)[0]) == (Status.PAID, 1_000)


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize(
    ("act", "money", "review"),
    [
        (Act.PAY_OTHER_AMOUNT, sdk.Money(999, "EUR"), Review.AMOUNT_MISMATCH),
        (Act.PAY_OTHER_AMOUNT, sdk.Money(1_001, "EUR"), Review.AMOUNT_MISMATCH),
        (Act.PAY_OTHER_CURRENCY, sdk.Money(1_000, "USD"), Review.CURRENCY_MISMATCH),
    ],
    ids=str,
)
def test_other_money_than_was_asked_for_is_never_credited(
    line: Line, case: Refund, act: Act, money: sdk.Money, review: Review, *, heard: bool
) -> None:
    topup = case.buy()
    line.apart.add(topup.id)
    line.act(act, topup.id, money.minor, money.currency)
    raws = line.deliveries()
    if heard:
        line.deliver(*raws)
    line.pass_days()
    after = case.topup(topup)
    assert (after.status, after.review, after.booked.credited) == (Status.NEEDS_REVIEW, review, False)
    assert line.world.wallet(case.fan) == (0, 0, 0)


def test_money_of_a_payment_that_we_never_asked_for_waits_for_people(line: Line) -> None:
    name, url = "topup_of_nobody", "https://fan.example"
    call = sdk.Call(name, name, timedelta(seconds=5))
    request = sdk.TopUpRequest(call, sdk.Money(500, "EUR"), "nobody", "DE", "en", url, url, url, "Coins")
    line.world.run(line.world.tools.providers.topups["sandbox"].create(request))
    line.act(Act.PAY, name)
    assert line.deliver(*line.deliveries()) == [NoticeState.UNMATCHED]
    line.tick()
    (stray,) = line.world.read(strays.list_of)
    assert (stray.operation_id, stray.amount and stray.amount.minor) == (name, 500)
    assert line.cash("sandbox") == 490, "it is in suspense, less the fee"


def test_totals_that_contradict_each_other_move_nothing_and_are_flagged(line: Line, case: Refund) -> None:
    wrong = (
        {"refunded": 1_001},
        {"disputes_lost": 1},
        {"disputed": 1_000, "disputes_won": 1_000, "disputes_lost": 1_000},
    )
    for number, changes in enumerate(wrong):
        topup = case.buy()
        line.act(Act.PAY, topup.id)
        (raw,) = line.deliveries()
        assert line.deliver(raw, told(line, raw, f"contradiction-{number}", **changes))[1] is NoticeState.APPLIED
        after = case.topup(topup)
        assert (after.status, after.review) == (Status.PAID, Review.TOTALS_MISMATCH)
        assert after.booked.reversed_minor == 0


def test_a_dispute_that_is_won_after_it_was_lost_is_for_people(line: Line, case: Refund) -> None:
    topup = case.paid()
    line.apart.add(topup.id)
    line.act(Act.DISPUTE, topup.id)
    line.act(Act.LOSE, topup.id)
    raws = line.deliveries()
    line.deliver(*raws)
    assert case.topup(topup).status is Status.REFUNDED
    assert line.deliver(told(line, raws[-1], "won after all", disputes_won=1_000)) == [NoticeState.APPLIED]
    after = case.topup(topup)
    assert (after.review, after.booked.reversed_minor) == (Review.TOTALS_MISMATCH, 1_000)


def test_a_dispute_of_what_is_left_after_a_refund_takes_the_rest(line: Line, case: Refund) -> None:
    case.prepare()
    case.call()
    line.act(Act.DISPUTE, case.made.id)
    line.act(Act.LOSE, case.made.id)
    line.deliver(*reversed(line.deliveries()))
    after = case.topup(case.made)
    assert (after.totals.refunded_minor, after.totals.lost_minor) == (400, 600)
    assert (after.status, after.booked.reversed_minor, after.review) == (Status.REFUNDED, 1_000, None)
    assert line.world.wallet(case.fan) == (0, 0, 0)


def test_more_is_never_given_back_than_was_paid(line: Line, case: Refund) -> None:
    case.prepare()
    case.call()
    finance = line.world.staff("finance")
    wish = refund.Wish(case.made.id, "regret", 601)
    with pytest.raises(errors.ValidationError):
        line.world.run(
            refund.refund(
                line.world.tools, finance, line.world.request("refundCreate", finance), wish, reverse_orders=REVERSE
            )
        )
    line.act(Act.REFUND, case.made.id, 600)  # by its own dashboard, and we did not hear of it
    line.deliveries()
    case.call()
    assert case.failed, "the provider refused, and had given back before"
    line.pass_days()
    line.tick(days=7)
    assert case.topup(case.made).booked.refunded_minor == 1_000


@pytest.mark.parametrize("call", ["create", "fetch", "refund", "cancel"])
def test_an_answer_about_another_payment_says_nothing_of_this_one(line: Line, call: str) -> None:
    stranger = Refund(line).paid()
    (there,) = Refund(line).objects(stranger)
    case = CASES[call](line)
    case.prepare()
    which = Which.ANY if call == "fetch" else Which.MONEY
    line.proxy.plan(faults.saying("another payment", json.dumps(there).encode()), which=which)
    case.call()
    assert line.proxy.hurt_count == 1
    assert case.doubted
    case.end()


def test_a_provider_that_forgot_what_it_told_us_takes_nothing_back(line: Line, case: Refund) -> None:
    topup = case.buy()
    (there,) = case.objects(topup)
    line.act(Act.PAY, topup.id)
    line.deliver(*line.deliveries())
    restored = faults.saying("an old state", json.dumps(there).encode())
    line.proxy.plan(restored, which=Which.ANY, times=3)
    for _ in range(3):
        line.tick(days=7)
    assert case.topup(topup).status is Status.PAID
    assert line.world.wallet(case.fan)[0] == 1_000


@pytest.mark.parametrize(("days", "heard"), [(29, False), (31, True)])
def test_a_payout_that_comes_back_after_a_month_is_booked(line: Line, days: int, *, heard: bool) -> None:
    """Within the window a look finds it; beyond it the provider has to tell us."""
    payout = PayoutFetch(line)
    payout.prepare()
    payout.call()
    assert payout.now.state is PayoutState.PAID
    for _ in range(days):
        line.tick(days=1)
    line.act(Act.RETURN, payout.items()[0]["id"])
    raws = line.deliveries()
    if heard:
        line.deliver(*raws)
    line.tick(days=2)
    assert payout.now.state is PayoutState.RETURNED


def test_a_payout_that_is_rejected_and_then_paid_is_for_people(line: Line) -> None:
    payout = Submit(line)
    payout.prepare()
    payout.call()
    ref = payout.items()[0]["id"]
    line.act(Act.REJECT, ref)
    (raw,) = line.deliveries()
    assert line.deliver(raw) == [NoticeState.APPLIED]
    body = json.loads(raw.body)
    body |= {"id": "changed our mind"}
    body["payout"] |= {"status": "paid", "paid_at": body["created_at"], "code": None}
    text = json.dumps(body).encode()
    line.deliver(replace(raw, body=text, headers=line.signed("changed our mind", text)))
    assert (payout.now.state, payout.now.review) == (PayoutState.REJECTED, PayoutReview.PAID_AFTER_FAILURE)


def test_after_the_window_of_its_key_a_refund_is_not_asked_for_again(line: Line, case: Refund) -> None:
    case.prepare()
    line.proxy.plan(faults.DROPPED_BEFORE, times=10_000)
    case.call()
    for _ in range(31):
        line.tick(days=1)
    sent = len(line.proxy.changes())
    for _ in range(3):
        line.tick(days=1)
    assert len(line.proxy.changes()) == sent
    assert case.state is RefundState.UNKNOWN
    assert line.world.wallet(case.fan)[0] == 600, "its coins stay set aside"
