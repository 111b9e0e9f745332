"""How earnings are exchanged into the currency of a creator's account, as the API shows it."""

import strawberry

from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.packages import ExchangeRateType
from shoutgraph.domain.exchanges import Exchange


@strawberry.type(
    name="PayoutExchange",
    description="How earnings are exchanged into the currency of the account: gross less spread, at the rate, rounded "
    "down. One minor unit of the account's currency is worth numerator / denominator hundredths of a minor unit of the "
    "books' currency; the spread that the rate itself names is of money that comes in.",
)
class PayoutExchangeType:
    gross: MoneyType = strawberry.field(description="What the coins are worth, in the currency of the books.")
    spread_basis_points: int = strawberry.field(description="What of that the platform keeps for the exchange.")
    spread: MoneyType = strawberry.field(description="The same as money, rounded up, in the currency of the books.")
    rate: ExchangeRateType = strawberry.field(description="The version of the rate that counts, whatever comes later.")

    @classmethod
    def of(cls, exchange: Exchange) -> "PayoutExchangeType":
        """The graph's view of an exchange."""
        return cls(
            gross=MoneyType.of(exchange.gross),
            spread_basis_points=exchange.spread_bps,
            spread=MoneyType.of(exchange.spread),
            rate=ExchangeRateType.of(exchange.rate),
        )
