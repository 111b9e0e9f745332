"""Top-ups as the API shows them: ways to pay, buying coins, and what became of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, loaders, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import PAGED, ListSize
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.packages import CoinPackageType, Country, Currency, On, fetch_packages
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import CurrencyCode, IdempotencyKey
from shoutgraph.domain import ids, money, pages
from shoutgraph.domain.money import Coins
from shoutgraph.domain.packages import Market, Platform
from shoutgraph.domain.topups.topup import Action, ActionKind, Review, Status, Topup, TopupFilter
from shoutgraph.domain.users import Scope
from shoutgraph.services.orders import timers
from shoutgraph.services.topups import create, read, ways
from shoutgraph.services.topups.create import Wish
from shoutgraph.services.topups.read import Listing
from shoutgraph.services.topups.ways import Intake, Way

PROVIDERS_MAX: Final = 20
CREATE_COST: Final = "20"

enums.describe(
    Status,
    name="TopUpStatus",
    description="Where a top-up stands. None is final: late money opens a failed one again, and a paid one can be "
    "refunded or disputed. Clients must accept values added later.",
    values={
        Status.CREATED: "The provider is being asked.",
        Status.PROCESSING: "Nobody knows yet whether the provider has it; we are checking.",
        Status.ACTION_REQUIRED: "The buyer has to do what nextAction says.",
        Status.PENDING: "The provider works on it.",
        Status.FAILED: "Nothing was paid, as far as is known.",
        Status.PAID: "The money arrived and the coins were credited, once.",
        Status.NEEDS_REVIEW: "The money does not agree with the price; nothing was credited and staff look at it.",
        Status.PARTLY_REFUNDED: "Some of the money went back, and its coins with it.",
        Status.REFUNDED: "All of the money went back, and its coins with it.",
        Status.DISPUTED: "The buyer's bank took the money back and nothing is decided.",
    },
)
enums.describe(
    Review,
    name="TopUpReview",
    description="Why staff must look at a top-up.",
    values={
        Review.CURRENCY_MISMATCH: "Money of another currency arrived.",
        Review.AMOUNT_MISMATCH: "Another amount arrived.",
        Review.TOTALS_MISMATCH: "More went back than ever arrived.",
        Review.REF_TAKEN: "The provider names a payment that pays another top-up.",
        Review.UNKNOWN_FOR_LONG: "Nobody knows for more than an hour what became of it.",
    },
)
enums.describe(
    Intake,
    name="TopUpMethod",
    description="How a provider takes money.",
    values={
        Intake.PAGE: "On a page or in a form of its own, which topUpCreate leads to.",
        Intake.STORE: "In the store of a phone, whose receipt is redeemed.",
    },
)


@strawberry.type(name="TopUpProvider", description="A way to pay that fits a purchase.")
class TopUpProviderType:
    code: str = strawberry.field(description="Stable code of the provider; send it as providerCode.")
    label: str = strawberry.field(description="For people.")
    methods: list[Intake] = strawberry.field(description="How it takes money.", directives=[ListSize(assumed_size=2)])

    @classmethod
    def of(cls, way: Way) -> "TopUpProviderType":
        """The graph's view of a way to pay."""
        return cls(code=way.code, label=way.label, methods=[way.intake])


@strawberry.type(name="RedirectAction", description="Send the buyer to this page.")
class RedirectActionType:
    url: str = strawberry.field(description="Where to.")


@strawberry.type(name="ClientAction", description="Let the provider's own form in the front end finish the payment.")
class ClientActionType:
    secret: str = strawberry.field(description="What the provider's client library needs for this payment.")
    publishable_key: str = strawberry.field(description="What it needs for our account.")


@strawberry.type(name="InstructionsAction", description="Show the buyer what to do, such as a bank transfer.")
class InstructionsActionType:
    lines: list[str] = strawberry.field(description="What to read.", directives=[ListSize(assumed_size=20)])
    qr: str | None = strawberry.field(description="Content of a QR code that says the same.")


TopUpNextAction = Annotated[
    RedirectActionType | ClientActionType | InstructionsActionType,
    strawberry.union("TopUpNextAction", description="What the buyer must do next."),
]


@strawberry.type(name="TopUp", description="A purchase of coins through a provider.")
class TopUpType(NodeType):
    value: strawberry.Private[Topup]
    revision: int = strawberry.field(description="Goes up by one at each change.")
    status: Status = strawberry.field(description="Where it stands.")
    coins: Coins = strawberry.field(description="Coins that are bought.")
    bonus_coins: Coins = strawberry.field(description="Granted coins that come with them.")
    price: MoneyType = strawberry.field(description="What is charged.")
    provider_code: str = strawberry.field(description="Who charges.")
    next_action_expires_at: datetime | None = strawberry.field(description="Until when the buyer can act.")
    refunded: MoneyType = strawberry.field(description="Money that went back.")
    disputed: MoneyType = strawberry.field(description="Money that the buyer's bank ever took back.")
    decline_code: str | None = strawberry.field(description="Why it failed, in the provider's words.")
    review: Review | None = strawberry.field(description="Why staff look at it; null for no reason.")
    created_at: datetime = strawberry.field(description="When it was started.")
    updated_at: datetime = strawberry.field(description="When it last changed.")

    @classmethod
    def of(cls, topup: Topup) -> "TopUpType":
        """The graph's view of a top-up."""
        terms, totals = topup.terms, topup.totals

        def money_of(minor: int) -> MoneyType:
            return MoneyType.of(money.Money(minor, terms.currency))

        return cls(
            value=topup,
            id=strawberry.ID(topup.id),
            revision=topup.revision,
            status=topup.status,
            coins=Coins(terms.coins),
            bonus_coins=Coins(terms.bonus_coins),
            price=money_of(terms.price_minor),
            provider_code=topup.instance,
            next_action_expires_at=topup.expires_at,
            refunded=money_of(totals.refunded_minor),
            disputed=money_of(totals.disputed_minor),
            decline_code=topup.declined_code,
            review=topup.review,
            created_at=topup.created_at,
            updated_at=topup.updated_at,
        )

    @fields.resolver(description="What the buyer must do next, for the buyer only; null once there is nothing.")
    def next_action(self, info: Info) -> TopUpNextAction | None:
        topup = self.value
        if topup.user_id != info.context.viewer.user_id:  # whoever has the provider's page or secret could pay
            return None
        return None if topup.action is None or topup.status is not Status.ACTION_REQUIRED else _action(topup.action)

    @loaders.batch(description="The package that was bought; null for an exact number of coins.")
    @staticmethod
    async def package(parents: "list[TopUpType]", context: Context) -> list[CoinPackageType | None]:
        wanted = list({each for parent in parents if (each := parent.value.terms.package_id) is not None})
        found = dict(zip(wanted, await fetch_packages(context, wanted), strict=True))
        return [found.get(parent.value.terms.package_id or "") for parent in parents]


TopUpCreateError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.LimitExceededErrorType
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
    provider_code: str = strawberry.field(description="Who charges; topUpProviders lists who can.")
    return_url: str = strawberry.field(description="Where the provider's page leads when it is done.")
    cancel_url: str | None = strawberry.field(
        default=None, description="Where it leads when the buyer gives up; returnUrl if not given."
    )
    country: str | None = strawberry.field(
        default=None, description="ISO 3166-1 code; the country of the account if not given, which it must agree with."
    )
    platform: Platform = strawberry.field(default=Platform.WEB, description="Where the coins are bought.")
    locale: str = strawberry.field(default=create.LOCALE, description="BCP 47 tag for the provider's page.")

    def read(self) -> Wish:
        """The wish that this input describes."""
        return Wish(
            package_id=self.buy.package_id or None,
            coins=self.buy.coins or None,
            currency=self.currency,
            platform=self.platform,
            provider_code=self.provider_code,
            return_url=self.return_url,
            country=self.country,
            cancel_url=self.cancel_url,
            locale=self.locale,
        )


@strawberry.type(description="Result of topUpCreate.")
class TopUpCreatePayload:
    top_up: TopUpType | None = mutations.outcome("The purchase; follow nextAction.")
    replayed: bool = mutations.replayed()
    errors: list[TopUpCreateError] = mutations.refusals()


@strawberry.input(description="Keeps the top-ups that match all the given fields.")
class TopUpFilterInput:
    status: list[Status] | None = strawberry.field(default=None, description="Any of these states.")


@strawberry.type
class TopUpQuery:
    @fields.resolver(
        description="The ways to pay for so many coins in a market, the recommended one first.",
        directives=[ListSize(assumed_size=PROVIDERS_MAX)],
    )
    async def top_up_providers(
        self,
        info: Info,
        coins: Annotated[Coins, strawberry.argument(description="How many coins would be bought.")],
        country: Country,
        currency: Currency,
        platform: On = Platform.WEB,
    ) -> list[TopUpProviderType] | None:
        market = Market(country, currency, platform)
        found = await ways.list_of(info.context.tools, info.context.viewer, market, coins)
        return [TopUpProviderType.of(way) for way in found[:PROVIDERS_MAX]]

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


async def fetch_topups(context: Context, topup_ids: Sequence[str]) -> list[TopUpType | None]:
    """Top-ups by id, null where the caller may not see them."""
    found = await read.list_by_id(context.tools, context.viewer, topup_ids)
    return [None if topup is None else TopUpType.of(topup) for topup in found]


def _action(action: Action) -> RedirectActionType | ClientActionType | InstructionsActionType:
    match action.kind:
        case ActionKind.REDIRECT:
            return RedirectActionType(url=action.lines[0])
        case ActionKind.CLIENT:
            return ClientActionType(secret=action.lines[0], publishable_key=action.lines[1])
        case ActionKind.INSTRUCTIONS:
            return InstructionsActionType(lines=list(action.lines), qr=action.qr)


ROOM: Final = Room(query=TopUpQuery, mutation=TopUpMutation, nodes={ids.TOPUP: fetch_topups})
