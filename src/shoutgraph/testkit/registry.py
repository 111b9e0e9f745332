"""What a behaviour is, and for which kinds of plugins it counts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

# Each check takes the trial of its kind, which a table of all of them cannot name.
Check = Callable[[Any], Awaitable[None]]


class Kind(StrEnum):
    """The kinds of plugins."""

    TOPUP = "topup"
    REDEEM = "redeem"
    PAYOUT = "payout"


ALL: Final = frozenset(Kind)
IN: Final = frozenset({Kind.TOPUP, Kind.REDEEM})
SENDS: Final = frozenset({Kind.TOPUP, Kind.PAYOUT})
TOPUP: Final = frozenset({Kind.TOPUP})
REDEEM: Final = frozenset({Kind.REDEEM})
PAYOUT: Final = frozenset({Kind.PAYOUT})


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One behaviour: its id, the sentence that is true when it holds, and the check."""

    id: str
    sentence: str
    kinds: frozenset[Kind]
    check: Check

    def __str__(self) -> str:
        return self.id
