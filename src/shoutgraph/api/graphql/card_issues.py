"""Gift cards that the platform gives away, as the API shows them to finance: one proposes them, another confirms."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.cards import GiftCardType
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import PAGED, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import card_issues as rules, pages
from shoutgraph.domain.card_issues import Issue, IssueState, Wish
from shoutgraph.domain.money import Coins
from shoutgraph.domain.users import Scope
from shoutgraph.services.topups import card_issues, cards

_DECIDES: Final = (requires(Scope.FINANCE_MANAGE),)
CONFIRM_COST: Final = "100"
"""What it costs to make up to a thousand cards, or to end them."""

enums.describe(
    IssueState,
    name="GiftCardIssueStatus",
    description="Where a proposal to give gift cards away stands.",
    values={
        IssueState.PROPOSED: "One person proposed it; there are no cards.",
        IssueState.ISSUED: "Another person confirmed it; its cards were made.",
        IssueState.REJECTED: "Somebody rejected it; there are no cards.",
    },
)


@strawberry.type(name="GiftCardIssue", description="Gift cards that the platform gives away; it needs two people.")
class GiftCardIssueType:
    id: strawberry.ID = strawberry.field(description="Names the issue; it is not a node.")
    status: IssueState = strawberry.field(description="Where it stands.")
    coins: Coins = strawberry.field(description="Granted coins of each card.")
    card_count: int = strawberry.field(description="How many cards.")
    expires_at: datetime = strawberry.field(description="Until when they can be redeemed.")
    reason: str = strawberry.field(description="Why.")
    case_reference: str = strawberry.field(description="The case in which it was decided.")
    proposed_by: str = strawberry.field(description="Who proposed it.")
    proposed_at: datetime = strawberry.field(description="When.")
    decided_by: str | None = strawberry.field(description="Who confirmed or rejected it.")
    decided_at: datetime | None = strawberry.field(description="When.")

    @classmethod
    def of(cls, issue: Issue) -> "GiftCardIssueType":
        """The graph's view of an issue."""
        return cls(
            id=strawberry.ID(issue.id),
            status=issue.state,
            coins=Coins(issue.coins),
            card_count=issue.cards_count,
            expires_at=issue.expires_at,
            reason=issue.reason,
            case_reference=issue.case_reference,
            proposed_by=issue.proposed_by,
            proposed_at=issue.proposed_at,
            decided_by=issue.decided_by,
            decided_at=issue.decided_at,
        )


_Asked = errors.ForbiddenErrorType | errors.IdempotencyKeyReusedErrorType | errors.ValidationErrorType
_Decided = _Asked | errors.NotFoundErrorType
GiftCardIssueProposeError = Annotated[_Asked | errors.LimitExceededErrorType, failures_of("giftCardIssuePropose")]
GiftCardIssueConfirmError = Annotated[_Decided | errors.LimitExceededErrorType, failures_of("giftCardIssueConfirm")]
GiftCardIssueRejectError = Annotated[_Decided, failures_of("giftCardIssueReject")]
GiftCardIssueVoidError = Annotated[_Decided, failures_of("giftCardIssueVoid")]
GiftCardVoidError = Annotated[_Decided, failures_of("giftCardVoid")]


@strawberry.input(description="Input of giftCardIssuePropose.")
class GiftCardIssueProposeInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended proposal.")
    coins: Coins = strawberry.field(description="Granted coins of each card.")
    card_count: int = strawberry.field(description=f"How many cards, up to {rules.CARDS_MAX:,}.")
    expires_at: datetime = strawberry.field(description="Until when they can be redeemed.")
    reason: str = strawberry.field(description="Why.")
    case_reference: str = strawberry.field(description="The case in which it was decided.")

    def read(self) -> Wish:
        """What is to be given away, and why."""
        return Wish(self.coins, self.card_count, self.expires_at, self.reason, self.case_reference)


@strawberry.type(description="Result of giftCardIssuePropose.")
class GiftCardIssueProposePayload:
    gift_card_issue: GiftCardIssueType | None = mutations.outcome("What was proposed.")
    replayed: bool = mutations.replayed()
    errors: list[GiftCardIssueProposeError] = mutations.refusals()


@strawberry.input(description="Input of giftCardIssueConfirm.")
class GiftCardIssueConfirmInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    gift_card_issue_id: strawberry.ID = strawberry.field(description="Which proposal.")


@strawberry.type(description="Result of giftCardIssueConfirm.")
class GiftCardIssueConfirmPayload:
    gift_card_issue: GiftCardIssueType | None = mutations.outcome("What was confirmed; its cards are made.")
    csv: str | None = strawberry.field(
        default=None,
        description="The cards with their codes, as comma-separated values. They are shown now and never again: a "
        "repeat has none. Cards whose codes are lost can be voided.",
    )
    replayed: bool = mutations.replayed()
    errors: list[GiftCardIssueConfirmError] = mutations.refusals()


@strawberry.input(description="Input of giftCardIssueReject.")
class GiftCardIssueRejectInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    gift_card_issue_id: strawberry.ID = strawberry.field(description="Which proposal.")


@strawberry.type(description="Result of giftCardIssueReject.")
class GiftCardIssueRejectPayload:
    gift_card_issue: GiftCardIssueType | None = mutations.outcome("What was rejected.")
    replayed: bool = mutations.replayed()
    errors: list[GiftCardIssueRejectError] = mutations.refusals()


@strawberry.input(description="Input of giftCardIssueVoid.")
class GiftCardIssueVoidInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended act.")
    gift_card_issue_id: strawberry.ID = strawberry.field(description="Whose open cards.")
    reason: str = strawberry.field(description="Why; the audit trail keeps it.")


@strawberry.type(description="Result of giftCardIssueVoid.")
class GiftCardIssueVoidPayload:
    gift_card_issue: GiftCardIssueType | None = mutations.outcome("The issue; none of its cards is open.")
    replayed: bool = mutations.replayed()
    errors: list[GiftCardIssueVoidError] = mutations.refusals()


@strawberry.input(description="Input of giftCardVoid.")
class GiftCardVoidInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended act.")
    gift_card_id: strawberry.ID = strawberry.field(description="Which card.")
    reason: str = strawberry.field(description="Why; the audit trail keeps it.")


@strawberry.type(description="Result of giftCardVoid.")
class GiftCardVoidPayload:
    gift_card: GiftCardType | None = mutations.outcome("The card; bought coins are the buyer's again.")
    replayed: bool = mutations.replayed()
    errors: list[GiftCardVoidError] = mutations.refusals()


Proposed = Annotated[GiftCardIssueProposeInput, strawberry.argument(description="What is to be given away, and why.")]
Confirmed = Annotated[GiftCardIssueConfirmInput, strawberry.argument(description="Which proposal.")]
Rejected = Annotated[GiftCardIssueRejectInput, strawberry.argument(description="Which proposal.")]
VoidedAll = Annotated[GiftCardIssueVoidInput, strawberry.argument(description="Whose cards, and why.")]
Voided = Annotated[GiftCardVoidInput, strawberry.argument(description="Which card, and why.")]
Status = Annotated[IssueState | None, strawberry.argument(description="Those that stand so; all if not given.")]
OfIssue = Annotated[strawberry.ID, strawberry.argument(description="Whose cards.")]


@strawberry.type
class CardIssueQuery:
    @fields.resolver(
        description="What was proposed and decided to give away, newest first.",
        directives=[PAGED, requires(Scope.FINANCE_READ)],
    )
    async def gift_card_issues(
        self,
        info: Info,
        status: Status = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[GiftCardIssueType] | None:
        scope = card_issues.scope_of(status)
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before)
        page = await card_issues.page(info.context.tools, info.context.viewer, args, status)
        return graph_pages.connect(page, GiftCardIssueType.of)

    @fields.resolver(
        description="The cards of an issue, newest first; their codes are shown to nobody.",
        directives=[PAGED, requires(Scope.FINANCE_READ)],
    )
    async def gift_cards_of_issue(
        self,
        info: Info,
        gift_card_issue_id: OfIssue,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[GiftCardType] | None:
        scope = cards.scope_of(gift_card_issue_id)
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before)
        page = await cards.page_of_issue(info.context.tools, info.context.viewer, gift_card_issue_id, args)
        return graph_pages.connect(page, GiftCardType.of)


@strawberry.type
class CardIssueMutation:
    @mutations.mutation(
        description="Proposes gift cards of granted coins; none is made until another person confirms it.",
        directives=_DECIDES,
    )
    async def gift_card_issue_propose(self, info: Info, input: Proposed) -> GiftCardIssueProposePayload | None:
        viewer, asked = info.context.viewer, request_of(info.context.viewer, "giftCardIssuePropose", input)
        done = await card_issues.propose(info.context.tools, viewer, asked, input.read())
        told = GiftCardIssueType.of(done.value)
        return GiftCardIssueProposePayload(gift_card_issue=told, replayed=done.replayed)

    @mutations.mutation(
        description="Confirms gift cards that another person proposed: they are made, and their codes shown once.",
        directives=_DECIDES,
        cost=CONFIRM_COST,
    )
    async def gift_card_issue_confirm(self, info: Info, input: Confirmed) -> GiftCardIssueConfirmPayload | None:
        viewer, asked = info.context.viewer, request_of(info.context.viewer, "giftCardIssueConfirm", input)
        done = await card_issues.confirm(info.context.tools, viewer, asked, input.gift_card_issue_id)
        told = GiftCardIssueType.of(done.value.issue)
        return GiftCardIssueConfirmPayload(gift_card_issue=told, csv=done.value.file, replayed=done.replayed)

    @mutations.mutation(
        description="Rejects gift cards that were proposed, or takes the proposal back.", directives=_DECIDES
    )
    async def gift_card_issue_reject(self, info: Info, input: Rejected) -> GiftCardIssueRejectPayload | None:
        viewer, asked = info.context.viewer, request_of(info.context.viewer, "giftCardIssueReject", input)
        done = await card_issues.reject(info.context.tools, viewer, asked, input.gift_card_issue_id)
        told = GiftCardIssueType.of(done.value)
        return GiftCardIssueRejectPayload(gift_card_issue=told, replayed=done.replayed)

    @mutations.mutation(
        description="Calls back every card of an issue that nobody redeemed yet; their coins end.",
        directives=_DECIDES,
        cost=CONFIRM_COST,
    )
    async def gift_card_issue_void(self, info: Info, input: VoidedAll) -> GiftCardIssueVoidPayload | None:
        viewer, asked = info.context.viewer, request_of(info.context.viewer, "giftCardIssueVoid", input)
        done = await card_issues.void(info.context.tools, viewer, asked, input.gift_card_issue_id, reason=input.reason)
        told = GiftCardIssueType.of(done.value)
        return GiftCardIssueVoidPayload(gift_card_issue=told, replayed=done.replayed)

    @mutations.mutation(
        description="Calls an open gift card back, whoever made it: bought coins are the buyer's again, granted ones "
        "end.",
        directives=_DECIDES,
    )
    async def gift_card_void(self, info: Info, input: Voided) -> GiftCardVoidPayload | None:
        viewer, asked = info.context.viewer, request_of(info.context.viewer, "giftCardVoid", input)
        done = await cards.void(info.context.tools, viewer, asked, input.gift_card_id, reason=input.reason)
        return GiftCardVoidPayload(gift_card=GiftCardType.of(done.value), replayed=done.replayed)


ROOM: Final = Room(query=CardIssueQuery, mutation=CardIssueMutation)
