"""What the API says about an order's rules: the policy, the deadlines and the split of its price."""

from datetime import datetime, timedelta

import strawberry

from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.domain import publishing
from shoutgraph.domain.fees import Split
from shoutgraph.domain.money import Coins, Money
from shoutgraph.domain.orders.states import BY_NAME, CoinEffect
from shoutgraph.domain.policies import Policy


@strawberry.type(name="PolicyValue", description="A field of the rules by its name.")
class PolicyValueType:
    name: str = strawberry.field(description="Name of the field, as policyPublish takes it.")
    value: str = strawberry.field(description="A whole number, true or false, a word, or a JSON object.")

    @classmethod
    def of(cls, policy: Policy) -> "list[PolicyValueType]":
        """The graph's view of every field of a policy."""
        return [cls(name=name, value=value) for name, value in publishing.values_of(policy).items()]


@strawberry.type(name="Policy", description="A version of the rules. It never changes; an order keeps its own.")
class PolicyType:
    version: int = strawberry.field(description="Number of the version.")
    fee_basis_points: int = strawberry.field(description="Share of the platform, in basis points.")
    screening_seconds: int = strawberry.field(description="Time to screen a brief.")
    accept_seconds: int = strawberry.field(description="Time for the creator to answer.")
    delivery_seconds: int = strawberry.field(description="Time to deliver, unless the offer names another.")
    express_seconds: int = strawberry.field(description="Time to deliver an express order.")
    review_late_seconds: int = strawberry.field(description="After this the fan may give an unreviewed order up.")
    review_seconds: int = strawberry.field(description="After this an unreviewed order ends by itself.")
    confirm_seconds: int = strawberry.field(description="Time for the fan to object to a delivered video.")
    redo_seconds: int = strawberry.field(description="Time for a redo.")
    dispute_silence_seconds: int = strawberry.field(description="A side that is silent this long loses.")
    dispute_seconds: int = strawberry.field(description="After this an undecided dispute ends for the fan.")
    earnings_hold_seconds: int = strawberry.field(description="How long earnings stay pending.")
    payout_min: Coins = strawberry.field(description="Smallest payout.")
    payout_day_max: Coins = strawberry.field(description="Most that is paid out in a day.")
    rating_seconds: int = strawberry.field(description="Time for the fan to rate a completed order.")
    rating_edit_seconds: int = strawberry.field(description="How long a rating, and a reply to it, may be changed.")
    coin_par: MoneyType = strawberry.field(description="What a hundred coins are worth at par.")

    @classmethod
    def of(cls, policy: Policy) -> "PolicyType":
        """The graph's view of a policy."""
        return cls(
            version=policy.version,
            fee_basis_points=policy.fee_bps,
            screening_seconds=policy.screening_s,
            accept_seconds=policy.accept_s,
            delivery_seconds=policy.delivery_s,
            express_seconds=policy.express_s,
            review_late_seconds=policy.review_late_s,
            review_seconds=policy.review_s,
            confirm_seconds=policy.confirm_s,
            redo_seconds=policy.redo_s,
            dispute_silence_seconds=policy.dispute_silence_s,
            dispute_seconds=policy.dispute_s,
            earnings_hold_seconds=policy.earnings_hold_s,
            payout_min=Coins(policy.payout_min_coins),
            payout_day_max=Coins(policy.payout_day_coins),
            rating_seconds=policy.rating_s,
            rating_edit_seconds=policy.rating_edit_s,
            coin_par=MoneyType.of(Money(policy.par_minor(100), policy.book_currency)),
        )


@strawberry.type(name="Deadline", description="Something that will happen by itself if nobody acts.")
class DeadlineType:
    transition: str = strawberry.field(description="The transition it takes, such as accept_timeout.")
    due_at: datetime = strawberry.field(description="When.")
    remaining_seconds: int = strawberry.field(description="How long until then; 0 once due.")
    returns_coins: bool = strawberry.field(description="Whether the coins then go back to the fan.")

    @classmethod
    def of(cls, kind: str, due_at: datetime, now: datetime) -> "DeadlineType":
        """The graph's view of a deadline."""
        remaining = max(0, (due_at - now) // timedelta(seconds=1))
        back = BY_NAME[kind].coins in {CoinEffect.RETURN, CoinEffect.RETURN_AND_COMPENSATE}
        return cls(transition=kind, due_at=due_at, remaining_seconds=remaining, returns_coins=back)


@strawberry.type(name="PriceSplit", description="How a price is shared between the creator and the platform.")
class SplitType:
    fee: Coins = strawberry.field(description="The platform's share.")
    earning: Coins = strawberry.field(description="The creator's share.")
    earning_money: MoneyType = strawberry.field(description="The creator's share in money at par, as it is paid out.")

    @classmethod
    def of(cls, parts: Split, policy: Policy) -> "SplitType":
        """The graph's view of a split."""
        money = Money(policy.par_minor(parts.earning_coins), policy.book_currency)
        return cls(fee=Coins(parts.fee_coins), earning=Coins(parts.earning_coins), earning_money=MoneyType.of(money))
