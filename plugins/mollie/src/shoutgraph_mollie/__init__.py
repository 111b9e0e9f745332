"""Mollie: fans pay on its hosted page."""

from shoutgraph.sdk import AnyTopUpPlugin, hookimpl
from shoutgraph_mollie.offers import TOPUP


@hookimpl
def shoutgraph_topup_plugins() -> list[AnyTopUpPlugin]:
    """Offers to take money by Mollie."""
    return [TOPUP]
