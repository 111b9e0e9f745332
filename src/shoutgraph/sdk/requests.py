"""What the host asks of a provider."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from shoutgraph.sdk.money import Money


@dataclass(frozen=True, slots=True)
class Call:
    """What every call carries.

    `operation_id` names the top-up, refund or batch in our books. `idempotency_key` is the same for every
    attempt at one effect. `timeout` is how long the host waits, from now.
    """

    operation_id: str
    idempotency_key: str
    timeout: timedelta
    attempt: int = 1
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class TopUpRequest:
    """Ask a fan for money.

    `country` is an ISO 3166 code, `locale` a BCP 47 tag, `descriptor` what the fan's bank statement shows.
    """

    call: Call
    amount: Money
    customer_ref: str
    country: str
    locale: str
    return_url: str
    cancel_url: str
    webhook_url: str
    descriptor: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Redemption:
    """Turn a receipt from the buyer's device into money."""

    call: Call
    proof: str
    customer_ref: str


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Give some of a payment back. `settled` is what was paid, and `amount` what goes back now."""

    call: Call
    ref: str
    amount: Money
    settled: Money
    reason: str


@dataclass(frozen=True, slots=True)
class PayoutItem:
    """Pay one creator. `item_id` is ours, and goes with the money wherever the rail has room for it."""

    item_id: str
    amount: Money
    recipient_ref: str
    descriptor: str


@dataclass(frozen=True, slots=True)
class PayoutBatch:
    """Pay several creators with one call; every item has an outcome of its own."""

    call: Call
    items: tuple[PayoutItem, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """What to look up: by the provider's ref where it is known, else by our key.

    For a payout item, `operation_id` is the item's id and `idempotency_key` that of its batch. `amount` is
    what we asked for; the host compares it with what the provider shows.
    """

    operation_id: str
    idempotency_key: str
    ref: str | None = None
    amount: Money | None = None
