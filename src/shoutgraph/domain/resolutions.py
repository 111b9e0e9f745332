"""Money that no machine can settle: one person says what became of it and why, another one confirms it.

Only what the books cannot learn by themselves is settled so. What a provider tells later still counts: a top-up that
people took for never paid is opened again by late money. Source: docs/adr/0009-providers.md.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors
from shoutgraph.domain.money import Money

EVIDENCE_CHARS_MAX: Final = 1_000
PERSON_CHARS_MAX: Final = 200
BY_EVIDENCE: Final = "settled_by_evidence"
"""The failure code of what people found to have never happened."""


class SubjectKind(StrEnum):
    """What is settled."""

    TOPUP = "TOPUP"
    PAYOUT = "PAYOUT"
    REFUND = "REFUND"
    STRAY = "STRAY"


class Verdict(StrEnum):
    """What became of the money."""

    PAID = "PAID"
    NOT_EXECUTED = "NOT_EXECUTED"
    CLOSED = "CLOSED"


class ResolutionState(StrEnum):
    """Where a resolution stands."""

    PROPOSED = "PROPOSED"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class Subject:
    """Money that waits for people. `stands` is where it stands, and `why` what is unclear.

    A stray's id is its provider's instance, a slash, and the name that we gave it.
    """

    kind: SubjectKind
    id: str
    revision: int
    instance: str
    amount: Money | None
    stands: str
    why: str | None
    ref: str | None
    since: datetime
    coins: int | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What one person proposed, and what another one decided about it. `subject_revision` is what they looked at."""

    id: str
    kind: SubjectKind
    subject_id: str
    subject_revision: int
    verdict: Verdict
    evidence: str
    proposed_by: str
    proposed_at: datetime
    state: ResolutionState = ResolutionState.PROPOSED
    decided_by: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Money that waits for people, and what somebody proposed."""

    subject: Subject
    proposed: Resolution | None


def check_evidence(evidence: str) -> None:
    """Refuses to settle money without a word.

    Raises:
        ValidationError: the evidence is empty or too long.
    """
    if not evidence.strip() or len(evidence) > EVIDENCE_CHARS_MAX:
        msg = f"Evidence has 1 to {EVIDENCE_CHARS_MAX} characters."
        raise errors.ValidationError(msg, code="NOTE_LENGTH", path=("input", "evidence"))


def decided(resolution: Resolution, state: ResolutionState, *, by: str, now: datetime) -> Resolution:
    """The resolution as another person decided it; whoever proposed it may take it back.

    Raises:
        ForbiddenError: the one who proposed it confirms it.
        ValidationError: it is decided already.
    """
    if resolution.state is not ResolutionState.PROPOSED:
        msg = f"This resolution is {resolution.state} already."
        raise errors.ValidationError(msg, code="RESOLUTION_STATE", path=("input", "resolutionId"))
    if state is ResolutionState.CONFIRMED and by == resolution.proposed_by:
        raise errors.ForbiddenError("Another person has to confirm what you proposed.", code="SECOND_PERSON")
    return replace(resolution, state=state, decided_by=by, decided_at=now)


def check_unchanged(resolution: Resolution, subject: Subject) -> None:
    """Refuses to settle what has moved since it was looked at.

    Raises:
        StaleRevisionError: the subject has changed since.
    """
    if subject.revision != resolution.subject_revision:
        raise errors.StaleRevisionError(current_revision=subject.revision)
