"""What this plugin offers, and what it promises."""

from datetime import timedelta
from typing import Final

from shoutgraph.sdk import Idempotency, Lookup, PayoutCaps, PayoutPlugin, Refunds, TopUpCaps, TopUpPlugin, Webhooks
from shoutgraph_paypal import amounts
from shoutgraph_paypal.config import PayPalConfig, hosts
from shoutgraph_paypal.payouts import PayPalPayouts
from shoutgraph_paypal.topups import PayPalTopUps

BATCH_MAX: Final = 500
"""PayPal takes 15,000. A batch of these is seen whole with one look."""

RETURN_WINDOW: Final = timedelta(days=180)
"""How long a recipient can give a payment back."""

TOPUP: Final = TopUpPlugin(
    key="paypal",
    label="PayPal",
    caps=TopUpCaps(
        currencies=amounts.CURRENCIES,
        webhooks=Webhooks.SIGNED,
        refunds=Refunds.PARTIAL,
        disputes=True,
        limits=amounts.LIMITS,
        exponents=amounts.EXPONENTS,
        granularity=amounts.GRANULARITY,
        # Source: PayPal-Request-Id of Orders v2. Refunds keep it for 45 days.
        idempotency=Idempotency(scope="account", window=timedelta(hours=6)),
        # Orders cannot be listed or searched. One whose answer was lost was never shown to the fan, and moves nothing.
        lookup=Lookup(by_key=False),
    ),
    config=PayPalConfig,
    build=PayPalTopUps,
    api_hosts=hosts,
)

PAYOUT: Final = PayoutPlugin(
    key="paypal-payouts",
    label="PayPal Payouts",
    caps=PayoutCaps(
        currencies=amounts.CURRENCIES,
        max_batch=BATCH_MAX,
        webhooks=Webhooks.SIGNED,
        onboarding=True,
        cancel=True,
        limits=amounts.PAYOUT_LIMITS,
        exponents=amounts.EXPONENTS,
        granularity=amounts.GRANULARITY,
        return_window=RETURN_WINDOW,
        # Source: sender_batch_id of Payouts v1. The same name again is how a batch is found whose answer was lost.
        idempotency=Idempotency(scope="account", window=timedelta(days=30)),
        lookup=Lookup(by_key=False),
    ),
    config=PayPalConfig,
    build=PayPalPayouts,
    api_hosts=hosts,
)
