"""A fan's own withdrawal from a purchase: the consents, the quote, and what became of it."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import errors, fields, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import ids, money
from shoutgraph.domain.money import Coins
from shoutgraph.domain.topups.refund import Refund, RefundState
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.domain.topups.withdrawal import Consents, Offer, Waiver
from shoutgraph.services.orders import timers
from shoutgraph.services.topups import withdraw

COST: Final = "20"


@strawberry.input(description="Waives the right to withdraw from a purchase: two consents, given before it is paid.")
class TopUpWaiverInput:
    begins_at_once: bool = strawberry.field(description="The buyer asks that the coins can be spent at once.")
    right_ends: bool = strawberry.field(description="The buyer knows that the right then ends once coins are spent.")
    text_version: str = strawberry.field(description="Which words the buyer read.")

    def read(self) -> Consents:
        """The consents that this input gives."""
        return Consents(self.begins_at_once, self.right_ends, self.text_version)


@strawberry.type(name="TopUpWaiver", description="Two consents by which a buyer waived the right to withdraw.")
class TopUpWaiverType:
    text_version: str = strawberry.field(description="Which words the buyer read.")
    begins_at_once_at: datetime = strawberry.field(description="When they asked that the coins can be spent at once.")
    right_ends_at: datetime = strawberry.field(description="When they took note that the right then ends.")

    @classmethod
    def of(cls, waiver: Waiver) -> "TopUpWaiverType":
        """The graph's view of a waiver."""
        return cls(
            text_version=waiver.text_version,
            begins_at_once_at=waiver.begins_at,
            right_ends_at=waiver.loses_at,
        )


@strawberry.type(name="TopUpWithdrawal", description="Money of a purchase that its buyer took back.")
class TopUpWithdrawalType:
    id: strawberry.ID = strawberry.field(description="Names the withdrawal; finance reads it among topUpRefunds.")
    status: RefundState = strawberry.field(description="Where it stands.")
    top_up_id: strawberry.ID = strawberry.field(description="From which purchase.")
    amount: MoneyType = strawberry.field(description="What goes back.")
    coins: Coins = strawberry.field(description="Bought coins that were set aside for it.")
    bonus_coins: Coins = strawberry.field(description="Granted coins that were set aside with them.")
    failure_code: str | None = strawberry.field(description="Why it failed, in the provider's words or ours.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @classmethod
    def of(cls, refund: Refund) -> "TopUpWithdrawalType":
        """The graph's view of a withdrawal."""
        return cls(
            id=strawberry.ID(refund.id),
            status=refund.state,
            top_up_id=strawberry.ID(refund.topup_id),
            amount=MoneyType.of(money.Money(refund.part.minor, refund.currency)),
            coins=Coins(refund.part.coins),
            bonus_coins=Coins(refund.bonus_coins),
            failure_code=refund.failure_code,
            created_at=refund.created_at,
            updated_at=refund.updated_at,
        )


@strawberry.type(name="TopUpWithdrawalQuote", description="What withdrawing from a purchase would give back now.")
class TopUpWithdrawalQuoteType:
    available: bool = strawberry.field(description="Whether it can be done.")
    refusal_code: str | None = strawberry.field(description="Why it cannot; the code that topUpWithdraw would answer.")
    withdrawable: Coins = strawberry.field(description="The most coins that can go back.")
    coins: Coins = strawberry.field(description="Bought coins that this quote is of.")
    bonus_coins: Coins = strawberry.field(description="Granted coins that would go with them.")
    amount: MoneyType = strawberry.field(
        description="The money, to the minor unit: the last one is rounded up for the buyer where a coin costs one or "
        "more; where it costs less, only whole ones go back, and coins without one stay."
    )
    until: datetime | None = strawberry.field(description="When the time to withdraw ends; null before it is paid.")

    @classmethod
    def of(cls, topup: Topup, offer: Offer) -> "TopUpWithdrawalQuoteType":
        """The graph's view of an offer."""
        return cls(
            available=offer.refusal is None and offer.part.minor > 0,
            refusal_code=offer.refusal,
            withdrawable=Coins(offer.withdrawable_coins),
            coins=Coins(offer.part.coins),
            bonus_coins=Coins(offer.bonus_coins),
            amount=MoneyType.of(money.Money(offer.part.minor, topup.terms.currency)),
            until=offer.until,
        )


TopUpWithdrawError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.InsufficientCoinsErrorType
    | errors.NotFoundErrorType
    | errors.ProviderUnavailableErrorType
    | errors.ValidationErrorType
    | errors.WalletLockedErrorType,
    failures_of("topUpWithdraw"),
]


@strawberry.input(description="Input of topUpWithdraw.")
class TopUpWithdrawInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended withdrawal.")
    top_up_id: strawberry.ID = strawberry.field(description="From which purchase.")
    coins: Coins | None = strawberry.field(default=None, description="How many coins; all that can go if not given.")


@strawberry.type(description="Result of topUpWithdraw.")
class TopUpWithdrawPayload:
    withdrawal: TopUpWithdrawalType | None = mutations.outcome("The withdrawal, its coins set aside or ended.")
    replayed: bool = mutations.replayed()
    errors: list[TopUpWithdrawError] = mutations.refusals()


@strawberry.type
class TopUpWithdrawalQuery:
    @fields.resolver(
        description="What withdrawing from a purchase of the caller's would give back now, in coins and in money."
    )
    async def top_up_withdrawal_quote(
        self,
        info: Info,
        top_up_id: Annotated[strawberry.ID, strawberry.argument(description="From which purchase.")],
        coins: Annotated[
            Coins | None, strawberry.argument(description="How many coins at most; all that can go if not given.")
        ] = None,
    ) -> TopUpWithdrawalQuoteType | None:
        context = info.context
        wanted = ids.parse(ids.TOPUP, top_up_id, path=("topUpId",))
        topup, offer = await withdraw.quote(context.tools, context.viewer, wanted, coins)
        return TopUpWithdrawalQuoteType.of(topup, offer)


@strawberry.type
class TopUpWithdrawalMutation:
    @mutations.mutation(
        description="Withdraws from a purchase within its time: unspent coins go back as money, by the way they came.",
        cost=COST,
    )
    async def top_up_withdraw(
        self,
        info: Info,
        input: Annotated[TopUpWithdrawInput, strawberry.argument(description="From which purchase, and how much.")],
    ) -> TopUpWithdrawPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "topUpWithdraw", input)
        done = await withdraw.withdraw(
            tools, viewer, asked, input.top_up_id, coins=input.coins, reverse_orders=timers.reverse_orders
        )
        return TopUpWithdrawPayload(withdrawal=TopUpWithdrawalType.of(done.value), replayed=done.replayed)
