"""A fan's own withdrawal: unspent coins of a purchase against their money, within a window, without a reason.

What counts as used of a purchase is the larger of the bought coins that were spent and the part of it that the
spent bonus coins belong to: granted coins are spent first, so whoever used the bonus has used its share of the
purchase. Of what goes back, the bonus goes back in proportion, rounded up, so that nothing is left of a bonus whose
purchase is gone.

Money is cumulative and whole: where a coin costs a minor unit or more, the last one is rounded up for the fan; where
it costs less, only whole minor units go back, and the coins of what is left stay. Units: coins, minor units, seconds.
Source: docs/adr/0020-given-back.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.domain import errors, ids, ledger
from shoutgraph.domain.checks import Checks
from shoutgraph.domain.ledger import Lot, LotMove
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.topups import booking
from shoutgraph.domain.topups.parts import Slice
from shoutgraph.domain.topups.refund import Refund, RefundState
from shoutgraph.domain.topups.topup import Topup

REASON: Final = "Withdrawal by the buyer"
TEXT_VERSION_CHARS_MAX: Final = 100
ANYWHERE: Final = "*"
"""In the policy's lists of countries: all that are not named."""
RETURNED: Final = frozenset({RefundState.FAILED, RefundState.DENIED})
"""Refunds whose bonus coins came back to where they were."""
COINS_PATH: Final = ("input", "coins")


@dataclass(frozen=True, slots=True)
class Rule:
    """What the law of a country asks for. `whole` says that a waived right is lost whole once anything is spent."""

    window: timedelta
    waiver_required: bool = False
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Waiver:
    """Two consents at the purchase: that its coins can be spent at once, and that the right then ends.

    `text_version` names the words that the fan read.
    """

    topup_id: ids.TopupId
    user_id: ids.UserId
    text_version: str
    policy_version: int
    begins_at: datetime
    loses_at: datetime


@dataclass(frozen=True, slots=True)
class Consents:
    """What a buyer ticks to waive the right: both, under words of this version."""

    begins: bool
    loses: bool
    text_version: str


@dataclass(frozen=True, slots=True)
class Used:
    """What became of a purchase. `left` is still in the wallet, `gone` went back or is about to."""

    gone: Slice
    left_coins: int
    spent_coins: int
    bonus_left_coins: int
    bonus_spent_coins: int
    bonus_gone_coins: int


@dataclass(frozen=True, slots=True)
class Offer:
    """What a withdrawal would give back now, and until when; `refusal` says why not, if it would not."""

    part: Slice
    bonus_coins: int
    withdrawable_coins: int
    until: datetime | None
    waiver: Waiver | None
    refusal: str | None = None


def rule_of(policy: Policy, country: str) -> Rule:
    """The rule of a country by the policy under which was bought."""
    windows = dict(policy.withdrawal_by_country)
    window_s = windows.get(country, windows.get(ANYWHERE, policy.withdrawal_s))
    required, partly = dict(policy.waiver_required_in), dict(policy.waiver_partly_in)
    return Rule(
        window=timedelta(seconds=window_s),
        waiver_required=bool(required.get(country, required.get(ANYWHERE, 0))),
        whole=not partly.get(country, partly.get(ANYWHERE, 0)),
    )


def check_consents(given: Consents) -> None:
    """Refuses a waiver with one consent alone, or without naming the words.

    Raises:
        ValidationError: a consent is missing, or the version of the text is empty, too long or has a hidden character
            (an `ExceptionGroup` where several are wrong).
    """
    checks = Checks("waiver")
    for name, ticked in (("beginsAtOnce", given.begins), ("rightEnds", given.loses)):
        if not ticked:
            checks.add(name, "A waiver takes both consents.", "CONSENT_REQUIRED")
    checks.text("textVersion", given.text_version, chars_max=TEXT_VERSION_CHARS_MAX)
    checks.settle()


def check_waived(rule: Rule, *, waived: bool) -> None:
    """Refuses a purchase without the consents that the buyer's country asks for.

    Raises:
        ValidationError: they are missing.
    """
    if rule.waiver_required and not waived:
        msg = "Coins are sold in this country with both consents only."
        raise errors.ValidationError(msg, code="CONSENT_REQUIRED", path=("input", "waiver"))


def used(topup: Topup, refunds: Sequence[Refund], lots: Sequence[Lot]) -> Used:
    """What became of a purchase.

    Args:
        refunds: those of the top-up that we asked for.
        lots: those that it granted, of both kinds.
    """
    gone, bonus_account = booking.taken_or_asked(topup, refunds), f"user:{topup.user_id}:promo"
    own = [lot for lot in lots if lot.account != bonus_account]
    bonus = [lot for lot in lots if lot.account == bonus_account]
    left = sum(lot.remaining for lot in own)
    taken = sum(each.bonus_coins for each in refunds if each.state not in RETURNED)
    again = sum(each.bonus_coins for each in refunds if each.state is RefundState.REVERSED)  # granted anew, as new lots
    away = sum(lot.granted - lot.remaining for lot in bonus)
    return Used(
        gone=gone,
        left_coins=left,
        spent_coins=max(0, topup.terms.coins - gone.coins - left),
        bonus_left_coins=sum(lot.remaining for lot in bonus),
        bonus_spent_coins=max(0, away - taken),
        bonus_gone_coins=taken - again,
    )


def withdrawable(topup: Topup, so_far: Used) -> int:
    """How many coins can go back: all that is not used, less what went back already."""
    coins, bonus = topup.terms.coins, topup.terms.bonus_coins
    kept = so_far.spent_coins
    if bonus:
        kept = max(kept, -(-so_far.bonus_spent_coins * coins // bonus))
    return max(0, min(coins - so_far.gone.coins - kept, so_far.left_coins))


def part_of(topup: Topup, so_far: Used, coins: int) -> tuple[Slice, int]:
    """The money and coins of a withdrawal of so many coins at most, and the bonus coins that go with them."""
    terms, gone = topup.terms, so_far.gone
    minor = -(-(gone.coins + coins) * terms.price_minor // terms.coins) - gone.minor
    part = booking.next_slice(topup, gone, minor)
    if part.coins > coins:
        part = booking.next_slice(topup, gone, minor - 1)
    if part.minor <= 0:
        return Slice(), 0
    target = -(-terms.bonus_coins * (gone.coins + part.coins) // terms.coins)
    return part, max(0, min(so_far.bonus_left_coins, target - so_far.bonus_gone_coins))


def bonus_moves(lots: Sequence[Lot], topup: Topup, coins: int) -> tuple[LotMove, ...]:
    """Takes bonus coins of the purchase, the oldest lot first."""
    account = f"user:{topup.user_id}:promo"
    return ledger.take([lot for lot in lots if lot.account == account and lot.remaining], coins)


def refusal_of(topup: Topup, so_far: Used, rule: Rule, *, waived: bool, now: datetime, since: datetime) -> str | None:
    """Why a fan cannot withdraw from this purchase, or None where they can."""
    if now >= since + rule.window:
        return "WITHDRAWAL_OVER"
    if waived and rule.whole and (so_far.spent_coins or so_far.bonus_spent_coins):
        return "WITHDRAWAL_WAIVED"
    return None if withdrawable(topup, so_far) else "WITHDRAWAL_SPENT"


def check(offer: Offer, coins: int | None) -> None:
    """Refuses a withdrawal that is not offered.

    Raises:
        ValidationError: the time is over, the right was waived, nothing is left, or more is asked for than is left.
    """
    if offer.refusal is not None:
        raise _refusal(offer.refusal)
    if coins is not None and not 1 <= coins <= offer.withdrawable_coins:
        msg = f"Of this purchase {offer.withdrawable_coins} coins can be withdrawn."
        raise errors.ValidationError(msg, code="REFUND_TOO_LARGE" if coins > 0 else "OUT_OF_RANGE", path=COINS_PATH)
    if not offer.part.minor:
        msg = "So few coins are worth less than the smallest coin of the currency."
        raise errors.ValidationError(msg, code="OUT_OF_RANGE", path=COINS_PATH)


def _refusal(code: str) -> errors.ValidationError:
    path = ("input", "topUpId")
    match code:
        case "WITHDRAWAL_OVER":
            msg = "The time to withdraw from this purchase is over."
            return errors.ValidationError(msg, code="WITHDRAWAL_OVER", path=path)
        case "WITHDRAWAL_WAIVED":
            msg = "You agreed that the right to withdraw ends once coins of this purchase are spent."
            return errors.ValidationError(msg, code="WITHDRAWAL_WAIVED", path=path)
        case "WITHDRAWAL_SPENT":
            msg = "All coins of this purchase are spent, or went back."
            return errors.ValidationError(msg, code="WITHDRAWAL_SPENT", path=path)
        case _:
            msg = "This purchase is not paid, or its payment is disputed."
            return errors.ValidationError(msg, code="REFUND_STATE", path=path)
