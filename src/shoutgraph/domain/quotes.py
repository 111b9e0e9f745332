"""Quotes: what an offer costs one viewer, in coins and in the money that buys the coins they lack.

Units: `_coins` coins, `_s` seconds.
"""

from dataclasses import dataclass, replace

from shoutgraph.domain import creators, errors, fees, packages
from shoutgraph.domain.campaigns import Campaign
from shoutgraph.domain.creators import Creator, Offer
from shoutgraph.domain.orders.order import Usage
from shoutgraph.domain.packages import ExactPrice, UnitPrice
from shoutgraph.domain.policies import Policy


@dataclass(frozen=True, slots=True)
class CoinsQuote:
    """What an offer costs. Units: coins."""

    base_coins: int
    express_coins: int
    business_coins: int = 0

    @property
    def total_coins(self) -> int:
        """What is taken from the wallet."""
        return self.base_coins + self.express_coins + self.business_coins


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
    licence: str
    list_coins: int
    fee_bps: int
    campaign: Campaign | None = None


@dataclass(frozen=True, slots=True)
class Sold:
    """What is asked about: an offer of a creator, and the campaign that it would be ordered in."""

    offer: Offer
    creator: Creator
    campaign: Campaign | None = None


def quote(
    sold: Sold,
    *,
    express: bool,
    usage: Usage = Usage.PERSONAL,
    policy: Policy,
    balance_coins: int,
    unit: UnitPrice | None,
) -> Quote:
    """Quotes an offer of a creator for a viewer whose wallet holds `balance_coins`.

    Raises:
        ValidationError: express is asked for and the offer has none, or it serves no businesses.
    """
    offer, campaign = sold.offer, sold.campaign
    coins = quote_coins(offer, express=express, business=usage is Usage.BUSINESS)
    accept_s, delivery_s, fee_bps = None, None, policy.fee_bps
    if campaign is not None:
        coins = replace(coins, base_coins=campaign.price_of(offer))
        accept_s, delivery_s = campaign.accept_s, campaign.delivery_s
        fee_bps = policy.fee_bps if campaign.fee_bps is None else campaign.fee_bps
    missing = max(0, coins.total_coins - balance_coins)
    return Quote(
        offer=offer,
        creator=sold.creator,
        coins=coins,
        split=split(coins, fee_bps=fee_bps),
        accept_s=accept_s or policy.accept_s,
        delivery_s=(delivery_s if delivery_s and not express else None)
        or creators.delivery_s(offer, policy, express=express),
        policy=policy,
        missing_coins=missing,
        exact=None if unit is None else packages.price_of_missing(unit, coins.total_coins),
        topup=None if unit is None else packages.price_of_missing(unit, missing),
        licence=licence(policy, usage),
        list_coins=offer.price_coins,
        fee_bps=fee_bps,
        campaign=campaign,
    )


def licence(policy: Policy, usage: Usage) -> str:
    """What a fan may do with a video of an order of this kind, in words."""
    return policy.business_licence if usage is Usage.BUSINESS else policy.personal_licence


def quote_coins(of: Offer, *, express: bool, business: bool = False) -> CoinsQuote:
    """What the offer costs, with a fast delivery or without, for a business or for private people.

    Raises:
        ValidationError: express is asked for and the offer has none, or it serves no businesses.
    """
    if express and of.express_coins is None:
        msg = "This offer has no express delivery."
        raise errors.ValidationError(msg, code="EXPRESS_NOT_OFFERED", path=("input", "express"))
    if business and of.business_coins is None:
        msg = "This offer is for private people only."
        raise errors.ValidationError(msg, code="BUSINESS_NOT_OFFERED", path=("input", "brief", "usage"))
    surcharge = of.express_coins if express else 0
    for_business = of.business_coins if business else 0
    return CoinsQuote(of.price_coins, surcharge or 0, for_business or 0)


def split(quote: CoinsQuote, *, fee_bps: int) -> fees.Split:
    """How the price would be shared if it were paid in bought coins."""
    return fees.split(paid_coins=quote.total_coins, promo_coins=0, fee_bps=fee_bps)
