"""Holds on payouts as the API shows them: why, what the creator can do, until when; and those that finance places."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import ids
from shoutgraph.domain.payout_holds import Hold, HoldRule, StaffHold, Wish
from shoutgraph.domain.users import Scope
from shoutgraph.services.payouts import holds

_DECIDES: Final = (requires(Scope.FINANCE_MANAGE),)
SHOWN_MAX: Final = 30
"""About as many reasons as a payout has at a time."""

enums.describe(
    HoldRule,
    name="PayoutHoldRule",
    description="Why a payout waits; clients must accept values added later.",
    values={
        HoldRule.TAX_PROFILE: "The creator has no tax profile yet.",
        HoldRule.RECIPIENT_CHANGED: "Where the money goes was changed lately.",
        HoldRule.RECIPIENT_NOT_READY: "The provider sends nothing there for now.",
        HoldRule.VELOCITY: "The creator asked for many payouts in a day.",
        HoldRule.FROZEN_ORDER: "An order of the creator is frozen.",
        HoldRule.DEBT: "The creator owes coins.",
        HoldRule.LOCKED: "The creator's wallet or account is locked.",
        HoldRule.STAFF: "Somebody of the platform holds it, and says why.",
    },
)


@strawberry.type(name="PayoutWait", description="One reason why a payout waits; it goes on once none is left.")
class PayoutWaitType:
    code: HoldRule = strawberry.field(description="Why.")
    remedy: str = strawberry.field(description="What the creator can do, as a stable code to be said in any language.")
    message: str = strawberry.field(description="The same in words, for people.")
    until: datetime | None = strawberry.field(description="When it ends by itself; null where it does not.")
    reason: str | None = strawberry.field(description="What somebody of the platform says; null for rules.")
    hold_id: strawberry.ID | None = strawberry.field(description="Names a hold that finance placed; null for rules.")

    @classmethod
    def of(cls, hold: Hold) -> "PayoutWaitType":
        """The graph's view of a reason to wait."""
        remedy = hold.remedy
        return cls(
            code=hold.rule,
            remedy=remedy.code,
            message=remedy.words,
            until=hold.until,
            reason=hold.reason,
            hold_id=None if hold.hold_id is None else strawberry.ID(hold.hold_id),
        )


@strawberry.type(name="PayoutStaffHold", description="A hold that finance placed, on one payout or on all.")
class PayoutStaffHoldType:
    hold_id: strawberry.ID = strawberry.field(description="Names it; payoutHoldRelease takes it.")
    creator_id: strawberry.ID = strawberry.field(description="Whose payouts.")
    payout_id: strawberry.ID | None = strawberry.field(description="Which of them; null for all.")
    reason: str = strawberry.field(description="Why.")
    until: datetime | None = strawberry.field(description="When it ends by itself; null for when it is released.")
    placed_at: datetime = strawberry.field(description="When it was placed.")
    released_at: datetime | None = strawberry.field(description="When it was released.")

    @classmethod
    def of(cls, hold: StaffHold) -> "PayoutStaffHoldType":
        """The graph's view of a hold of staff."""
        return cls(
            hold_id=strawberry.ID(hold.id),
            creator_id=strawberry.ID(hold.creator_id),
            payout_id=None if hold.payout_id is None else strawberry.ID(hold.payout_id),
            reason=hold.reason,
            until=hold.until,
            placed_at=hold.placed_at,
            released_at=hold.released_at,
        )


_Decided = (
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType
)
PayoutHoldPlaceError = Annotated[_Decided | errors.LimitExceededErrorType, failures_of("payoutHoldPlace")]
PayoutHoldReleaseError = Annotated[_Decided, failures_of("payoutHoldRelease")]


@strawberry.input(description="Input of payoutHoldPlace.")
class PayoutHoldPlaceInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended hold.")
    creator_id: strawberry.ID = strawberry.field(description="Whose payouts.")
    reason: str = strawberry.field(description="Why, for the creator to read; at most 1,000 characters.")
    payout_id: strawberry.ID | None = strawberry.field(default=None, description="Which of them; null for all.")
    until: datetime | None = strawberry.field(default=None, description="When it ends by itself, if it does.")

    def read(self) -> Wish:
        """The hold that is meant."""
        payout_id = self.payout_id
        return Wish(
            creator_id=ids.parse(ids.CREATOR, self.creator_id, path=("input", "creatorId")),
            payout_id=None if payout_id is None else ids.parse(ids.PAYOUT, payout_id, path=("input", "payoutId")),
            reason=self.reason,
            until=self.until,
        )


@strawberry.type(description="Result of payoutHoldPlace.")
class PayoutHoldPlacePayload:
    hold: PayoutStaffHoldType | None = mutations.outcome("The hold.")
    replayed: bool = mutations.replayed()
    errors: list[PayoutHoldPlaceError] = mutations.refusals()


@strawberry.input(description="Input of payoutHoldRelease.")
class PayoutHoldReleaseInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended release.")
    hold_id: strawberry.ID = strawberry.field(description="Which hold.")
    reason: str = strawberry.field(description="Why; at most 1,000 characters.")


@strawberry.type(description="Result of payoutHoldRelease.")
class PayoutHoldReleasePayload:
    hold: PayoutStaffHoldType | None = mutations.outcome("The hold, released.")
    replayed: bool = mutations.replayed()
    errors: list[PayoutHoldReleaseError] = mutations.refusals()


Placed = Annotated[PayoutHoldPlaceInput, strawberry.argument(description="Whose payouts, and why.")]
Released = Annotated[PayoutHoldReleaseInput, strawberry.argument(description="Which hold, and why.")]


@strawberry.type
class PayoutHoldMutation:
    @mutations.mutation(
        description="Keeps back one payout of a creator or all, until it is released or its time comes.",
        directives=_DECIDES,
    )
    async def payout_hold_place(self, info: Info, input: Placed) -> PayoutHoldPlacePayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        done = await holds.place(tools, viewer, request_of(viewer, "payoutHoldPlace", input), input.read())
        return PayoutHoldPlacePayload(hold=PayoutStaffHoldType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Ends a hold that finance placed; what nothing else keeps back goes on by itself.",
        directives=_DECIDES,
    )
    async def payout_hold_release(self, info: Info, input: Released) -> PayoutHoldReleasePayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        hold_id = ids.parse(ids.PAYOUT_HOLD, input.hold_id, path=("input", "holdId"))
        asked = request_of(viewer, "payoutHoldRelease", input)
        done = await holds.release(tools, viewer, asked, hold_id, input.reason)
        return PayoutHoldReleasePayload(hold=PayoutStaffHoldType.of(done.value), replayed=done.replayed)
