"""What this plugin offers, and what it promises."""

from datetime import timedelta
from typing import Final

from shoutgraph.sdk import (
    BlockingTopUpProvider,
    Host,
    Idempotency,
    Lookup,
    Refunds,
    TopUpCaps,
    TopUpPlugin,
    Webhooks,
)
from shoutgraph_mollie.config import MollieConfig, hosts

CURRENCIES: Final = frozenset(
    {"AED", "AUD", "BRL", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "ISK", "JPY", "MXN"}
    | {"MYR", "NOK", "NZD", "PHP", "PLN", "RON", "SEK", "SGD", "THB", "TWD", "USD", "ZAR"}
)
"""Source: Mollie's page on currencies. ISK and JPY have no decimals there, all others two, as in ISO 4217."""


def build(config: MollieConfig, host: Host) -> BlockingTopUpProvider:
    """Makes the provider of one instance."""
    # Not at the top: Mollie's library opens a socket and starts a process as it is imported, which an import may not.
    from shoutgraph_mollie.payments import Mollie  # noqa: PLC0415

    return Mollie(config, host)


TOPUP: Final = TopUpPlugin(
    key="mollie",
    label="Mollie",
    caps=TopUpCaps(
        currencies=CURRENCIES,
        webhooks=Webhooks.HINT,
        refunds=Refunds.PARTIAL,
        disputes=True,
        idempotency=Idempotency(scope="profile", window=timedelta(hours=1)),
        # By key means by listing, which is bounded: not to be found is not to be absent.
        lookup=Lookup(by_key=True),
    ),
    config=MollieConfig,
    build=build,
    api_hosts=hosts,
    threaded=True,
)
