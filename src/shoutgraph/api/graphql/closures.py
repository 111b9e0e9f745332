"""The room of closures: leaving, with everything settled and nothing forfeited."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import PAGED, ListSize, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.room import Room
from shoutgraph.domain import pages
from shoutgraph.domain.closures import Closure, ClosureState, Key, Remedy, Step, StepState
from shoutgraph.domain.users import Scope
from shoutgraph.services.orders import advance
from shoutgraph.services.privacy import close

BLOCKS_MAX: Final = 8
"""More never stand in the way of one step."""

enums.describe(
    ClosureState,
    name="ClosureStatus",
    description="Where a closure stands.",
    values={
        ClosureState.CLOSING: "Something is not settled yet; closureCancel takes it back while begunAt is null.",
        ClosureState.CLOSED: "Everything is settled, and nothing opens it again.",
        ClosureState.CANCELLED: "Taken back.",
    },
)
enums.describe(
    StepState,
    name="ClosureStepStatus",
    description="Where a step of a closure stands.",
    values={
        StepState.WAITING: "Its turn has not come, or it goes on by itself.",
        StepState.BLOCKED: "Somebody has to do something: see blockedBy.",
        StepState.CLAIM: "What is left stays its owner's, and can be withdrawn as before.",
        StepState.DONE: "Settled.",
    },
)
enums.describe(
    Key,
    name="ClosureStepKey",
    description="The steps of a closure, in the order in which they are taken.",
    values={
        Key.ORDERS: "Orders end: what nobody has accepted at once, the rest by its own deadlines.",
        Key.TOPUPS: "Purchases, refunds and disputed payments come to their end.",
        Key.DEBT: "Nothing is owed. The steps after this one cannot be taken back.",
        Key.COINS: "Bought coins go back as money, as far as there is a right to it.",
        Key.PROMO: "Granted coins are given up, if their owner agreed.",
        Key.EARNINGS: "Earnings leave their hold and the reserve.",
        Key.PAYOUT: "What was earned is paid out for the last time, however little.",
    },
)
enums.describe(
    Remedy,
    name="ClosureRemedy",
    description="What can be done about what stands in the way; clients must accept values added later.",
    values={
        Remedy.WAIT: "It goes on by itself.",
        Remedy.ASK_SUPPORT: "Support can help.",
        Remedy.CANCEL_GIFT_CARDS: "giftCardCancel, or wait.",
        Remedy.ADD_RECIPIENT: "payoutRecipientCreate.",
        Remedy.BUY_COINS: "topUpCreate, of no more coins than are owed, or than the fewest that are sold.",
        Remedy.MEND_PROFILE: "payoutRequest says what is missing.",
    },
)


@strawberry.type(name="ClosureBlock", description="What stands in the way of a step.")
class ClosureBlockType:
    code: str = strawberry.field(description="A stable name, such as OPEN_ORDERS.")
    remedy: Remedy = strawberry.field(description="What can be done.")
    message: str = strawberry.field(description="The same for people, in English.")
    until: datetime | None = strawberry.field(description="Until when, where that is known.")


@strawberry.type(name="ClosureStep", description="One kind of affairs.")
class ClosureStepType:
    key: Key = strawberry.field(description="Which.")
    status: StepState = strawberry.field(description="Where it stands.")
    since: datetime = strawberry.field(description="Since when it stands there.")
    blocked_by: list[ClosureBlockType] = strawberry.field(
        description="What is not settled, or is left.", directives=[ListSize(assumed_size=BLOCKS_MAX)]
    )

    @classmethod
    def of(cls, step: Step) -> "ClosureStepType":
        """The graph's view of a step."""
        blocks = [
            ClosureBlockType(code=each.code, remedy=each.remedy, message=each.words, until=each.until)
            for each in step.blocks[:BLOCKS_MAX]
        ]
        return cls(key=step.key, status=step.state, since=step.since, blocked_by=blocks)


@strawberry.type(name="Closure", description="An account that closes, or is closed.")
class ClosureType:
    user_id: strawberry.ID = strawberry.field(description="Whose.")
    status: ClosureState = strawberry.field(description="Where it stands.")
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    revocable_until: datetime = strawberry.field(description="Until then nothing is settled.")
    begun_at: datetime | None = strawberry.field(description="When settling began, which cannot be taken back.")
    ended_at: datetime | None = strawberry.field(description="When it was closed, or taken back.")
    forfeits_promo: bool = strawberry.field(description="Whether granted coins are given up.")
    steps: list[ClosureStepType] = strawberry.field(
        description="Each kind of affairs, in order.", directives=[ListSize(assumed_size=len(Key))]
    )

    @classmethod
    def of(cls, closure: Closure) -> "ClosureType":
        """The graph's view of a closure."""
        return cls(
            user_id=strawberry.ID(closure.user_id),
            status=closure.state,
            requested_at=closure.requested_at,
            revocable_until=closure.revocable_until,
            begun_at=closure.begun_at,
            ended_at=closure.ended_at,
            forfeits_promo=closure.forfeit_promo,
            steps=[ClosureStepType.of(step) for step in closure.steps],
        )


ClosureRequestError = Annotated[errors.ForbiddenErrorType | errors.ValidationErrorType, failures_of("closureRequest")]
ClosureCancelError = Annotated[errors.ForbiddenErrorType | errors.ValidationErrorType, failures_of("closureCancel")]


@strawberry.input(description="Input of closureRequest.")
class ClosureRequestInput:
    confirm: bool = strawberry.field(description="That it is meant: orders that nobody has accepted end.")
    forfeit_promo: bool = strawberry.field(
        default=False, description="That granted coins are given up; else they stay until they lapse."
    )


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
class ClosureQuery:
    @fields.resolver(
        description="Accounts that close or are closed, the newest first. Nobody can skip a step of theirs.",
        directives=[PAGED, requires(Scope.FINANCE_READ)],
    )
    async def closures(
        self,
        info: Info,
        *,
        status: Annotated[ClosureState | None, strawberry.argument(description="Only those that stand so.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[ClosureType] | None:
        args = pages.read_args(scope=close.scope(status), first=first, after=after, last=last, before=before)
        page = await close.page(info.context.tools, info.context.viewer, args, status)
        return graph_pages.connect(page, ClosureType.of)


@strawberry.type
class ClosureMutation:
    @mutations.mutation(
        description="Closes the caller's account: nothing new begins, drafts and orders that nobody has accepted end, "
        "the shop closes, and what is being made goes on. Then a job settles what is owned. A repeat ends what is left."
    )
    async def closure_request(self, info: Info, input: Closes) -> ClosureRequestPayload | None:
        closure = await close.close(
            info.context.tools,
            info.context.viewer,
            confirm=input.confirm,
            forfeit_promo=input.forfeit_promo,
            end=advance.advance,
        )
        return ClosureRequestPayload(closure=ClosureType.of(closure))

    @mutations.mutation(description="Takes the closure back, until settling begins; what has ended stays so.")
    async def closure_cancel(self, info: Info, input: Cancels) -> ClosureCancelPayload | None:
        await close.cancel(info.context.tools, info.context.viewer, confirm=input.confirm)
        return ClosureCancelPayload(reopened=True)


ROOM: Final = Room(query=ClosureQuery, mutation=ClosureMutation)
