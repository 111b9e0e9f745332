"""Money as the API shows it."""

import strawberry

from shoutgraph.api.graphql.scalars import BigInt, CurrencyCode
from shoutgraph.domain import money
from shoutgraph.domain.money import Money


@strawberry.type(name="Money", description="Real money in minor units; different currencies never share a field.")
class MoneyType:
    minor_units: BigInt = strawberry.field(description="Amount in minor units, for example cents.")
    currency: CurrencyCode = strawberry.field(description="Currency of the amount.")
    exponent: int = strawberry.field(description="Digits after the decimal point: 2 for USD, 0 for JPY, 3 for KWD.")

    @classmethod
    def of(cls, value: Money) -> "MoneyType":
        """The graph's view of an amount."""
        return cls(
            minor_units=BigInt(value.minor),
            currency=CurrencyCode(value.currency),
            exponent=money.exponent(value.currency),
        )
