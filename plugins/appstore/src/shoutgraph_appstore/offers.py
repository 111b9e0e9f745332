"""What this plugin offers, and what it promises."""

from typing import Final

from shoutgraph.sdk import Host, Intake, RedeemProvider, Refunds, TopUpCaps, TopUpPlugin, Webhooks
from shoutgraph_appstore.config import AppStoreConfig, hosts

CURRENCIES: Final = frozenset(
    {"AED", "AUD", "BGN", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EGP", "EUR", "GBP", "HKD"}
    | {"HUF", "IDR", "ILS", "INR", "JPY", "KRW", "KZT", "MXN", "MYR", "NGN", "NOK", "NZD", "PEN", "PHP", "PKR"}
    | {"PLN", "QAR", "RON", "RUB", "SAR", "SEK", "SGD", "THB", "TRY", "TWD", "TZS", "USD", "VND", "ZAR"}
)
"""What storefronts sell in. Source: Apple's list of storefronts and currencies."""


def build(config: AppStoreConfig, host: Host) -> RedeemProvider:
    """Makes the provider of one instance."""
    # Not at the top: Apple's library opens a socket as it is imported, which an instance may do and an import may not.
    from shoutgraph_appstore.store import AppStore  # noqa: PLC0415

    return AppStore(config, host)


TOPUP: Final = TopUpPlugin(
    key="appstore",
    label="App Store",
    caps=TopUpCaps(
        currencies=CURRENCIES,
        intake=Intake.REDEEM,
        webhooks=Webhooks.SIGNED,
        refunds=Refunds.EXTERNAL,
    ),
    config=AppStoreConfig,
    build=build,
    api_hosts=hosts,
)
