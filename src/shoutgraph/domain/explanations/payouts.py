"""Why a payout has not arrived yet, and why earnings cannot be paid out yet: each cause with what ends it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shoutgraph.domain import errors, money, payout_limits
from shoutgraph.domain.explanations import explanation as say
from shoutgraph.domain.explanations.explanation import Explanation, Fact
from shoutgraph.domain.money import Money
from shoutgraph.domain.payout_holds import Hold, HoldRule
from shoutgraph.domain.payout_limits import Requested
from shoutgraph.domain.payouts import FAILED, IN_FLIGHT, HoldCode, Payout, PayoutReview, PayoutState
from shoutgraph.domain.policies import Policy

PAYOUTS: Final = "docs/GRAPHQL.md#coins-and-money"
POLICIES: Final = "docs/ORDERS.md#policies"
FEATURES: Final = "docs/GRAPHQL.md#what-is-on"

_REMEDIES: Final[Mapping[HoldCode, str]] = {
    HoldCode.IDENTITY: "The platform or the provider has to know who is paid: show it, and tell support.",
    HoldCode.TAX_PROFILE: "The tax profile is missing or incomplete: complete it.",
    HoldCode.RECIPIENT: "Money cannot go to this recipient now: payoutRecipientRefresh says what the provider needs.",
    HoldCode.RISK: "Finance looks at this payout before it goes; nothing has to be done.",
    HoldCode.LEGAL: "The law asks the platform to keep this money for now; support can say more.",
}
_REVIEWS: Final[Mapping[PayoutReview, str]] = {
    PayoutReview.AMOUNT_MISMATCH: "The provider shows another amount: two people of finance have to settle it.",
    PayoutReview.PAID_AFTER_FAILURE: "The provider says paid after it said no: two people of finance settle it.",
    PayoutReview.FAILED_AFTER_PAID: "The provider says no after it said paid: two people of finance settle it.",
    PayoutReview.UNKNOWN_FOR_LONG: "The provider has not said for long whether it paid; it goes out by no other way.",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What a creator's payouts depend on now. Units: coins.

    `feature_off` is why payouts are off for them, None where they are on.
    """

    pending_coins: int
    available_coins: int
    requested: Requested
    next_matures_at: datetime | None
    locked: bool
    feature_off: str | None


@dataclass(frozen=True, slots=True)
class Stop:
    """Why a payout that was approved would be held if it were sent now."""

    code: HoldCode
    note: str


def payout(of: Payout, stops: Sequence[Stop]) -> list[Explanation]:
    """Why a payout is where it is, the cause that counts first."""
    found = []
    if of.state is PayoutState.HELD:
        assert of.hold_code is not None, "what is held has a code"
        extra = [say.word("code", of.hold_code.value), *([] if of.note is None else [say.word("note", of.note)])]
        words = ["It is held since {updatedAt} with the code {code}.", _REMEDIES[of.hold_code]]
        found.append(_of(of, f"payout.held.{of.hold_code.value}", words, extra))
    elif of.state is PayoutState.REQUESTED:
        found.append(_of(of, "payout.awaits_finance", ["A person of finance has not decided about it yet."]))
    elif of.state is PayoutState.APPROVED and of.not_before is not None:
        words = ["The provider could not take it. It is sent again after {notBefore}."]
        found.append(_of(of, "payout.sent_again", words, [say.instant("notBefore", of.not_before)]))
    elif of.state is PayoutState.APPROVED:
        found.append(_of(of, "payout.approved", ["Finance approved it, and it is handed over next."]))
    elif of.state in IN_FLIGHT:
        words = ["The provider has it, or may have it. The coins stay set aside until it says that they arrived."]
        found.append(_of(of, "payout.with_provider", words))
    elif of.state in FAILED:
        found.append(_of(of, "payout.failed", ["No money left, and the earnings are available again."]))
    else:
        found.append(_of(of, "payout.settled", ["Nothing holds it: the provider said what became of it."]))
    found += [
        _of(of, f"payout.would_be_held.{stop.code.value}", [_REMEDIES[stop.code]], [say.word("note", stop.note)])
        for stop in stops
    ]
    if of.review is not None:
        found.append(_of(of, f"payout.review.{of.review.value}", [_REVIEWS[of.review]]))
    return found


def creator(standing: Standing, policy: Policy, *, now: datetime) -> list[Explanation]:
    """What a creator can be paid now, and everything that keeps them from more."""
    most = _most_coins(standing, policy)
    words = [
        "Of what was earned {available} are available and {pending} still wait in their hold.",
        "In the last day {lastDay} were asked for, and {dayMax} a day are paid out at most.",
        "A payout of at least {min} and at most {most} can be asked for now." if most else
        "Nothing can be asked for now: a payout is of at least {min}.",
    ]  # fmt: skip
    inputs = (
        say.coins("available", standing.available_coins),
        say.coins("pending", standing.pending_coins),
        say.coins("lastDay", standing.requested.day_coins),
        say.coins("min", policy.payout_min_coins),
        say.coins("dayMax", policy.payout_day_coins),
    )
    found = [_now("payout.limits", POLICIES, words, inputs, [say.coins("most", most)], policy)]
    if standing.next_matures_at is not None:
        words = ["Earnings wait for {hold} before they are available, so that a refund can still take them back."]
        words.append("The next ones are available at {maturesAt}.")
        given = [say.coins("pending", standing.pending_coins), say.seconds("hold", policy.earnings_hold_s)]
        came = [
            say.instant("maturesAt", standing.next_matures_at),
            say.span("remaining", max(standing.next_matures_at - now, now - now)),
        ]
        found.append(_now("earnings.hold", POLICIES, words, given, came, policy))
    if standing.locked:
        words = ["The account or its wallet is locked because a payment was reversed. Support can unlock it."]
        found.append(_now("payout.locked", PAYOUTS, words, [], [say.coins("most", 0)], policy))
    if standing.feature_off is not None:
        words = ["Payouts are not on for this person now: {reason}."]
        reason = [say.word("reason", standing.feature_off)]
        found.append(_now("payout.feature_off", FEATURES, words, reason, [say.coins("most", 0)], policy))
    return found


def waits(holds: Sequence[Hold], policy: Policy) -> list[Explanation]:
    """Why any payout that is asked for now would wait, each cause with what ends it; `creator` tells of a lock."""
    return [
        _now(f"payout.would_wait.{hold.rule.value}", PAYOUTS, [hold.remedy.words], _why(hold), _until(hold), policy)
        for hold in holds
        if hold.rule is not HoldRule.LOCKED
    ]


def _why(hold: Hold) -> list[Fact]:
    return [] if hold.reason is None else [say.word("reason", hold.reason)]


def _until(hold: Hold) -> list[Fact]:
    remedy = say.word("remedy", hold.remedy.code)
    return [remedy] if hold.until is None else [remedy, say.instant("until", hold.until)]


def _most_coins(standing: Standing, policy: Policy) -> int:
    """The largest payout that would not be refused now, by what refuses; 0 where every one would be."""
    requested = standing.requested
    most = min(
        standing.available_coins,
        policy.payout_day_coins - requested.day_coins,
        policy.payout_week_coins - requested.week_coins,
        policy.payout_month_coins - requested.month_coins,
    )
    for coins in range(most, most - money.BOOK_UNITS_PER_MINOR, -1):
        try:
            payout_limits.check_request(
                coins, available_coins=standing.available_coins, requested=requested, policy=policy
            )
        except errors.ValidationError:
            continue  # not worth whole minor units: one coin less may be
        except (errors.LimitExceededError, errors.InsufficientCoinsError):
            break
        return coins
    return 0


def _of(of: Payout, rule: str, words: Sequence[str], extra: Sequence[Fact] = ()) -> Explanation:
    inputs = (say.word("state", of.state.value), say.coins("coins", of.coins), say.instant("updatedAt", of.updated_at))
    outcome = [say.amount("amount", Money(of.amount_minor, of.currency))]
    return say.explain(rule, PAYOUTS, inputs=(*inputs, *extra), outcome=outcome, words=words)


def _now(
    rule: str, source: str, words: Sequence[str], inputs: Sequence[Fact], outcome: Sequence[Fact], policy: Policy
) -> Explanation:
    return say.explain(rule, source, inputs=inputs, outcome=outcome, words=words, policy_version=policy.version)
