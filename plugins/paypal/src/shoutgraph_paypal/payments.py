"""What an order of PayPal's shows, in the host's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.sdk import Declined, Money, NeedsAction, Pending, Redirect, Settled, TopUpOutcome, Totals, Unknown
from shoutgraph_paypal import wire, words
from shoutgraph_paypal.shapes import CaptureShape, DisputeShape, OrderShape, UnitShape
from shoutgraph_paypal.words import Ours

APPROVED: Final = "APPROVED"
COMPLETED: Final = "COMPLETED"
RESOLVED: Final = "RESOLVED"
SETTLED: Final = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})
"""The states of a capture that was paid, whatever came of it."""

POLL_AFTER: Final = timedelta(minutes=5)
APPROVAL: Final = timedelta(hours=3)
"""How long PayPal keeps an order that nobody approved, and one that was approved and not captured."""

EXPIRED: Final = "expired"
VOIDED: Final = "voided"

_CAME_BACK: Final = frozenset({"FAILED", "CANCELLED"})
"""A refund may fail after it was done, and does not say whether it was: it counts as done, and as come back."""

_REFUNDED: Final = _CAME_BACK | {COMPLETED}
_OPEN: Final = frozenset({"CREATED", "SAVED", "PAYER_ACTION_REQUIRED"})
_PAGE: Final = frozenset({"payer-action", "approve"})
_LOST: Final = frozenset({"RESOLVED_BUYER_FAVOUR", "ACCEPTED"})
_WON: Final = frozenset({"RESOLVED_SELLER_FAVOUR", "RESOLVED_WITH_PAYOUT", "CANCELED_BY_BUYER", "DENIED"})


@dataclass(frozen=True, slots=True)
class Known:
    """An order of ours, with the disputes about it."""

    order: OrderShape
    ours: Ours
    disputes: Sequence[DisputeShape] = ()

    @property
    def ref(self) -> str:
        """Our ref of it."""
        return words.ref_of(self.order.id, self.ours)


def known_of(order: OrderShape, instance: str) -> Known | None:
    """The order as one of this instance's, or None."""
    if len(order.purchase_units) != 1:
        return None
    ours = words.ours_of(order.purchase_units[0].custom_id)
    return Known(order, ours) if ours is not None and ours.instance == instance else None


def captures_of(order: OrderShape) -> list[CaptureShape]:
    """What was paid of an order; there is one at most, unless PayPal is wrong."""
    return [each for unit in order.purchase_units for each in unit.payments.captures if each.status in SETTLED]


def outcome_of(known: Known, now: datetime) -> TopUpOutcome:
    """What an order shows."""
    try:
        captures = captures_of(known.order)
        return _settled(known, captures, now) if captures else _unsettled(known, now)
    except ValueError:
        return Unknown(wire.UNREADABLE, ref=known.ref)


def page_of(known: Known, now: datetime) -> TopUpOutcome:
    """PayPal's page of an order, where the fan approves it, or chooses another way to pay."""
    expires_at = (known.order.create_time or now) + APPROVAL
    for link in known.order.links:
        if link.rel in _PAGE:
            return NeedsAction(known.ref, Redirect(link.href), expires_at)
    return Pending(known.ref, POLL_AFTER, expires_at)


def _unsettled(known: Known, now: datetime) -> TopUpOutcome:
    (unit,) = known.order.purchase_units
    status = known.order.status
    if unit.payments.captures:
        return _of_capture(known, unit.payments.captures[-1])
    if status == VOIDED.upper():
        return Declined(known.ref, VOIDED)
    if status not in _OPEN | {APPROVED}:
        return Unknown(wire.OTHER_OBJECT, ref=known.ref)
    if known.ours.is_cancelled:
        return Declined(known.ref, words.CANCELLED)
    if status == APPROVED:
        return Pending(known.ref, POLL_AFTER, (known.order.create_time or now) + APPROVAL)
    return page_of(known, now)


def _of_capture(known: Known, capture: CaptureShape) -> TopUpOutcome:
    reason = (capture.status_details.reason or capture.status).lower()
    if capture.status in {"DECLINED", "FAILED"}:
        return Declined(known.ref, reason)
    return Pending(known.ref, POLL_AFTER)


def _settled(known: Known, captures: Sequence[CaptureShape], now: datetime) -> Settled:
    (unit,) = known.order.purchase_units
    settled = _sum([each.amount.money() for each in captures])
    assert settled is not None, "something was captured"
    refunded = _refunds(unit, _REFUNDED) or Money(0, settled.currency)
    came_back = _refunds(unit, _CAME_BACK)
    disputed = _sum([each.dispute_amount.money() for each in known.disputes])
    lost = _decided(known.disputes, _LOST)
    won = _decided(known.disputes, _WON)
    if lost is not None:
        # A dispute may end by a refund, which is told of as one, too: the same money does not leave twice.
        # A refund that came back ended none.
        gone_minor = refunded.minor - (came_back.minor if came_back else 0)
        left = Money(max(0, min(lost.minor, settled.minor - gone_minor)), lost.currency)
        won = _sum([*([won] if won else []), Money(lost.minor - left.minor, lost.currency)])
        lost = left
    fees = [each.seller_receivable_breakdown.paypal_fee for each in captures]
    totals = Totals(
        settled=settled,
        refunded=refunded,
        disputed=disputed or Money(0, settled.currency),
        fee=_sum([each.money() for each in fees if each is not None]),
        disputes_won=won,
        disputes_lost=lost,
        refunds_failed=came_back,
    )
    return Settled(known.ref, totals, captures[0].create_time or now)


def _refunds(unit: UnitShape, states: frozenset[str]) -> Money | None:
    return _sum([each.amount.money() for each in unit.payments.refunds if each.status in states])


def _decided(disputes: Sequence[DisputeShape], codes: frozenset[str]) -> Money | None:
    ended = [each for each in disputes if each.status == RESOLVED and each.dispute_outcome.outcome_code in codes]
    return _sum([each.dispute_amount.money() for each in ended])


def _sum(parts: Sequence[Money]) -> Money | None:
    """All of it, or None where there is nothing.

    Raises:
        ValueError: it is of two currencies.
    """
    if not parts:
        return None
    if len({each.currency for each in parts}) != 1:
        raise ValueError("amounts of two currencies have no sum")
    return Money(sum(each.minor for each in parts), parts[0].currency)
