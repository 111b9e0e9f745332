"""What a transition does with the coins that an order holds: who gets how many of them. Units: coins.

The one place that decides it: what posts them and what explains them ask here.
"""

from dataclasses import dataclass

from shoutgraph.domain import fees
from shoutgraph.domain.fees import Split
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import CoinEffect
from shoutgraph.domain.policies import Policy

NOTHING = Split(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Settlement:
    """Where coins go: to the fan's lots, the creator and the fee; `compensation_coins` are the platform's."""

    back_paid_coins: int = 0
    back_promo_coins: int = 0
    split: Split = NOTHING
    compensation_coins: int = 0

    @property
    def back_coins(self) -> int:
        """What goes back to the fan."""
        return self.back_paid_coins + self.back_promo_coins


def settle(
    order: Order, effect: CoinEffect, policy: Policy, *, paid_coins: int, promo_coins: int, back_coins: int = 0
) -> Settlement:
    """How an order that holds so many bought and granted coins is settled.

    Args:
        back_coins: what goes back where the effect is only about a part.
    """
    terms = order.terms
    match effect:
        case CoinEffect.NONE | CoinEffect.HOLD | CoinEffect.REVERSE:
            return Settlement()
        case CoinEffect.RETURN:
            return Settlement(paid_coins, promo_coins)
        case CoinEffect.RETURN_AND_COMPENSATE:
            would = fees.split(paid_coins=order.price_coins, promo_coins=0, fee_bps=terms.fee_bps)
            earned = would.earning_coins if policy.compensate_creator else 0
            return Settlement(paid_coins, promo_coins, compensation_coins=earned)
        case CoinEffect.RETURN_LATE_SURCHARGE:
            promo, paid = fees.share_back(coins=back_coins, paid_coins=paid_coins, promo_coins=promo_coins)
            return Settlement(paid, promo)
        case CoinEffect.RELEASE | CoinEffect.SHARE:
            back = back_coins if effect is CoinEffect.SHARE else 0
            promo, paid = fees.share_back(coins=back, paid_coins=paid_coins, promo_coins=promo_coins)
            split = fees.split(paid_coins=paid_coins - paid, promo_coins=promo_coins - promo, fee_bps=terms.fee_bps)
            return Settlement(paid, promo, split)
