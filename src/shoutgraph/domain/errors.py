"""Refusals: the expected "no" answers of shoutgraph, each with a stable code and data.

ShoutgraphError
├── ValidationError            an argument broke a rule
├── NotFoundError              it does not exist, or this viewer may not see it
├── UnauthenticatedError       nobody is signed in
├── ForbiddenError             the viewer lacks a scope
├── StaleRevisionError         the object changed since the viewer read it
├── IdempotencyKeyReusedError  the key was used before with other input
├── OrderStateError            the order's state does not allow this transition
├── PriceChangedError          the price is no longer the one the viewer saw
├── MoneyPriceChangedError     the price of coins is no longer the one the viewer saw
├── QuoteExpiredError          a payout is no longer of the amount that was quoted
├── InsufficientCoinsError     too few coins
├── CreatorUnavailableError    the creator takes no orders now
├── FeatureUnavailableError    a part of the product is off for this person, or for the creator
├── CampaignUnavailableError   the campaign does not take this order
├── WalletLockedError          the wallet is locked after a charge-back
├── LimitExceededError         a limit of the policy, or of one's own, is reached
├── BuyingPausedError          the viewer pauses buying, or has excluded themselves
├── AgeRestrictedError         the viewer is too young, or has not said how old they are
├── MediaRejectedError         the uploaded file is not an acceptable video
├── ProviderUnavailableError   no provider can do this now; nothing was charged
├── ProviderDeclinedError      the provider refused the payment
├── ResyncError                the journal was restored to a time before the cursor
└── OverloadedError            too much is waiting; nothing was done, and another attempt is safe

A refusal never means that something broke. Transports map each leaf; `docs/ERRORS.md` lists every code.

What broke is a fault, which no client can act on and every transport answers as an internal error:

FaultError
├── InvariantError             code tried to write what the database forbids
│   └── LedgerConflictError    a transfer's name was used before with other content
├── RestoreError               a restore cannot come to its end; nothing was opened
└── StoreUnavailableError      the database cannot write or read now; another attempt may be made
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, Final


class ShoutgraphError(Exception):
    """An expected refusal with a stable machine code, a sentence for people and a path into the arguments."""

    default_code: ClassVar[str]

    def __init__(self, message: str, *, code: str | None = None, path: Sequence[str] | None = None) -> None:
        super().__init__(message)
        self.message: Final = message
        self.code: Final = code or self.default_code
        self.path: Final = tuple(path) if path is not None else None
        self.replayed = False

    def to_data(self) -> dict[str, Any]:
        """The refusal as JSON values, so that a repeated request gets the same answer."""
        return {"name": type(self).__name__, **{k: v for k, v in vars(self).items() if k != "replayed"}}


class ValidationError(ShoutgraphError):
    """An argument broke a rule."""

    default_code = "VALIDATION"


class NotFoundError(ShoutgraphError):
    """It does not exist, or this viewer may not see it: the two are not told apart."""

    default_code = "NOT_FOUND"


class UnauthenticatedError(ShoutgraphError):
    """Nobody is signed in, or the token is not valid."""

    default_code = "UNAUTHENTICATED"


class ForbiddenError(ShoutgraphError):
    """The viewer lacks a scope."""

    default_code = "FORBIDDEN"


class StaleRevisionError(ShoutgraphError):
    """The object changed since the viewer read it."""

    default_code = "STALE_REVISION"

    def __init__(self, *, current_revision: int, path: Sequence[str] = ("input", "expectedRevision")) -> None:
        super().__init__(f"It changed since you read it: its revision is now {current_revision}.", path=path)
        self.current_revision: Final = current_revision


class IdempotencyKeyReusedError(ShoutgraphError):
    """The idempotency key was used before with other input."""

    default_code = "IDEMPOTENCY_KEY_REUSED"

    def __init__(self) -> None:
        super().__init__("This idempotency key was used before with other input.", path=("input", "idempotencyKey"))


class OrderStateError(ShoutgraphError):
    """The order's state does not allow this transition.

    Args:
        state: the order's state as it is stored.
        code: `ORDER_STATE` where the transition does not start there, or narrower, such as `WINDOW_CLOSED`.
    """

    default_code = "ORDER_STATE"

    def __init__(self, message: str, *, state: str, code: str | None = None) -> None:
        super().__init__(message, code=code, path=("input", "orderId"))
        self.state: Final = state


class PriceChangedError(ShoutgraphError):
    """The price is no longer the one the viewer saw. Units: coins."""

    default_code = "PRICE_CHANGED"

    def __init__(self, *, current_price_coins: int) -> None:
        super().__init__(f"The price is now {_in_words(current_price_coins)}.", path=("input", "expectedPrice"))
        self.current_price_coins: Final = current_price_coins


class MoneyPriceChangedError(ShoutgraphError):
    """The price of coins is no longer the one the viewer saw. Units: minor units of the currency."""

    default_code = "PRICE_CHANGED"

    def __init__(self, *, current_minor: int, currency: str) -> None:
        super().__init__("The price of these coins has changed.", path=("input", "expectedPriceMinorUnits"))
        self.current_minor: Final = current_minor
        self.currency: Final = currency


class QuoteExpiredError(ShoutgraphError):
    """A payout would be of another amount than the one that was quoted. Units: minor units of the currency."""

    default_code = "QUOTE_EXPIRED"

    def __init__(self, *, current_minor: int, currency: str) -> None:
        msg = "The exchange rate has changed since this was quoted."
        super().__init__(msg, path=("input", "expectedAmountMinorUnits"))
        self.current_minor: Final = current_minor
        self.currency: Final = currency


class InsufficientCoinsError(ShoutgraphError):
    """The wallet holds too few coins. Units: coins."""

    default_code = "INSUFFICIENT_COINS"

    def __init__(self, *, required_coins: int, available_coins: int) -> None:
        super().__init__(f"This needs {_in_words(required_coins)}, and {available_coins} are free to spend.")
        self.required_coins: Final = required_coins
        self.available_coins: Final = available_coins


class CreatorUnavailableError(ShoutgraphError):
    """The creator takes no orders now.

    Args:
        waiting: how many are before the viewer in line for a place, where the creator is at capacity.
    """

    default_code = "CREATOR_UNAVAILABLE"

    def __init__(
        self, message: str, *, code: str | None = None, path: Sequence[str] | None = None, waiting: int | None = None
    ) -> None:
        super().__init__(message, code=code, path=path)
        self.waiting: Final = waiting


class FeatureUnavailableError(ShoutgraphError):
    """A part of the product is off for this person, or for the creator whom they mean.

    Args:
        feature: which part, a name of `domain.features.Feature`.
        reason: which condition keeps it off, a name of `domain.features.Reason`; never what the condition holds.
        provider: the provider that is off, where it is not the whole feature.
    """

    default_code = "FEATURE_UNAVAILABLE"

    def __init__(
        self, *, feature: str, reason: str, provider: str | None = None, path: Sequence[str] | None = None
    ) -> None:
        whose = "not for this creator" if reason == "CREATOR" else "not for you"
        what = feature if provider is None else f"{feature} by {provider}"
        super().__init__(f"This is {whose} now ({what}: {reason}).", path=path)
        self.feature: Final = feature
        self.reason: Final = reason
        self.provider: Final = provider


class CampaignUnavailableError(ShoutgraphError):
    """The campaign does not take this order.

    Args:
        state: where the campaign stands, a name of `CampaignState`.
    """

    default_code = "CAMPAIGN_UNAVAILABLE"

    def __init__(self, message: str, *, code: str, state: str, path: Sequence[str]) -> None:
        super().__init__(message, code=code, path=path)
        self.state: Final = state


class WalletLockedError(ShoutgraphError):
    """The wallet is locked after a charge-back, or its owner closes the account."""

    default_code = "WALLET_LOCKED"

    def __init__(
        self,
        message: str = "This wallet is locked because a payment was reversed. Support can unlock it.",
        *,
        code: str | None = None,
    ) -> None:
        super().__init__(message, code=code)


class LimitExceededError(ShoutgraphError):
    """A limit is reached. Units: those of the limit, named by its code.

    Args:
        spent: how much of the limit is used up, where it counts what was spent.
        resets_at: when there is room for it again, in ISO 8601; None for never, or where the limit counts nothing.
        retry_after_s: when another attempt may be made, where it was only too fast.
    """

    default_code = "LIMIT_EXCEEDED"

    def __init__(  # noqa: PLR0913 - what a client shows of a limit
        self,
        message: str,
        *,
        code: str,
        limit: int,
        path: Sequence[str] | None = None,
        spent: int | None = None,
        resets_at: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message, code=code, path=path)
        self.limit: Final = limit
        self.spent: Final = spent
        self.resets_at: Final = resets_at
        self.retry_after_s: Final = retry_after_s

    @property
    def remaining(self) -> int | None:
        """How much of the limit is left, where it counts what was spent."""
        return None if self.spent is None else max(0, self.limit - self.spent)

    @property
    def resets(self) -> datetime | None:
        """`resets_at` as a time."""
        return None if self.resets_at is None else datetime.fromisoformat(self.resets_at)


class BuyingPausedError(ShoutgraphError):
    """The viewer pauses buying, or has excluded themselves. `until` is in ISO 8601."""

    default_code = "COOL_OFF"

    def __init__(self, message: str, *, code: str, until: str) -> None:
        super().__init__(message, code=code)
        self.until: Final = until

    @property
    def ends(self) -> datetime:
        """`until` as a time."""
        return datetime.fromisoformat(self.until)


class AgeRestrictedError(ShoutgraphError):
    """The viewer is too young for this where they live, or has not said when they were born. Units: years."""

    default_code = "UNDERAGE"

    def __init__(self, message: str, *, code: str, minimum_age: int) -> None:
        super().__init__(message, code=code)
        self.minimum_age: Final = minimum_age


class MediaRejectedError(ShoutgraphError):
    """The uploaded file is not an acceptable video; the code says which check failed."""

    default_code = "MEDIA_REJECTED"


class ProviderUnavailableError(ShoutgraphError):
    """No provider can do this now; nothing was charged and another attempt is safe."""

    default_code = "PROVIDER_UNAVAILABLE"


class ProviderDeclinedError(ShoutgraphError):
    """The provider refused the payment."""

    default_code = "PROVIDER_DECLINED"

    def __init__(self, *, decline_code: str, retryable: bool) -> None:
        super().__init__(f"The provider refused the payment ({decline_code}).")
        self.decline_code: Final = decline_code
        self.retryable: Final = retryable


class ResyncError(ShoutgraphError):
    """The journal was restored to a time before the cursor: what the client heard since may never have happened."""

    default_code = "RESYNC"

    def __init__(self, *, restored_to: str) -> None:
        super().__init__(
            f"The journal was restored to {restored_to}, and this cursor is of before. Forget what you heard since,"
            " page through orders by updatedSince, then start anew.",
            path=("after",),
        )
        self.restored_to: Final = restored_to


class OverloadedError(ShoutgraphError):
    """Too much is waiting already: nothing was done, and another attempt is safe. Units: seconds."""

    default_code = "OVERLOADED"

    def __init__(self, *, retry_after_s: int) -> None:
        super().__init__(f"Too much is waiting. Try again in {retry_after_s} s.")
        self.retry_after_s: Final = retry_after_s


def from_data(data: Mapping[str, Any]) -> ShoutgraphError:
    """The refusal that `to_data` described, marked as replayed."""
    leaf = next(each for each in ShoutgraphError.__subclasses__() if each.__name__ == data["name"])
    refusal = leaf.__new__(leaf)
    Exception.__init__(refusal, data["message"])
    vars(refusal).update({name: value for name, value in data.items() if name != "name"})
    path = data["path"]
    vars(refusal).update(path=None if path is None else tuple(path), replayed=True)
    return refusal


class FaultError(Exception):
    """Something broke, here or below. Not a refusal: its text is for operators, never for clients."""


class InvariantError(FaultError):
    """Code tried to write what the database forbids; nothing of it was written."""


class LedgerConflictError(InvariantError):
    """A transfer's name was used before with other content."""

    def __init__(self, kind: str, ref: str) -> None:
        super().__init__(f"the transfer ({kind}, {ref}) was posted before with other content")
        self.kind: Final = kind
        self.ref: Final = ref


class RestoreError(FaultError):
    """A restore cannot come to its end, or was asked for what is not so; nothing was opened, and it may be repeated."""


class StoreUnavailableError(FaultError):
    """The database cannot be written or read now; nothing was acknowledged, and a repeat is safe. Units: seconds."""

    def __init__(self, message: str, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s: Final = retry_after_s


def _in_words(coins: int) -> str:
    return "1 coin" if coins == 1 else f"{coins} coins"
