"""Stripe: top-ups by Checkout, and payouts to connected accounts."""

from shoutgraph.sdk import AnyPayoutPlugin, AnyTopUpPlugin, hookimpl
from shoutgraph_stripe.offers import PAYOUT, TOPUP


@hookimpl
def shoutgraph_topup_plugins() -> list[AnyTopUpPlugin]:
    """Offers Stripe's top-ups."""
    return [TOPUP]


@hookimpl
def shoutgraph_payout_plugins() -> list[AnyPayoutPlugin]:
    """Offers Stripe's payouts."""
    return [PAYOUT]
