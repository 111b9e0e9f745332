"""The room of payouts: creators ask and take back, finance decides."""

from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import errors, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.payouts.events import (
    PayoutEventQuery,
    PayoutEventSubscription,
    PayoutStatusChangedEventType,
)
from shoutgraph.api.graphql.payouts.holds import PayoutHoldMutation
from shoutgraph.api.graphql.payouts.onboarding import (
    OnboardingMutation,
    OnboardingQuery,
    PayoutRecipientAnswerInput,
    introduction_of,
)
from shoutgraph.api.graphql.payouts.payout import (
    PayoutQuery,
    PayoutRecipientType,
    PayoutType,
    fetch_payouts,
    fetch_recipients,
)
from shoutgraph.api.graphql.payouts.rail import RailMutation, RailQuery, fetch_batches, fetch_files
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import BigInt, CurrencyCode, IdempotencyKey
from shoutgraph.domain import ids
from shoutgraph.domain.money import Coins
from shoutgraph.domain.payouts import HoldCode
from shoutgraph.domain.users import Scope
from shoutgraph.services.payouts import decide, onboard, request as asking

_DECIDES: Final = (requires(Scope.FINANCE_MANAGE),)
_Decided = (
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType
)

PayoutRecipientCreateError = Annotated[
    errors.FeatureUnavailableErrorType
    | errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.LimitExceededErrorType
    | errors.ProviderUnavailableErrorType
    | errors.ValidationErrorType,
    failures_of("payoutRecipientCreate"),
]
PayoutRequestError = Annotated[
    _Decided
    | errors.AgeRestrictedErrorType
    | errors.FeatureUnavailableErrorType
    | errors.InsufficientCoinsErrorType
    | errors.LimitExceededErrorType
    | errors.ProviderUnavailableErrorType
    | errors.QuoteExpiredErrorType
    | errors.WalletLockedErrorType,
    failures_of("payoutRequest"),
]
PayoutCancelError = Annotated[_Decided, failures_of("payoutCancel")]
PayoutApproveError = Annotated[_Decided, failures_of("payoutApprove")]
PayoutHoldError = Annotated[_Decided, failures_of("payoutHold")]
PayoutDenyError = Annotated[_Decided, failures_of("payoutDeny")]


@strawberry.input(description="Input of payoutRecipientCreate.")
class PayoutRecipientCreateInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended recipient.")
    provider_code: str = strawberry.field(description="Who would send the money; payoutProviders lists who can.")
    label: str = strawberry.field(description="What the creator calls it; at most 80 characters.")
    ref: str | None = strawberry.field(
        default=None,
        description="The provider's reference, such as an IBAN; at most 256 characters. Only where it asks nothing.",
    )
    country: str | None = strawberry.field(
        default=None, description="ISO 3166-1 code of where the money goes, where the provider asks."
    )
    currency: CurrencyCode | None = strawberry.field(
        default=None, description="Currency of the account; left out, that of the books."
    )
    return_url: str | None = strawberry.field(
        default=None, description="Where the provider's own page leads back to, where it has one."
    )
    answers: list[PayoutRecipientAnswerInput] | None = strawberry.field(
        default=None, description="Answers to payoutRecipientRequirements; they are not kept once they were taken."
    )


@strawberry.type(description="Result of payoutRecipientCreate.")
class PayoutRecipientCreatePayload:
    recipient: PayoutRecipientType | None = mutations.outcome("The recipient.")
    replayed: bool = mutations.replayed()
    errors: list[PayoutRecipientCreateError] = mutations.refusals()


@strawberry.input(description="Input of payoutRequest.")
class PayoutRequestInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended payout.")
    coins: Coins = strawberry.field(description="How much of the available earnings.")
    recipient_id: strawberry.ID = strawberry.field(description="Where the money goes.")
    expected_amount_minor_units: BigInt | None = strawberry.field(
        default=None,
        description="What payoutQuote said would be sent, in minor units of its currency; another amount is a refusal.",
    )


@strawberry.type(description="Result of payoutRequest.")
class PayoutRequestPayload:
    payout: PayoutType | None = mutations.outcome("The payout, its earnings set aside.")
    replayed: bool = mutations.replayed()
    errors: list[PayoutRequestError] = mutations.refusals()


@strawberry.input(description="Input of payoutCancel.")
class PayoutCancelInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended change of mind.")
    payout_id: strawberry.ID = strawberry.field(description="Which payout.")


@strawberry.type(description="Result of payoutCancel.")
class PayoutCancelPayload:
    payout: PayoutType | None = mutations.outcome("The payout, taken back.")
    replayed: bool = mutations.replayed()
    errors: list[PayoutCancelError] = mutations.refusals()


@strawberry.input(description="Input of payoutApprove.")
class PayoutApproveInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    payout_id: strawberry.ID = strawberry.field(description="Which payout.")


@strawberry.type(description="Result of payoutApprove.")
class PayoutApprovePayload:
    payout: PayoutType | None = mutations.outcome("The payout, about to be sent.")
    replayed: bool = mutations.replayed()
    errors: list[PayoutApproveError] = mutations.refusals()


@strawberry.input(description="Input of payoutHold.")
class PayoutHoldInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    payout_id: strawberry.ID = strawberry.field(description="Which payout.")
    code: HoldCode = strawberry.field(description="What it waits for.")
    note: str = strawberry.field(description="What the creator can do about it; at most 1,000 characters.")


@strawberry.type(description="Result of payoutHold.")
class PayoutHoldPayload:
    payout: PayoutType | None = mutations.outcome("The payout, held.")
    replayed: bool = mutations.replayed()
    errors: list[PayoutHoldError] = mutations.refusals()


@strawberry.input(description="Input of payoutDeny.")
class PayoutDenyInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    payout_id: strawberry.ID = strawberry.field(description="Which payout.")
    note: str = strawberry.field(description="Why; at most 1,000 characters.")


@strawberry.type(description="Result of payoutDeny.")
class PayoutDenyPayload:
    payout: PayoutType | None = mutations.outcome("The payout, denied.")
    replayed: bool = mutations.replayed()
    errors: list[PayoutDenyError] = mutations.refusals()


Added = Annotated[PayoutRecipientCreateInput, strawberry.argument(description="Where the money is to go.")]
Asked = Annotated[PayoutRequestInput, strawberry.argument(description="How much, and where to.")]
Cancelled = Annotated[PayoutCancelInput, strawberry.argument(description="Which payout.")]
Approved = Annotated[PayoutApproveInput, strawberry.argument(description="Which payout.")]
Held = Annotated[PayoutHoldInput, strawberry.argument(description="Which payout, and what it waits for.")]
Denied = Annotated[PayoutDenyInput, strawberry.argument(description="Which payout, and why.")]


@strawberry.type
class PayoutMutation:
    @mutations.mutation(description="Stores where the calling creator's money is to go.")
    async def payout_recipient_create(self, info: Info, input: Added) -> PayoutRecipientCreatePayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "payoutRecipientCreate", input)
        introduction = introduction_of(input.provider_code, input.label, input)
        if introduction is None:
            wish = asking.NewRecipient(input.provider_code, input.label, input.ref or "", input.currency)
            done = await asking.add_recipient(tools, viewer, asked, wish)
        else:
            done = await onboard.introduce(tools, viewer, asked, introduction)
        return PayoutRecipientCreatePayload(recipient=PayoutRecipientType.of(done.value), replayed=done.replayed)

    @mutations.mutation(description="Asks for earnings to be paid out, the oldest first; finance decides.")
    async def payout_request(self, info: Info, input: Asked) -> PayoutRequestPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "payoutRequest", input)
        wish = asking.Wish(input.coins, input.recipient_id, input.expected_amount_minor_units)
        done = await asking.request(tools, viewer, asked, wish)
        return PayoutRequestPayload(payout=PayoutType.of(done.value), replayed=done.replayed)

    @mutations.mutation(description="Takes the caller's own payout back before it is sent.")
    async def payout_cancel(self, info: Info, input: Cancelled) -> PayoutCancelPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        done = await decide.cancel(tools, viewer, request_of(viewer, "payoutCancel", input), input.payout_id)
        return PayoutCancelPayload(payout=PayoutType.of(done.value), replayed=done.replayed)

    @mutations.mutation(description="Lets a payout go to its provider.", directives=_DECIDES)
    async def payout_approve(self, info: Info, input: Approved) -> PayoutApprovePayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        done = await decide.approve(tools, viewer, request_of(viewer, "payoutApprove", input), input.payout_id)
        return PayoutApprovePayload(payout=PayoutType.of(done.value), replayed=done.replayed)

    @mutations.mutation(description="Keeps a payout back and says what for.", directives=_DECIDES)
    async def payout_hold(self, info: Info, input: Held) -> PayoutHoldPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "payoutHold", input)
        done = await decide.hold(tools, viewer, asked, input.payout_id, code=input.code, note=input.note)
        return PayoutHoldPayload(payout=PayoutType.of(done.value), replayed=done.replayed)

    @mutations.mutation(description="Refuses a payout.", directives=_DECIDES)
    async def payout_deny(self, info: Info, input: Denied) -> PayoutDenyPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "payoutDeny", input)
        done = await decide.deny(tools, viewer, asked, input.payout_id, note=input.note)
        return PayoutDenyPayload(payout=PayoutType.of(done.value), replayed=done.replayed)


@strawberry.type
class PayoutRoomQuery(PayoutQuery, PayoutEventQuery, OnboardingQuery, RailQuery):
    pass


@strawberry.type
class PayoutRoomMutation(PayoutMutation, PayoutHoldMutation, OnboardingMutation, RailMutation):
    pass


ROOM: Final = Room(
    query=PayoutRoomQuery,
    mutation=PayoutRoomMutation,
    subscription=PayoutEventSubscription,
    types=(PayoutStatusChangedEventType,),
    nodes={
        ids.PAYOUT: fetch_payouts,
        ids.RECIPIENT: fetch_recipients,
        ids.BATCH: fetch_batches,
        ids.BANK_FILE: fetch_files,
    },
)
