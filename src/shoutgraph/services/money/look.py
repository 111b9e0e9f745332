"""Looking at one top-up, payout or refund now, and everything that is known of it."""

from dataclasses import dataclass
from typing import Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.journal import Event
from shoutgraph.domain.resolutions import Resolution, Subject, SubjectKind
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.services.money import subjects
from shoutgraph.storage import journal, payouts, refunds, resolutions, topups
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

LINES_MAX: Final = 200
"""The most lines of the journal that one story holds."""


@dataclass(frozen=True, slots=True)
class Story:
    """Money, what people said of it, and what the journal tells."""

    subject: Subject
    resolutions: tuple[Resolution, ...]
    events: tuple[Event, ...]


def story_of(tx: Tx, subject_id: str) -> Story:
    """Everything that is known of money.

    Raises:
        NotFoundError: there is none of this id.
    """
    subject = subjects.get(tx, subject_id)
    said = resolutions.list_of_subject(tx, subject.kind, subject.id)
    return Story(subject, said, journal.list_of_topic(tx, subject.id, after=0, limit=LINES_MAX))


async def bring_forward(tools: Tools, viewer: Viewer, subject_id: str) -> Subject:
    """Makes the next look at money due now; whichever process is at work takes it up.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        NotFoundError: there is none of this id.
        ValidationError: a stray has no look of its own.
    """
    viewer.require(Scope.FINANCE_MANAGE)

    def work(tx: Tx) -> Subject:
        subject = subjects.get(tx, subject_id)
        match subject.kind:
            case SubjectKind.TOPUP:
                topups.look_soon(tx, ids.TopupId(subject.id))
            case SubjectKind.PAYOUT:
                payouts.look_soon(tx, ids.PayoutId(subject.id))
            case SubjectKind.REFUND:
                if refunds.get(tx, subject.id).sent:
                    refunds.schedule(tx, subject.id, look_at=tx.now, looks=0)
            case _:
                msg = "A stray is found by asking for the provider's list; it cannot be looked at by itself."
                raise errors.ValidationError(msg, code="RESOLUTION_STATE", path=("input", "subjectId"))
        return subject

    return await tools.store.write(work)
