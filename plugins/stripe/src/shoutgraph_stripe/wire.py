"""One request to Stripe, and what its answer is worth."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, TypeAlias, TypeVar

import stripe
from pydantic import ValidationError
from stripe import StripeResponse

from shoutgraph.sdk import UNAVAILABLE, Call, Money, NoAnswer, NotExecuted, NotSent, Unknown, from_provider
from shoutgraph_stripe.currencies import EXPONENTS
from shoutgraph_stripe.door import FailedError, RateLimitedError, UnreadableError
from shoutgraph_stripe.shapes import Shape

NO_ANSWER: Final = "no_answer"
PROVIDER_ERROR: Final = "provider_error"
UNREADABLE: Final = "unreadable"
RATE_LIMITED: Final = "rate_limited"
KEY_REUSED: Final = "idempotency_key_reused"
BUSY: Final = "in_progress"
NOT_FOUND: Final = "resource_missing"
NOT_PERMITTED: Final = "not_permitted"
REFUSED: Final = "refused"
OTHER_OBJECT: Final = "other_object"
"""Stripe answered with something that is not what we asked for."""

CODE_CHARS_MAX: Final = 100

_REASONS: Final[Mapping[type[Exception], str]] = {
    NoAnswer: NO_ANSWER,
    FailedError: PROVIDER_ERROR,
    UnreadableError: UNREADABLE,
    ValidationError: UNREADABLE,
}
ShapeT = TypeVar("ShapeT", bound=Shape)

Answer: TypeAlias = stripe.StripeObject | StripeResponse
"""What the library gives: an object of its own, or what came over the wire. A hundred sessions as the former hold the
event loop for 0.4 s, as the latter for 0.01 s: pages are asked for as the latter."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Stripe answered, and said no; it did nothing."""

    code: str
    is_missing: bool = False


async def ask(work: Awaitable[Answer], shape: type[ShapeT]) -> ShapeT | Refused | NotExecuted | Unknown:
    """Waits for one request of Stripe's library, and reads its answer.

    Only a connection that was never made and a request that was turned away at the door are `NotExecuted`.
    """
    try:
        answer = await work
        response = answer if isinstance(answer, StripeResponse) else answer.last_response
        return shape.model_validate(None if response is None else response.data)
    except NotSent:
        return NotExecuted(UNAVAILABLE)
    except RateLimitedError as limited:
        return NotExecuted(RATE_LIMITED, retry_after=limited.retry_after)
    except (NoAnswer, FailedError, UnreadableError, ValidationError, stripe.StripeError) as error:
        return _other(error)


def _other(error: Exception) -> Refused | Unknown:
    match error:
        case NoAnswer() | FailedError() | UnreadableError() | ValidationError():
            return Unknown(_REASONS[type(error)])
        case stripe.IdempotencyError():
            # The key stands for another payload than ours: something exists, and it is not what we asked for.
            return Unknown(KEY_REUSED)
        case stripe.InvalidRequestError() | stripe.CardError():
            is_missing = error.code == NOT_FOUND or error.http_status == HTTPStatus.NOT_FOUND
            return Refused(_code(error), is_missing=is_missing)
        case stripe.AuthenticationError() | stripe.PermissionError():
            return Refused(_code(error))
        case _:
            busy = isinstance(error, stripe.StripeError) and error.http_status == HTTPStatus.CONFLICT
            return Unknown(BUSY if busy else PROVIDER_ERROR)


def _code(error: stripe.StripeError) -> str:
    """A word for what Stripe refused; never its message, which may repeat what was sent."""
    if error.code:
        return str(error.code)[:CODE_CHARS_MAX]
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return NOT_PERMITTED
    param = error.param if isinstance(error, stripe.InvalidRequestError) else None
    return f"invalid_{param}"[:CODE_CHARS_MAX] if param else REFUSED


def not_done(answer: Refused | NotExecuted | Unknown, call: Call) -> NotExecuted | Unknown:
    """What is said of a money call of which the preparation failed: nothing was done by this attempt."""
    if call.attempt > 1:
        return Unknown(answer.reason if isinstance(answer, Unknown) else answer.code)
    return NotExecuted(UNAVAILABLE if isinstance(answer, Unknown) else answer.code)


def unknown(answer: Shape | Refused | NotExecuted | Unknown) -> Unknown:
    """What is said where only an answer of another kind would have helped: that nobody looked proves nothing."""
    if isinstance(answer, Unknown):
        return answer
    return Unknown(OTHER_OBJECT if isinstance(answer, Shape) else answer.code)


def money(amount: int, currency: str) -> Money:
    """An amount of Stripe's.

    Raises:
        ValueError: it is no whole number of minor units, or no currency.
    """
    return from_provider(amount, currency.upper(), EXPONENTS)


def moment(seconds: int) -> datetime:
    """A time of Stripe's."""
    return datetime.fromtimestamp(seconds, UTC)
