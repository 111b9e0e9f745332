"""What the host asks of a provider."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.sdk.money import Money

OTHER_PRODUCT: Final = "other_product"
"""The code of a `Declined` that says the receipt is genuine, and of another product than the one expected."""

_NAME: Final = re.compile("[a-z][a-z0-9_]{0,62}")


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
    """Turn a receipt from the buyer's device into money.

    `product` is the store's id of what the host expects to have been bought: a genuine receipt of another one is
    `Declined(code="other_product")`.
    """

    call: Call
    proof: str = field(repr=False)
    customer_ref: str
    product: str


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
    recipient_ref: str = field(repr=False)
    descriptor: str


@dataclass(frozen=True, slots=True)
class PayoutBatch:
    """Pay several creators with one call; every item has an outcome of its own.

    `made_at` is when the batch was first made, and the same at every attempt: what has to be dated, such as a file that
    must come out the same again, takes its date from there.
    """

    call: Call
    items: tuple[PayoutItem, ...]
    made_at: datetime | None = None


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


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that a recipient has to tell before money can be sent to them, such as an IBAN.

    `pattern` is a regular expression that the whole answer matches. What is `secret` is neither shown again nor
    logged.

    Raises:
        ValueError: the name is not `[a-z][a-z0-9_]*`, there is no label, or the pattern is no regular expression.
    """

    name: str
    label: str
    pattern: str | None = None
    secret: bool = False
    required: bool = True

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("a requirement's name reads [a-z][a-z0-9_]*")
        if not self.label:
            raise ValueError("a requirement has a label")
        try:
            re.compile(self.pattern or "")
        except re.error as error:
            raise ValueError(f"the pattern of {self.name} is no regular expression") from error


@dataclass(frozen=True, slots=True)
class OnboardRequest:
    """Make somebody known to the provider, so that money can be sent to them.

    `values` answers the requirements by name. `recipient_id` is ours, and the same at every attempt. The provider
    sends the browser to `return_url` when it is done, and to `refresh_url` when its page was left alone too long.
    """

    call: Call
    recipient_id: str
    country: str
    currency: str
    values: Mapping[str, str] = field(repr=False)
    return_url: str
    refresh_url: str
    email: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class QuoteRequest:
    """Ask what it costs to send an amount to a recipient, and what arrives."""

    call: Call
    amount: Money
    recipient_ref: str = field(repr=False)
