"""Money that waits for people as the API shows it: one proposes what became of it, another confirms."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import PAGED, ListSize, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import ids, pages
from shoutgraph.domain.money import Coins
from shoutgraph.domain.resolutions import Resolution, ResolutionState, SubjectKind, Unresolved, Verdict
from shoutgraph.domain.users import Scope
from shoutgraph.services.money import resolve, subjects
from shoutgraph.services.money.resolve import Follows, Wish
from shoutgraph.services.orders import timers
from shoutgraph.services.payouts import by_hand as payouts_by_hand
from shoutgraph.services.topups import by_hand as topups_by_hand

FOLLOWS: Final[Follows] = {
    SubjectKind.TOPUP: partial(topups_by_hand.follow_topup, reverse_orders=timers.reverse_orders),
    SubjectKind.REFUND: partial(topups_by_hand.follow_refund, reverse_orders=timers.reverse_orders),
    SubjectKind.PAYOUT: payouts_by_hand.follow_payout,
}
"""Which room books what people found out."""

_DECIDES: Final = (requires(Scope.FINANCE_MANAGE),)

enums.describe(
    SubjectKind,
    name="MoneySubjectKind",
    description="What waits for people.",
    values={
        SubjectKind.TOPUP: "A purchase of coins.",
        SubjectKind.PAYOUT: "Earnings on their way out.",
        SubjectKind.REFUND: "Money of a top-up on its way back.",
        SubjectKind.STRAY: "Something a provider has under a name of ours that the books do not know.",
    },
)
enums.describe(
    Verdict,
    name="MoneyVerdict",
    description="What people found to have become of money.",
    values={
        Verdict.PAID: "It moved: the books follow as if the provider had said so.",
        Verdict.NOT_EXECUTED: "It never moved: what was set aside returns. Late money still counts.",
        Verdict.CLOSED: "It was made good by hand; the books stay as they are.",
    },
)
enums.describe(
    ResolutionState,
    name="MoneyResolutionStatus",
    description="Where a resolution stands.",
    values={
        ResolutionState.PROPOSED: "One person proposed it; nothing moved.",
        ResolutionState.CONFIRMED: "Another person confirmed it; the books followed.",
        ResolutionState.REJECTED: "Somebody rejected it; nothing moved.",
    },
)


@strawberry.type(name="MoneyResolution", description="What one person proposed, and another one decided.")
class MoneyResolutionType(NodeType):
    kind: SubjectKind = strawberry.field(description="What it is about.")
    subject_id: strawberry.ID = strawberry.field(description="Which one.")
    verdict: Verdict = strawberry.field(description="What became of it.")
    evidence: str = strawberry.field(description="Where that is written.")
    proposed_by: str = strawberry.field(description="Who proposed it.")
    proposed_at: datetime = strawberry.field(description="When.")
    status: ResolutionState = strawberry.field(description="Where it stands.")
    decided_by: str | None = strawberry.field(description="Who confirmed or rejected it.")
    decided_at: datetime | None = strawberry.field(description="When.")

    @classmethod
    def of(cls, resolution: Resolution) -> "MoneyResolutionType":
        """The graph's view of a resolution."""
        return cls(
            id=strawberry.ID(resolution.id),
            kind=resolution.kind,
            subject_id=strawberry.ID(resolution.subject_id),
            verdict=resolution.verdict,
            evidence=resolution.evidence,
            proposed_by=resolution.proposed_by,
            proposed_at=resolution.proposed_at,
            status=resolution.state,
            decided_by=resolution.decided_by,
            decided_at=resolution.decided_at,
        )


@strawberry.type(name="UnresolvedMoney", description="Money that no machine can settle.")
class UnresolvedMoneyType:
    kind: SubjectKind = strawberry.field(description="What it is.")
    subject_id: strawberry.ID = strawberry.field(description="Its id, or for a stray the instance and our name of it.")
    provider_code: str = strawberry.field(description="Who has it, or may have it.")
    amount: MoneyType | None = strawberry.field(description="How much; null where the provider does not say.")
    coins: Coins | None = strawberry.field(description="The coins that it stands for.")
    status: str = strawberry.field(description="Where it stands, in the words of its kind.")
    review: str | None = strawberry.field(description="Why people must look at it.")
    provider_ref: str | None = strawberry.field(description="What the provider calls it.")
    started_at: datetime = strawberry.field(description="When it was begun.")
    verdicts: list[Verdict] = strawberry.field(
        description="How people can settle it.", directives=[ListSize(assumed_size=len(Verdict))]
    )
    proposed: MoneyResolutionType | None = strawberry.field(description="What somebody proposed.")

    @classmethod
    def of(cls, unresolved: Unresolved) -> "UnresolvedMoneyType":
        """The graph's view of money that waits for people."""
        subject, proposed = unresolved.subject, unresolved.proposed
        return cls(
            kind=subject.kind,
            subject_id=strawberry.ID(subject.id),
            provider_code=subject.instance,
            amount=None if subject.amount is None else MoneyType.of(subject.amount),
            coins=None if subject.coins is None else Coins(subject.coins),
            status=subject.stands,
            review=subject.why,
            provider_ref=subject.ref,
            started_at=subject.since,
            verdicts=list(subject.verdicts),
            proposed=None if proposed is None else MoneyResolutionType.of(proposed),
        )


_Decided = (
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType
)
MoneyResolveProposeError = Annotated[_Decided, failures_of("moneyResolvePropose")]
MoneyResolveConfirmError = Annotated[_Decided | errors.StaleRevisionErrorType, failures_of("moneyResolveConfirm")]
MoneyResolveRejectError = Annotated[_Decided, failures_of("moneyResolveReject")]


@strawberry.input(description="Input of moneyResolvePropose.")
class MoneyResolveProposeInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended proposal.")
    subject_id: strawberry.ID = strawberry.field(description="Which money, as moneyUnresolved names it.")
    verdict: Verdict = strawberry.field(description="What became of it.")
    evidence: str = strawberry.field(description="Where that is written, such as a line of the provider's statement.")


@strawberry.type(description="Result of moneyResolvePropose.")
class MoneyResolveProposePayload:
    resolution: MoneyResolutionType | None = mutations.outcome("What was proposed.")
    replayed: bool = mutations.replayed()
    errors: list[MoneyResolveProposeError] = mutations.refusals()


@strawberry.input(description="Input of moneyResolveConfirm.")
class MoneyResolveConfirmInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    resolution_id: strawberry.ID = strawberry.field(description="Which resolution.")


@strawberry.type(description="Result of moneyResolveConfirm.")
class MoneyResolveConfirmPayload:
    resolution: MoneyResolutionType | None = mutations.outcome("What was confirmed; the books followed.")
    replayed: bool = mutations.replayed()
    errors: list[MoneyResolveConfirmError] = mutations.refusals()


@strawberry.input(description="Input of moneyResolveReject.")
class MoneyResolveRejectInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    resolution_id: strawberry.ID = strawberry.field(description="Which resolution.")


@strawberry.type(description="Result of moneyResolveReject.")
class MoneyResolveRejectPayload:
    resolution: MoneyResolutionType | None = mutations.outcome("What was rejected.")
    replayed: bool = mutations.replayed()
    errors: list[MoneyResolveRejectError] = mutations.refusals()


Proposed = Annotated[MoneyResolveProposeInput, strawberry.argument(description="Which money, and what became of it.")]
Confirmed = Annotated[MoneyResolveConfirmInput, strawberry.argument(description="Which resolution.")]
Rejected = Annotated[MoneyResolveRejectInput, strawberry.argument(description="Which resolution.")]


@strawberry.type
class ResolutionQuery:
    @fields.resolver(
        description="Money that waits for people, the longest waiting first.",
        directives=[PAGED, requires(Scope.FINANCE_READ)],
    )
    async def money_unresolved(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[UnresolvedMoneyType] | None:
        scope, kinds = subjects.SCOPE, (str, str)
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before, kinds=kinds)
        page = await subjects.page(info.context.tools, info.context.viewer, args)
        return graph_pages.connect(page, UnresolvedMoneyType.of)


@strawberry.type
class ResolutionMutation:
    @mutations.mutation(
        description="Proposes what became of money that no machine can settle; nothing moves yet.", directives=_DECIDES
    )
    async def money_resolve_propose(self, info: Info, input: Proposed) -> MoneyResolveProposePayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "moneyResolvePropose", input)
        done = await resolve.propose(tools, viewer, asked, Wish(input.subject_id, input.verdict, input.evidence))
        return MoneyResolveProposePayload(resolution=MoneyResolutionType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Confirms what another person proposed; the books follow at once.", directives=_DECIDES
    )
    async def money_resolve_confirm(self, info: Info, input: Confirmed) -> MoneyResolveConfirmPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "moneyResolveConfirm", input)
        done = await resolve.confirm(tools, viewer, asked, input.resolution_id, follows=FOLLOWS)
        return MoneyResolveConfirmPayload(resolution=MoneyResolutionType.of(done.value), replayed=done.replayed)

    @mutations.mutation(description="Rejects what was proposed, or takes it back; nothing moves.", directives=_DECIDES)
    async def money_resolve_reject(self, info: Info, input: Rejected) -> MoneyResolveRejectPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "moneyResolveReject", input)
        done = await resolve.reject(tools, viewer, asked, input.resolution_id)
        return MoneyResolveRejectPayload(resolution=MoneyResolutionType.of(done.value), replayed=done.replayed)


async def fetch_resolutions(context: Context, resolution_ids: Sequence[str]) -> list[MoneyResolutionType | None]:
    """Resolutions by id, null where the caller may not see them."""
    found = await resolve.list_by_id(context.tools, context.viewer, resolution_ids)
    return [None if each is None else MoneyResolutionType.of(each) for each in found]


ROOM: Final = Room(query=ResolutionQuery, mutation=ResolutionMutation, nodes={ids.RESOLUTION: fetch_resolutions})
