"""A purchase of coins through a provider: what was agreed, what was seen of it, and what follows.

Three axes, not one word. *Submission* says whether the provider has it. *Totals* say what money moved: cumulative,
joined by the larger, so that the order in which they are seen cannot matter. *Flags* say what the fan must do and
what staff must look at. The public status is a projection of the three, and no status is final: late money opens a
failed top-up again. No timer ever turns "unknown" into "failed".
Source: docs/adr/0009-providers.md.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import ids
from shoutgraph.domain.packages import Platform


class Submission(StrEnum):
    """Whether the provider has the payment."""

    SUBMITTING = "SUBMITTING"
    KNOWN = "KNOWN"
    UNKNOWN = "UNKNOWN"
    NOT_EXECUTED = "NOT_EXECUTED"


class Status(StrEnum):
    """What people see of a top-up. None of them is final."""

    CREATED = "CREATED"
    PROCESSING = "PROCESSING"
    ACTION_REQUIRED = "ACTION_REQUIRED"
    PENDING = "PENDING"
    FAILED = "FAILED"
    PAID = "PAID"
    NEEDS_REVIEW = "NEEDS_REVIEW"
    PARTLY_REFUNDED = "PARTLY_REFUNDED"
    REFUNDED = "REFUNDED"
    DISPUTED = "DISPUTED"


class Review(StrEnum):
    """Why staff must look at a top-up, the gravest first."""

    CURRENCY_MISMATCH = "CURRENCY_MISMATCH"
    AMOUNT_MISMATCH = "AMOUNT_MISMATCH"
    TOTALS_MISMATCH = "TOTALS_MISMATCH"
    REF_TAKEN = "REF_TAKEN"
    UNKNOWN_FOR_LONG = "UNKNOWN_FOR_LONG"


MISMATCHES: Final = frozenset(Review) - {Review.UNKNOWN_FOR_LONG}
"""With one of these, and without the exact money, nothing is ever credited."""


class Seen(StrEnum):
    """What an observation is."""

    SETTLED = "SETTLED"
    PENDING = "PENDING"
    NEEDS_ACTION = "NEEDS_ACTION"
    DECLINED = "DECLINED"
    NOT_EXECUTED = "NOT_EXECUTED"
    UNKNOWN = "UNKNOWN"
    ABSENT = "ABSENT"


class Source(StrEnum):
    """Where an observation comes from: the answer to our call, a look of ours, or the provider's notice."""

    ANSWER = "ANSWER"
    LOOK = "LOOK"
    NOTICE = "NOTICE"


class ActionKind(StrEnum):
    """What the fan has to do next."""

    REDIRECT = "REDIRECT"
    CLIENT = "CLIENT"
    INSTRUCTIONS = "INSTRUCTIONS"


@dataclass(frozen=True, slots=True)
class Action:
    """The next step of the fan. `lines` is the URL, the secret and publishable key, or what to read."""

    kind: ActionKind
    lines: tuple[str, ...]
    qr: str | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """All money that ever moved for one top-up. Units: minor units of its currency; the fee has its own."""

    settled_minor: int = 0
    refunded_minor: int = 0
    disputed_minor: int = 0
    won_minor: int = 0
    lost_minor: int = 0
    fee_currency: str = ""
    fee_minor: int = 0
    refunds_failed_minor: int = 0

    @property
    def gone_minor(self) -> int:
        """What refunds and disputes took, less what of it came back."""
        return self.disputed_minor - self.won_minor + self.refunded_minor - self.refunds_failed_minor

    def joined(self, other: "Totals") -> "Totals":
        """What is known after both were seen, in either order: the larger of each."""
        fee_currency, fee_minor = max((self.fee_currency, self.fee_minor), (other.fee_currency, other.fee_minor))
        return Totals(
            settled_minor=max(self.settled_minor, other.settled_minor),
            refunded_minor=max(self.refunded_minor, other.refunded_minor),
            disputed_minor=max(self.disputed_minor, other.disputed_minor),
            won_minor=max(self.won_minor, other.won_minor),
            lost_minor=max(self.lost_minor, other.lost_minor),
            fee_currency=fee_currency,
            fee_minor=fee_minor,
            refunds_failed_minor=max(self.refunds_failed_minor, other.refunds_failed_minor),
        )


NOTHING: Final = Totals()


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at a payment. `at` is when it was so; `code` is the provider's reason, or ours for an unknown."""

    seen: Seen
    at: datetime
    ref: str | None = None
    totals: Totals | None = None
    currency: str | None = None
    code: str | None = None
    retryable: bool = False
    action: Action | None = None
    expires_at: datetime | None = None
    poll_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed when the top-up was made; it never changes.

    `price_id` is the version of the package or unit price, `rate_version` that of the currency's rate, whose
    `spread_bps` stays with the ledger. `promotion_id` is what made it cheaper or gave more.
    Coins that are bought `as_card` go under the code of a gift card, and not to the wallet.
    Units: `price_minor` minor units of `currency`, `discount_minor` what a promotion took off it; `book_units` the same
    price in the book currency; `bonus_s` seconds that granted coins live.
    """

    package_id: str | None
    coins: int
    bonus_coins: int
    price_minor: int
    currency: str
    book_units: int
    country: str
    platform: Platform
    price_id: str | None = None
    rate_version: int | None = None
    spread_bps: int = 0
    promotion_id: str | None = None
    discount_minor: int = 0
    bonus_s: int | None = None
    as_card: bool = False


@dataclass(frozen=True, slots=True)
class Payload:
    """The rest of what the provider is asked, frozen, so that a re-sent request is the same request."""

    locale: str
    return_url: str
    cancel_url: str
    webhook_url: str
    descriptor: str


@dataclass(frozen=True, slots=True)
class Booked:
    """What the ledger has of a top-up. What was seen less this is what is still to be posted.

    Units: minor units, coins, and book units of the book currency. `reversed_*` count what refunds and disputes took
    back and did not return; `disputed_minor` what disputes were ever opened for, `refunds_failed_minor` what of
    `refunded_minor` came back.
    """

    credited: bool = False
    refunded_minor: int = 0
    disputed_minor: int = 0
    fee_minor: int = 0
    reversed_minor: int = 0
    reversed_coins: int = 0
    reversed_book_units: int = 0
    refunds_failed_minor: int = 0


@dataclass(frozen=True, slots=True)
class Topup:
    """A purchase of coins. Its id is the provider's idempotency key, at every attempt.

    `follows` is the top-up of the same purchase at another provider that proved to have done nothing; this one went on.
    """

    id: ids.TopupId
    revision: int
    user_id: ids.UserId
    instance: str
    terms: Terms
    payload: Payload
    created_at: datetime
    updated_at: datetime
    first_sent_at: datetime
    answer_due_at: datetime
    submission: Submission = Submission.SUBMITTING
    attempts: int = 1
    ref: str | None = None
    totals: Totals = NOTHING
    booked: Booked = Booked()
    action: Action | None = None
    expires_at: datetime | None = None
    phase_at: datetime | None = None
    poll_after: timedelta | None = None
    declined_code: str | None = None
    retryable: bool = False
    expired: bool = False
    review: Review | None = None
    follows: ids.TopupId | None = None

    @property
    def paid(self) -> bool:
        """Whether exactly the price arrived: the only reason to credit."""
        return self.totals.settled_minor == self.terms.price_minor

    @property
    def status(self) -> Status:
        """What people see."""
        if self.paid:
            return _paid_status(self.totals)
        if self.review in MISMATCHES or self.totals.settled_minor:
            return Status.NEEDS_REVIEW
        if self.submission is Submission.SUBMITTING:
            return Status.CREATED if self.attempts == 1 else Status.PROCESSING
        if self.declined_code is not None or self.expired:
            return Status.FAILED
        if self.submission is Submission.UNKNOWN:
            return Status.PROCESSING
        return Status.PENDING if self.action is None else Status.ACTION_REQUIRED


@dataclass(frozen=True, slots=True)
class TopupFilter:
    """Which top-ups a list holds: all the given conditions together."""

    user_id: ids.UserId | None = None
    statuses: tuple[Status, ...] = ()


def _paid_status(totals: Totals) -> Status:
    if totals.disputed_minor > totals.won_minor + totals.lost_minor:
        return Status.DISPUTED
    gone = totals.refunded_minor - totals.refunds_failed_minor + totals.lost_minor
    if gone == 0:
        return Status.PAID
    return Status.REFUNDED if gone >= totals.settled_minor else Status.PARTLY_REFUNDED
