"""The room of top-ups: buying coins, redeeming receipts, giving up, and lists of what was bought."""

from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import PAGED
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import BigInt, CurrencyCode, IdempotencyKey
from shoutgraph.api.graphql.topups.card import TopUpGiftCardInput
from shoutgraph.api.graphql.topups.events import TopUpEventQuery, TopUpEventSubscription, TopUpStatusChangedEventType
from shoutgraph.api.graphql.topups.topup import TopUpType, fetch_topups
from shoutgraph.api.graphql.topups.ways import TopUpProviderQuery
from shoutgraph.api.graphql.topups.withdrawal import TopUpWaiverInput, TopUpWithdrawalMutation, TopUpWithdrawalQuery
from shoutgraph.domain import ids, pages
from shoutgraph.domain.money import Coins
from shoutgraph.domain.packages import Platform
from shoutgraph.domain.topups.topup import Status, TopupFilter
from shoutgraph.domain.users import Scope
from shoutgraph.services.orders import timers
from shoutgraph.services.topups import cancel, create, read, redeem
from shoutgraph.services.topups.create import Wish
from shoutgraph.services.topups.read import Listing
from shoutgraph.services.topups.redeem import Claim

CREATE_COST: Final = "20"

TopUpCreateError = Annotated[
    errors.AgeRestrictedErrorType
    | errors.BuyingPausedErrorType
    | errors.FeatureUnavailableErrorType
    | errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.LimitExceededErrorType
    | errors.MoneyPriceChangedErrorType
    | errors.NotFoundErrorType
    | errors.ProviderDeclinedErrorType
    | errors.ProviderUnavailableErrorType
    | errors.ValidationErrorType
    | errors.WalletLockedErrorType,
    failures_of("topUpCreate"),
]


@strawberry.input(one_of=True, description="Picks what to buy: a package, or an exact number of coins.")
class TopUpBuyInput:
    package_id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="A package on sale.")
    coins: Coins | None = strawberry.field(default=strawberry.UNSET, description="Exactly so many coins.")


@strawberry.input(description="Input of topUpCreate.")
class TopUpCreateInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended purchase.")
    buy: TopUpBuyInput = strawberry.field(description="What to buy.")
    currency: CurrencyCode = strawberry.field(description="Currency to pay in.")
    return_url: str = strawberry.field(description="Where the provider's page leads when it is done.")
    provider_code: str | None = strawberry.field(
        default=None,
        description="Who charges; topUpProviders lists who can. Without it the routes choose, and go on to the next "
        "provider where nothing happened.",
    )
    cancel_url: str | None = strawberry.field(
        default=None, description="Where it leads when the buyer gives up; returnUrl if not given."
    )
    country: str | None = strawberry.field(
        default=None, description="ISO 3166-1 code; the country of the account if not given, which it must agree with."
    )
    platform: Platform = strawberry.field(default=Platform.WEB, description="Where the coins are bought.")
    locale: str = strawberry.field(default=create.LOCALE, description="BCP 47 tag for the provider's page.")
    expected_price_minor_units: BigInt | None = strawberry.field(
        default=None, description="The price that the buyer saw, in minor units; another price now is a refusal."
    )
    promo_code: str | None = strawberry.field(
        default=None, description="A code that makes it cheaper or larger; one that cannot be used is a refusal."
    )
    waiver: TopUpWaiverInput | None = strawberry.field(
        default=None, description="Waives the right to withdraw, where the coins are to be spent at once."
    )
    as_gift_card: TopUpGiftCardInput | None = strawberry.field(
        default=None,
        description="For a gift card: it is made when the purchase is paid, and giftCardCode gives its code.",
    )

    def read(self) -> Wish:
        """The wish that this input describes."""
        return Wish(
            package_id=self.buy.package_id or None,
            coins=self.buy.coins or None,
            currency=self.currency,
            platform=self.platform,
            provider_code=self.provider_code or None,
            return_url=self.return_url,
            country=self.country,
            cancel_url=self.cancel_url,
            locale=self.locale,
            expected_minor=self.expected_price_minor_units,
            promo_code=self.promo_code,
            consents=None if self.waiver is None else self.waiver.read(),
            as_card=None if self.as_gift_card is None else self.as_gift_card.read(),
        )


@strawberry.type(description="Result of topUpCreate.")
class TopUpCreatePayload:
    top_up: TopUpType | None = mutations.outcome("The purchase; follow nextAction.")
    replayed: bool = mutations.replayed()
    errors: list[TopUpCreateError] = mutations.refusals()


TopUpRedeemError = Annotated[
    errors.FeatureUnavailableErrorType
    | errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ProviderDeclinedErrorType
    | errors.ProviderUnavailableErrorType
    | errors.ValidationErrorType,
    failures_of("topUpRedeem"),
]


@strawberry.input(description="Input of topUpRedeem.")
class TopUpRedeemInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per receipt that is presented.")
    provider_code: str = strawberry.field(description="Whose store it was bought in; topUpProviders lists them.")
    package_id: strawberry.ID = strawberry.field(description="The package whose product was bought.")
    proof: str = strawberry.field(
        description=f"The receipt as the store gave it, such as a signed transaction; {redeem.PROOF_CHARS_MAX:,} "
        "characters at most."
    )
    country: str | None = strawberry.field(
        default=None, description="ISO 3166-1 code; the country of the account if not given, which it must agree with."
    )

    def read(self) -> Claim:
        """The claim that this input makes."""
        return Claim(self.provider_code, self.package_id, self.proof, self.country)


@strawberry.type(description="Result of topUpRedeem.")
class TopUpRedeemPayload:
    top_up: TopUpType | None = mutations.outcome("The purchase; PAID once its coins are there.")
    replayed: bool = mutations.replayed()
    errors: list[TopUpRedeemError] = mutations.refusals()


TopUpCancelError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ProviderUnavailableErrorType
    | errors.ValidationErrorType,
    failures_of("topUpCancel"),
]


@strawberry.input(description="Input of topUpCancel.")
class TopUpCancelInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended change of mind.")
    top_up_id: strawberry.ID = strawberry.field(description="Which purchase.")


@strawberry.type(description="Result of topUpCancel.")
class TopUpCancelPayload:
    top_up: TopUpType | None = mutations.outcome(
        "The purchase as it stands now: FAILED if it was cancelled, PAID if it was paid meanwhile."
    )
    replayed: bool = mutations.replayed()
    errors: list[TopUpCancelError] = mutations.refusals()


@strawberry.input(description="Keeps the top-ups that match all the given fields.")
class TopUpFilterInput:
    status: list[Status] | None = strawberry.field(default=None, description="Any of these states.")


@strawberry.type
class TopUpListQuery:
    @fields.resolver(description="Top-ups, newest first: the caller's own, or everyone's.", directives=[PAGED])
    async def top_ups(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[TopUpFilterInput | None, strawberry.argument(description="Which top-ups.")] = None,
        *,
        everyone: Annotated[
            bool, strawberry.argument(description=f"Everyone's; needs the scope {Scope.FINANCE_READ.name}.")
        ] = False,
    ) -> Connection[TopUpType] | None:
        statuses = tuple(filter.status or ()) if filter is not None else ()
        listing = Listing(TopupFilter(statuses=statuses), mine=not everyone)
        args = pages.read_args(scope=listing.scope, first=first, after=after, last=last, before=before)
        page = await read.page(info.context.tools, info.context.viewer, listing, args)
        return graph_pages.connect(page, TopUpType.of)


@strawberry.type
class TopUpMutation:
    @mutations.mutation(
        description="Starts a purchase of coins. The id of the top-up is the key that its provider gets, so that no "
        "repeat can charge twice.",
        cost=CREATE_COST,
    )
    async def top_up_create(
        self, info: Info, input: Annotated[TopUpCreateInput, strawberry.argument(description="What to buy, and how.")]
    ) -> TopUpCreatePayload | None:
        viewer, request = info.context.viewer, request_of(info.context.viewer, "topUpCreate", input)
        reverse = timers.reverse_orders
        done = await create.create(info.context.tools, viewer, request, input.read(), reverse_orders=reverse)
        return TopUpCreatePayload(top_up=TopUpType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Turns the receipt of a phone's store into coins. A receipt counts once, whoever presents it.",
        cost=CREATE_COST,
    )
    async def top_up_redeem(
        self, info: Info, input: Annotated[TopUpRedeemInput, strawberry.argument(description="The receipt.")]
    ) -> TopUpRedeemPayload | None:
        viewer, request = info.context.viewer, request_of(info.context.viewer, "topUpRedeem", input)
        reverse = timers.reverse_orders
        done = await redeem.redeem(info.context.tools, viewer, request, input.read(), reverse_orders=reverse)
        return TopUpRedeemPayload(top_up=TopUpType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Asks the provider to end the caller's own purchase before it is paid. One that was paid meanwhile "
        "is credited.",
        cost=CREATE_COST,
    )
    async def top_up_cancel(
        self, info: Info, input: Annotated[TopUpCancelInput, strawberry.argument(description="Which purchase.")]
    ) -> TopUpCancelPayload | None:
        viewer, request = info.context.viewer, request_of(info.context.viewer, "topUpCancel", input)
        reverse = timers.reverse_orders
        done = await cancel.cancel(info.context.tools, viewer, request, input.top_up_id, reverse_orders=reverse)
        return TopUpCancelPayload(top_up=TopUpType.of(done.value), replayed=done.replayed)


@strawberry.type
class TopUpRoomMutation(TopUpMutation, TopUpWithdrawalMutation):
    pass


@strawberry.type
class TopUpQuery(TopUpProviderQuery, TopUpListQuery, TopUpEventQuery, TopUpWithdrawalQuery):
    pass


ROOM: Final = Room(
    query=TopUpQuery,
    mutation=TopUpRoomMutation,
    subscription=TopUpEventSubscription,
    nodes={ids.TOPUP: fetch_topups},
    types=(TopUpStatusChangedEventType,),
)
