"""Strays: money that a provider has under a name of ours which the books do not know.

A restore makes them: what was begun after the backup is forgotten here and not there. They are kept and told of, and
a person settles them; nothing is credited or paid for a stray by itself.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shoutgraph.domain import ids
from shoutgraph.domain.money import Money


class StrayKind(StrEnum):
    """Which way its money goes."""

    TOPUP = "TOPUP"
    PAYOUT = "PAYOUT"


@dataclass(frozen=True, slots=True)
class Stray:
    """An object of a provider that is none of the books' own.

    `operation_id` is the name that we gave it, `seen` what its provider says of it now; `creator_id` whom a payout
    was for, where its name tells.
    """

    instance: str
    operation_id: str
    kind: StrayKind
    ref: str | None
    seen: str
    amount: Money | None
    made_at: datetime
    creator_id: ids.CreatorId | None = None
