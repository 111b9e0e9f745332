"""Corrections of the books by hand, as the API shows them to finance: one person proposes legs, another confirms."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import PAGED, ListSize, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import BigInt, IdempotencyKey
from shoutgraph.domain import pages
from shoutgraph.domain.corrections import LEGS_MAX, Correction, CorrectionState, Leg
from shoutgraph.domain.users import Scope
from shoutgraph.services.money import correct
from shoutgraph.services.money.correct import Wish

_DECIDES: Final = (requires(Scope.FINANCE_MANAGE),)
_AMOUNT: Final = "How much: coins, or hundredths of a minor unit of money."

enums.describe(
    CorrectionState,
    name="LedgerAdjustmentStatus",
    description="Where a correction of the books stands.",
    values={
        CorrectionState.PROPOSED: "One person proposed it; nothing moved.",
        CorrectionState.DONE: "Another person confirmed it; it is in the books.",
        CorrectionState.REJECTED: "Somebody rejected it; nothing moved.",
    },
)


@strawberry.type(name="LedgerLeg", description="One move of the books.")
class LedgerLegType:
    debit: str = strawberry.field(description="Where it comes from, by its name in the chart of accounts.")
    credit: str = strawberry.field(description="Where it goes.")
    amount: BigInt = strawberry.field(description=_AMOUNT)

    @classmethod
    def of(cls, leg: Leg) -> "LedgerLegType":
        """The graph's view of a leg."""
        return cls(debit=leg.debit, credit=leg.credit, amount=BigInt(leg.amount))


@strawberry.type(name="LedgerAdjustment", description="A correction of the books that needs two people.")
class LedgerAdjustmentType:
    id: strawberry.ID = strawberry.field(description="Names the correction; it is not a node.")
    status: CorrectionState = strawberry.field(description="Where it stands.")
    reason: str = strawberry.field(description="Why.")
    case_reference: str = strawberry.field(description="The case in which it was decided.")
    legs: list[LedgerLegType] = strawberry.field(
        description="What is posted, in order.", directives=[ListSize(assumed_size=LEGS_MAX)]
    )
    proposed_by: str = strawberry.field(description="Who proposed it.")
    proposed_at: datetime = strawberry.field(description="When.")
    decided_by: str | None = strawberry.field(description="Who confirmed or rejected it.")
    decided_at: datetime | None = strawberry.field(description="When.")

    @classmethod
    def of(cls, correction: Correction) -> "LedgerAdjustmentType":
        """The graph's view of a correction."""
        return cls(
            id=strawberry.ID(correction.id),
            status=correction.state,
            reason=correction.reason,
            case_reference=correction.case_reference,
            legs=[LedgerLegType.of(leg) for leg in correction.legs],
            proposed_by=correction.proposed_by,
            proposed_at=correction.proposed_at,
            decided_by=correction.decided_by,
            decided_at=correction.decided_at,
        )


_Decided = (
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType
)
_Asked = errors.ForbiddenErrorType | errors.IdempotencyKeyReusedErrorType | errors.ValidationErrorType
LedgerAdjustProposeError = Annotated[_Asked, failures_of("ledgerAdjustPropose")]
LedgerAdjustConfirmError = Annotated[_Decided, failures_of("ledgerAdjustConfirm")]
LedgerAdjustRejectError = Annotated[_Decided, failures_of("ledgerAdjustReject")]


@strawberry.input(description="One move of the books.")
class LedgerLegInput:
    debit: str = strawberry.field(description="Where it comes from, by its name in the chart of accounts.")
    credit: str = strawberry.field(description="Where it goes.")
    amount: BigInt = strawberry.field(description=_AMOUNT)


@strawberry.input(description="Input of ledgerAdjustPropose.")
class LedgerAdjustProposeInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended proposal.")
    reason: str = strawberry.field(description="Why.")
    case_reference: str = strawberry.field(description="The case in which it was decided.")
    legs: list[LedgerLegInput] = strawberry.field(description="What is to be posted, 1 to 20 legs.")

    def read(self) -> Wish:
        """What is to be posted, and why."""
        legs = tuple(Leg(leg.debit, leg.credit, leg.amount) for leg in self.legs)
        return Wish(self.reason, self.case_reference, legs)


@strawberry.type(description="Result of ledgerAdjustPropose.")
class LedgerAdjustProposePayload:
    ledger_adjustment: LedgerAdjustmentType | None = mutations.outcome("What was proposed.")
    replayed: bool = mutations.replayed()
    errors: list[LedgerAdjustProposeError] = mutations.refusals()


@strawberry.input(description="Input of ledgerAdjustConfirm.")
class LedgerAdjustConfirmInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    ledger_adjustment_id: strawberry.ID = strawberry.field(description="Which proposal.")


@strawberry.type(description="Result of ledgerAdjustConfirm.")
class LedgerAdjustConfirmPayload:
    ledger_adjustment: LedgerAdjustmentType | None = mutations.outcome("What was confirmed; it is in the books.")
    replayed: bool = mutations.replayed()
    errors: list[LedgerAdjustConfirmError] = mutations.refusals()


@strawberry.input(description="Input of ledgerAdjustReject.")
class LedgerAdjustRejectInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    ledger_adjustment_id: strawberry.ID = strawberry.field(description="Which proposal.")


@strawberry.type(description="Result of ledgerAdjustReject.")
class LedgerAdjustRejectPayload:
    ledger_adjustment: LedgerAdjustmentType | None = mutations.outcome("What was rejected.")
    replayed: bool = mutations.replayed()
    errors: list[LedgerAdjustRejectError] = mutations.refusals()


Proposed = Annotated[LedgerAdjustProposeInput, strawberry.argument(description="What is to be posted, and why.")]
Confirmed = Annotated[LedgerAdjustConfirmInput, strawberry.argument(description="Which proposal.")]
Rejected = Annotated[LedgerAdjustRejectInput, strawberry.argument(description="Which proposal.")]
Status = Annotated[CorrectionState | None, strawberry.argument(description="Those that stand so; all if not given.")]


@strawberry.type
class CorrectionQuery:
    @fields.resolver(
        description="Corrections of the books, newest first.", directives=[PAGED, requires(Scope.FINANCE_READ)]
    )
    async def ledger_adjustments(
        self,
        info: Info,
        status: Status = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[LedgerAdjustmentType] | None:
        scope = correct.scope_of(status)
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before)
        page = await correct.page(info.context.tools, info.context.viewer, args, status)
        return graph_pages.connect(page, LedgerAdjustmentType.of)


@strawberry.type
class CorrectionMutation:
    @mutations.mutation(
        description="Proposes a correction of the books; nothing moves until another person confirms it.",
        directives=_DECIDES,
    )
    async def ledger_adjust_propose(self, info: Info, input: Proposed) -> LedgerAdjustProposePayload | None:
        viewer, asked = info.context.viewer, request_of(info.context.viewer, "ledgerAdjustPropose", input)
        done = await correct.propose(info.context.tools, viewer, asked, input.read())
        told = LedgerAdjustmentType.of(done.value)
        return LedgerAdjustProposePayload(ledger_adjustment=told, replayed=done.replayed)

    @mutations.mutation(
        description="Confirms a correction that another person proposed; it is in the books at once.",
        directives=_DECIDES,
    )
    async def ledger_adjust_confirm(self, info: Info, input: Confirmed) -> LedgerAdjustConfirmPayload | None:
        viewer, asked = info.context.viewer, request_of(info.context.viewer, "ledgerAdjustConfirm", input)
        done = await correct.confirm(info.context.tools, viewer, asked, input.ledger_adjustment_id)
        told = LedgerAdjustmentType.of(done.value)
        return LedgerAdjustConfirmPayload(ledger_adjustment=told, replayed=done.replayed)

    @mutations.mutation(
        description="Rejects a correction that was proposed, or takes it back; nothing moves.", directives=_DECIDES
    )
    async def ledger_adjust_reject(self, info: Info, input: Rejected) -> LedgerAdjustRejectPayload | None:
        viewer, asked = info.context.viewer, request_of(info.context.viewer, "ledgerAdjustReject", input)
        done = await correct.reject(info.context.tools, viewer, asked, input.ledger_adjustment_id)
        told = LedgerAdjustmentType.of(done.value)
        return LedgerAdjustRejectPayload(ledger_adjustment=told, replayed=done.replayed)


ROOM: Final = Room(query=CorrectionQuery, mutation=CorrectionMutation)
