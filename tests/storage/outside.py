"""The world outside of the books: money at providers, and their notices, which come late, twice and out of order."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from tests.storage.facts import BOOK, PAR, Part, Payout, Topup

MINOR: Final = 100
"""Book units of a minor unit."""

RATES: Final = {BOOK: 100, "GBP": 117, "JPY": 61}
"""Book units of the book currency that a minor unit of each currency is worth."""

NOTHING: Final = Part(0, 0, 0)
INSTANCES: Final = ("sandbox", "other")
Place = tuple[str, str]
"""A provider and a currency."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a provider tells us: a verb of the books, and what it did to our money there when it happened."""

    key: str
    verb: str
    args: tuple[Any, ...]
    place: Place
    units: int = 0


@dataclass
class Payment:
    """A payment as its provider knows it."""

    topup: Topup
    reversed: Part = NOTHING

    @property
    def left(self) -> int:
        """Minor units that were not given or taken back."""
        return (self.topup.whole.units - self.reversed.units) // MINOR

    def cut(self, minor: int) -> Part:
        """The next part of the payment: shares of the running total, so that parts sum to the whole."""
        whole, before = self.topup.whole, self.reversed
        units = before.units + minor * MINOR
        return Part(
            minor * MINOR,
            max(0, whole.coins * units // whole.units - before.coins),
            max(0, whole.book_units * units // whole.units - before.book_units),
        )

    def reverse(self, part: Part, sign: int = 1) -> None:
        before = self.reversed
        self.reversed = Part(
            before.units + sign * part.units,
            before.coins + sign * part.coins,
            before.book_units + sign * part.book_units,
        )


def price_of(currency: str, coins: int, percent: int) -> Part:
    """What so many coins cost in a currency, at a discount or a premium."""
    minor = max(1, coins * PAR * percent // 100 // RATES[currency])
    return Part(minor * MINOR, coins, minor * RATES[currency])


def shared(part: Part, quarters: int) -> tuple[Part, Part]:
    """A part in two, in whole minor units: so many quarters of it, and the rest."""
    units = part.units // MINOR * quarters // 4 * MINOR
    first = Part(units, part.coins * units // part.units, part.book_units * units // part.units)
    return first, Part(part.units - first.units, part.coins - first.coins, part.book_units - first.book_units)


@dataclass
class Outside:
    """Everything that is true before the books hear of it."""

    money: Counter[Place] = field(default_factory=Counter)
    notices: list[Notice] = field(default_factory=list)
    heard: set[str] = field(default_factory=set)
    payments: dict[str, Payment] = field(default_factory=dict)
    refunds: dict[str, tuple[Payment, Part]] = field(default_factory=dict)
    gone: dict[str, tuple[Payment, Part]] = field(default_factory=dict)
    disputes: dict[str, tuple[Payment, Part]] = field(default_factory=dict)
    payouts: dict[str, tuple[Payout, str]] = field(default_factory=dict)
    mysteries: dict[str, tuple[Place, int]] = field(default_factory=dict)
    """What moved and no notice tells of, by its name there."""
    carried: dict[str, tuple[Place, int]] = field(default_factory=dict)
    """What the books carry because a sweep found it, and no event explained it yet."""

    def happen(self, notice: Notice, copies: int) -> None:
        """Money moves now; we are told later, and perhaps more than once."""
        self.money[notice.place] += notice.units
        self.notices += [notice] * copies

    def move(self, name: str, place: Place, units: int) -> None:
        """Money moves, and nobody will ever tell us."""
        self.money[place] += units
        self.mysteries[name] = (place, units + (self.mysteries[name][1] if name in self.mysteries else 0))

    def hear(self, notice: Notice, *, also: str | None = None) -> None:
        """The books did what this notice said."""
        self.heard |= {notice.key} if also is None else {notice.key, also}

    def untold(self) -> Counter[Place]:
        """What happened to our money and is not in the books: a set of things, not a number."""
        missing = {notice.key: notice for notice in self.notices if notice.key not in self.heard}
        total: Counter[Place] = Counter()
        for notice in missing.values():
            total[notice.place] += notice.units
        for place, units in self.mysteries.values():
            total[place] += units
        for place, units in self.carried.values():
            total[place] -= units
        return total

    def drop(self, notice: Notice) -> None:
        self.notices.remove(notice)
