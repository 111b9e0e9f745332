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
    return promo, coins - promo


def refund(*, coins: int, refunded_coins: int, paid_coins: int, promo_coins: int, fee_bps: int) -> Refund:
    """What the next refund of a completed order takes, and from whom.

    The shares are of the running total, so that many small refunds take what one large one would. Rounding each by
    itself would take more from the creator than the order earned: ten refunds of one coin of ten carry no fee at all.

    Args:
        refunded_coins: what earlier refunds took.
        paid_coins: what the order held of paid coins when it completed; `promo_coins` likewise.
    """
    parts = split(paid_coins=paid_coins, promo_coins=promo_coins, fee_bps=fee_bps)
    before = _refunded(refunded_coins, paid_coins, promo_coins, parts)
    after = _refunded(refunded_coins + coins, paid_coins, promo_coins, parts)
    return Refund(
        paid_coins=after.paid_coins - before.paid_coins,
        fee_paid_coins=after.fee_paid_coins - before.fee_paid_coins,
        promo_coins=after.promo_coins - before.promo_coins,
        fee_promo_coins=after.fee_promo_coins - before.fee_promo_coins,
    )


def _refunded(total_coins: int, paid_coins: int, promo_coins: int, parts: Split) -> Refund:
    promo, paid = share_back(coins=total_coins, paid_coins=paid_coins, promo_coins=promo_coins)
    return Refund(
        paid_coins=paid,
        fee_paid_coins=paid * parts.fee_paid_coins // paid_coins if paid_coins else 0,
        promo_coins=promo,
        fee_promo_coins=promo * parts.fee_promo_coins // promo_coins if promo_coins else 0,
    )
