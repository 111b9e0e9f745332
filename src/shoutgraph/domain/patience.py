"""How long to wait before looking again at money that nobody has spoken about.

Source: docs/adr/0009-providers.md.
"""

from datetime import datetime, timedelta
from typing import Final

SECOND: Final = timedelta(seconds=1)
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)

UNKNOWN_STEPS: Final = (5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR)
"""Pauses before the first looks at what is unknown; then daily, for ever."""

OPEN_STEPS: Final = (30 * SECOND, 2 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR)
"""Pauses before the first looks at what waits for a person or a provider; then daily."""

PAID_PAUSE: Final = 7 * DAY
"""The pause between looks at what is paid and may still be taken back."""

UNANSWERED_PAUSE: Final = HOUR
"""The pause after a look at what is closed or paid that was not answered: its turn does not count."""

UNKNOWN_REVIEW_AFTER: Final = HOUR
"""Unknown for longer than this is flagged for staff. It stays unknown."""


def last_looks(*, end: datetime, due: datetime, answered: bool, now: datetime) -> datetime | None:
    """When to look next at what may still change until a time, or None for never again.

    The last look is not before that time, and it is answered: what nobody tells us of is found by it alone.
    """
    if not answered:
        return min(due, now + (UNANSWERED_PAUSE if now < end else DAY))
    return min(due, end) if now < end else None


def pause(steps: tuple[timedelta, ...], looks: int) -> timedelta:
    """The pause after so many looks."""
    return steps[looks] if looks < len(steps) else DAY
