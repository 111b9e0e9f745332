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


def reason_in(place: Element, path: str) -> str:
    """The code of the first reason, or the one that says there is none."""
    for each in place.all(path):
        if code := each.word(*REASONS):
            return code[:CODE_CHARS_MAX]
    return NO_REASON
