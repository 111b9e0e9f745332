"""The App Store: coins that a device bought by StoreKit 2."""

from shoutgraph.sdk import AnyTopUpPlugin, hookimpl
from shoutgraph_appstore.offers import TOPUP


@hookimpl
def shoutgraph_topup_plugins() -> list[AnyTopUpPlugin]:
    """Offers to redeem receipts of the App Store."""
    return [TOPUP]
