"""Coin packages and exact prices as the API shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, fields
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import BigInt, CurrencyCode
from shoutgraph.domain import ids, packages as package_values
from shoutgraph.domain.money import Coins
from shoutgraph.domain.packages import ExactPrice, Market, Package, Platform, Rate
from shoutgraph.services import packages

enums.describe(
    Platform,
    name="Platform",
    description="Where coins are bought; prices differ because the stores of phones take a share.",
    values={
        Platform.WEB: "In a browser.",
        Platform.IOS: "In the app for Apple's phones.",
        Platform.ANDROID: "In the app for Android phones.",
    },
)

Country = Annotated[str, strawberry.argument(description="ISO 3166-1 code of where the buyer lives.")]
Currency = Annotated[CurrencyCode, strawberry.argument(description="Currency to pay in.")]
On = Annotated[Platform, strawberry.argument(description="Where the coins would be bought.")]


@strawberry.type(
    name="ExchangeRate",
    description="What a currency is worth in the books: a minor unit is numerator / denominator hundredths of a minor "
    "unit of the book currency. A version never changes.",
)
class ExchangeRateType:
    currency: CurrencyCode = strawberry.field(description="The currency that is paid.")
    book_currency: CurrencyCode = strawberry.field(description="The currency of the books.")
    version: int = strawberry.field(description="Number of the version.")
    numerator: BigInt = strawberry.field(description="Upper part of the ratio.")
    denominator: BigInt = strawberry.field(description="Lower part of the ratio.")
    spread_basis_points: int = strawberry.field(description="What of incoming money stays with the exchange account.")
    source: str | None = strawberry.field(description="Where it was read; null where a price list says it.")
    observed_at: datetime | None = strawberry.field(description="When it was read there.")
    effective_at: datetime | None = strawberry.field(
        description="From when it holds, until another one does; null on a package or a payout where that is when it "
        "was stored."
    )

    @classmethod
    def of(cls, rate: Rate) -> "ExchangeRateType":
        """The graph's view of a rate."""
        return cls(
            currency=CurrencyCode(rate.currency),
            book_currency=CurrencyCode(rate.book_currency),
            version=rate.version,
            numerator=BigInt(rate.numerator),
            denominator=BigInt(rate.denominator),
            spread_basis_points=rate.spread_bps,
            source=rate.source,
            observed_at=rate.observed_at,
            effective_at=rate.effective_from,
        )


@strawberry.type(
    name="CoinPackage",
    description="Coins sold together. A package never changes: a new price is a new package with the next version.",
)
class CoinPackageType(NodeType):
    version: int = strawberry.field(description="Goes up by one at each change of price in this market.")
    coins: Coins = strawberry.field(description="Coins that are bought.")
    bonus_coins: Coins = strawberry.field(description="Granted coins that come with them; 0 for none.")
    price: MoneyType = strawberry.field(description="What it costs, taxes included.")
    country: str = strawberry.field(description="Where it is sold; ZZ is everywhere else.")
    platform: Platform = strawberry.field(description="Where it is bought.")
    rate: ExchangeRateType = strawberry.field(description="What the price is worth in the books.")
    store_code: str | None = strawberry.field(
        description="What the store of the platform calls it; null where it is not sold in a store."
    )

    @classmethod
    def of(cls, package: Package) -> "CoinPackageType":
        """The graph's view of a package."""
        return cls(
            id=strawberry.ID(package.id),
            version=package.version,
            coins=Coins(package.coins),
            bonus_coins=Coins(package.bonus_coins),
            price=MoneyType.of(package.price),
            country=package.market.country,
            platform=package.market.platform,
            rate=ExchangeRateType.of(package.rate),
            store_code=package.product,
        )


@strawberry.type(name="CoinPrice", description="What an exact number of coins costs, rounded up to the minor unit.")
class CoinPriceType:
    coins: Coins = strawberry.field(description="Coins that would be bought.")
    price: MoneyType = strawberry.field(description="What they cost, taxes included.")
    coins_min: Coins = strawberry.field(description="Fewest coins that are sold at once.")
    coins_max: Coins = strawberry.field(description="Most coins that are sold at once.")

    @classmethod
    def of(cls, exact: ExactPrice) -> "CoinPriceType":
        """The graph's view of an exact price."""
        return cls(
            coins=Coins(exact.coins),
            price=MoneyType.of(exact.price),
            coins_min=Coins(exact.unit.coins_min),
            coins_max=Coins(exact.unit.coins_max),
        )


@strawberry.type
class PackageQuery:
    @fields.resolver(
        description="The packages on sale in a market, the smallest first; those of the rest of the world where the "
        "country has none of its own.",
        directives=[ListSize(assumed_size=package_values.PACKAGES_MAX)],
    )
    async def coin_packages(
        self, info: Info, country: Country, currency: Currency, platform: On = Platform.WEB
    ) -> list[CoinPackageType] | None:
        found = await packages.list_of_market(info.context.tools, Market(country, currency, platform))
        return [CoinPackageType.of(package) for package in found]

    @fields.resolver(description="What exactly so many coins cost in a market; not found where coins are not sold.")
    async def coin_price(
        self,
        info: Info,
        coins: Annotated[Coins, strawberry.argument(description="How many coins.")],
        country: Country,
        currency: Currency,
        platform: On = Platform.WEB,
    ) -> CoinPriceType | None:
        market = Market(country, currency, platform)
        return CoinPriceType.of(await packages.price(info.context.tools, market, coins))


async def fetch_packages(context: Context, package_ids: Sequence[str]) -> list[CoinPackageType | None]:
    """Packages by id, on sale or not."""
    found = await packages.list_by_id(context.tools, package_ids)
    return [None if package is None else CoinPackageType.of(package) for package in found]


ROOM: Final = Room(query=PackageQuery, nodes={ids.PACKAGE: fetch_packages})
