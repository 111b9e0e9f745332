"""Time and ids as effects: named here, made in `app`, handed down as arguments."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Gives the time now, aware and in UTC."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    """Microseconds since 1970-01-01 UTC, the form in which storage and the hash chain keep times."""
    return (at - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """The aware UTC time of a number of microseconds since 1970-01-01."""
    return EPOCH + timedelta(0, 0, micros)


def to_text(at: datetime) -> str:
    """RFC 3339 in UTC with `Z` and milliseconds, as the API prints times."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
