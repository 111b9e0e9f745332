"""How people guard themselves, as they see it: limits, pauses, and what is left of a day and a week."""

from datetime import datetime

import strawberry

from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.domain import spending
from shoutgraph.domain.money import Coins, Money
from shoutgraph.domain.spending import Guard, Limits


@strawberry.type(name="SpendingLimits", description="What somebody spends at most; null is no limit of their own.")
class SpendingLimitsType:
    day_coins: Coins | None = strawberry.field(description="Coins for orders and gifts in 24 hours.")
    week_coins: Coins | None = strawberry.field(description="Coins for orders and gifts in 7 days.")
    day_money: MoneyType | None = strawberry.field(description="Money for coins in 24 hours.")
    week_money: MoneyType | None = strawberry.field(description="Money for coins in 7 days.")

    @classmethod
    def of(cls, limits: Limits) -> "SpendingLimitsType":
        """The graph's view of limits."""
        return cls(
            day_coins=None if limits.day_coins is None else Coins(limits.day_coins),
            week_coins=None if limits.week_coins is None else Coins(limits.week_coins),
            day_money=_money(limits.day_minor, limits.currency),
            week_money=_money(limits.week_minor, limits.currency),
        )


@strawberry.type(
    name="SpendingLimitsPending", description="Limits that will count later, since some of them are higher."
)
class SpendingLimitsPendingType:
    limits: SpendingLimitsType = strawberry.field(description="All limits as they will be.")
    at: datetime = strawberry.field(description="When they begin to count.")


@strawberry.type(name="SpendingGuard", description="How a person guards themselves.")
class SpendingGuardType:
    user_id: strawberry.ID = strawberry.field(description="Whose it is.")
    revision: int = strawberry.field(description="Goes up by one at each change; 0 where none was ever set.")
    limits: SpendingLimitsType = strawberry.field(description="What counts now.")
    pending: SpendingLimitsPendingType | None = strawberry.field(description="What will count later.")
    paused_until: datetime | None = strawberry.field(description="Until when they buy nothing; null without a pause.")
    excluded_until: datetime | None = strawberry.field(
        description="Until when they have excluded themselves; null if they have not."
    )
    review_since: datetime | None = strawberry.field(
        description="Since when their purchases wait for somebody's look; null if they do not."
    )

    @classmethod
    def of(cls, guard: Guard, now: datetime) -> "SpendingGuardType":
        """The graph's view of a guard."""
        later = spending.pending(guard, now)
        return cls(
            user_id=strawberry.ID(guard.user_id),
            revision=guard.revision,
            limits=SpendingLimitsType.of(spending.in_force(guard, now)),
            pending=None
            if later is None
            else SpendingLimitsPendingType(limits=SpendingLimitsType.of(later[0]), at=later[1]),
            paused_until=_ahead(guard.paused_until, now),
            excluded_until=_ahead(guard.excluded_until, now),
            review_since=guard.review_at,
        )


def _ahead(until: datetime | None, now: datetime) -> datetime | None:
    return until if until is not None and until > now else None


def _money(minor: int | None, currency: str | None) -> MoneyType | None:
    return None if minor is None or currency is None else MoneyType.of(Money(minor, currency))
