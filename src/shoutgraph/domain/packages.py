"""Coin packages and prices: data per country, currency and platform, in versions that never change.

Units: `_coins` coins, `_minor` minor units of the price's currency, book units hundredths of a minor unit of the
book currency. Every division states which way it rounds.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import product
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

_UNIT: Final = {"price_minor": RATIO_MAX, "per_coins": RATIO_MAX, "coins_min": COINS_MAX, "coins_max": COINS_MAX}
_COINS = re.compile(r"[1-9][0-9]{0,9}")
_PRODUCT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")

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


def read_list(given: object) -> PriceList:
    """A price list from plain values, in the form that docs/OPERATIONS.md shows.

    Raises:
        ValidationError: something is missing, unknown or out of its range; the message says where.
    """
    parts = _table(given, "the price list", ("book_currency", "rates", "markets"))
    book = _currency(parts["book_currency"], "book_currency")
    rates = []
    for currency, ratio in _table(parts["rates"], "rates").items():
        where = f"rates.{currency}"
        sides = [_whole(side, where, 1, RATIO_MAX) for side in _list(ratio, where)]
        if len(sides) != 2:  # noqa: PLR2004 - a ratio
            raise _refusal(f"{where} is two whole numbers: so many book units for so many minor units.", "VALIDATION")
        rates.append(RateEntry(_currency(currency, where), book, *sides))
    packages: list[PackageEntry] = []
    units: list[UnitEntry] = []
    for number, each in enumerate(_list(parts["markets"], "markets"), start=1):
        sold, unit = _read_markets(each, f"markets, entry {number}")
        packages += sold
        units += unit
    return PriceList(tuple(rates), tuple(packages), tuple(units))


def _read_markets(given: object, where: str) -> tuple[list[PackageEntry], list[UnitEntry]]:
    """One entry of the list: the same prices for several countries and platforms."""
    parts = _table(given, where, ("countries", "currency", "platforms", "unit", "packages"), ("bonus", "products"))
    currency = _currency(parts["currency"], f"{where}: currency")
    names = _table(parts["unit"], f"{where}: unit", _UNIT)
    unit = {name: _whole(names[name], f"{where}: unit.{name}", 1, top) for name, top in _UNIT.items()}
    if unit["coins_min"] > unit["coins_max"]:
        raise _refusal(f"{where}: unit.coins_min is more than unit.coins_max.", "OUT_OF_RANGE")
    prices, bonus = (_by_coins(parts.get(name, {}), f"{where}: {name}") for name in ("packages", "bonus"))
    for coins in bonus.keys() - prices.keys():
        raise _refusal(f"{where}: bonus.{coins} is of no package.", "VALIDATION")
    products = _products(parts.get("products", {}), f"{where}: products", prices)
    packages, units = [], []
    for country, platform in product(
        _list(parts["countries"], f"{where}: countries"), _list(parts["platforms"], f"{where}: platforms")
    ):
        if platform not in list(Platform):
            raise _refusal(f"{where}: platforms: {platform} is not one of {', '.join(Platform)}.", "VALIDATION")
        market = Market(str(country), currency, Platform(str(platform)))
        units.append(UnitEntry(market, **unit))
        packages += [
            PackageEntry(market, coins, minor, bonus.get(coins, 0), products.get(coins))
            for coins, minor in prices.items()
        ]
        if products and market.platform is Platform.WEB:
            raise _refusal(f"{where}: products are of the stores of phones, not of the web.", "VALIDATION")
    return packages, units


def _products(given: object, where: str, prices: Mapping[int, int]) -> dict[int, str]:
    """What the store calls its packages, by coins."""
    found = {}
    for name, value in _table(given, where).items():
        coins = int(name) if _COINS.fullmatch(name) else 0
        if coins not in prices:
            raise _refusal(f"{where}.{name} is of no package.", "VALIDATION")
        if not isinstance(value, str) or not _PRODUCT.fullmatch(value):
            raise _refusal(f"{where}.{name} is the store's id of a product: {_PRODUCT.pattern}", "VALIDATION")
        found[coins] = value
    return found


def _by_coins(given: object, where: str) -> dict[int, int]:
    found = {}
    for name, value in _table(given, where).items():
        coins = int(name) if _COINS.fullmatch(name) else 0
        if not 1 <= coins <= COINS_MAX:
            raise _refusal(f"{where}.{name}: coins are a whole number from 1 to {COINS_MAX}.", "OUT_OF_RANGE")
        found[coins] = _whole(value, f"{where}.{name}", 1, PRICE_MAX_MINOR)
    return found


def _table(
    given: object, where: str, needed: Iterable[str] | None = None, allowed: Iterable[str] = ()
) -> Mapping[str, object]:
    """A table of names; where names are given, it has all that are needed and no other.

    Raises:
        ValidationError: it is none, or its names are wrong.
    """
    if not isinstance(given, Mapping):
        raise _refusal(f"{where} is a table of names and values.", "VALIDATION")
    if needed is None:
        return given
    for name in {*needed} - given.keys():
        raise _refusal(f"{where} has no {name}.", "VALIDATION")
    for name in given.keys() - {*needed, *allowed}:
        raise _refusal(f"{where}: {name} is not known here.", "VALIDATION")
    return given


def _list(given: object, where: str) -> list[object]:
    if not isinstance(given, list) or not 0 < len(given) <= MARKETS_MAX:
        raise _refusal(f"{where} is a list of 1 to {MARKETS_MAX}.", "VALIDATION")
    return given


def _whole(given: object, where: str, low: int, high: int) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not low <= given <= high:
        raise _refusal(f"{where} is a whole number from {low} to {high}, not {given!r}.", "OUT_OF_RANGE")
    return given


def _currency(given: object, where: str) -> str:
    if not isinstance(given, str) or not money.is_currency(given):
        raise _refusal(f"{where}: {given!r} is not an ISO 4217 currency with minor units.", "VALIDATION")
    return given


def _check_sold(market: Market, rated: Collection[str]) -> None:
    if market.country != ANYWHERE and not countries.is_country(market.country):
        raise _refusal(f"{name_of(market)}: {market.country} is not a country.", "INVALID_COUNTRY")
    if not money.is_currency(market.currency) or market.currency not in rated:
        raise _refusal(f"{name_of(market)}: {market.currency} has no rate.", "NO_RATE")


def _repeated(found: Iterable[T]) -> list[T]:
    return [each for each, times in Counter(found).items() if times > 1]


def _refusal(message: str, code: str) -> errors.ValidationError:
    return errors.ValidationError(message, code=code, path=("input", "prices"))
