"""Money that no machine can settle: one person says what became of it and why, another one confirms it.

Only what the books cannot learn by themselves is settled so. What a provider tells later still counts: a top-up that
people took for never paid is opened again by late money. Source: docs/adr/0009-providers.md.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.money import Money
from shoutgraph.domain.payouts import IN_FLIGHT, SETTLED_BY_PEOPLE, Payout, PayoutState
from shoutgraph.domain.strays import Stray
from shoutgraph.domain.topups.refund import Refund, RefundState
from shoutgraph.domain.topups.topup import Submission, Topup

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
    verdicts: tuple[Verdict, ...] = ()


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


def kind_of(subject_id: str) -> SubjectKind:
    """What an id names: money of ours, or a stray.

    Raises:
        ValidationError: nothing of this kind is ever settled by people.
    """
    prefix = ids.prefix_of(subject_id)
    if prefix is None and "/" in subject_id:
        return SubjectKind.STRAY
    found = {ids.TOPUP: SubjectKind.TOPUP, ids.PAYOUT: SubjectKind.PAYOUT, ids.REFUND: SubjectKind.REFUND}
    if prefix not in found:
        msg = "Expected the id of a top-up, payout or refund, or a stray's as 'instance/name'."
        raise errors.ValidationError(msg, code="INVALID_ID", path=("input", "subjectId"))
    return found[prefix]


def of_topup(topup: Topup) -> Subject:
    """A top-up as people settle it."""
    price, settled = topup.terms.price_minor, topup.totals.settled_minor
    open_ = topup.submission is Submission.UNKNOWN or topup.review is not None
    can = {
        Verdict.PAID: open_ and not topup.paid and settled < price,
        Verdict.NOT_EXECUTED: open_ and settled == 0,
        Verdict.CLOSED: topup.review is not None and settled > 0,
    }
    why = None if topup.review is None else topup.review.value
    return Subject(
        kind=SubjectKind.TOPUP,
        id=topup.id,
        revision=topup.revision,
        instance=topup.instance,
        amount=Money(price, topup.terms.currency),
        stands=topup.status.value,
        why=why,
        ref=topup.ref,
        since=topup.created_at,
        coins=topup.terms.coins,
        verdicts=_chosen(can),
    )


def of_payout(payout: Payout) -> Subject:
    """A payout as people settle it."""
    flagged = payout.review in SETTLED_BY_PEOPLE
    can = {
        Verdict.PAID: payout.state in {PayoutState.UNKNOWN, PayoutState.SUBMITTED},
        Verdict.NOT_EXECUTED: payout.state is PayoutState.UNKNOWN and not flagged,
        Verdict.CLOSED: payout.review is not None and payout.state not in IN_FLIGHT,
    }
    return Subject(
        kind=SubjectKind.PAYOUT,
        id=payout.id,
        revision=payout.revision,
        instance=payout.instance,
        amount=Money(payout.amount_minor, payout.currency),
        stands=payout.state.value,
        why=None if payout.review is None else payout.review.value,
        ref=payout.ref,
        since=payout.created_at,
        coins=payout.coins,
        verdicts=_chosen(can),
    )


def of_refund(refund: Refund) -> Subject:
    """A refund as people settle it."""
    open_ = refund.state in {RefundState.UNKNOWN, RefundState.PENDING}
    return Subject(
        kind=SubjectKind.REFUND,
        id=refund.id,
        revision=refund.revision,
        instance=refund.instance,
        amount=Money(refund.part.minor, refund.currency),
        stands=refund.state.value,
        why="OPEN_FOR_LONG" if refund.needs_review else None,
        ref=None,
        since=refund.created_at,
        coins=refund.part.coins,
        verdicts=_chosen({Verdict.PAID: open_, Verdict.NOT_EXECUTED: open_}),
    )


def of_stray(stray: Stray) -> Subject:
    """A stray as people settle it. It has no revision: what its provider says of it now is part of what it is."""
    return Subject(
        kind=SubjectKind.STRAY,
        id=stray_id(stray),
        revision=0,
        instance=stray.instance,
        amount=stray.amount,
        stands=stray.seen,
        why=f"{stray.kind}_UNKNOWN_TO_THE_BOOKS",
        ref=stray.ref,
        since=stray.made_at,
        verdicts=_chosen({Verdict.CLOSED: stray.settled_at is None}),
    )


def stray_id(stray: Stray) -> str:
    """The name of a stray among what people settle."""
    return f"{stray.instance}/{stray.operation_id}"


def paid(topup: Topup, *, now: datetime) -> Topup:
    """The top-up, for which people found that exactly its price arrived."""
    totals = replace(topup.totals, settled_minor=topup.terms.price_minor)
    known = replace(topup, submission=Submission.KNOWN, totals=totals, review=None, action=None)
    return replace(known, revision=topup.revision + 1, updated_at=now)


def never_paid(topup: Topup, *, now: datetime) -> Topup:
    """The top-up, for which people found that nothing was paid. Late money opens it again."""
    known = replace(topup, submission=Submission.KNOWN, declined_code=BY_EVIDENCE, review=None, action=None)
    return replace(known, revision=topup.revision + 1, updated_at=now)


def check_verdict(subject: Subject, verdict: Verdict) -> None:
    """Refuses a verdict that the books cannot follow.

    Raises:
        ValidationError: it does not fit where the money stands.
    """
    if verdict not in subject.verdicts:
        fitting = " or ".join(subject.verdicts) or "nothing"
        msg = f"This money stands at {subject.stands}: people can settle it as {fitting}."
        raise errors.ValidationError(msg, code="RESOLUTION_STATE", path=("input", "verdict"))


def _chosen(can: dict[Verdict, bool]) -> tuple[Verdict, ...]:
    return tuple(verdict for verdict, may in can.items() if may)


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
