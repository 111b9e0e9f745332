"""Coin packages and prices: data per country, currency and platform, in versions that never change.

Units: `_coins` coins, `_minor` minor units of the price's currency, book units hundredths of a minor unit of the
book currency. Every division states which way it rounds.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from shoutgraph.domain import countries, errors, money

PRICE_MAX_MINOR: Final = 10**9
COINS_MAX: Final = 10**7
RATIO_MAX: Final = 10**9
"""The largest numerator or denominator of a rate or a unit price, so that no product leaves 64 bits."""
PRICE: Final = "price"
"""Prefix of a unit price's id."""

PACKAGES_MAX: Final = 20
"""Packages on sale in one market at most."""
MARKETS_MAX: Final = 5_000
"""Markets in one price list at most."""

ANYWHERE: Final = countries.UNKNOWN
"""The country of the prices for everyone whose own country has none in that currency."""


class Platform(StrEnum):
    """Where coins are bought; the stores of phones take a share, so their prices differ."""

    WEB = "WEB"
    IOS = "IOS"
    ANDROID = "ANDROID"


@dataclass(frozen=True, slots=True)
class Market:
    """Where a price holds."""

    country: str
    currency: str
    platform: Platform


@dataclass(frozen=True, slots=True)
class Rate:
    """One version of what a currency is worth: a minor unit is `numerator / denominator` book units."""

    currency: str
    book_currency: str
    version: int
    numerator: int
    denominator: int

    def __post_init__(self) -> None:
        assert 0 < self.numerator <= RATIO_MAX, "a rate is positive and bounded"
        assert 0 < self.denominator <= RATIO_MAX, "a rate is positive and bounded"


@dataclass(frozen=True, slots=True)
class Package:
    """Coins sold together at a price, with coins given on top; one version of it."""

    id: str
    version: int
    market: Market
    coins: int
    bonus_coins: int
    price: money.Money
    rate: Rate
    created_at: datetime

    def __post_init__(self) -> None:
        assert 0 < self.coins <= COINS_MAX, "a package holds coins"
        assert 0 <= self.bonus_coins <= COINS_MAX, "a bonus is not negative"
        assert 0 < self.price.minor <= PRICE_MAX_MINOR, "a package has a price"


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """The price of any number of coins in one market: `price_minor` for every `per_coins`, one version of it."""

    id: str
    version: int
    market: Market
    price_minor: int
    per_coins: int
    coins_min: int
    coins_max: int
    rate: Rate
    created_at: datetime

    def __post_init__(self) -> None:
        assert 0 < self.price_minor <= RATIO_MAX, "a unit price is positive and bounded"
        assert 0 < self.per_coins <= RATIO_MAX, "a unit price is positive and bounded"
        assert 0 < self.coins_min <= self.coins_max <= COINS_MAX, "the range is not empty"


@dataclass(frozen=True, slots=True)
class ExactPrice:
    """What exactly so many coins cost, and under which version of the unit price."""

    coins: int
    price: money.Money
    unit: UnitPrice


@dataclass(frozen=True, slots=True)
class PackageEntry:
    """A line of a price list: a package as an operator writes it."""

    market: Market
    coins: int
    price_minor: int
    bonus_coins: int = 0


@dataclass(frozen=True, slots=True)
class UnitEntry:
    """A line of a price list: a unit price as an operator writes it."""

    market: Market
    price_minor: int
    per_coins: int
    coins_min: int
    coins_max: int


@dataclass(frozen=True, slots=True)
class RateEntry:
    """A line of a price list: what a currency is worth now."""

    currency: str
    book_currency: str
    numerator: int
    denominator: int


@dataclass(frozen=True, slots=True)
class PriceList:
    """Everything that is sold: what is not in it is no longer for sale once it is loaded."""

    rates: tuple[RateEntry, ...]
    packages: tuple[PackageEntry, ...]
    units: tuple[UnitEntry, ...]


def check_market(market: Market) -> None:
    """Refuses a country that is none; one without prices of its own is served from elsewhere.

    Raises:
        ValidationError: the country is not an ISO 3166-1 code.
    """
    if market.country != ANYWHERE and not countries.is_country(market.country):
        msg = "country is an ISO 3166-1 country code in capitals, such as DE."
        raise errors.ValidationError(msg, code="INVALID_COUNTRY", path=("country",))


def price_of(unit: UnitPrice, coins: int) -> ExactPrice:
    """What exactly so many coins cost, rounded up to the whole minor unit.

    Raises:
        ValidationError: fewer or more coins than are sold at once.
    """
    if not unit.coins_min <= coins <= unit.coins_max:
        msg = f"From {unit.coins_min} to {unit.coins_max} coins are sold at once."
        raise errors.ValidationError(msg, code="OUT_OF_RANGE", path=("coins",))
    minor = -(-coins * unit.price_minor // unit.per_coins)
    return ExactPrice(coins, money.Money(minor, unit.market.currency), unit)


def price_of_missing(unit: UnitPrice, coins: int) -> ExactPrice | None:
    """The cheapest purchase that gives at least so many coins, or None where that is more than is sold at once."""
    return price_of(unit, max(coins, unit.coins_min)) if 0 < coins <= unit.coins_max else None


def book_units(price: money.Money, rate: Rate) -> int:
    """What money that comes in is worth in the books, rounded down: the rest stays with the exchange account.

    Units: book units.
    """
    assert price.currency == rate.currency, "a rate is of the price's currency"
    return price.minor * rate.numerator // rate.denominator


def check_list(prices: PriceList) -> None:
    """Refuses a price list that contradicts itself or leaves something out.

    Raises:
        ValidationError: an unknown country or currency, a line given twice, or a currency without a rate.
    """
    rated = {entry.currency for entry in prices.rates}
    if len(rated) != len(prices.rates):
        raise _refusal("A currency has two rates.", "REPEATED")
    for market in {*(entry.market for entry in prices.packages), *(entry.market for entry in prices.units)}:
        if market.country != ANYWHERE and not countries.is_country(market.country):
            raise _refusal(f"{market.country} is not a country.", "INVALID_COUNTRY")
        if not money.is_currency(market.currency) or market.currency not in rated:
            raise _refusal(f"{market.currency} has no rate.", "NO_RATE")
    sizes = Counter(entry.market for entry in prices.packages)
    if any(size > PACKAGES_MAX for size in sizes.values()) or len(sizes) > MARKETS_MAX:
        raise _refusal(f"A market has at most {PACKAGES_MAX} packages, a list {MARKETS_MAX} markets.", "TOO_MANY")
    if len({(entry.market, entry.coins) for entry in prices.packages}) != len(prices.packages):
        raise _refusal("A package is given twice.", "REPEATED")
    if len({entry.market for entry in prices.units}) != len(prices.units):
        raise _refusal("A market has two unit prices.", "REPEATED")


def _refusal(message: str, code: str) -> errors.ValidationError:
    return errors.ValidationError(message, code=code, path=("input", "prices"))
