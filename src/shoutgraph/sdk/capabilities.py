"""What a provider guarantees. The host relies on every word: it re-sends, looks up and refunds within it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

RETURN_WINDOW: Final = timedelta(days=90)
"""How long a paid payout may still come back, where a plugin says nothing else."""


class Intake(enum.Enum):
    """Who starts a payment: the host, or the buyer's device, whose signed receipt the host redeems."""

    CREATE = "create"
    REDEEM = "redeem"


class Webhooks(enum.Enum):
    """What a webhook is worth: nothing, a hint to look, or a signed statement."""

    NONE = "none"
    HINT = "hint"
    SIGNED = "signed"


class Refunds(enum.Enum):
    """Which refunds the host may ask for; `EXTERNAL` means that only the store or the bank starts them."""

    NONE = "none"
    FULL = "full"
    PARTIAL = "partial"
    EXTERNAL = "external"


@dataclass(frozen=True, slots=True)
class Idempotency:
    """How long, and within what, a repeated key gives the first result again.

    The host never sends a key again later than `window` after it first did.
    """

    scope: str
    window: timedelta


@dataclass(frozen=True, slots=True)
class Lookup:
    """What can be found, and what "not found" proves.

    `by_key`: an object can be found by our idempotency key alone. `absence_after`: this long after the first
    attempt, "not found" proves that nothing happened; None means that it never does.
    """

    by_key: bool = False
    absence_after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpCaps:
    """What a top-up provider can do.

    Args:
        countries: ISO 3166 codes of the buyers it serves; None means everywhere.
        limits: the smallest and the largest amount in minor units, by currency.
        exponents: digits of the currencies that the provider counts differently from ISO 4217.
        granularity: the amount in minor units must be a multiple of this, by currency.
    """

    currencies: frozenset[str]
    intake: Intake = Intake.CREATE
    webhooks: Webhooks = Webhooks.NONE
    refunds: Refunds = Refunds.NONE
    disputes: bool = False
    countries: frozenset[str] | None = None
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    exponents: Mapping[str, int] = field(default_factory=dict)
    granularity: Mapping[str, int] = field(default_factory=dict)
    idempotency: Idempotency | None = None
    lookup: Lookup = Lookup()


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutCaps:
    """What a payout provider can do.

    Args:
        onboarding: the provider is `Onboards`, and sends money only to recipients that are `Ready`.
        quotes: the provider is `Quotes`.
        artifacts: `submit` yields files that a person or a bank connection uploads.
        ingest: media types of the statement files that `ingest` reads.
        limits: the smallest and the largest amount of one item in minor units, by currency.
        return_window: how long a paid item may still become `Returned`.
    """

    currencies: frozenset[str]
    max_batch: int = 1
    webhooks: Webhooks = Webhooks.NONE
    onboarding: bool = False
    quotes: bool = False
    cancel: bool = False
    artifacts: bool = False
    ingest: frozenset[str] = frozenset()
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    exponents: Mapping[str, int] = field(default_factory=dict)
    granularity: Mapping[str, int] = field(default_factory=dict)
    return_window: timedelta = RETURN_WINDOW
    idempotency: Idempotency | None = None
    lookup: Lookup = Lookup()
