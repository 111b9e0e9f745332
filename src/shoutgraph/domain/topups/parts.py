"""Parts of a top-up: so much money, and the coins and book units that stand for it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a top-up. Units: minor units of its currency, coins, book units of the book currency."""

    minor: int = 0
    coins: int = 0
    book_units: int = 0

    def less(self, other: "Slice") -> "Slice":
        """The rest of a slice after another was cut out of it."""
        return Slice(self.minor - other.minor, self.coins - other.coins, self.book_units - other.book_units)

    def plus(self, other: "Slice") -> "Slice":
        """Both together."""
        return Slice(self.minor + other.minor, self.coins + other.coins, self.book_units + other.book_units)


EMPTY: Final = Slice()
"""No part at all."""


def share(part: Slice, minor: int) -> Slice:
    """The share of a part that so much of its money stands for, rounded down in coins and book units."""
    if part.minor == 0:
        return Slice()
    assert 0 <= minor <= part.minor, "a share is at most the whole"
    return Slice(minor, part.coins * minor // part.minor, part.book_units * minor // part.minor)
