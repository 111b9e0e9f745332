"""The sandbox: a payment provider that is not real, and the example of how a plugin is written."""

from shoutgraph.sdk import AnyPayoutPlugin, AnyTopUpPlugin, hookimpl
from shoutgraph_sandbox.payouts import PAYOUT
from shoutgraph_sandbox.topups import TOPUP


@hookimpl
def shoutgraph_topup_plugins() -> list[AnyTopUpPlugin]:
    """Offers the sandbox's top-ups."""
    return [TOPUP]


@hookimpl
def shoutgraph_payout_plugins() -> list[AnyPayoutPlugin]:
    """Offers the sandbox's payouts."""
    return [PAYOUT]
