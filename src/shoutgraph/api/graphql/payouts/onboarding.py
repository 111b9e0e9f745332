"""Onboarding: what a payout provider wants to know of a recipient, and what sending there would cost."""

from datetime import datetime
from typing import Annotated, Protocol

import strawberry

from shoutgraph.api.graphql import errors, fields, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import Cost, ListSize
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.payouts.exchange import PayoutExchangeType
from shoutgraph.api.graphql.payouts.payout import PayoutRecipientType
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.scalars import CurrencyCode, IdempotencyKey
from shoutgraph.domain import errors as refusals, money
from shoutgraph.domain.money import Coins
from shoutgraph.domain.onboarding import ANSWERS_MAX
from shoutgraph.plugins.payouts import REQUIREMENTS_MAX
from shoutgraph.sdk import Money, Requirement
from shoutgraph.services.payouts import onboard, quote
from shoutgraph.services.payouts.quote import Estimate


@strawberry.type(name="PayoutRequirement", description="One thing that a provider wants to know of a recipient.")
class PayoutRequirementType:
    name: str = strawberry.field(description="Send the answer under this name.")
    label: str = strawberry.field(description="For people.")
    pattern: str | None = strawberry.field(description="A regular expression that the whole answer matches.")
    secret: bool = strawberry.field(description="Whether to hide it while it is typed.")
    required: bool = strawberry.field(description="Whether it may be left out.")

    @classmethod
    def of(cls, each: Requirement) -> "PayoutRequirementType":
        """The graph's view of a requirement."""
        return cls(name=each.name, label=each.label, pattern=each.pattern, secret=each.secret, required=each.required)


@strawberry.input(description="An answer to one requirement.")
class PayoutRecipientAnswerInput:
    name: str = strawberry.field(description="The requirement's name.")
    value: str = strawberry.field(description="The answer; at most 500 characters.")


@strawberry.type(name="PayoutQuote", description="What being paid would come to, and what the provider says of it.")
class PayoutQuoteType:
    amount: MoneyType = strawberry.field(description="What the coins are worth, in the currency of the books.")
    sent: MoneyType = strawberry.field(
        description="What would be sent, in the currency of the account; payoutRequest takes its minor units as "
        "expectedAmountMinorUnits."
    )
    exchange: PayoutExchangeType | None = strawberry.field(
        description="How it is exchanged; null where the books' own currency is sent."
    )
    exchange_holds_until: datetime | None = strawberry.field(
        description="Until when payoutRequest keeps to this exchange, whatever rate is published meanwhile."
    )
    fee: MoneyType | None = strawberry.field(description="What the provider keeps; null where it does not say.")
    arrives: MoneyType | None = strawberry.field(description="What arrives; null where the provider does not say.")
    expires_at: datetime | None = strawberry.field(description="Until when the provider stands by it.")

    @classmethod
    def of(cls, found: Estimate) -> "PayoutQuoteType":
        """The graph's view of a quote."""
        said = found.quote
        return cls(
            amount=MoneyType.of(found.terms.gross),
            sent=MoneyType.of(found.terms.amount),
            exchange=None if found.terms.exchange is None else PayoutExchangeType.of(found.terms.exchange),
            exchange_holds_until=found.holds_until,
            fee=None if said is None else _money(said.fee),
            arrives=None if said is None else _money(said.arrives),
            expires_at=None if said is None else said.expires_at,
        )


ProviderCode = Annotated[str, strawberry.argument(description="Which provider.")]
Country = Annotated[str, strawberry.argument(description="ISO 3166-1 code of where the money goes.")]
Currency = Annotated[CurrencyCode, strawberry.argument(description="Currency that arrives there.")]
Amount = Annotated[Coins, strawberry.argument(description="How much.")]
To = Annotated[strawberry.ID, strawberry.argument(description="The calling creator's recipient.")]


@strawberry.type
class OnboardingQuery:
    @fields.resolver(
        description="What a provider wants to know of a recipient there; empty where it asks nothing, null where it "
        "sends no such money.",
        directives=[ListSize(assumed_size=REQUIREMENTS_MAX)],
    )
    async def payout_recipient_requirements(
        self, info: Info, provider_code: ProviderCode, country: Country, currency: Currency
    ) -> list[PayoutRequirementType] | None:
        context = info.context
        found = onboard.requirements(context.tools, context.viewer, provider_code, country, currency)
        return None if found is None else [PayoutRequirementType.of(each) for each in found]

    @fields.resolver(
        description="What being paid would come to now, and what the provider says it costs. Nothing is sent.",
        directives=[Cost(weight="10")],
    )
    async def payout_quote(self, info: Info, coins: Amount, recipient_id: To) -> PayoutQuoteType | None:
        context = info.context
        found = await quote.quote(context.tools, context.viewer, coins=coins, recipient_id=recipient_id)
        return PayoutQuoteType.of(found)


PayoutRecipientRefreshError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType,
    failures_of("payoutRecipientRefresh"),
]


@strawberry.input(description="Input of payoutRecipientRefresh.")
class PayoutRecipientRefreshInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended look.")
    recipient_id: strawberry.ID = strawberry.field(description="Which recipient.")


@strawberry.type(description="Result of payoutRecipientRefresh.")
class PayoutRecipientRefreshPayload:
    recipient: PayoutRecipientType | None = mutations.outcome("The recipient, as the provider sees them now.")
    replayed: bool = mutations.replayed()
    errors: list[PayoutRecipientRefreshError] = mutations.refusals()


PayoutRecipientRemoveError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType,
    failures_of("payoutRecipientRemove"),
]


@strawberry.input(description="Input of payoutRecipientRemove.")
class PayoutRecipientRemoveInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended removal.")
    recipient_id: strawberry.ID = strawberry.field(description="Which recipient.")


@strawberry.type(description="Result of payoutRecipientRemove.")
class PayoutRecipientRemovePayload:
    recipient: PayoutRecipientType | None = mutations.outcome("The recipient, to which nothing is sent any more.")
    replayed: bool = mutations.replayed()
    errors: list[PayoutRecipientRemoveError] = mutations.refusals()


Refreshed = Annotated[PayoutRecipientRefreshInput, strawberry.argument(description="Which recipient.")]

Removed = Annotated[PayoutRecipientRemoveInput, strawberry.argument(description="Which recipient.")]


@strawberry.type
class OnboardingMutation:
    @mutations.mutation(
        description="Asks the provider about the calling creator's recipient, and for a new link where one is needed."
    )
    async def payout_recipient_refresh(self, info: Info, input: Refreshed) -> PayoutRecipientRefreshPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "payoutRecipientRefresh", input)
        done = await onboard.refresh(tools, viewer, asked, input.recipient_id)
        return PayoutRecipientRefreshPayload(recipient=PayoutRecipientType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Removes a recipient of the calling creator: nothing is sent there any more, and its reference is "
        "forgotten. Not while a payout is on its way there."
    )
    async def payout_recipient_remove(self, info: Info, input: Removed) -> PayoutRecipientRemovePayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "payoutRecipientRemove", input)
        done = await onboard.remove(tools, viewer, asked, input.recipient_id)
        return PayoutRecipientRemovePayload(recipient=PayoutRecipientType.of(done.value), replayed=done.replayed)


def _money(amount: Money) -> MoneyType:
    return MoneyType.of(money.Money(amount.minor, amount.currency))


class Told(Protocol):
    """What payoutRecipientCreate tells of a recipient whom the provider has to know."""

    country: str | None
    currency: CurrencyCode | None
    return_url: str | None
    answers: list[PayoutRecipientAnswerInput] | None


def introduction_of(provider_code: str, label: str, told: Told) -> onboard.Introduction | None:
    """The introduction that an input describes, or None where it tells no answers.

    Raises:
        ValidationError: answers are there and something that belongs to them is not, or one is there twice.
    """
    if told.answers is None:
        return None
    answers = {each.name: each.value for each in told.answers}
    if len(answers) < len(told.answers) or len(answers) > ANSWERS_MAX:
        msg = f"Each requirement is answered once, and there are at most {ANSWERS_MAX}."
        raise refusals.ValidationError(msg, code="REQUIREMENT_INVALID", path=("input", "answers"))
    for name, value in (("country", told.country), ("currency", told.currency), ("returnUrl", told.return_url)):
        if not value:
            raise refusals.ValidationError("This is needed with answers.", code="EMPTY", path=("input", name))
    return onboard.Introduction(
        provider_code, label, told.country or "", told.currency or "", told.return_url or "", answers
    )
