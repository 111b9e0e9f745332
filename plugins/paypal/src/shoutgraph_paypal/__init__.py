"""PayPal: top-ups by Orders v2, and payouts in batches by Payouts v1."""

from shoutgraph.sdk import AnyPayoutPlugin, AnyTopUpPlugin, hookimpl
from shoutgraph_paypal.offers import PAYOUT, TOPUP


@hookimpl
def shoutgraph_topup_plugins() -> list[AnyTopUpPlugin]:
    """Offers PayPal's top-ups."""
    return [TOPUP]


@hookimpl
def shoutgraph_payout_plugins() -> list[AnyPayoutPlugin]:
    """Offers PayPal's payouts."""
    return [PAYOUT]
