"""Price lists as the API shows them: publishing one for now or later, and the history of all prices."""

from collections.abc import Iterator
from datetime import datetime
from itertools import product
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import PAGED, ListSize, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.packages import Country, Currency, ExchangeRateType, On
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import BigInt, CurrencyCode, IdempotencyKey
from shoutgraph.domain import packages as package_values, pages, price_files, price_lists
from shoutgraph.domain.money import Coins, Money
from shoutgraph.domain.packages import Market, PackageEntry, Platform, PriceList, UnitEntry
from shoutgraph.domain.price_lists import Hole, ListState, Version, Warned
from shoutgraph.domain.users import Scope
from shoutgraph.services import packages

_READS: Final = requires(Scope.CATALOGUE_MANAGE, Scope.FINANCE_READ)
_DECIDES: Final = (requires(Scope.CATALOGUE_MANAGE),)

enums.describe(
    ListState,
    name="PriceListStatus",
    description="Where a price list stands.",
    values={
        ListState.SCHEDULED: "It takes effect at its time.",
        ListState.APPLIED: "It took effect; it holds until it ends.",
        ListState.WITHDRAWN: "It never took effect.",
    },
)
enums.describe(
    Hole,
    name="PriceListHole",
    description="What looks wrong in a price list.",
    values={
        Hole.SMALLER_IS_CHEAPER: "A coin costs more than in the next smaller package.",
        Hole.EXACT_IS_CHEAPER: "As many coins cost less when bought exactly.",
        Hole.BELOW_PAYOUT: "The coins cost less than creators are paid for them.",
    },
)


@strawberry.type(name="PriceListWarning", description="Something that looks wrong in a price list, and may be meant.")
class PriceListWarningType:
    hole: Hole = strawberry.field(description="What.")
    country: str = strawberry.field(description="Where.")
    currency: CurrencyCode = strawberry.field(description="In which currency.")
    platform: Platform = strawberry.field(description="On which platform.")
    coins: Coins = strawberry.field(description="Of which package.")
    message: str = strawberry.field(description="The same in words.")

    @classmethod
    def of(cls, warned: Warned) -> "PriceListWarningType":
        """The graph's view of a warning."""
        market = warned.market
        return cls(
            hole=warned.hole,
            country=market.country,
            currency=CurrencyCode(market.currency),
            platform=market.platform,
            coins=Coins(warned.coins),
            message=warned.message,
        )


@strawberry.type(name="PriceList", description="A version of all prices. It never changes.")
class PriceListType:
    version: int = strawberry.field(description="Number of the version.")
    status: ListState = strawberry.field(description="Where it stands.")
    effective_at: datetime = strawberry.field(description="When it takes effect.")
    ended_at: datetime | None = strawberry.field(description="When another one took its place.")
    published_at: datetime = strawberry.field(description="When it was published.")
    published_by: str = strawberry.field(description="Who published it.")
    reason: str = strawberry.field(description="Why.")
    package_count: int = strawberry.field(description="How many packages it sells.")
    warnings: list[PriceListWarningType] = strawberry.field(
        description="What looks wrong in it.", directives=[ListSize(assumed_size=price_lists.WARNINGS_MAX)]
    )

    @classmethod
    def of(cls, version: Version) -> "PriceListType":
        """The graph's view of a version."""
        return cls(
            version=version.version,
            status=version.state,
            effective_at=version.effective_from,
            ended_at=version.ended_at,
            published_at=version.published_at,
            published_by=version.published_by,
            reason=version.reason,
            package_count=version.packages_count,
            warnings=[PriceListWarningType.of(each) for each in version.warnings],
        )


@strawberry.type(name="PriceListPackage", description="A package as a price list has it.")
class PriceListPackageType:
    coins: Coins = strawberry.field(description="Coins that are bought.")
    bonus_coins: Coins = strawberry.field(description="Granted coins that come with them.")
    price: MoneyType = strawberry.field(description="What it costs.")
    store_code: str | None = strawberry.field(description="What the store of the platform calls it.")

    @classmethod
    def of(cls, entry: PackageEntry) -> "PriceListPackageType":
        """The graph's view of a line of a price list."""
        return cls(
            coins=Coins(entry.coins),
            bonus_coins=Coins(entry.bonus_coins),
            price=MoneyType.of(Money(entry.price_minor, entry.market.currency)),
            store_code=entry.product,
        )


@strawberry.type(name="PriceListMarket", description="What one version of the prices says of one market.")
class PriceListMarketType:
    packages: list[PriceListPackageType] = strawberry.field(
        description="The packages, the smallest first.", directives=[ListSize(assumed_size=package_values.PACKAGES_MAX)]
    )
    unit_price: MoneyType | None = strawberry.field(description="Price of unitCoins coins; null where none are sold.")
    unit_coins: Coins | None = strawberry.field(description="How many coins unitPrice buys.")


PricePublishError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.StaleRevisionErrorType
    | errors.ValidationErrorType,
    failures_of("pricePublish"),
]
PriceWithdrawError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType,
    failures_of("priceWithdraw"),
]


@strawberry.input(description="A package to sell.")
class PricePackageInput:
    coins: Coins = strawberry.field(description="Coins that are bought.")
    price_minor_units: BigInt = strawberry.field(description="What it costs, in minor units of the market's currency.")
    bonus_coins: Coins = strawberry.field(default=Coins(0), description="Granted coins that come with them.")
    store_code: str | None = strawberry.field(default=None, description="What the store of the platform calls it.")


@strawberry.input(description="The price of an exact number of coins, rounded up to the minor unit.")
class PriceUnitInput:
    price_minor_units: BigInt = strawberry.field(description="What so many coins cost.")
    per_coins: Coins = strawberry.field(description="How many coins that buys.")
    coins_min: Coins = strawberry.field(description="Fewest coins that are sold at once.")
    coins_max: Coins = strawberry.field(description="Most coins that are sold at once.")


@strawberry.input(description="The same prices for several countries and platforms.")
class PriceMarketInput:
    countries: list[str] = strawberry.field(description="ISO 3166-1 codes; ZZ is everywhere else.")
    currency: CurrencyCode = strawberry.field(description="Currency to pay in.")
    platforms: list[Platform] = strawberry.field(description="Where the coins are bought.")
    unit: PriceUnitInput = strawberry.field(description="The price of an exact number of coins.")
    packages: list[PricePackageInput] = strawberry.field(description="The packages.")

    def markets(self) -> Iterator[Market]:
        """Every market that these prices are for."""
        for country, platform in product(self.countries, self.platforms):
            yield Market(country, self.currency, platform)


@strawberry.input(description="Input of pricePublish.")
class PricePublishInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended list.")
    expected_version: int = strawberry.field(description="The newest version that you saw; 0 before there is one.")
    markets: list[PriceMarketInput] = strawberry.field(
        description="Everything that is sold; what is not in it goes off sale. Currencies keep their newest rates."
    )
    reason: str = strawberry.field(
        description=f"Why, for whoever asks later; at most {price_lists.REASON_CHARS_MAX} characters."
    )
    effective_at: datetime | None = strawberry.field(default=None, description="When; at once if not given.")

    def read(self) -> packages.Draft:
        """The price list that this input describes."""
        sold = [(market, each) for each in self.markets for market in each.markets()]
        prices = PriceList(
            rates=(),
            packages=tuple(
                price_files.package_entry(market, p.coins, p.price_minor_units, p.bonus_coins, p.store_code)
                for market, each in sold
                for p in each.packages
            ),
            units=tuple(_unit(market, each.unit) for market, each in sold),
        )
        return packages.Draft(prices, self.reason, self.expected_version, self.effective_at)


@strawberry.type(description="Result of pricePublish.")
class PricePublishPayload:
    price_list: PriceListType | None = mutations.outcome("The list, with what looks wrong in it.")
    replayed: bool = mutations.replayed()
    errors: list[PricePublishError] = mutations.refusals()


@strawberry.input(description="Input of priceWithdraw.")
class PriceWithdrawInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended withdrawal.")
    version: int = strawberry.field(description="Which scheduled list.")


@strawberry.type(description="Result of priceWithdraw.")
class PriceWithdrawPayload:
    price_list: PriceListType | None = mutations.outcome("The list, which never takes effect.")
    replayed: bool = mutations.replayed()
    errors: list[PriceWithdrawError] = mutations.refusals()


PriceRatePublishError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.StaleRevisionErrorType
    | errors.ValidationErrorType,
    failures_of("priceRatePublish"),
]


@strawberry.input(description="Input of priceRatePublish.")
class PriceRatePublishInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended rate.")
    currency: CurrencyCode = strawberry.field(description="Which currency.")
    expected_version: int = strawberry.field(description="The newest version that you saw; 0 before there is one.")
    numerator: BigInt = strawberry.field(description="So many hundredths of a minor unit of the book currency ...")
    denominator: BigInt = strawberry.field(description="... are so many minor units of this one.")
    source: str = strawberry.field(description="Where it was read.")
    observed_at: datetime = strawberry.field(description="When it was read there.")
    spread_basis_points: int = strawberry.field(default=0, description="What stays with the exchange account.")
    confirm_jump: bool = strawberry.field(default=False, description="Whether a large difference is meant.")
    effective_at: datetime | None = strawberry.field(default=None, description="From when; at once if not given.")


@strawberry.type(description="Result of priceRatePublish.")
class PriceRatePublishPayload:
    rate: ExchangeRateType | None = mutations.outcome("What the currency is worth from its time on.")
    replayed: bool = mutations.replayed()
    errors: list[PriceRatePublishError] = mutations.refusals()


@strawberry.type
class PriceListQuery:
    @fields.resolver(
        description="The versions of what a currency is worth, the newest first.",
        directives=[PAGED, requires(Scope.FINANCE_READ)],
    )
    async def exchange_rates(
        self,
        info: Info,
        currency: Currency,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[ExchangeRateType] | None:
        scope, kinds = packages.scope_of_rates(currency), (int,)
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before, kinds=kinds)
        page = await packages.page_of_rates(info.context.tools, info.context.viewer, currency, args)
        return graph_pages.connect(page, ExchangeRateType.of)

    @fields.resolver(
        description="The rate that holds at an instant: one version, as published by now. Null before the first.",
        directives=[requires(Scope.FINANCE_READ)],
    )
    async def exchange_rate(
        self,
        info: Info,
        currency: Currency,
        at: Annotated[datetime, strawberry.argument(description="When.")],
    ) -> ExchangeRateType | None:
        found = await packages.rate_at(info.context.tools, info.context.viewer, currency, at)
        return None if found is None else ExchangeRateType.of(found)

    @fields.resolver(description="All versions of the prices, newest first.", directives=[PAGED, _READS])
    async def price_lists(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[PriceListType] | None:
        scope, kinds = packages.LISTS, (int,)
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before, kinds=kinds)
        page = await packages.page(info.context.tools, info.context.viewer, args)
        return graph_pages.connect(page, PriceListType.of)

    @fields.resolver(description="What one version of the prices says of one market.", directives=[_READS])
    async def price_list_market(
        self,
        info: Info,
        version: Annotated[int, strawberry.argument(description="Which version.")],
        country: Country,
        currency: Currency,
        platform: On = Platform.WEB,
    ) -> PriceListMarketType | None:
        tools, viewer = info.context.tools, info.context.viewer
        found = await packages.market_of(tools, viewer, version, Market(country, currency, platform))
        unit = found.unit
        return PriceListMarketType(
            packages=[PriceListPackageType.of(entry) for entry in found.packages],
            unit_price=None if unit is None else MoneyType.of(Money(unit.price_minor, unit.market.currency)),
            unit_coins=None if unit is None else Coins(unit.per_coins),
        )


Wanted = Annotated[PricePublishInput, strawberry.argument(description="Everything that is sold, from when, and why.")]
Unwanted = Annotated[PriceWithdrawInput, strawberry.argument(description="Which list.")]


Rated = Annotated[PriceRatePublishInput, strawberry.argument(description="What it is worth, by whom and when.")]


@strawberry.type
class PriceListMutation:
    @mutations.mutation(
        description="Publishes what a currency is worth from now, or later, on; top-ups keep the rate they name.",
        directives=[requires(Scope.FINANCE_MANAGE)],
    )
    async def price_rate_publish(self, info: Info, input: Rated) -> PriceRatePublishPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        quoted = packages.Quoted(
            currency=input.currency,
            numerator=input.numerator,
            denominator=input.denominator,
            spread_bps=input.spread_basis_points,
            source=input.source,
            observed_at=input.observed_at,
            expected_version=input.expected_version,
            confirm_jump=input.confirm_jump,
            effective_from=input.effective_at,
        )
        done = await packages.publish_rate(tools, viewer, request_of(viewer, "priceRatePublish", input), quoted)
        return PriceRatePublishPayload(rate=ExchangeRateType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Publishes the next version of all prices, for now or later. Top-ups that were begun keep theirs.",
        directives=_DECIDES,
    )
    async def price_publish(self, info: Info, input: Wanted) -> PricePublishPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        done = await packages.publish(tools, viewer, request_of(viewer, "pricePublish", input), input.read())
        return PricePublishPayload(price_list=PriceListType.of(done.value), replayed=done.replayed)

    @mutations.mutation(description="Withdraws a price list that is scheduled.", directives=_DECIDES)
    async def price_withdraw(self, info: Info, input: Unwanted) -> PriceWithdrawPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "priceWithdraw", input)
        done = await packages.withdraw(tools, viewer, asked, input.version)
        return PriceWithdrawPayload(price_list=PriceListType.of(done.value), replayed=done.replayed)


def _unit(market: Market, unit: PriceUnitInput) -> UnitEntry:
    return price_files.unit_entry(market, unit.price_minor_units, unit.per_coins, unit.coins_min, unit.coins_max)


ROOM: Final = Room(query=PriceListQuery, mutation=PriceListMutation)
