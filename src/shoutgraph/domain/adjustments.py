"""What is given back of an order after its end: the order stays as it ended, and its adjustments say what followed.

A *refund* takes the coins from who got them, and so is possible while the earning is pending. *Goodwill* is the
platform's own cost, for which two people stand. Both go back to the lots that paid, granted coins as granted ones, and
together never exceed what the fan paid. Units: coins. Source: docs/adr/0020-given-back.md.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType

from shoutgraph.domain import errors, fees, ids
from shoutgraph.domain.checks import Checks

AdjustmentId = NewType("AdjustmentId", str)

NOTE_CHARS_MAX: Final = 500
PERSON_CHARS_MAX: Final = 200
OF_ORDER_MAX: Final = 20
"""The most adjustments of one order: so many are read, and no more are made."""


class AdjustmentKind(StrEnum):
    """Who bears it."""

    REFUND = "REFUND"
    GOODWILL = "GOODWILL"


class AdjustmentState(StrEnum):
    """Where an adjustment stands."""

    PROPOSED = "PROPOSED"
    DONE = "DONE"
    DENIED = "DENIED"


class AdjustmentReason(StrEnum):
    """Why something is given back."""

    QUALITY = "QUALITY"
    NOT_AS_ORDERED = "NOT_AS_ORDERED"
    LATE = "LATE"
    TECHNICAL = "TECHNICAL"
    DUPLICATE = "DUPLICATE"
    UNAUTHORISED = "UNAUTHORISED"
    COURTESY = "COURTESY"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Adjustment:
    """Coins that are given back of an order that has ended.

    `paid_coins` and `promo_coins` are what the fan got, `creator_coins` and `fee_coins` who gave it: nothing of either
    is goodwill. All four are 0 until it is done. `note` is for staff, and is blanked when its writer or the fan is
    erased.
    """

    id: AdjustmentId
    order_id: ids.OrderId
    fan_id: ids.UserId
    creator_id: ids.CreatorId
    kind: AdjustmentKind
    state: AdjustmentState
    reason: AdjustmentReason
    note: str | None
    coins: int
    proposed_by: str
    proposed_at: datetime
    paid_coins: int = 0
    promo_coins: int = 0
    creator_coins: int = 0
    fee_coins: int = 0
    decided_by: str | None = None
    decided_at: datetime | None = None


def check(coins: int, note: str | None) -> None:
    """Refuses what cannot be given back, and a note that breaks a rule.

    Raises:
        ValidationError: the coins are less than one, or the note is empty, too long or has a hidden character (an
            `ExceptionGroup` where both are wrong).
    """
    checks = Checks()
    if coins < 1:
        checks.add("coins", "At least one coin is given back.", "OUT_OF_RANGE")
    if note is not None:
        checks.text("note", note, chars_max=NOTE_CHARS_MAX, lines=True)
    checks.settle()


def check_left(coins: int, left_coins: int) -> None:
    """Refuses to give back more than is left of what the fan paid.

    Raises:
        ValidationError: it is more.
    """
    if coins > left_coins:
        msg = f"Of this order {left_coins} coins are left to give back."
        raise errors.ValidationError(msg, code="REFUND_TOO_LARGE", path=("input", "coins"))


def refunded(adjustment: Adjustment, parts: fees.Refund) -> Adjustment:
    """The refund with who gave and who got what."""
    fee = parts.fee_paid_coins + parts.fee_promo_coins
    return replace(
        adjustment,
        state=AdjustmentState.DONE,
        paid_coins=parts.paid_coins,
        promo_coins=parts.promo_coins,
        creator_coins=adjustment.coins - fee,
        fee_coins=fee,
        decided_at=adjustment.proposed_at,
    )


def approved(adjustment: Adjustment, parts: fees.Refund, *, by: str, now: datetime) -> Adjustment:
    """The goodwill that another person let go: the platform bears it whole."""
    decided = _decided(adjustment, AdjustmentState.DONE, by=by, now=now)
    return replace(decided, paid_coins=parts.paid_coins, promo_coins=parts.promo_coins)


def denied(adjustment: Adjustment, *, by: str, now: datetime) -> Adjustment:
    """The goodwill that was not given; who proposed it may take it back."""
    return _decided(adjustment, AdjustmentState.DENIED, by=by, now=now)


def check_open(adjustment: Adjustment) -> None:
    """Refuses to decide twice.

    Raises:
        ValidationError: it is decided.
    """
    if adjustment.state is not AdjustmentState.PROPOSED:
        msg = f"This adjustment is {adjustment.state} already."
        raise errors.ValidationError(msg, code="ADJUSTMENT_STATE", path=("input", "adjustmentId"))


def check_second(adjustment: Adjustment, *, by: str) -> None:
    """Refuses to let somebody approve what they proposed.

    Raises:
        ForbiddenError: it is the same person.
    """
    if by == adjustment.proposed_by:
        raise errors.ForbiddenError("Another person has to approve what you proposed.", code="SECOND_PERSON")


def _decided(adjustment: Adjustment, state: AdjustmentState, *, by: str, now: datetime) -> Adjustment:
    return replace(adjustment, state=state, decided_by=by, decided_at=now)
