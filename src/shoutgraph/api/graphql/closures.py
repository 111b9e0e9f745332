"""The room of closures: leaving, with everything settled and nothing forfeited."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, mutations
from shoutgraph.api.graphql.blockers import Blocker
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.domain.closures import Closure, ClosureState, StepState
from shoutgraph.services.orders import advance
from shoutgraph.services.privacy import close

enums.describe(
    ClosureState,
    name="ClosureStatus",
    description="Where a closure stands.",
    values={
        ClosureState.CLOSING: "Something is not settled yet; closureCancel takes it back.",
        ClosureState.CLOSED: "Everything is settled.",
    },
)
enums.describe(
    StepState,
    name="ClosureStepStatus",
    description="Where a step of a closure stands.",
    values={
        StepState.OPEN: "Not settled yet.",
        StepState.CLAIM: "What is left stays its owner's, and can be withdrawn as before.",
        StepState.DONE: "Settled.",
    },
)


@strawberry.type(name="ClosureStep", description="One kind of affairs.")
class ClosureStepType:
    kind: str = strawberry.field(description="Which, such as ORDERS or EARNINGS.")
    status: StepState = strawberry.field(description="Where it stands.")
    blocked_by: Blocker | None = strawberry.field(description="What is not settled.")


@strawberry.type(name="Closure", description="An account that closes, or is closed.")
class ClosureType:
    status: ClosureState = strawberry.field(description="Where it stands.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    steps: list[ClosureStepType] = strawberry.field(
        description="Each kind of affairs.", directives=[ListSize(assumed_size=len(Blocker))]
    )

    @classmethod
    def of(cls, closure: Closure) -> "ClosureType":
        """The graph's view of a closure."""
        steps = [ClosureStepType(kind=s.kind, status=s.state, blocked_by=s.blocked_by) for s in closure.steps]
        return cls(status=closure.state, requested_at=closure.requested_at, steps=steps)


ClosureRequestError = Annotated[errors.ForbiddenErrorType | errors.ValidationErrorType, failures_of("closureRequest")]
ClosureCancelError = Annotated[errors.ForbiddenErrorType | errors.ValidationErrorType, failures_of("closureCancel")]


@strawberry.input(description="Input of closureRequest.")
class ClosureRequestInput:
    confirm: bool = strawberry.field(description="That it is meant: orders that nobody has accepted end.")


@strawberry.type(description="Result of closureRequest.")
class ClosureRequestPayload:
    closure: ClosureType | None = mutations.outcome("The closure; viewer.closure follows it.")
    errors: list[ClosureRequestError] = mutations.refusals()


@strawberry.input(description="Input of closureCancel.")
class ClosureCancelInput:
    confirm: bool = strawberry.field(description="That it is meant.")


@strawberry.type(description="Result of closureCancel.")
class ClosureCancelPayload:
    reopened: bool | None = mutations.outcome("Whether the account is open.")
    errors: list[ClosureCancelError] = mutations.refusals()


Closes = Annotated[ClosureRequestInput, strawberry.argument(description="That it is meant.")]
Cancels = Annotated[ClosureCancelInput, strawberry.argument(description="That it is meant.")]


@strawberry.type
class ClosureMutation:
    @mutations.mutation(
        description="Closes the caller's account: nothing new begins, drafts and orders that nobody has accepted end, "
        "the shop closes, and what is being made goes on. Nothing is forfeited. A repeat ends what is left."
    )
    async def closure_request(self, info: Info, input: Closes) -> ClosureRequestPayload | None:
        closure = await close.close(info.context.tools, info.context.viewer, confirm=input.confirm, end=advance.advance)
        return ClosureRequestPayload(closure=ClosureType.of(closure))

    @mutations.mutation(description="Takes the closure back, until everything is settled; what has ended stays so.")
    async def closure_cancel(self, info: Info, input: Cancels) -> ClosureCancelPayload | None:
        await close.cancel(info.context.tools, info.context.viewer, confirm=input.confirm)
        return ClosureCancelPayload(reopened=True)


ROOM: Final = Room(mutation=ClosureMutation)
