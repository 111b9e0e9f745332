"""What users owe after charge-backs, and what the platform writes off of it: one proposes, another one confirms.

Units: coins. Source: docs/adr/0003-ledger.md, row 11.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, NewType

from shoutgraph.domain import errors, ids
from shoutgraph.domain.checks import Checks
from shoutgraph.domain.wallets import Lock

WriteOffId = NewType("WriteOffId", str)

EVIDENCE_CHARS_MAX: Final = 1_000


class WriteOffState(StrEnum):
    """Where a write-off stands."""

    PROPOSED = "PROPOSED"
    DONE = "DONE"
    DENIED = "DENIED"


@dataclass(frozen=True, slots=True)
class Debt:
    """Coins that a user owes. `place` is where it stands in the list of all debts."""

    place: int
    user_id: ids.UserId
    coins: int
    lock: Lock | None = None


@dataclass(frozen=True, slots=True)
class WriteOff:
    """Coins of a debt that the platform bears, as one proposed and another decided. `evidence` is None once erased."""

    id: WriteOffId
    user_id: ids.UserId
    state: WriteOffState
    coins: int
    evidence: str | None
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None


def check(coins: int, evidence: str) -> None:
    """Refuses a proposal without coins or without a word.

    Raises:
        ValidationError: the coins are less than one, or the evidence is empty, too long or has a hidden character (an
            `ExceptionGroup` where both are wrong).
    """
    checks = Checks()
    if coins < 1:
        checks.add("coins", "At least one coin is written off.", "OUT_OF_RANGE")
    checks.text("evidence", evidence, chars_max=EVIDENCE_CHARS_MAX, lines=True)
    checks.settle()


def check_owed(coins: int, owed_coins: int) -> None:
    """Refuses to write off more than is owed.

    Raises:
        ValidationError: it is more.
    """
    if coins > owed_coins:
        msg = f"{owed_coins} coins are owed."
        raise errors.ValidationError(msg, code="WRITE_OFF_TOO_LARGE", path=("input", "coins"))


def decided(write_off: WriteOff, state: WriteOffState, *, by: str, now: datetime) -> WriteOff:
    """The write-off as another person decided it; who proposed it may take it back.

    Raises:
        ForbiddenError: who proposed it confirms it.
        ValidationError: it is decided already.
    """
    if write_off.state is not WriteOffState.PROPOSED:
        msg = f"This write-off is {write_off.state} already."
        raise errors.ValidationError(msg, code="WRITE_OFF_STATE", path=("input", "writeOffId"))
    if state is WriteOffState.DONE and by == write_off.proposed_by:
        raise errors.ForbiddenError("Another person has to confirm what you proposed.", code="SECOND_PERSON")
    return replace(write_off, state=state, decided_by=by, decided_at=now)
