"""Making a price list the one that holds: what changed is a new version, what is not in it goes off sale."""

from dataclasses import dataclass

from shoutgraph.domain import ids, money, packages
from shoutgraph.domain.packages import Package, PriceList, Rate, UnitPrice
from shoutgraph.storage import packages as rows, policies, rates as rate_rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a price list changed; all zero when it held before."""

    rates: int = 0
    packages: int = 0
    units: int = 0
    retired: int = 0


def make_current(tools: Tools, tx: Tx, prices: PriceList) -> Loaded:
    """Makes a price list the one that holds. Whoever calls it holds all prices.

    Raises:
        ValidationError: its rates are to another currency than that of the books, or a currency has none.
    """
    packages.check_book(prices, policies.current(tx).book_currency)
    rates = _new_rates(tx, prices)
    rate_rows.insert(tx, rates)
    books = {entry.currency: entry.book_currency for entry in prices.rates}
    newest = rate_rows.list_of_in_force(tx)
    holding = {rate.currency: rate for rate in newest if books.get(rate.currency) == rate.book_currency}
    sold, off = _new_packages(tools, tx, prices, holding)
    units, ended = _new_units(tools, tx, prices, holding)
    rows.retire(tx, off, ended)
    rows.insert(tx, sold)
    rows.insert_units(tx, units)
    return Loaded(len(rates), len(sold), len(units), len(off) + len(ended))


def _new_rates(tx: Tx, prices: PriceList) -> list[Rate]:
    holding = {(rate.currency, rate.book_currency): rate for rate in rate_rows.list_of_in_force(tx)}
    versions, found = rate_rows.versions(tx), []
    for entry in prices.rates:
        old = holding.get((entry.currency, entry.book_currency))
        if old is None or (old.numerator, old.denominator) != (entry.numerator, entry.denominator):
            version = 1 + versions.get((entry.currency, entry.book_currency), 0)
            found.append(Rate(entry.currency, entry.book_currency, version, entry.numerator, entry.denominator))
    return found


def _new_packages(tools: Tools, tx: Tx, prices: PriceList, rates: dict[str, Rate]) -> tuple[list[Package], list[str]]:
    """The packages to put on sale, and the ids of those to take off."""
    on_sale = {(package.market, package.coins): package for package in rows.list_of_current(tx)}
    versions = rows.versions(tx)
    found = []
    for entry in prices.packages:
        place, rate = (entry.market, entry.coins), rates[entry.market.currency]
        price = money.Money(entry.price_minor, entry.market.currency)
        old = on_sale.get(place)
        terms = (price, entry.bonus_coins, rate, entry.product)
        if old is not None and (old.price, old.bonus_coins, old.rate, old.product) == terms:
            del on_sale[place]
            continue
        version = versions.get(place, 0) + 1
        package_id = tools.new_id(ids.PACKAGE)
        found.append(Package(package_id, version, *place, entry.bonus_coins, price, rate, tx.now, entry.product))
    return found, [package.id for package in on_sale.values()]


def _new_units(tools: Tools, tx: Tx, prices: PriceList, rates: dict[str, Rate]) -> tuple[list[UnitPrice], list[str]]:
    """The unit prices to put in force, and the ids of those that end."""
    in_force = {unit.market: unit for unit in rows.list_of_current_units(tx)}
    versions = rows.unit_versions(tx)
    found = []
    for entry in prices.units:
        rate = rates[entry.market.currency]
        terms = (entry.price_minor, entry.per_coins, entry.coins_min, entry.coins_max)
        old = in_force.get(entry.market)
        if old is not None and (old.price_minor, old.per_coins, old.coins_min, old.coins_max, old.rate) == (
            *terms,
            rate,
        ):
            del in_force[entry.market]
            continue
        version = versions.get(entry.market, 0) + 1
        price_id = tools.new_id(packages.PRICE)
        found.append(UnitPrice(price_id, version, entry.market, *terms, rate, tx.now))
    return found, [unit.id for unit in in_force.values()]
