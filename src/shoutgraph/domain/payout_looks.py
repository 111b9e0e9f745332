"""When to look at a payout again, and what time alone says of it: never that it failed.

Source: docs/adr/0009-providers.md.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.domain import payouts
from shoutgraph.domain.patience import (
    OPEN_STEPS,
    PAID_PAUSE,
    UNKNOWN_REVIEW_AFTER,
    UNKNOWN_STEPS,
    last_looks,
    pause,
)
from shoutgraph.domain.payouts import IN_FLIGHT, UNDER_WAY, Payout, PayoutReview, PayoutState

BY_RESTORE: Final = "restore"
"""Who decided about a payout whose approval was lost with everything after a backup."""


def may_adopt(payout: Payout) -> bool:
    """Whether we do not know of having sent it, so that its being at the provider is news."""
    return payout.attempts == 0 and payout.state in UNDER_WAY - IN_FLIGHT


def adopted(payout: Payout, *, batch_id: str, sent_at: datetime, now: datetime) -> Payout:
    """A payout that its provider has although we do not know of having sent it: a restore forgot that.

    Its coins stay set aside, it is not sent again, and what the provider says of it decides.
    """
    assert may_adopt(payout), "what was sent, or has ended, has a story of its own"
    return replace(
        payout,
        state=PayoutState.UNKNOWN,
        revision=payout.revision + 1,
        updated_at=now,
        batch_id=batch_id,
        attempts=1,
        submitted_at=sent_at,
        decided_by=payout.decided_by or BY_RESTORE,
    )


def exported(payout: Payout, *, ref: str | None, now: datetime) -> Payout:
    """A payout that stands in a file which is not handed to the bank yet; a crash may have put it in doubt before."""
    if payout.state not in {PayoutState.SUBMITTING, PayoutState.UNKNOWN}:
        return payout
    review = None if payout.review is PayoutReview.UNKNOWN_FOR_LONG else payout.review
    after = replace(payout, state=PayoutState.SUBMITTING, ref=payout.ref or ref, review=review)
    return after if after == payout else replace(after, revision=payout.revision + 1, updated_at=now)


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
    payout: Payout,
    *,
    answer_due_at: datetime,
    return_window: timedelta,
    looks: int,
    now: datetime,
    answered: bool = True,
) -> datetime | None:
    """When to look next, or None for never again.

    Args:
        looks: how often it was looked at since its state last changed.
        return_window: how long paid money may still come back.
        answered: whether the provider answered to the look that was made now.
    """
    match payout.state:
        case PayoutState.SUBMITTING:
            return answer_due_at
        case PayoutState.UNKNOWN:
            return now + pause(UNKNOWN_STEPS, looks)
        case PayoutState.SUBMITTED:
            return now + pause(OPEN_STEPS, looks)
        case PayoutState.PAID if payout.paid_at is not None:
            end = payout.paid_at + return_window
            return last_looks(end=end, due=now + PAID_PAUSE, answered=answered, now=now)
        case _:
            return None
