"""Payouts: who decides, what a look may change, and that the books follow each ending once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from shoutgraph.domain import batches, errors, ids, payout_limits, payout_looks, payouts
from shoutgraph.domain.payouts import (
    Effect,
    HoldCode,
    Payout,
    PayoutReview,
    PayoutState,
    PaySeen,
    Sighting,
)
from shoutgraph.domain.policies import FIRST as POLICY

T0 = datetime(2026, 1, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def payout(state: PayoutState = PayoutState.REQUESTED, **changes: Any) -> Payout:
    fresh = Payout(
        id=ids.PayoutId("payout_01040g2081040g2081040g2081"),
        revision=1,
        creator_id=ids.CreatorId("creator_01040g2081040g2081040g2081"),
        recipient_id="recipient_01040g2081040g2081040g2081",
        instance="sandbox",
        coins=1_000,
        amount_minor=1_000,
        currency="EUR",
        key="key",
        created_at=T0,
        updated_at=T0,
        state=state,
    )
    return replace(fresh, **changes)


def sent(**changes: Any) -> Payout:
    return replace(payouts.submitting(payout(PayoutState.APPROVED), batch_id="batch", now=T0), **changes)


def look(seen: PaySeen, at: int = 1, **changes: Any) -> Sighting:
    money = {"amount_minor": 1_000, "currency": "EUR"} if seen in {PaySeen.PAID, PaySeen.RETURNED} else {}
    return Sighting(seen, T0 + at * SECOND, **(money | changes))


def observe(before: Payout, sighting: Sighting, **proofs: bool) -> payouts.Seen:
    return payouts.observe(before, sighting, **({"absence_proves": False, "first_answer": False} | proofs))


@pytest.mark.parametrize(
    ("sighting", "state", "effects"),
    [
        (look(PaySeen.PAID, ref="r"), PayoutState.PAID, (Effect.PAID,)),
        (look(PaySeen.RETURNED, ref="r", code="AC04"), PayoutState.RETURNED, (Effect.PAID, Effect.RETURNED)),
        (look(PaySeen.REJECTED, code="AC01"), PayoutState.REJECTED, (Effect.FAILED,)),
        (look(PaySeen.PENDING, ref="r"), PayoutState.SUBMITTED, ()),
        (look(PaySeen.UNKNOWN, code="timeout"), PayoutState.UNKNOWN, ()),
        (look(PaySeen.NOT_EXECUTED, code="refused"), PayoutState.NOT_EXECUTED, (Effect.FAILED,)),
    ],
)
def test_the_first_answer_decides(sighting: Sighting, state: PayoutState, effects: tuple[Effect, ...]) -> None:
    seen = observe(sent(), sighting, first_answer=True)
    assert (seen.payout.state, seen.effects) == (state, effects)


def test_not_executed_proves_nothing_after_an_attempt_that_may_have_arrived() -> None:
    seen = observe(sent(), look(PaySeen.NOT_EXECUTED, code="refused"))
    assert (seen.payout.state, seen.effects) == (PayoutState.UNKNOWN, ())


def test_a_provider_that_is_down_gets_the_same_payout_later_and_not_for_ever() -> None:
    out = payout(PayoutState.APPROVED)
    for attempt in range(1, payouts.ATTEMPTS_MAX):
        seen = observe(
            payouts.submitting(out, batch_id="batch", now=T0),
            look(PaySeen.NOT_EXECUTED, code="unavailable"),
            first_answer=True,
        )
        out = seen.payout
        assert (out.state, out.attempts, out.key, seen.effects) == (PayoutState.APPROVED, attempt, "key", ())
        assert out.not_before is not None
        assert out.not_before > T0
    last = payouts.submitting(out, batch_id="batch", now=T0)
    seen = observe(last, look(PaySeen.NOT_EXECUTED, code="unavailable"), first_answer=True)
    assert (seen.payout.state, seen.effects) == (PayoutState.NOT_EXECUTED, (Effect.FAILED,))


def test_unknown_stays_unknown_until_somebody_knows() -> None:
    lost = observe(sent(), look(PaySeen.UNKNOWN, code="timeout"), first_answer=True).payout
    for hours in (1, 24, 24 * 365):
        again = observe(lost, look(PaySeen.UNKNOWN, at=hours * 3_600)).payout
        assert again.state is PayoutState.UNKNOWN
        absent = observe(lost, look(PaySeen.ABSENT, at=hours * 3_600)).payout
        assert absent.state is PayoutState.UNKNOWN


def test_a_proven_absence_gives_the_earnings_back() -> None:
    lost = sent(state=PayoutState.UNKNOWN)
    seen = observe(lost, look(PaySeen.ABSENT), absence_proves=True)
    assert (seen.payout.state, seen.effects) == (PayoutState.NOT_EXECUTED, (Effect.FAILED,))


def test_what_the_provider_once_named_is_not_absent() -> None:
    lost = sent(state=PayoutState.UNKNOWN, ref="r")
    assert observe(lost, look(PaySeen.ABSENT), absence_proves=True).payout.state is PayoutState.UNKNOWN


def test_paid_and_returned_end_alike_in_every_order() -> None:
    looks = [look(PaySeen.PENDING), look(PaySeen.PAID), look(PaySeen.PAID, at=2), look(PaySeen.RETURNED, code="X")]
    for order in permutations(looks):
        out, effects = sent(), []
        for each in order:
            seen = observe(out, each)
            out, effects = seen.payout, [*effects, *seen.effects]
        assert out.state is PayoutState.RETURNED
        assert effects == [Effect.PAID, Effect.RETURNED]


def test_another_amount_is_not_believed() -> None:
    for changes in ({"amount_minor": 999}, {"currency": "USD"}):
        for seen in (PaySeen.PAID, PaySeen.RETURNED):
            after = observe(sent(), look(seen, **changes))
            assert (after.payout.state, after.effects) == (PayoutState.SUBMITTING, ())
            assert after.payout.review is PayoutReview.AMOUNT_MISMATCH


def test_money_that_left_after_a_failure_is_flagged_and_not_booked_twice() -> None:
    rejected = observe(sent(), look(PaySeen.REJECTED, code="X")).payout
    after = observe(rejected, look(PaySeen.PAID))
    assert (after.payout.state, after.effects) == (PayoutState.REJECTED, ())
    assert after.payout.review is PayoutReview.PAID_AFTER_FAILURE


def requeued(**changes: Any) -> Payout:
    refused = observe(sent(), look(PaySeen.NOT_EXECUTED, code="unavailable"), first_answer=True).payout
    return replace(refused, **changes)


@pytest.mark.parametrize("state", [PayoutState.APPROVED, PayoutState.HELD])
@pytest.mark.parametrize(
    ("sighting", "after", "effects"),
    [
        (look(PaySeen.PAID), PayoutState.PAID, (Effect.PAID,)),
        (look(PaySeen.RETURNED, code="X"), PayoutState.RETURNED, (Effect.PAID, Effect.RETURNED)),
        (look(PaySeen.PENDING), PayoutState.SUBMITTED, ()),
        (look(PaySeen.REJECTED, code="X"), PayoutState.REJECTED, (Effect.FAILED,)),
        (look(PaySeen.ABSENT), None, ()),
        (look(PaySeen.UNKNOWN), None, ()),
    ],
)
def test_what_was_ever_sent_may_turn_out_to_be_there(
    state: PayoutState, sighting: Sighting, after: PayoutState | None, effects: tuple[Effect, ...]
) -> None:
    seen = observe(requeued(state=state), sighting)
    assert (seen.payout.state, seen.effects) == (after or state, effects)


def test_money_on_a_payout_that_was_never_sent_is_flagged() -> None:
    for state in (PayoutState.REQUESTED, PayoutState.HELD, PayoutState.APPROVED):
        seen = observe(payout(state), look(PaySeen.PAID))
        assert (seen.payout.state, seen.payout.review) == (state, PayoutReview.PAID_AFTER_FAILURE)


def test_where_money_was_seen_no_failure_is_believed() -> None:
    strange = observe(sent(state=PayoutState.UNKNOWN), look(PaySeen.PAID, amount_minor=999)).payout
    for sighting in (look(PaySeen.REJECTED, code="X"), look(PaySeen.ABSENT)):
        seen = observe(strange, sighting, absence_proves=True)
        assert (seen.payout.state, seen.effects) == (PayoutState.UNKNOWN, ())


def test_coins_go_back_only_when_every_attempt_is_cleared() -> None:
    out = requeued(attempts=2)
    for cleared in (0, 1):
        with pytest.raises(errors.ValidationError):
            payouts.cancel(out, now=T0, cleared=cleared)
    assert payouts.cancel(out, now=T0, cleared=2).effects == (Effect.FAILED,)


@pytest.mark.parametrize("state", [PayoutState.HELD, PayoutState.APPROVED])
def test_a_flagged_payout_neither_goes_nor_comes_back(state: PayoutState) -> None:
    flagged = payouts.flagged(payout(state), PayoutReview.PAID_AFTER_FAILURE, now=T0)
    for name, decide in DECISIONS:
        if name != "hold":
            with pytest.raises(errors.ValidationError):
                decide(flagged)


def test_a_rejection_after_paid_is_flagged() -> None:
    paid = observe(sent(), look(PaySeen.PAID)).payout
    after = observe(paid, look(PaySeen.REJECTED, code="X"))
    assert (after.payout.state, after.effects) == (PayoutState.PAID, ())
    assert after.payout.review is PayoutReview.FAILED_AFTER_PAID


DECISIONS = (
    ("approve", lambda out: payouts.approve(out, by="finance", now=T0)),
    ("hold", lambda out: payouts.hold(out, code=HoldCode.RISK, note="Look", by="finance", now=T0)),
    ("deny", lambda out: payouts.deny(out, note="No", by="finance", now=T0)),
    ("cancel", lambda out: payouts.cancel(out, now=T0)),
)


@pytest.mark.parametrize("state", PayoutState)
@pytest.mark.parametrize(("name", "decide"), DECISIONS)
def test_finance_decides_only_what_is_not_sent(state: PayoutState, name: str, decide: Any) -> None:
    if state in payouts.WAITING or (state is PayoutState.APPROVED and name != "approve"):
        decide(payout(state))
        return
    with pytest.raises(errors.ValidationError) as refused:
        decide(payout(state))
    assert refused.value.code == "PAYOUT_STATE"


@pytest.mark.parametrize("note", ["", "  ", "x" * 1_001])
def test_a_hold_says_why(note: str) -> None:
    with pytest.raises(errors.ValidationError):
        payouts.hold(payout(), code=HoldCode.RISK, note=note, by="finance", now=T0)


def test_a_request_keeps_to_the_limits() -> None:
    def check(coins: int, available: int = 10**6, *spent: int, policy: Any = POLICY) -> None:
        requested = payout_limits.Requested(*(spent or (0,)))
        payout_limits.check_request(coins, available_coins=available, requested=requested, policy=policy)

    check(POLICY.payout_min_coins)
    check(POLICY.payout_day_coins)
    for coins, available, spent, code in (
        (POLICY.payout_min_coins - 1, 10**6, (0,), "PAYOUT_MIN"),
        (POLICY.payout_day_coins + 1, 10**6, (0,), "PAYOUT_DAY"),
        (1_000, 10**6, (POLICY.payout_day_coins - 999,), "PAYOUT_DAY"),
        (1_000, 10**6, (0, POLICY.payout_week_coins - 999), "PAYOUT_WEEK"),
        (1_000, 10**6, (0, 0, POLICY.payout_month_coins - 999), "PAYOUT_MONTH"),
        (1_001, 1_000, (0,), "INSUFFICIENT_COINS"),
    ):
        with pytest.raises(errors.ShoutgraphError) as refused:
            check(coins, available, *spent)
        assert refused.value.code == code
    with pytest.raises(errors.ValidationError) as uneven:
        check(1_001, policy=replace(POLICY, par_units=50))
    assert uneven.value.code == "PAYOUT_NOT_WHOLE"


def test_the_key_is_the_same_for_the_same_request_and_no_other() -> None:
    keys = {payouts.key_of("creator:a:avail", 1), payouts.key_of("creator:a:avail", 2), payouts.key_of("b", 1)}
    assert len(keys) == 3
    assert payouts.key_of("creator:a:avail", 1) in keys
    assert batches.key_of(["a", "b"]) == batches.key_of(["b", "a"])
    assert batches.key_of(["a"]) != batches.key_of(["a", "b"])


def test_the_last_look_at_paid_money_is_when_it_can_come_back_no_more() -> None:
    paid = observe(sent(), look(PaySeen.PAID, ref="r")).payout
    assert paid.paid_at is not None
    window = timedelta(days=30)

    def next_look(days: int, *, answered: bool = True) -> datetime | None:
        now = paid.paid_at + timedelta(days=days)  # type: ignore[operator]
        return payout_looks.next_look(
            paid, answer_due_at=now, return_window=window, looks=0, now=now, answered=answered
        )

    assert next_look(7) == paid.paid_at + timedelta(days=14)
    assert next_look(28) == paid.paid_at + window
    assert next_look(30, answered=False) == paid.paid_at + timedelta(days=31)
    assert next_look(30) is None
