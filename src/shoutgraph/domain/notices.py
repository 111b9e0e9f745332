"""What providers tell us by webhook, as it came in, and how little is kept of what nobody proved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

BODY_BYTES_MAX: Final = 1_048_576
"""The largest webhook that is read at all."""

HEADERS_MAX: Final = 64
HEADER_CHARS_MAX: Final = 4_096

KEPT: Final = timedelta(days=30)
"""How long a delivery that is done with is kept."""

UNPROVEN_HOUR_MAX: Final = 10
"""The most deliveries of one instance and hour that are kept although no proof was read from them."""

UNPROVEN_BYTES_MAX: Final = 65_536
"""The largest of these: with the limits above, what strangers can fill a disk with in a month is bounded."""

HOUR: Final = timedelta(hours=1)
TELL_PAUSE: Final = timedelta(minutes=5)
"""The pause between two lines of the log about what is not proven, however much of it comes in."""

PRIVATE_HEADERS: Final = frozenset({"authorization", "cookie", "proxy-authorization"})
"""Headers that no signature needs and nobody should find in a database."""


class NoticeState(StrEnum):
    """What became of a delivery."""

    RECEIVED = "RECEIVED"
    APPLIED = "APPLIED"
    REPEATED = "REPEATED"
    UNMATCHED = "UNMATCHED"
    REFUSED = "REFUSED"
    UNREADABLE = "UNREADABLE"


@dataclass(frozen=True, slots=True)
class Stored:
    """A delivery as it came in; `number` is None before it is stored. Header names are in lower case."""

    number: int | None
    instance: str
    sha256: bytes
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    query: str = field(repr=False)
    remote: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """A delivery that is kept, what became of it, and how often it was taken up in vain."""

    stored: Stored
    state: NoticeState
    tries: int
    detail: str | None


@dataclass(slots=True)
class Strangers:
    """What came in unproven for one instance: counted, and told of now and then."""

    hour_from: datetime
    kept: int = 0
    refused: int = 0
    told_at: datetime | None = None

    def may_keep(self, size: int, now: datetime) -> bool:
        """Takes one of the hour's places, if there is one and the delivery is small."""
        if now >= self.hour_from + HOUR:
            self.hour_from, self.kept = now, 0
        if size > UNPROVEN_BYTES_MAX or self.kept >= UNPROVEN_HOUR_MAX:
            return False
        self.kept += 1
        return True

    def to_tell(self, now: datetime) -> int:
        """Counts one that is refused; gives how many were since it was last told of, or 0 to say nothing now."""
        self.refused += 1
        if self.told_at is not None and now < self.told_at + TELL_PAUSE:
            return 0
        told, self.refused, self.told_at = self.refused, 0, now
        return told


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that are worth keeping: bounded in number and length, without credentials."""
    kept = {
        name.lower(): value
        for name, value in headers.items()
        if name.lower() not in PRIVATE_HEADERS and len(value) <= HEADER_CHARS_MAX
    }
    return dict(list(kept.items())[:HEADERS_MAX])
