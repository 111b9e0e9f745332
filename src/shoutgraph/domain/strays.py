"""Strays: money that a provider has under a name of ours which the books do not know.

A restore makes them: what was begun after the backup is forgotten here and not there. They are kept and told of, and
a person settles them; nothing is credited for a stray by itself, and whom a provider may have paid is not paid again
meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.money import Money


class StrayKind(StrEnum):
    """Which way its money goes."""

    TOPUP = "TOPUP"
    PAYOUT = "PAYOUT"


NOTE_CHARS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Stray:
    """An object of a provider that is none of the books' own.

    `operation_id` is the name that we gave it and `key` the one that we sent it under, `seen` what its provider says
    of it now; `creator_id` whom a payout was for, where its name tells. `note` says how it was settled.
    """

    instance: str
    operation_id: str
    kind: StrayKind
    key: str
    ref: str | None
    seen: str
    amount: Money | None
    made_at: datetime
    creator_id: ids.CreatorId | None = None
    settled_at: datetime | None = None
    note: str | None = None


def check_note(note: str) -> None:
    """Refuses to settle a stray without a word.

    Raises:
        ValidationError: the note is empty or too long.
    """
    if not note.strip() or len(note) > NOTE_CHARS_MAX:
        msg = f"A note has 1 to {NOTE_CHARS_MAX} characters."
        raise errors.ValidationError(msg, code="NOTE_LENGTH", path=("note",))
