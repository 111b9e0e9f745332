"""The room of guarding oneself: limits, pauses, self-exclusion, and purchases that wait for a look."""

from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import errors, fields, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import ListSize, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import BigInt, CurrencyCode, IdempotencyKey
from shoutgraph.api.graphql.spending.events import (
    UserChangedEventType,
    UserEventQuery,
    UserEventSubscription,
)
from shoutgraph.api.graphql.spending.guard import SpendingGuardType
from shoutgraph.domain import errors as refusals
from shoutgraph.domain.money import Coins
from shoutgraph.domain.spending import EXCLUSION_DAYS_MAX, EXCLUSION_DAYS_MIN, PAUSE_DAYS_MAX, REVIEWS_MAX, Limits
from shoutgraph.domain.users import Scope
from shoutgraph.services import spending
from shoutgraph.services.spending import Decision

_Set = errors.ForbiddenErrorType | errors.IdempotencyKeyReusedErrorType | errors.ValidationErrorType

SpendingLimitsSetError = Annotated[_Set | errors.StaleRevisionErrorType, failures_of("spendingLimitsSet")]
SpendingPauseError = Annotated[_Set, failures_of("spendingPause")]
SpendingExcludeError = Annotated[_Set, failures_of("spendingExclude")]
SpendingReviewClearError = Annotated[_Set | errors.NotFoundErrorType, failures_of("spendingReviewClear")]


@strawberry.input(description="Input of spendingLimitsSet: all limits at once. What is left out is no limit.")
class SpendingLimitsSetInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended change.")
    day_coins: Coins | None = strawberry.field(default=None, description="Coins for orders and gifts in 24 hours.")
    week_coins: Coins | None = strawberry.field(default=None, description="Coins for orders and gifts in 7 days.")
    day_money: BigInt | None = strawberry.field(
        default=None, description="Money for coins in 24 hours, in minor units of the currency."
    )
    week_money: BigInt | None = strawberry.field(
        default=None, description="Money for coins in 7 days, in minor units of the currency."
    )
    currency: CurrencyCode | None = strawberry.field(
        default=None, description="Currency of the money; purchases in another one are then refused."
    )
    expected_revision: int | None = strawberry.field(
        default=None, description="Revision the caller read; null gives up the check."
    )

    def read(self) -> Limits:
        """The limits that this input describes.

        Raises:
            ValidationError: there is money without a currency, or a currency without money.
        """
        has_money = self.day_money is not None or self.week_money is not None
        if has_money != (self.currency is not None):
            msg = "A limit of money names its currency."
            raise refusals.ValidationError(msg, code="LIMIT_CURRENCY", path=("input", "currency"))
        return Limits(self.day_coins, self.week_coins, self.day_money, self.week_money, self.currency)


@strawberry.type(description="Result of spendingLimitsSet.")
class SpendingLimitsSetPayload:
    guard: SpendingGuardType | None = mutations.outcome("What counts now, and what will count later.")
    replayed: bool = mutations.replayed()
    errors: list[SpendingLimitsSetError] = mutations.refusals()


@strawberry.input(description="Input of spendingPause.")
class SpendingPauseInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended pause.")
    days: int = strawberry.field(description=f"For how long: 1 to {PAUSE_DAYS_MAX}.")


@strawberry.type(description="Result of spendingPause.")
class SpendingPausePayload:
    guard: SpendingGuardType | None = mutations.outcome("The guard, paused.")
    replayed: bool = mutations.replayed()
    errors: list[SpendingPauseError] = mutations.refusals()


@strawberry.input(description="Input of spendingExclude.")
class SpendingExcludeInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended exclusion.")
    days: int = strawberry.field(description=f"For how long: {EXCLUSION_DAYS_MIN} to {EXCLUSION_DAYS_MAX}.")


@strawberry.type(description="Result of spendingExclude.")
class SpendingExcludePayload:
    guard: SpendingGuardType | None = mutations.outcome("The guard, excluded.")
    replayed: bool = mutations.replayed()
    errors: list[SpendingExcludeError] = mutations.refusals()


@strawberry.input(description="Input of spendingReviewClear.")
class SpendingReviewClearInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    user_id: strawberry.ID = strawberry.field(description="Who may buy again.")
    reason: str = strawberry.field(description="Why; at most 500 characters.")


@strawberry.type(description="Result of spendingReviewClear.")
class SpendingReviewClearPayload:
    guard: SpendingGuardType | None = mutations.outcome("The guard; what was bought before counts no more as fast.")
    replayed: bool = mutations.replayed()
    errors: list[SpendingReviewClearError] = mutations.refusals()


Limited = Annotated[SpendingLimitsSetInput, strawberry.argument(description="What to spend at most.")]
Paused = Annotated[SpendingPauseInput, strawberry.argument(description="For how long.")]
Excluded = Annotated[SpendingExcludeInput, strawberry.argument(description="For how long.")]
Cleared = Annotated[SpendingReviewClearInput, strawberry.argument(description="Who, and why.")]


@strawberry.type
class SpendingQuery(UserEventQuery):
    @fields.resolver(description="How the caller guards themselves.")
    async def spending_guard(self, info: Info) -> SpendingGuardType | None:
        tools = info.context.tools
        return SpendingGuardType.of((await spending.get(tools, info.context.viewer)).guard, tools.clock())

    @fields.resolver(
        description="Whose purchases wait for somebody's look, the longest waiting first.",
        directives=[requires(Scope.FINANCE_READ), ListSize(assumed_size=REVIEWS_MAX)],
    )
    async def spending_reviews(self, info: Info) -> list[SpendingGuardType] | None:
        tools = info.context.tools
        found = await spending.list_of_waiting(tools, info.context.viewer)
        return [SpendingGuardType.of(guard, tools.clock()) for guard in found]


@strawberry.type
class SpendingMutation:
    @mutations.mutation(
        description="Sets what the caller spends at most. What is lower counts at once, what is higher after the "
        "policy's limit_raise_s."
    )
    async def spending_limits_set(self, info: Info, input: Limited) -> SpendingLimitsSetPayload | None:
        tools, viewer = info.context.tools, info.context.viewer
        asked = request_of(viewer, "spendingLimitsSet", input)
        revision = input.expected_revision
        done = await spending.set_limits(tools, viewer, asked, input.read(), expected_revision=revision)
        guard = SpendingGuardType.of(done.value, tools.clock())
        return SpendingLimitsSetPayload(guard=guard, replayed=done.replayed)

    @mutations.mutation(description="Pauses buying, ordering and giving. Open orders go on; nothing is lost.")
    async def spending_pause(self, info: Info, input: Paused) -> SpendingPausePayload | None:
        tools, viewer = info.context.tools, info.context.viewer
        done = await spending.pause(tools, viewer, request_of(viewer, "spendingPause", input), input.days)
        return SpendingPausePayload(guard=SpendingGuardType.of(done.value, tools.clock()), replayed=done.replayed)

    @mutations.mutation(description="Excludes the caller from buying, ordering and giving; nobody can end it before.")
    async def spending_exclude(self, info: Info, input: Excluded) -> SpendingExcludePayload | None:
        tools, viewer = info.context.tools, info.context.viewer
        done = await spending.exclude(tools, viewer, request_of(viewer, "spendingExclude", input), input.days)
        return SpendingExcludePayload(guard=SpendingGuardType.of(done.value, tools.clock()), replayed=done.replayed)

    @mutations.mutation(
        description="Lets somebody buy again whose purchases waited for a look.",
        directives=(requires(Scope.FINANCE_MANAGE),),
    )
    async def spending_review_clear(self, info: Info, input: Cleared) -> SpendingReviewClearPayload | None:
        tools, viewer = info.context.tools, info.context.viewer
        asked = request_of(viewer, "spendingReviewClear", input)
        done = await spending.clear(tools, viewer, asked, Decision(input.user_id, input.reason))
        guard = SpendingGuardType.of(done.value, tools.clock())
        return SpendingReviewClearPayload(guard=guard, replayed=done.replayed)


ROOM: Final = Room(
    query=SpendingQuery,
    mutation=SpendingMutation,
    subscription=UserEventSubscription,
    types=(UserChangedEventType,),
)
