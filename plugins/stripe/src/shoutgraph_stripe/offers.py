"""What this plugin offers, and what it promises."""

from datetime import timedelta
from typing import Final

from shoutgraph.sdk import (
    Host,
    Idempotency,
    Lookup,
    PayoutCaps,
    PayoutPlugin,
    PayoutProvider,
    Refunds,
    TopUpCaps,
    TopUpPlugin,
    TopUpProvider,
    Webhooks,
)
from shoutgraph_stripe import currencies
from shoutgraph_stripe.config import StripeConfig, hosts

IDEMPOTENCY: Final = Idempotency(scope="account", window=timedelta(hours=24))
"""Keys are pruned once they are at least this old; what is saved for one, a 500 included, is given again until then.

Source: https://docs.stripe.com/api/idempotent_requests
"""

ABSENCE_AFTER: Final = timedelta(hours=24)
"""Listing by group reads what is stored, not Stripe's lagging search. A day is far beyond any delay of it that is
known, and beyond what a call that is still on its way could take."""


# Stripe's library is imported when an instance is built: it takes a third of a second, and one of the libraries below
# it tries out the network. Whoever has configured no Stripe is spared both.


def _topups(config: StripeConfig, host: Host) -> TopUpProvider:
    from shoutgraph_stripe.topups import StripeTopUps  # noqa: PLC0415 -- see above

    return StripeTopUps(config, host)


def _payouts(config: StripeConfig, host: Host) -> PayoutProvider:
    from shoutgraph_stripe.payouts import StripePayouts  # noqa: PLC0415 -- see above

    return StripePayouts(config, host)


TOPUP: Final = TopUpPlugin(
    key="stripe",
    label="Stripe Checkout",
    caps=TopUpCaps(
        currencies=currencies.CURRENCIES,
        webhooks=Webhooks.SIGNED,
        refunds=Refunds.PARTIAL,
        disputes=True,
        limits=currencies.CHARGES,
        exponents=currencies.EXPONENTS,
        granularity=currencies.GRANULARITY,
        idempotency=IDEMPOTENCY,
        # Sessions cannot be found by our key: Stripe's search does not know them, and lags where it knows something.
        # The same request again within the window tells, and so does the webhook of every session that ends.
        lookup=Lookup(by_key=False),
    ),
    config=StripeConfig,
    build=_topups,
    api_hosts=hosts,
)

PAYOUT: Final = PayoutPlugin(
    key="stripe-payouts",
    label="Stripe Connect",
    caps=PayoutCaps(
        currencies=currencies.CURRENCIES,
        webhooks=Webhooks.SIGNED,
        onboarding=True,
        limits=currencies.TRANSFERS,
        exponents=currencies.EXPONENTS,
        granularity=currencies.PAYOUT_GRANULARITY,
        idempotency=IDEMPOTENCY,
        lookup=Lookup(by_key=True, absence_after=ABSENCE_AFTER),
    ),
    config=StripeConfig,
    build=_payouts,
    api_hosts=hosts,
)
