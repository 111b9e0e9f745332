"""What stands in the way of leaving, as the API names it to who closes an account and to who is erased."""

from shoutgraph.api.graphql import enums
from shoutgraph.domain.privacy import Blocker

__all__ = ["Blocker"]

enums.describe(
    Blocker,
    name="ErasureBlocker",
    description="What stands in the way of leaving.",
    values={
        Blocker.OPEN_ORDERS: "Orders that have not ended, as their fan or their creator.",
        Blocker.OPEN_TOPUPS: "A purchase of coins is under way.",
        Blocker.OPEN_REFUNDS: "A refund is under way.",
        Blocker.OPEN_DISPUTES: "A payment is disputed.",
        Blocker.OPEN_PAYOUTS: "A payout is under way.",
        Blocker.DEBT: "Coins are owed after a charge-back.",
        Blocker.COINS: "Bought coins are left: spend or withdraw them.",
        Blocker.EARNINGS: "Earnings are left: ask for a payout.",
    },
)
