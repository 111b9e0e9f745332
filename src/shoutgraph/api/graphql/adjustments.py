"""Giving back of orders that have ended, as the API offers it: refunds by finance, and goodwill by two people."""

from dataclasses import replace
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import PAGED, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.orders.adjustment import OrderAdjustmentType
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import ids, pages
from shoutgraph.domain.adjustments import AdjustmentReason, AdjustmentState
from shoutgraph.domain.money import Coins
from shoutgraph.domain.users import Scope
from shoutgraph.services.orders import adjust, adjustments
from shoutgraph.services.orders.adjust import Wish
from shoutgraph.services.orders.moves import Turn

_DECIDES: Final = (requires(Scope.FINANCE_MANAGE),)
_Decided = (
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType
)
_Asked = _Decided | errors.OrderStateErrorType | errors.StaleRevisionErrorType
OrderRefundError = Annotated[_Asked, failures_of("orderRefund")]
OrderGoodwillProposeError = Annotated[_Asked, failures_of("orderGoodwillPropose")]
OrderGoodwillApproveError = Annotated[_Decided, failures_of("orderGoodwillApprove")]
OrderGoodwillDenyError = Annotated[_Decided, failures_of("orderGoodwillDeny")]


@strawberry.input(description="What giving something of an order back takes.")
class GivingBack:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended effect.")
    order_id: strawberry.ID = strawberry.field(description="Which order.")
    expected_revision: int | None = strawberry.field(
        default=None, description="The revision you read; null gives up the check."
    )
    coins: Coins | None = strawberry.field(default=None, description="How many coins; all that is left if not given.")
    reason: AdjustmentReason = strawberry.field(description="Why.")
    note: str | None = strawberry.field(default=None, description="A word for staff who ask later.")

    def read(self) -> tuple[Turn, Wish]:
        """Which order, and what of it."""
        order_id = ids.parse(ids.ORDER, self.order_id, path=("input", "orderId"))
        return Turn(order_id, self.expected_revision), Wish(self.reason, self.coins, self.note)


@strawberry.input(description="Input of orderRefund.")
class OrderRefundInput(GivingBack):
    after_hold: bool = strawberry.field(
        default=False,
        description="Also once the creator's earning has matured: it takes what they have available, then what is in "
        "reserve, and they owe the rest.",
    )


@strawberry.type(description="Result of orderRefund.")
class OrderRefundPayload:
    adjustment: OrderAdjustmentType | None = mutations.outcome("What was given back.")
    replayed: bool = mutations.replayed()
    errors: list[OrderRefundError] = mutations.refusals()


@strawberry.input(description="Input of orderGoodwillPropose.")
class OrderGoodwillProposeInput(GivingBack):
    pass


@strawberry.type(description="Result of orderGoodwillPropose.")
class OrderGoodwillProposePayload:
    adjustment: OrderAdjustmentType | None = mutations.outcome("What was proposed.")
    replayed: bool = mutations.replayed()
    errors: list[OrderGoodwillProposeError] = mutations.refusals()


@strawberry.input(description="Input of orderGoodwillApprove.")
class OrderGoodwillApproveInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    adjustment_id: strawberry.ID = strawberry.field(description="Which proposal.")


@strawberry.type(description="Result of orderGoodwillApprove.")
class OrderGoodwillApprovePayload:
    adjustment: OrderAdjustmentType | None = mutations.outcome("What was given.")
    replayed: bool = mutations.replayed()
    errors: list[OrderGoodwillApproveError] = mutations.refusals()


@strawberry.input(description="Input of orderGoodwillDeny.")
class OrderGoodwillDenyInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    adjustment_id: strawberry.ID = strawberry.field(description="Which proposal.")


@strawberry.type(description="Result of orderGoodwillDeny.")
class OrderGoodwillDenyPayload:
    adjustment: OrderAdjustmentType | None = mutations.outcome("What was denied.")
    replayed: bool = mutations.replayed()
    errors: list[OrderGoodwillDenyError] = mutations.refusals()


Refunded = Annotated[OrderRefundInput, strawberry.argument(description="Which order, how much, and why.")]
Proposed = Annotated[OrderGoodwillProposeInput, strawberry.argument(description="Which order, how much, and why.")]
Approved = Annotated[OrderGoodwillApproveInput, strawberry.argument(description="Which proposal.")]
Denied = Annotated[OrderGoodwillDenyInput, strawberry.argument(description="Which proposal.")]
Status = Annotated[AdjustmentState | None, strawberry.argument(description="Those that stand so; all if not given.")]


@strawberry.type
class AdjustmentQuery:
    @fields.resolver(
        description="What was given back of orders, or is proposed to be, newest first.",
        directives=[PAGED, requires(Scope.FINANCE_READ)],
    )
    async def order_adjustments(
        self,
        info: Info,
        status: Status = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[OrderAdjustmentType] | None:
        context = info.context
        scope = adjustments.scope_of(status)
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before)
        page = await adjustments.page(context.tools, context.viewer, args, status)
        return graph_pages.connect(page, lambda each: OrderAdjustmentType.of(each, context.viewer))


@strawberry.type
class AdjustmentMutation:
    @mutations.mutation(
        description="Gives coins of a completed order back: the creator and the fee lose their shares. While the "
        "creator's earning is pending, or later with afterHold.",
        directives=_DECIDES,
    )
    async def order_refund(self, info: Info, input: Refunded) -> OrderRefundPayload | None:
        viewer, asked = info.context.viewer, request_of(info.context.viewer, "orderRefund", input)
        turn, wish = input.read()
        wish = replace(wish, after_hold=input.after_hold)
        done = await adjust.refund(info.context.tools, viewer, asked, turn, wish)
        return OrderRefundPayload(adjustment=OrderAdjustmentType.of(done.value, viewer), replayed=done.replayed)

    @mutations.mutation(
        description="Proposes to give coins back at the platform's cost, once the creator's earning is not pending any "
        "more; nothing moves until another person approves.",
        directives=_DECIDES,
    )
    async def order_goodwill_propose(self, info: Info, input: Proposed) -> OrderGoodwillProposePayload | None:
        viewer, asked = info.context.viewer, request_of(info.context.viewer, "orderGoodwillPropose", input)
        turn, wish = input.read()
        done = await adjust.propose(info.context.tools, viewer, asked, turn, wish)
        return OrderGoodwillProposePayload(
            adjustment=OrderAdjustmentType.of(done.value, viewer), replayed=done.replayed
        )

    @mutations.mutation(
        description="Approves goodwill that another person proposed; the coins are the fan's at once.",
        directives=_DECIDES,
    )
    async def order_goodwill_approve(self, info: Info, input: Approved) -> OrderGoodwillApprovePayload | None:
        viewer, asked = info.context.viewer, request_of(info.context.viewer, "orderGoodwillApprove", input)
        done = await adjust.approve(info.context.tools, viewer, asked, input.adjustment_id)
        return OrderGoodwillApprovePayload(
            adjustment=OrderAdjustmentType.of(done.value, viewer), replayed=done.replayed
        )

    @mutations.mutation(
        description="Denies goodwill that was proposed, or takes it back; nothing moves.", directives=_DECIDES
    )
    async def order_goodwill_deny(self, info: Info, input: Denied) -> OrderGoodwillDenyPayload | None:
        viewer, asked = info.context.viewer, request_of(info.context.viewer, "orderGoodwillDeny", input)
        done = await adjust.deny(info.context.tools, viewer, asked, input.adjustment_id)
        return OrderGoodwillDenyPayload(adjustment=OrderAdjustmentType.of(done.value, viewer), replayed=done.replayed)


ROOM: Final = Room(query=AdjustmentQuery, mutation=AdjustmentMutation)
