"""Refunds as the API shows them: finance gives money back, and a second person decides where the risk review asks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import PAGED, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import ids, money, pages
from shoutgraph.domain.money import Coins
from shoutgraph.domain.topups.refund import Refund, RefundState
from shoutgraph.domain.users import Scope
from shoutgraph.services.orders import timers
from shoutgraph.services.topups import refund as refunding, refund_read
from shoutgraph.services.topups.refund import Wish

COST: Final = "20"
_DECIDES: Final = (requires(Scope.FINANCE_MANAGE),)

enums.describe(
    RefundState,
    name="TopUpRefundStatus",
    description="Where a refund stands; clients must accept values added later.",
    values={
        RefundState.REQUESTED: "Its coins are set aside and the risk review looks at it.",
        RefundState.HELD: "The risk review wants another person to decide.",
        RefundState.SUBMITTING: "The provider is being asked.",
        RefundState.PENDING: "The provider has it; the payment's totals do not show it yet.",
        RefundState.UNKNOWN: "Nobody knows yet whether the provider has it; we are checking.",
        RefundState.SUCCEEDED: "The money went back, and its coins ended.",
        RefundState.FAILED: "The money did not go back; its coins returned.",
        RefundState.DENIED: "It was never sent; its coins returned.",
        RefundState.REVERSED: "The money went back, and came back to us later; its coins returned.",
    },
)


@strawberry.type(name="TopUpRefund", description="Money of a top-up that finance gives back.")
class TopUpRefundType(NodeType):
    revision: int = strawberry.field(description="Goes up by one at each change.")
    status: RefundState = strawberry.field(description="Where it stands.")
    top_up_id: strawberry.ID = strawberry.field(description="Whose money.")
    amount: MoneyType = strawberry.field(description="What goes back.")
    coins: Coins = strawberry.field(description="Coins that were set aside for it.")
    reason: str = strawberry.field(description="Why, in the words of who asked.")
    requested_by: str = strawberry.field(description="Who asked for it.")
    decided_by: str | None = strawberry.field(description="Who decided about it, where the risk review held it.")
    failure_code: str | None = strawberry.field(description="Why it failed, in the provider's words or ours.")
    needs_review: bool = strawberry.field(description="Whether it is open for so long that finance must look at it.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @classmethod
    def of(cls, refund: Refund) -> "TopUpRefundType":
        """The graph's view of a refund."""
        return cls(
            id=strawberry.ID(refund.id),
            revision=refund.revision,
            status=refund.state,
            top_up_id=strawberry.ID(refund.topup_id),
            amount=MoneyType.of(money.Money(refund.part.minor, refund.currency)),
            coins=Coins(refund.part.coins),
            reason=refund.reason,
            requested_by=refund.requested_by,
            decided_by=refund.decided_by,
            failure_code=refund.failure_code,
            needs_review=refund.needs_review,
            created_at=refund.created_at,
            updated_at=refund.updated_at,
        )


_Decided = (
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType
)
TopUpRefundError = Annotated[
    _Decided | errors.InsufficientCoinsErrorType | errors.ProviderUnavailableErrorType, failures_of("topUpRefund")
]
TopUpRefundApproveError = Annotated[_Decided, failures_of("topUpRefundApprove")]
TopUpRefundDenyError = Annotated[_Decided, failures_of("topUpRefundDeny")]


@strawberry.input(one_of=True, description="Picks how much goes back: money, or the money of so many coins.")
class TopUpRefundAmountInput:
    minor_units: Coins | None = strawberry.field(
        default=strawberry.UNSET, description="So much, in minor units of the top-up's currency."
    )
    coins: Coins | None = strawberry.field(default=strawberry.UNSET, description="The money of so many of its coins.")


@strawberry.input(description="Input of topUpRefund.")
class TopUpRefundInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended refund.")
    top_up_id: strawberry.ID = strawberry.field(description="Whose money.")
    amount: TopUpRefundAmountInput | None = strawberry.field(default=None, description="All that is left if not given.")
    reason: str = strawberry.field(description="Why, for the provider and for whoever asks later.")

    def read(self) -> Wish:
        """The wish that this input describes."""
        amount = self.amount
        minor = None if amount is None or amount.minor_units is strawberry.UNSET else amount.minor_units
        coins = None if amount is None or amount.coins is strawberry.UNSET else amount.coins
        return Wish(self.top_up_id, self.reason, minor, coins)


@strawberry.type(description="Result of topUpRefund.")
class TopUpRefundPayload:
    refund: TopUpRefundType | None = mutations.outcome("The refund, its coins set aside or ended.")
    replayed: bool = mutations.replayed()
    errors: list[TopUpRefundError] = mutations.refusals()


@strawberry.input(description="Input of topUpRefundApprove.")
class TopUpRefundApproveInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    refund_id: strawberry.ID = strawberry.field(description="Which refund.")


@strawberry.type(description="Result of topUpRefundApprove.")
class TopUpRefundApprovePayload:
    refund: TopUpRefundType | None = mutations.outcome("The refund, sent.")
    replayed: bool = mutations.replayed()
    errors: list[TopUpRefundApproveError] = mutations.refusals()


@strawberry.input(description="Input of topUpRefundDeny.")
class TopUpRefundDenyInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    refund_id: strawberry.ID = strawberry.field(description="Which refund.")


@strawberry.type(description="Result of topUpRefundDeny.")
class TopUpRefundDenyPayload:
    refund: TopUpRefundType | None = mutations.outcome("The refund, denied.")
    replayed: bool = mutations.replayed()
    errors: list[TopUpRefundDenyError] = mutations.refusals()


Asked = Annotated[TopUpRefundInput, strawberry.argument(description="Whose money, how much, and why.")]
Approved = Annotated[TopUpRefundApproveInput, strawberry.argument(description="Which refund.")]
Denied = Annotated[TopUpRefundDenyInput, strawberry.argument(description="Which refund.")]


@strawberry.type
class RefundQuery:
    @fields.resolver(
        description="Refunds that finance asked for, newest first.", directives=[PAGED, requires(Scope.FINANCE_READ)]
    )
    async def top_up_refunds(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        top_up_id: Annotated[strawberry.ID | None, strawberry.argument(description="Of this top-up only.")] = None,
    ) -> Connection[TopUpRefundType] | None:
        args = pages.read_args(
            scope=refund_read.scope_of(top_up_id), first=first, after=after, last=last, before=before
        )
        page = await refund_read.page(info.context.tools, info.context.viewer, args, top_up_id)
        return graph_pages.connect(page, TopUpRefundType.of)


@strawberry.type
class RefundMutation:
    @mutations.mutation(
        description="Gives money of a top-up back: its unspent coins are set aside first, then its provider is asked.",
        cost=COST,
        directives=_DECIDES,
    )
    async def top_up_refund(self, info: Info, input: Asked) -> TopUpRefundPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "topUpRefund", input)
        done = await refunding.refund(tools, viewer, asked, input.read(), reverse_orders=timers.reverse_orders)
        return TopUpRefundPayload(refund=TopUpRefundType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Sends a refund that the risk review held; another person than who asked for it.",
        cost=COST,
        directives=_DECIDES,
    )
    async def top_up_refund_approve(self, info: Info, input: Approved) -> TopUpRefundApprovePayload | None:
        viewer, tools, reverse = info.context.viewer, info.context.tools, timers.reverse_orders
        asked = request_of(viewer, "topUpRefundApprove", input)
        done = await refunding.approve(tools, viewer, asked, input.refund_id, reverse_orders=reverse)
        return TopUpRefundApprovePayload(refund=TopUpRefundType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Refuses a refund that the risk review held; another person than who asked for it.",
        directives=_DECIDES,
    )
    async def top_up_refund_deny(self, info: Info, input: Denied) -> TopUpRefundDenyPayload | None:
        viewer, tools, reverse = info.context.viewer, info.context.tools, timers.reverse_orders
        asked = request_of(viewer, "topUpRefundDeny", input)
        done = await refunding.deny(tools, viewer, asked, input.refund_id, reverse_orders=reverse)
        return TopUpRefundDenyPayload(refund=TopUpRefundType.of(done.value), replayed=done.replayed)


async def fetch_refunds(context: Context, refund_ids: Sequence[str]) -> list[TopUpRefundType | None]:
    """Refunds by id, null where the caller may not see them."""
    found = await refund_read.list_by_id(context.tools, context.viewer, refund_ids)
    return [None if refund is None else TopUpRefundType.of(refund) for refund in found]


ROOM: Final = Room(query=RefundQuery, mutation=RefundMutation, nodes={ids.REFUND: fetch_refunds})
