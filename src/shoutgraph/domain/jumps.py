"""Jumps of the wall clock: what it says is held against a clock that only counts.

Source: docs/adr/0016-the-clock.md.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

JUMP_MAX: Final = timedelta(minutes=10)
"""How far the wall clock may be ahead of what was counted and still be believed."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How long a machine has run since a start of it, which has a name; counts of two starts cannot be compared."""

    since_boot: timedelta
    boot: str


@dataclass(frozen=True, slots=True)
class Moment:
    """What the wall clock and the counting one said at once."""

    at: datetime
    counted: Counted


def ahead(agreed: Moment, now: Moment) -> timedelta:
    """How far the wall clock has run ahead since a moment that was agreed to; negative where it went back.

    After another start of the machine nobody counted how long it was off, so all that has passed is in doubt.
    """
    passed = now.at - agreed.at
    if now.counted.boot == agreed.counted.boot:
        passed -= now.counted.since_boot - agreed.counted.since_boot
    return passed


def moved_along(agreed: Moment, now: Moment) -> Moment:
    """The moment that is agreed to now, the wall clock being believed.

    One that went back far is not followed, so that it is no jump when it is put right.
    """
    behind = -ahead(agreed, now)
    return now if behind <= JUMP_MAX else Moment(now.at + behind, now.counted)
