"""SEPA: payouts as payment files that a person or a bank connection hands to the bank."""

from shoutgraph.sdk import AnyPayoutPlugin, hookimpl
from shoutgraph_sepa.payouts import PAYOUT


@hookimpl
def shoutgraph_payout_plugins() -> list[AnyPayoutPlugin]:
    """Offers payouts by file."""
    return [PAYOUT]
