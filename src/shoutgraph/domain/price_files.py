"""Price lists as people write them: a file of an operator's, or lines of a form.

The messages say where something is wrong.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import product
from typing import Final

from shoutgraph.domain import errors, money
from shoutgraph.domain.packages import (
    COINS_MAX,
    MARKETS_MAX,
    PRICE_MAX_MINOR,
    RATIO_MAX,
    Market,
    PackageEntry,
    Platform,
    PriceList,
    RateEntry,
    UnitEntry,
)

_UNIT: Final = {"price_minor": RATIO_MAX, "per_coins": RATIO_MAX, "coins_min": COINS_MAX, "coins_max": COINS_MAX}
_COINS = re.compile(r"[1-9][0-9]{0,9}")
_PRODUCT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def package_entry(market: Market, coins: int, minor: int, bonus: int, product: str | None) -> PackageEntry:
    """A package as somebody types it.

    Raises:
        ValidationError: a number is out of its range, or the store's id is none.
    """
    _whole(coins, "coins", 1, COINS_MAX)
    _whole(minor, "priceMinorUnits", 1, PRICE_MAX_MINOR)
    _whole(bonus, "bonusCoins", 0, COINS_MAX)
    sold = {} if product is None else _products({str(coins): product}, "storeCode", {coins: minor})
    if sold and market.platform is Platform.WEB:
        raise _refusal("storeCode is of the stores of phones, not of the web.", "VALIDATION")
    return PackageEntry(market, coins, minor, bonus, sold.get(coins))


def unit_entry(market: Market, minor: int, per_coins: int, coins_min: int, coins_max: int) -> UnitEntry:
    """A unit price as somebody types it.

    Raises:
        ValidationError: a number is out of its range.
    """
    given = {"price_minor": minor, "per_coins": per_coins, "coins_min": coins_min, "coins_max": coins_max}
    unit = {name: _whole(given[name], f"unit.{name}", 1, top) for name, top in _UNIT.items()}
    if coins_min > coins_max:
        raise _refusal("unit.coinsMin is more than unit.coinsMax.", "OUT_OF_RANGE")
    return UnitEntry(market, **unit)


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


def _refusal(message: str, code: str) -> errors.ValidationError:
    return errors.ValidationError(message, code=code, path=("input", "markets"))
