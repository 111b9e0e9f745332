"""Finding money that waits for people, of every room."""

from collections.abc import Sequence
from typing import Final

from shoutgraph.domain import errors, pages, resolutions as rules
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.resolutions import Subject, SubjectKind, Unresolved
from shoutgraph.domain.strays import Stray
from shoutgraph.domain.users import SYSTEM, Scope, Viewer
from shoutgraph.storage import payouts, refunds, resolutions, strays, topups, unresolved
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

SCOPE: Final = pages.scope_of("money unresolved")
"""Names the listing, so that a cursor of another one is refused."""


async def page(tools: Tools, viewer: Viewer, args: PageArgs) -> Page[Unresolved]:
    """A page of the money that waits for people, the longest waiting first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)
    found = await tools.store.read(list_of)
    if args.key is not None:
        key = tuple(args.key)
        found = [each for each in found if (_key(each) < key if args.backward else _key(each) > key)]
    ordered = found[::-1] if args.backward else found
    return pages.cut(ordered[: args.size + 1], args, scope=SCOPE, key_of=_key)


def list_of(tx: Tx) -> list[Unresolved]:
    """Everything that waits for people, the longest waiting first."""
    subjects = [
        *(rules.of_topup(each) for each in topups.list_visible(tx, unresolved.list_of_topups(tx), SYSTEM) if each),
        *(rules.of_payout(each) for each in payouts.list_visible(tx, unresolved.list_of_payouts(tx), SYSTEM) if each),
        *(rules.of_refund(each) for each in refunds.list_of(tx, unresolved.list_of_refunds(tx)) if each),
        *(rules.of_stray(each) for each in strays.list_of_open(tx, limit=unresolved.EACH_MAX)),
    ]
    found = [each for kind in SubjectKind for each in _with_proposals(tx, kind, subjects)]
    return sorted(found, key=_key)


def get(tx: Tx, subject_id: str) -> Subject:
    """Money by the id of its top-up, payout or refund, or by a stray's. A unit of work that writes holds it.

    Raises:
        ValidationError: the text is no id of money.
        NotFoundError: there is nothing of this id.
    """
    kind = rules.kind_of(subject_id)
    match kind:
        case SubjectKind.TOPUP:
            return rules.of_topup(topups.get(tx, subject_id))
        case SubjectKind.PAYOUT:
            return rules.of_payout(payouts.get(tx, subject_id))
        case SubjectKind.REFUND:
            known = refunds.list_of(tx, [subject_id])[0]
            if known is not None:
                topups.get(tx, known.topup_id)  # whoever changes a refund holds its top-up first
            return rules.of_refund(refunds.get(tx, subject_id))
        case _:
            return rules.of_stray(stray_of(tx, subject_id))


def stray_of(tx: Tx, subject_id: str) -> Stray:
    """A stray by its name among what people settle.

    Raises:
        NotFoundError: there is none of this name.
    """
    instance, _, operation_id = subject_id.partition("/")
    found = strays.find(tx, instance=instance, operation_id=operation_id)
    if found is None:
        raise errors.NotFoundError("There is no such money to settle.", path=("input", "subjectId"))
    return found


def _with_proposals(tx: Tx, kind: SubjectKind, subjects: Sequence[Subject]) -> list[Unresolved]:
    ours = [each for each in subjects if each.kind is kind]
    proposed = resolutions.list_of_proposed(tx, kind, [each.id for each in ours]) if ours else {}
    return [Unresolved(subject, proposed.get(subject.id)) for subject in ours]


def _key(each: Unresolved) -> tuple[str, str]:
    return each.subject.since.isoformat(timespec="microseconds"), each.subject.id
