"""Coin packages and prices: data per country, currency and platform, in versions that never change.

Units: `_coins` coins, `_minor` minor units of the price's currency, book units hundredths of a minor unit of the
book currency. Every division states which way it rounds.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

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

T = TypeVar("T")
P = TypeVar("P", "Package", "UnitPrice")

ANYWHERE: Final = countries.UNKNOWN
"""The country of the prices for everyone whose own country has none in that currency."""


class Platform(StrEnum):
    """Where coins are bought; the stores of phones take a share, so their prices differ."""

    WEB = "WEB"
    IOS = "IOS"
    ANDROID = "ANDROID"


@dataclass(frozen=True, slots=True, order=True)
class Market:
    """Where a price holds."""

    country: str
    currency: str
    platform: Platform


@dataclass(frozen=True, slots=True)
class Rate:
    """One version of what a currency is worth: a minor unit is `numerator / denominator` book units.

    Of money that comes in, `spread_bps` stays with the exchange account. Of all versions that have taken effect, the
    one with the latest `effective_from` holds, and of those with the same the newest; None is when it was stored.
    """

    currency: str
    book_currency: str
    version: int
    numerator: int
    denominator: int
    spread_bps: int = 0
    source: str | None = None
    observed_at: datetime | None = None
    effective_from: datetime | None = None

    @property
    def id(self) -> str:
        """Names the version among what requests made."""
        return f"{self.currency}:{self.version}"

    def __post_init__(self) -> None:
        assert 0 <= self.spread_bps < money.BPS, "a spread leaves something"
        assert 0 < self.numerator <= RATIO_MAX, "a rate is positive and bounded"
        assert 0 < self.denominator <= RATIO_MAX, "a rate is positive and bounded"


@dataclass(frozen=True, slots=True)
class Valued:
    """What an exchange account holds, and what that is worth; without a rate where it is that of the books.

    Units: book units of the currency, and of the books.
    """

    currency: str
    book_currency: str
    rate_version: int | None
    held_units: int
    worth_units: int


@dataclass(frozen=True, slots=True)
class Package:
    """Coins sold together at a price, with coins given on top; one version of it.

    `product` is what the store of the platform calls it, where it is sold there.
    """

    id: str
    version: int
    market: Market
    coins: int
    bonus_coins: int
    price: money.Money
    rate: Rate
    created_at: datetime
    product: str | None = None

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
    product: str | None = None


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


def name_of(market: Market) -> str:
    """A market for people, such as `DE EUR WEB`."""
    return f"{market.country} {market.currency} {market.platform}"


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
    return price.minor * rate.numerator * (money.BPS - rate.spread_bps) // (rate.denominator * money.BPS)


def worth_units(units: int, rate: Rate) -> int:
    """What an exchange account holds is worth in the books now, rounded down, without the spread. Units: book units."""
    return units * rate.numerator // (rate.denominator * money.BOOK_UNITS_PER_MINOR)


def jumps(before: Rate, after: Rate, limit_bps: int) -> bool:
    """Whether a rate differs from the one before by more than so many basis points, either way."""
    old, new = before.numerator * after.denominator, after.numerator * before.denominator
    return abs(new - old) * money.BPS > old * limit_bps


def check_list(prices: PriceList) -> None:
    """Refuses a price list that contradicts itself or leaves something out.

    Raises:
        ValidationError: an unknown country or currency, a line given twice, or a currency without a rate.
    """
    rated = {entry.currency for entry in prices.rates}
    if len(rated) != len(prices.rates):
        raise _refusal("A currency has two rates.", "REPEATED")
    for market in {*(entry.market for entry in prices.packages), *(entry.market for entry in prices.units)}:
        _check_sold(market, rated)
    sizes = Counter(entry.market for entry in prices.packages)
    for market, size in sizes.items():
        if size > PACKAGES_MAX or len(sizes) > MARKETS_MAX:
            limits = f"A market has at most {PACKAGES_MAX} packages, a list {MARKETS_MAX} markets."
            raise _refusal(f"{name_of(market)}: {size} packages. {limits}", "TOO_MANY")
    for market, coins in _repeated((entry.market, entry.coins) for entry in prices.packages):
        raise _refusal(f"{name_of(market)}: the package of {coins} coins is given twice.", "REPEATED")
    for market, sku in _repeated((entry.market, entry.product) for entry in prices.packages if entry.product):
        raise _refusal(f"{name_of(market)}: the product {sku} is given twice.", "REPEATED")
    for market in _repeated(entry.market for entry in prices.units):
        raise _refusal(f"{name_of(market)} has two unit prices.", "REPEATED")


def check_book(prices: PriceList, book_currency: str) -> None:
    """Refuses rates to another currency than that of the books: nothing could be sold at them.

    Raises:
        ValidationError: there is such a rate.
    """
    for entry in prices.rates:
        if entry.book_currency != book_currency:
            msg = f"{entry.currency} has a rate to {entry.book_currency}, and the books are in {book_currency}."
            raise _refusal(msg, "NO_RATE")


def seen_from(country: str | None, currency: str | None, found: Sequence[P]) -> list[P]:
    """Those of one currency that people of a country are offered; without either, all."""
    sold = [each for each in found if currency in {None, each.market.currency}]
    if country is None:
        return sold
    own = {each.market for each in sold if each.market.country == country}
    return [each for each in sold if each.market in own or _is_for(country, each.market, own)]


def _is_for(country: str, market: Market, own: Collection[Market]) -> bool:
    """Whether it is of the rest of the world, and the country has nothing in its stead."""
    return market.country == ANYWHERE and Market(country, market.currency, market.platform) not in own


def _check_sold(market: Market, rated: Collection[str]) -> None:
    if market.country != ANYWHERE and not countries.is_country(market.country):
        raise _refusal(f"{name_of(market)}: {market.country} is not a country.", "INVALID_COUNTRY")
    if not money.is_currency(market.currency) or market.currency not in rated:
        raise _refusal(f"{name_of(market)}: {market.currency} has no rate.", "NO_RATE")


def _repeated(found: Iterable[T]) -> list[T]:
    return [each for each, times in Counter(found).items() if times > 1]


def _refusal(message: str, code: str) -> errors.ValidationError:
    return errors.ValidationError(message, code=code, path=("input", "markets"))
