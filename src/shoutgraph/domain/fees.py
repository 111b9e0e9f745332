"""How a price is shared: integer floors with the rest to a named side.

Units: coins. The parts always sum to the whole; a property test covers every price up to a million.
"""

from dataclasses import dataclass

from shoutgraph.domain import money


@dataclass(frozen=True, slots=True)
class Split:
    """A price shared between the creator and the platform; the fee is shared over both kinds of coin."""

    fee_coins: int
    fee_paid_coins: int
    fee_promo_coins: int
    earning_coins: int


@dataclass(frozen=True, slots=True)
class Refund:
    """A part of a completed order's price that goes back, with the share of the fee in it."""

    paid_coins: int
    fee_paid_coins: int
    promo_coins: int
    fee_promo_coins: int


def split(*, paid_coins: int, promo_coins: int, fee_bps: int) -> Split:
    """The fee is a floor of the price, its promo part a floor of the fee; the rest is the creator's."""
    price = paid_coins + promo_coins
    fee = money.share(price, fee_bps)
    fee_promo = fee * promo_coins // price if price else 0
    return Split(
        fee_coins=fee,
        fee_paid_coins=fee - fee_promo,
        fee_promo_coins=fee_promo,
        earning_coins=price - fee,
    )


def share_back(*, coins: int, paid_coins: int, promo_coins: int) -> tuple[int, int]:
    """How much of a refund of `coins` is promo and how much is paid: pro rata, the promo part rounded down."""
    price = paid_coins + promo_coins
    assert 0 <= coins <= price, "a refund is at most the price"
    promo = coins * promo_coins // price if price else 0
    if coins - promo > paid_coins:
        promo = coins - paid_coins
    return promo, coins - promo
