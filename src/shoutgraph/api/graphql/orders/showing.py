"""Publishing finished videos as samples, arranging them, and taking them away."""

from typing import Annotated

import strawberry

from shoutgraph.api.graphql import errors, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import ListSize, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.samples import SampleType, fetch_samples
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import ids
from shoutgraph.domain.users import Scope
from shoutgraph.services.orders import show

_CHANGED = errors.ForbiddenErrorType | errors.NotFoundErrorType | errors.ValidationErrorType

SamplePublishError = Annotated[
    _CHANGED | errors.IdempotencyKeyReusedErrorType | errors.LimitExceededErrorType | errors.OrderStateErrorType,
    failures_of("samplePublish"),
]
SampleWithdrawError = Annotated[_CHANGED, failures_of("sampleWithdraw")]
SampleTakeDownError = Annotated[_CHANGED, failures_of("sampleTakeDown")]
SamplesArrangeError = Annotated[_CHANGED, failures_of("samplesArrange")]


@strawberry.input(description="Input of samplePublish.")
class SamplePublishInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended effect.")
    order_id: strawberry.ID = strawberry.field(description="Whose video: a completed order with a public brief.")


@strawberry.type(description="Result of samplePublish.")
class SamplePublishPayload:
    sample: SampleType | None = mutations.outcome("The sample, on the profile.")
    replayed: bool = mutations.replayed()
    errors: list[SamplePublishError] = mutations.refusals()


@strawberry.input(description="Input of sampleWithdraw.")
class SampleWithdrawInput:
    sample_id: strawberry.ID = strawberry.field(description="Which one.")


@strawberry.type(description="Result of sampleWithdraw.")
class SampleWithdrawPayload:
    sample: SampleType | None = mutations.outcome("The sample, off the profile.")
    errors: list[SampleWithdrawError] = mutations.refusals()


@strawberry.input(description="Input of sampleTakeDown.")
class SampleTakeDownInput:
    sample_id: strawberry.ID = strawberry.field(description="Which one.")
    reason: str = strawberry.field(description="Reason code, such as ABUSE or PERSONAL_DATA.")
    note: str = strawberry.field(description="The statement of reasons, for the creator.")


@strawberry.type(description="Result of sampleTakeDown.")
class SampleTakeDownPayload:
    sample: SampleType | None = mutations.outcome("The sample, taken down.")
    errors: list[SampleTakeDownError] = mutations.refusals()


@strawberry.input(description="Input of samplesArrange.")
class SamplesArrangeInput:
    sample_ids: list[strawberry.ID] = strawberry.field(description="Those that come first, in this order.")


@strawberry.type(description="Result of samplesArrange.")
class SamplesArrangePayload:
    samples: list[SampleType] | None = strawberry.field(
        default=None,
        description="Everything on the profile, in its order.",
        directives=[ListSize(assumed_size=100)],
    )
    errors: list[SamplesArrangeError] = mutations.refusals()


Published = Annotated[SamplePublishInput, strawberry.argument(description="Which order's video.")]
Withdrawn = Annotated[SampleWithdrawInput, strawberry.argument(description="Which sample.")]
TakenDown = Annotated[SampleTakeDownInput, strawberry.argument(description="Which sample, and why.")]
Arranged = Annotated[SamplesArrangeInput, strawberry.argument(description="In which order.")]


def _id_of(given: SampleWithdrawInput | SampleTakeDownInput) -> str:
    return ids.parse(ids.SAMPLE, given.sample_id, path=("input", "sampleId"))


async def _shown(info: Info, sample_id: str) -> SampleType | None:
    (found,) = await fetch_samples(info.context, [sample_id])
    return found


@strawberry.type
class ShowingMutation:
    @mutations.mutation(
        description="Shows the video of a completed order on the caller's own profile, if its fan agrees."
    )
    async def sample_publish(self, info: Info, input: Published) -> SamplePublishPayload | None:
        context, request = info.context, request_of(info.context.viewer, "samplePublish", input)
        order_id = ids.parse(ids.ORDER, input.order_id, path=("input", "orderId"))
        done = await show.publish(context.tools, context.viewer, request, order_id)
        return SamplePublishPayload(sample=await _shown(info, done.value.id), replayed=done.replayed)

    @mutations.mutation(description="Takes a sample off the caller's own profile.")
    async def sample_withdraw(self, info: Info, input: Withdrawn) -> SampleWithdrawPayload | None:
        sample = await show.withdraw(info.context.tools, info.context.viewer, _id_of(input))
        return SampleWithdrawPayload(sample=await _shown(info, sample.id))

    @mutations.mutation(
        description="Takes a sample down for good, with a statement of reasons.",
        directives=[requires(Scope.MODERATION)],
    )
    async def sample_take_down(self, info: Info, input: TakenDown) -> SampleTakeDownPayload | None:
        context = info.context
        sample = await show.take_down(
            context.tools, context.viewer, _id_of(input), reason=input.reason, note=input.note
        )
        return SampleTakeDownPayload(sample=await _shown(info, sample.id))

    @mutations.mutation(description="Puts samples of the caller's own profile in order.")
    async def samples_arrange(self, info: Info, input: Arranged) -> SamplesArrangePayload | None:
        context = info.context
        wanted = [ids.parse(ids.SAMPLE, each, path=("input", "sampleIds")) for each in input.sample_ids]
        arranged = await show.arrange(context.tools, context.viewer, wanted)
        found = await fetch_samples(context, [sample.id for sample in arranged])
        return SamplesArrangePayload(samples=[sample for sample in found if sample is not None])
