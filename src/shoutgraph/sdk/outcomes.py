"""What became of the money: closed unions that the host matches exhaustively.

Two words carry the weight. `NotExecuted` is a proof that nothing happened, so that another attempt is safe.
`Unknown` is everything else that is not an answer: the host keeps looking and never turns it into a failure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from shoutgraph.sdk.money import Money

UNAVAILABLE: Final = "unavailable"
"""The code of a `NotExecuted` that says the provider is down; the breaker counts these."""

TEXT_CHARS_MAX: Final = 2048
"""The longest ref, code, reason or line. Units: characters."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Send the fan to this page."""

    url: str

    def __post_init__(self) -> None:
        _text(self.url, "url")
        if not self.url.startswith(("https://", "http://")):
            raise ValueError("a redirect leads to a web page")


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """Let the provider's own form in the front end finish the payment."""

    secret: str = field(repr=False)
    publishable: str


@dataclass(frozen=True, slots=True)
class Instructions:
    """Show the fan what to do, such as a bank transfer, with a QR code where there is one."""

    lines: tuple[str, ...]
    qr: str | None = None


Action: TypeAlias = Redirect | ClientSecret | Instructions
"""What the fan has to do next."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What is known of one payment, as cumulative amounts: never deltas, so that order cannot matter.

    `disputed` counts what was ever disputed; what of it was decided since is in `disputes_won` and `disputes_lost`.
    `refunded` counts what was ever refunded; what of it came back to us since, because a refund failed after it was
    done or was reversed, is in `refunds_failed`. The fee may be in another currency than the payment.

    Raises:
        ValueError: an amount is negative, or the currencies differ.
    """

    settled: Money
    refunded: Money
    disputed: Money
    fee: Money | None = None
    disputes_won: Money | None = None
    disputes_lost: Money | None = None
    refunds_failed: Money | None = None

    def __post_init__(self) -> None:
        decided = (self.disputes_won, self.disputes_lost, self.refunds_failed)
        for money in (self.settled, self.refunded, self.disputed, *decided):
            if money is None:
                continue
            _is(money, Money, "total")
            if money.minor < 0 or money.currency != self.settled.currency:
                raise ValueError("totals are not negative, and of one currency")

    @classmethod
    def of(cls, settled: Money, *, fee: Money | None = None) -> "Totals":
        """The totals of a payment of which nothing was refunded or disputed."""
        nothing = Money(0, settled.currency)
        return cls(settled, nothing, nothing, fee)


@dataclass(frozen=True, slots=True)
class Settled:
    """The money is there, or was: the totals say what came of it."""

    ref: str
    totals: Totals
    at: datetime

    def __post_init__(self) -> None:
        _text(self.ref, "ref")
        _is(self.totals, Totals, "totals")
        _aware(self.at)


@dataclass(frozen=True, slots=True)
class Pending:
    """The provider has it and works on it."""

    ref: str | None
    poll_after: timedelta
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        _optional_text(self.ref, "ref")
        _is(self.poll_after, timedelta, "poll_after")
        if self.expires_at is not None:
            _aware(self.expires_at)


@dataclass(frozen=True, slots=True)
class NeedsAction:
    """The fan has to do something before it expires."""

    ref: str
    action: Action
    expires_at: datetime

    def __post_init__(self) -> None:
        _text(self.ref, "ref")
        _is(self.action, (Redirect, ClientSecret, Instructions), "action")
        _aware(self.expires_at)


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider said no. Not final: late money opens it again."""

    ref: str | None
    code: str
    retryable: bool = False

    def __post_init__(self) -> None:
        _optional_text(self.ref, "ref")
        _text(self.code, "code")


@dataclass(frozen=True, slots=True)
class NotExecuted:
    """A proof that nothing happened and nothing will: another attempt is safe."""

    code: str
    retry_after: timedelta | None = None

    def __post_init__(self) -> None:
        _text(self.code, "code")


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows. The host makes these, too, from timeouts, exceptions and amounts that do not agree."""

    reason: str
    ref: str | None = None
    detail: str = ""

    def __post_init__(self) -> None:
        _text(self.reason, "reason")
        _optional_text(self.ref, "ref")


@dataclass(frozen=True, slots=True)
class Absent:
    """The provider has no such object; what this proves is declared in `Lookup`. Only a fetch may say it."""


@dataclass(frozen=True, slots=True)
class Paid:
    """The payout left for the recipient. It may still come back."""

    ref: str
    amount: Money
    at: datetime
    fee: Money | None = None

    def __post_init__(self) -> None:
        _text(self.ref, "ref")
        _is(self.amount, Money, "amount")
        _aware(self.at)


@dataclass(frozen=True, slots=True)
class Returned:
    """The payout came back."""

    ref: str
    amount: Money
    code: str
    at: datetime

    def __post_init__(self) -> None:
        _text(self.ref, "ref")
        _is(self.amount, Money, "amount")
        _text(self.code, "code")
        _aware(self.at)


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider refused this payout, and no money left.

    Without a ref it is believed as the answer to the first attempt only: an earlier one may have paid.
    """

    ref: str | None
    code: str

    def __post_init__(self) -> None:
        _optional_text(self.ref, "ref")
        _text(self.code, "code")


@dataclass(frozen=True, slots=True)
class Ready:
    """Money can be sent to this recipient."""

    ref: str

    def __post_init__(self) -> None:
        _text(self.ref, "ref")


@dataclass(frozen=True, slots=True)
class Restricted:
    """The provider knows this recipient and sends them no money for now; the code says why."""

    ref: str
    code: str

    def __post_init__(self) -> None:
        _text(self.ref, "ref")
        _text(self.code, "code")


@dataclass(frozen=True, slots=True)
class Quote:
    """What sending `amount` costs and what `arrives`, good until it expires. The fee may be in either currency.

    Raises:
        ValueError: the fee is less than nothing, or nothing arrives.
    """

    amount: Money
    fee: Money
    arrives: Money
    expires_at: datetime
    ref: str | None = None

    def __post_init__(self) -> None:
        for money in (self.amount, self.fee, self.arrives):
            _is(money, Money, "amount")
        _aware(self.expires_at)
        _optional_text(self.ref, "ref")
        if self.fee.minor < 0 or self.arrives.minor <= 0:
            raise ValueError("a fee is not negative, and something arrives")


TopUpOutcome: TypeAlias = Settled | Pending | NeedsAction | Declined | NotExecuted | Unknown
"""The answer to a top-up, a refund or a cancellation."""

Observation: TypeAlias = TopUpOutcome | Absent
"""What a look at one top-up shows."""

ItemOutcome: TypeAlias = Paid | Returned | Rejected | Pending | NotExecuted | Unknown
"""The answer for one item of a payout batch."""

ItemObservation: TypeAlias = ItemOutcome | Absent
"""What a look at one payout shows."""

RecipientOutcome: TypeAlias = Ready | NeedsAction | Restricted | Declined | NotExecuted | Unknown
"""Whether money can be sent to a recipient, and what they have to do before."""

QuoteOutcome: TypeAlias = Quote | NotExecuted | Unknown
"""The answer to the question what sending costs."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file that goes to, or comes from, a bank."""

    name: str
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class BatchOutcome:
    """One outcome for every item of a batch, by item id."""

    items: Mapping[str, ItemOutcome]
    batch_ref: str | None = None
    artifacts: tuple[Artifact, ...] = ()


def joined(one: Totals, other: Totals) -> Totals:
    """The larger of each total: what is known after both were seen, in either order.

    Raises:
        ValueError: they are of different currencies.
    """
    if one.settled.currency != other.settled.currency:
        raise ValueError("totals of two currencies cannot be of one payment")
    return Totals(
        settled=_larger(one.settled, other.settled),
        refunded=_larger(one.refunded, other.refunded),
        disputed=_larger(one.disputed, other.disputed),
        fee=_larger_of_any(one.fee, other.fee),
        disputes_won=_larger_of_any(one.disputes_won, other.disputes_won),
        disputes_lost=_larger_of_any(one.disputes_lost, other.disputes_lost),
        refunds_failed=_larger_of_any(one.refunds_failed, other.refunds_failed),
    )


def _larger_of_any(one: Money | None, other: Money | None) -> Money | None:
    if one is None or other is None:
        return one or other
    return _larger(one, other)


def _larger(one: Money, other: Money) -> Money:
    return max(one, other, key=lambda money: money.minor)


def _text(value: object, name: str) -> None:
    if not isinstance(value, str):
        raise TypeError(f"{name} is text")
    if not 0 < len(value) <= TEXT_CHARS_MAX:
        raise ValueError(f"{name} has 1 to {TEXT_CHARS_MAX} characters")


def _optional_text(value: object, name: str) -> None:
    if value is not None:
        _text(value, name)


def _is(value: object, kind: type | tuple[type, ...], name: str) -> None:
    if not isinstance(value, kind):
        raise TypeError(f"{name} is of the wrong type")


def _aware(at: object) -> None:
    if not isinstance(at, datetime) or at.tzinfo is None:
        raise TypeError("a time is an aware datetime")
