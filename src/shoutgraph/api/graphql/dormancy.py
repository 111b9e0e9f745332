"""Notices of coins that lapse, as a wallet shows them."""

from datetime import datetime

import strawberry

from shoutgraph.api.graphql import enums
from shoutgraph.domain.dormancy import Dormancy
from shoutgraph.domain.lapse_rules import LapseOutcome
from shoutgraph.domain.money import Coins

enums.describe(
    LapseOutcome,
    name="LapseOutcome",
    description="Whose the worth of bought coins is once they have lapsed.",
    values={
        LapseOutcome.INCOME: "The platform's.",
        LapseOutcome.UNCLAIMED: "Still their owner's: it is kept, and walletReclaim brings it back.",
    },
)


@strawberry.type(
    name="CoinDormancy",
    description="A notice: nothing was done here for so long that bought coins lapse. Whatever the owner does ends it.",
)
class CoinDormancyType:
    notice_sent_at: datetime = strawberry.field(description="When it was given.")
    inactive_since: datetime = strawberry.field(description="When the owner did something the last time.")
    lapses_at: datetime = strawberry.field(description="When the coins lapse if nothing is done until then.")
    coins: Coins = strawberry.field(description="Bought coins that were free when it was given.")
    outcome: LapseOutcome = strawberry.field(description="Whose their worth is then.")
    country: str = strawberry.field(description="ISO 3166-1 code of the country whose rule it is.")
    policy_version: int = strawberry.field(description="The version of the policy with that rule.")

    @classmethod
    def of(cls, found: Dormancy) -> "CoinDormancyType":
        """The graph's view of a notice."""
        return cls(
            notice_sent_at=found.noticed_at,
            inactive_since=found.inactive_since,
            lapses_at=found.lapses_at,
            coins=Coins(found.coins),
            outcome=found.rule.outcome,
            country=found.rule.country,
            policy_version=found.policy_version,
        )
