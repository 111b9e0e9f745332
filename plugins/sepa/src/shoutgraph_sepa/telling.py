"""One thing that a bank's file says of a payment of ours."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shoutgraph.sdk import ItemOutcome
from shoutgraph_sepa.documents import Element

NO_REASON: Final = "NARR"
"""ISO's code for a reason in words: the bank gave no code."""

CODE_CHARS_MAX: Final = 35
REASONS: Final = ("Rsn/Cd", "Rsn/Prtry")


@dataclass(frozen=True, slots=True)
class News:
    """What is said, when, and of what: an item's id, or the batch's key where it is said of all of it.

    `reference` is the one on the bank's paper, the same in all that is ever said of a payment.
    """

    ours: str
    batch_key: str
    outcome: ItemOutcome
    at: datetime
    reference: str | None = None


def reasons_in(place: Element, path: str) -> list[str]:
    """The codes of all reasons that are given; that which says there is none where one is given in words only."""
    return [(each.word(*REASONS) or NO_REASON)[:CODE_CHARS_MAX] for each in place.all(path)]


def reason_in(place: Element, path: str) -> str:
    """The code of the first reason, or the one that says there is none."""
    return next((code for code in reasons_in(place, path) if code != NO_REASON), NO_REASON)
