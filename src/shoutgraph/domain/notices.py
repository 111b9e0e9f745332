"""What providers tell us by webhook, as it came in: kept before it is believed."""

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


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that are worth keeping: bounded in number and length, without credentials."""
    kept = {
        name.lower(): value
        for name, value in headers.items()
        if name.lower() not in PRIVATE_HEADERS and len(value) <= HEADER_CHARS_MAX
    }
    return dict(list(kept.items())[:HEADERS_MAX])
