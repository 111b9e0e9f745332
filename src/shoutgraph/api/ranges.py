"""Which bytes a `Range` header asks for. Source: RFC 9110, sections 13 and 14.

One range is answered as 206. Several, other units and what does not parse are ignored, as the RFC allows, and the
whole file is sent: no request makes us assemble more than it has.
"""

import re
from dataclasses import dataclass
from typing import Final

_ONE_RANGE: Final = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes from `start` up to, not including, `end`."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes."""
        return self.end - self.start


def span_of(header: str | None, *, size: int) -> Span | None:
    """The bytes of a file of this size that the header asks for; None where the whole file is to be sent.

    Raises:
        RangeNotSatisfiableError: the range begins after the file's end.
    """
    match = _ONE_RANGE.fullmatch(header) if header is not None else None
    if match is None or match.group(0).strip().endswith("=-"):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size:
        raise RangeNotSatisfiableError(size)
    return Span(start, end)


def is_same(header: str | None, etag: str) -> bool:
    """Whether `If-Range` allows the range: it is absent, or it names this very version; a date never does."""
    return header is None or header.strip() == etag


def is_known(header: str | None, etag: str) -> bool:
    """Whether `If-None-Match` names this version, so that the client has it already."""
    if header is None:
        return False
    known = {name.strip().removeprefix("W/") for name in header.split(",")}
    return etag in known or "*" in known


class RangeNotSatisfiableError(Exception):
    """The range begins after the file's end. Units: bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the file has {size} bytes")
        self.size: Final = size
