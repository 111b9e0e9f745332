"""What must and must not be said, item by item: the creator ticks it off, and a redo names what is missing.

An item is named by its kind and place in the brief, which never changes: `must-1`, `not-2`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors
from shoutgraph.domain.orders.order import ITEMS_MAX, Brief, RedoGround, check_note

ITEMS_OF_BOTH_MAX: Final = 2 * ITEMS_MAX


class ItemKind(StrEnum):
    """Whether something must be said or must not."""

    MUST_SAY = "MUST_SAY"
    MUST_NOT_SAY = "MUST_NOT_SAY"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that must be said, or must not."""

    key: str
    kind: ItemKind
    text: str


@dataclass(frozen=True, slots=True)
class Ticks:
    """What a creator says they kept to, by the items' keys, and why not to the rest."""

    ticked: tuple[str, ...] = ()
    note: str | None = None


def items_of(brief: Brief | None) -> tuple[Item, ...]:
    """The items of a brief, those to say first; none once it is erased."""
    if brief is None:
        return ()
    say = (Item(f"must-{at}", ItemKind.MUST_SAY, text) for at, text in enumerate(brief.must_say, 1))
    leave = (Item(f"not-{at}", ItemKind.MUST_NOT_SAY, text) for at, text in enumerate(brief.must_not_say, 1))
    return (*say, *leave)


def check_ticks(brief: Brief | None, ticks: Ticks) -> Ticks:
    """The ticks in the order of the brief.

    Raises:
        ValidationError: an item is not of this brief, something that must be said is not ticked and no note says why,
            or the note is empty or too long.
    """
    items = items_of(brief)
    unknown = set(ticks.ticked) - {item.key for item in items}
    if unknown and brief is not None:
        msg = f"The brief has no item '{min(unknown)[:ITEMS_OF_BOTH_MAX]}'."
        raise errors.ValidationError(msg, code="UNKNOWN_ITEM", path=("input", "tickedKeys"))
    if ticks.note is not None:
        check_note("note", ticks.note)
    left = [item for item in items if item.kind is ItemKind.MUST_SAY and item.key not in ticks.ticked]
    if left and ticks.note is None:
        missing = "One thing that must be said is" if len(left) == 1 else f"{len(left)} things that must be said are"
        msg = f"{missing} not ticked: tick, or say why in a note."
        raise errors.ValidationError(msg, code="UNTICKED_ITEMS", path=("input", "tickedKeys"))
    return Ticks(tuple(item.key for item in items if item.key in ticks.ticked), ticks.note)


def check_ground(brief: Brief | None, ground: RedoGround | None, item_key: str | None) -> None:
    """Refuses a ground that names no item where it must, or one where it must not; an erased brief has none to name.

    Raises:
        ValidationError: what is missing was not named, is not of this brief, or the ground is another.
    """
    path = ("input", "itemKey")
    if ground is not RedoGround.MUST_SAY_MISSING:
        if item_key is not None:
            raise errors.ValidationError("Only MUST_SAY_MISSING names an item.", code="ITEM_NOT_NEEDED", path=path)
        return
    if brief is None:
        return
    if item_key is None:
        msg = "MUST_SAY_MISSING names the item of the brief that is missing."
        raise errors.ValidationError(msg, code="ITEM_REQUIRED", path=path)
    if item_key not in {item.key for item in items_of(brief) if item.kind is ItemKind.MUST_SAY}:
        raise errors.ValidationError("Nothing of that key must be said.", code="UNKNOWN_ITEM", path=path)
