"""What the simulator's steps need to know, and how they say no."""

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final

DELAY: Final = timedelta(seconds=2)
"""How long everything takes that happens by itself."""

PAGE_LIFE: Final = timedelta(minutes=30)
SLOW: Final = timedelta(seconds=15)
FEE_PERCENT: Final = 2
WRONG_BY: Final = 100
"""How far off a wrong amount is. Units: minor units."""

CODE: Final = "1234"
CODE_ATTEMPTS_MAX: Final = 5
LISTED_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Rules:
    """The URL that the pages live under, and the simulator's sense of time."""

    base_url: str
    delay: timedelta = DELAY
    page_life: timedelta = PAGE_LIFE
    slow: timedelta = SLOW


class RefusedError(Exception):
    """The simulated provider says no; nothing was done."""

    def __init__(self, status: HTTPStatus, code: str) -> None:
        super().__init__(code)
        self.status: Final = status
        self.code: Final = code


NOT_FOUND: Final = (HTTPStatus.NOT_FOUND, "not_found")
KEY_REUSED: Final = (HTTPStatus.CONFLICT, "idempotency_key_reused")
WRONG_STATE: Final = (HTTPStatus.CONFLICT, "wrong_state")
AMOUNT_TOO_LARGE: Final = (HTTPStatus.UNPROCESSABLE_ENTITY, "amount_too_large")
WRONG_CURRENCY: Final = (HTTPStatus.UNPROCESSABLE_ENTITY, "wrong_currency")
INVALID: Final = (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request")
UNAUTHORIZED: Final = (HTTPStatus.UNAUTHORIZED, "unauthorized")
