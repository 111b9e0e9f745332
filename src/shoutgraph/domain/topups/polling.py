"""When to look at a top-up again. Webhooks can be lost for good, so everything that is open is looked at.

What is unknown is looked at for ever; what failed, for as long as late money is likely; what is paid, for as long as
it can still be reversed. Source: docs/adr/0009-providers.md.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, assert_never

from shoutgraph.domain.leases import Lease
from shoutgraph.domain.patience import DAY, OPEN_STEPS, PAID_PAUSE, SECOND, UNKNOWN_STEPS, last_looks, pause
from shoutgraph.domain.topups.topup import Status, Submission, Topup

LATE_MONEY: Final = 7 * DAY
"""How long a failed top-up is looked at for money that comes after all."""

REVERSAL: Final = 180 * DAY
"""How long a paid top-up is looked at for refunds and disputes."""


@dataclass(frozen=True, slots=True)
class Due:
    """A top-up that is to be looked at, how often it was since its status last changed, and for how long it is ours."""

    topup: Topup
    looks: int
    lease: Lease


def next_look(topup: Topup, *, looks: int, now: datetime, answered: bool = True) -> datetime | None:
    """When to look next, or None for never again.

    Args:
        looks: how often it was looked at since its status last changed.
        answered: whether the provider answered to the look that was made now.
    """
    if topup.submission is Submission.NOT_EXECUTED and not topup.paid:
        return None
    due: datetime | None
    match topup.status:
        case Status.CREATED:
            due = topup.answer_due_at
        case Status.PROCESSING:
            due = now + pause(UNKNOWN_STEPS, looks)
        case Status.PENDING | Status.ACTION_REQUIRED:
            due = _open(topup, looks, now)
        case Status.NEEDS_REVIEW:
            due = now + DAY
        case Status.FAILED:
            due = last_looks(end=topup.created_at + LATE_MONEY, due=now + DAY, answered=answered, now=now)
        case Status.PAID | Status.PARTLY_REFUNDED | Status.REFUNDED | Status.DISPUTED:
            due = last_looks(end=topup.created_at + REVERSAL, due=now + PAID_PAUSE, answered=answered, now=now)
        case _:
            assert_never(topup.status)
    return due


def _open(topup: Topup, looks: int, now: datetime) -> datetime:
    step = pause(OPEN_STEPS, looks)
    if topup.poll_after is not None:
        step = min(max(topup.poll_after * 2 ** min(looks, 16), SECOND), DAY)
    due = now + step
    expires_at = topup.expires_at
    if expires_at is not None and now <= expires_at < due:
        return expires_at + SECOND
    return due
