"""Cursors of the journal: opaque places, which subscriptions, pages and webhooks share.

Source: docs/adr/0011-journal.md, docs/adr/0017-anchors.md.
"""

from dataclasses import dataclass
from typing import Final

from shoutgraph.domain import errors, pages
from shoutgraph.domain.anchors import FIRST

SCOPE: Final = "events"
NUMBERS_MAX: Final = 2
"""A cursor is the mark of an epoch and a number; those of the first releases had the number alone."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the journal: a line, in the epoch with this mark. After a restore the number is another line's."""

    mark: int
    seq: int


def write_cursor(place: Place) -> str:
    """The cursor of a place in the journal."""
    return pages.write_cursor(SCOPE, (place.mark, place.seq))


def read_cursor(cursor: str, *, path: tuple[str, ...] = ("after",)) -> Place:
    """The place of a cursor; one that names no epoch is of the first.

    Args:
        path: the argument that a refusal names.

    Raises:
        ValidationError: the text is no cursor of the journal.
    """
    key = pages.read_cursor(SCOPE, cursor, path=path)
    numbers = [part for part in key if type(part) is int and 0 <= part < pages.INT64_END]
    if len(numbers) != len(key) or len(key) > NUMBERS_MAX:
        raise errors.ValidationError("This is not a cursor of the journal.", code="INVALID_CURSOR", path=path)
    return Place(*numbers) if len(numbers) == NUMBERS_MAX else Place(FIRST.mark, *numbers)
