"""Quotes: what an offer costs one viewer, in coins and in the money that buys the coins they lack.

Units: `_coins` coins, `_s` seconds.
"""

from dataclasses import dataclass

from shoutgraph.domain import creators, fees, packages
from shoutgraph.domain.creators import CoinsQuote, Creator, Offer
from shoutgraph.domain.packages import ExactPrice, UnitPrice
from shoutgraph.domain.policies import Policy


@dataclass(frozen=True, slots=True)
class Quote:
    """What an order of this offer would cost now; it promises nothing, and placing the order names the total again.

    `exact` is what buying the whole total would cost, `topup` the purchase that covers what is missing: both None
    where coins are not sold to this viewer, or not so many at once; `topup` also where nothing is missing.
    """

    offer: Offer
    creator: Creator
    coins: CoinsQuote
    split: fees.Split
    accept_s: int
    delivery_s: int
    policy: Policy
    missing_coins: int
    exact: ExactPrice | None
    topup: ExactPrice | None


def quote(
    offer: Offer, creator: Creator, *, express: bool, policy: Policy, balance_coins: int, unit: UnitPrice | None
) -> Quote:
    """Quotes an offer for a viewer whose wallet holds `balance_coins`.

    Raises:
        ValidationError: express is asked for and the offer has none.
    """
    coins = creators.quote_coins(offer, express=express)
    missing = max(0, coins.total_coins - balance_coins)
    return Quote(
        offer=offer,
        creator=creator,
        coins=coins,
        split=creators.split(coins, policy),
        accept_s=policy.accept_s,
        delivery_s=creators.delivery_s(offer, policy, express=express),
        policy=policy,
        missing_coins=missing,
        exact=None if unit is None else packages.price_of_missing(unit, coins.total_coins),
        topup=None if unit is None else packages.price_of_missing(unit, missing),
    )
