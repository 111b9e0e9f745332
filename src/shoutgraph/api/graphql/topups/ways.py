"""The ways to pay, as the API shows them."""

from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, fields
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.packages import Country, Currency, On
from shoutgraph.api.graphql.scalars import CurrencyCode
from shoutgraph.domain.money import Coins
from shoutgraph.domain.packages import Market, Platform
from shoutgraph.services.topups import ways
from shoutgraph.services.topups.ways import Intake, Refunds, Way

PROVIDERS_MAX: Final = 20

enums.describe(
    Intake,
    name="TopUpMethod",
    description="How a provider takes money.",
    values={
        Intake.PAGE: "On a page or in a form of its own, which topUpCreate leads to.",
        Intake.STORE: "In the store of a phone, whose receipt topUpRedeem turns into coins.",
    },
)
enums.describe(
    Refunds,
    name="TopUpRefunds",
    description="Which refunds a provider makes, and who starts them.",
    values={
        Refunds.NONE: "None.",
        Refunds.FULL: "We can give back all of a payment.",
        Refunds.PARTIAL: "We can give back any part of a payment.",
        Refunds.EXTERNAL: "The store or the bank gives back, and we learn of it.",
    },
)


@strawberry.type(name="TopUpProvider", description="A way to pay that fits a purchase.")
class TopUpProviderType:
    code: str = strawberry.field(description="Stable code of the provider; send it as providerCode.")
    label: str = strawberry.field(description="For people.")
    methods: list[Intake] = strawberry.field(description="How it takes money.", directives=[ListSize(assumed_size=2)])
    currency: CurrencyCode = strawberry.field(description="What is paid in.")
    min_amount: MoneyType | None = strawberry.field(description="The least that it takes at once; null for any.")
    max_amount: MoneyType | None = strawberry.field(description="The most that it takes at once; null for any.")
    refunds: Refunds = strawberry.field(description="Which refunds it makes.")
    store_code: str | None = strawberry.field(
        description="What the device buys in the store; null where nothing is bought there."
    )

    @classmethod
    def of(cls, way: Way, currency: str) -> "TopUpProviderType":
        """The graph's view of a way to pay."""
        return cls(
            code=way.code,
            label=way.label,
            methods=[way.intake],
            currency=CurrencyCode(currency),
            min_amount=None if way.low is None else MoneyType.of(way.low),
            max_amount=None if way.high is None else MoneyType.of(way.high),
            refunds=way.refunds,
            store_code=way.product,
        )


@strawberry.type
class TopUpProviderQuery:
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
        return [TopUpProviderType.of(way, currency) for way in found[:PROVIDERS_MAX]]
