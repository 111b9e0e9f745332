"""When to look at a payout again, and what time alone says of it: never that it failed.

Source: docs/adr/0009-providers.md.
"""

from datetime import datetime, timedelta

from shoutgraph.domain import payouts
from shoutgraph.domain.patience import OPEN_STEPS, PAID_PAUSE, UNKNOWN_REVIEW_AFTER, UNKNOWN_STEPS, pause
from shoutgraph.domain.payouts import Payout, PayoutReview, PayoutState


def lost_answer(payout: Payout, *, answer_due_at: datetime, now: datetime) -> Payout:
    """An answer that did not come in time is unknown: the process that waited for it may be gone."""
    if payout.state is not PayoutState.SUBMITTING or now < answer_due_at:
        return payout
    return payouts.doubted(payout, now=now)


def overdue_unknown(payout: Payout, *, sent_at: datetime, now: datetime) -> Payout:
    """Flags for finance what is unknown for too long; it stays unknown."""
    if payout.state is not PayoutState.UNKNOWN or now < sent_at + UNKNOWN_REVIEW_AFTER:
        return payout
    return payouts.flagged(payout, PayoutReview.UNKNOWN_FOR_LONG, now=now)


def next_look(
    payout: Payout, *, answer_due_at: datetime, return_window: timedelta, looks: int, now: datetime
) -> datetime | None:
    """When to look next, or None for never again.

    Args:
        looks: how often it was looked at since its state last changed.
        return_window: how long paid money may still come back.
    """
    match payout.state:
        case PayoutState.SUBMITTING:
            return answer_due_at
        case PayoutState.UNKNOWN:
            return now + pause(UNKNOWN_STEPS, looks)
        case PayoutState.SUBMITTED:
            return now + pause(OPEN_STEPS, looks)
        case PayoutState.PAID if payout.paid_at is not None and now + PAID_PAUSE < payout.paid_at + return_window:
            return now + PAID_PAUSE
        case _:
            return None
