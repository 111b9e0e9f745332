"""Settling money by hand: one person proposes what became of it, another one confirms, and then the books follow.

The books follow in the unit of work that stores the confirmation: what that means is another room's business, so the
functions that know come from above. What a provider says later still counts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shoutgraph.domain import errors, ids, journal, resolutions as rules
from shoutgraph.domain.requests import Request
from shoutgraph.domain.resolutions import Resolution, ResolutionState, SubjectKind, Verdict
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.services.money import subjects
from shoutgraph.storage import journal as journal_rows, resolutions, strays
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

PROPOSED: Final = "resolution.proposed"
CONFIRMED: Final = "resolution.confirmed"
REJECTED: Final = "resolution.rejected"

Follow = Callable[[Tools, Tx, str, Verdict], None]
"""Books what people found to have become of a top-up, payout or refund."""

Follows = Mapping[SubjectKind, Follow]


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody found out about money, and where it is written."""

    subject_id: str
    verdict: Verdict
    evidence: str


async def propose(tools: Tools, viewer: Viewer, asked: Request, wish: Wish) -> Done[Resolution]:
    """Proposes what became of money that no machine can settle; nothing moves yet.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        NotFoundError: there is no such money.
        ValidationError: the evidence is empty or too long, the verdict does not fit, or something is proposed already.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    rules.check_evidence(wish.evidence)

    def work(tx: Tx) -> Resolution:
        subject = subjects.get(tx, wish.subject_id)
        rules.check_verdict(subject, wish.verdict)
        if resolutions.find_open(tx, subject.kind, subject.id) is not None:
            msg = "Somebody has proposed something already: confirm or reject that first."
            raise errors.ValidationError(msg, code="RESOLUTION_STATE", path=("input", "subjectId"))
        proposed = Resolution(
            id=tools.new_id(ids.RESOLUTION),
            kind=subject.kind,
            subject_id=subject.id,
            subject_revision=subject.revision,
            verdict=wish.verdict,
            evidence=wish.evidence,
            proposed_by=viewer.principal,
            proposed_at=tx.now,
        )
        resolutions.insert(tx, proposed)
        _tell(tools, tx, proposed, PROPOSED)
        return proposed

    return await once(tools, asked, work, resolutions.get)


async def confirm(
    tools: Tools, viewer: Viewer, asked: Request, resolution_id: str, *, follows: Follows
) -> Done[Resolution]:
    """Confirms what another person proposed; the books follow at once.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or proposed it.
        NotFoundError: there is no such resolution.
        StaleRevisionError: the money has moved since it was looked at.
        ValidationError: the text is no resolution's id, it is decided already, or the verdict does not fit any more.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    known = await _known(tools, resolution_id)

    def work(tx: Tx) -> Resolution:
        subject = subjects.get(tx, known.subject_id)  # what is settled is held before what settles it
        proposed = resolutions.get(tx, resolution_id)
        confirmed = rules.decided(proposed, ResolutionState.CONFIRMED, by=viewer.principal, now=tx.now)
        rules.check_unchanged(proposed, subject)
        rules.check_verdict(subject, proposed.verdict)
        resolutions.decide(tx, confirmed)
        if subject.kind is SubjectKind.STRAY:
            _settle_stray(tx, confirmed)
        elif confirmed.verdict is not Verdict.CLOSED:
            follows[subject.kind](tools, tx, subject.id, confirmed.verdict)
        _tell(tools, tx, confirmed, CONFIRMED)
        return confirmed

    return await once(tools, asked, work, resolutions.get)


async def reject(tools: Tools, viewer: Viewer, asked: Request, resolution_id: str) -> Done[Resolution]:
    """Rejects what was proposed, or takes it back; nothing moves.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        NotFoundError: there is no such resolution.
        ValidationError: the text is no resolution's id, or it is decided already.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    await _known(tools, resolution_id)

    def work(tx: Tx) -> Resolution:
        proposed = resolutions.get(tx, resolution_id)
        rejected = rules.decided(proposed, ResolutionState.REJECTED, by=viewer.principal, now=tx.now)
        resolutions.decide(tx, rejected)
        _tell(tools, tx, rejected, REJECTED)
        return rejected

    return await once(tools, asked, work, resolutions.get)


async def list_by_id(tools: Tools, viewer: Viewer, resolution_ids: Sequence[str]) -> list[Resolution | None]:
    """Resolutions by id, None where there is none for this viewer."""
    found = await tools.store.read(lambda tx: resolutions.list_of(tx, resolution_ids))
    return [each if viewer.has(Scope.FINANCE_READ) else None for each in found]


async def _known(tools: Tools, resolution_id: str) -> Resolution:
    ids.parse(ids.RESOLUTION, resolution_id, path=("input", "resolutionId"))
    return await tools.store.read(lambda tx: resolutions.get(tx, resolution_id))


def _settle_stray(tx: Tx, confirmed: Resolution) -> None:
    stray = subjects.stray_of(tx, confirmed.subject_id)
    strays.settle(tx, instance=stray.instance, operation_id=stray.operation_id, note=confirmed.evidence)


def _tell(tools: Tools, tx: Tx, resolution: Resolution, kind: str) -> None:
    body: journal.Body = {
        "kind": resolution.kind.value,
        "subject": resolution.subject_id,
        "verdict": resolution.verdict.value,
    }  # who they are stays in the table: names are personal data
    event = journal.NewEvent(id=tools.new_id(ids.EVENT), topic=resolution.id, type=kind, body=body)
    journal_rows.append(tx, event)
