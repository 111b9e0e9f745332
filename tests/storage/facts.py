"""What happens to the books, in words that the real books and the auditor both read."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

BOOK: Final = "EUR"
PAR: Final = 150
"""Book units that a coin is worth: a cent and a half, so that odd numbers of coins are no whole cents."""

T0: Final = datetime(2026, 1, 1, tzinfo=UTC)


class Outcome(StrEnum):
    """What came of it."""

    DONE = "done"
    AGAIN = "it was done before"
    NOTHING = "there was nothing to do"
    NOT_YET = "what it builds on has not been seen yet"
    ENDED = "the order has ended"
    MATURED = "the earning has matured"
    PENDING = "the earning is pending"
    TOO_FEW = "too few coins are free to spend"
    TOO_MUCH = "more than is left to refund"
    STALE = "another revision was stored meanwhile"
    CONFLICT = "its name was used before with other content"
    OVERDRAFT = "an account would go below its floor"
    OVERCREDIT = "an account would go above its ceiling"
    UNTIED = "states, escrows, wallets and lots would disagree at COMMIT"
    EMPTY_LOT = "a lot has fewer coins, or has room for fewer"
    FOREIGN_COINS = "an order gives back what it did not take"
    OVER = "an order that has ended stays ended"
    NOT_ZERO = "a closed account would not be empty"
    OTHER_ACCOUNT = "the account is stored as another"
    NO_ACCOUNT = "there is no such account"
    EARLIER = "a lot would expire earlier"
    OTHERWISE = "the line of a provider stands otherwise"
    NO_PLACE = "nothing goes there by hand"
    SAME_PERSON = "who proposed it cannot confirm it"
    SECOND_LOT = "the lot exists"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a top-up. Units: book units of its own currency, coins, book units of the book currency."""

    units: int
    coins: int
    book_units: int


@dataclass(frozen=True, slots=True)
class Topup:
    """A payment of a fan at a provider."""

    id: str
    user: str
    instance: str
    currency: str
    whole: Part
    bonus_coins: int
    bonus_until: datetime

    @property
    def lot(self) -> str:
        """The lot of what was bought."""
        return f"lot_{self.id}"

    @property
    def bonus_lot(self) -> str:
        """The lot of what came with it."""
        return f"bonus_{self.id}"


@dataclass(frozen=True, slots=True)
class Wish:
    """An order that a fan wants to place. Units: coins."""

    id: str
    fan: str
    creator: str
    base: int
    express: int
    fee_bps: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How an order ends: as which state, and with how many coins for the fan; a video pays the creator the rest."""

    state: str
    video: bool = False
    back: int = 0
    compensated: bool = False


@dataclass(frozen=True, slots=True)
class Payout:
    """Earnings on their way out, in the currency of the creator's account. Units: coins."""

    id: str
    creator: str
    coins: int
    instance: str
    currency: str = BOOK
    spread_bps: int = 0
