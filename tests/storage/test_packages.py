"""Prices on a real database: versions that never change."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.storage.databases import START

from shoutgraph.domain import errors
from shoutgraph.domain.money import Money
from shoutgraph.domain.packages import Market, Package, Platform, Rate, UnitPrice
from shoutgraph.storage import packages, rates as rates_table
from shoutgraph.storage.engine import Store
from shoutgraph.storage.tx import Tx

DE = Market("DE", "EUR", Platform.WEB)
ZZ = Market("ZZ", "EUR", Platform.WEB)
RATE = Rate("EUR", "EUR", 1, 100, 1)
SMALL = Package("package_small", 1, DE, 70, 0, Money(110, "EUR"), RATE, START)
LARGE = Package("package_large", 1, DE, 7000, 50, Money(10_999, "EUR"), RATE, START)
ELSEWHERE = Package("package_zz", 1, ZZ, 70, 0, Money(120, "EUR"), RATE, START)
UNIT = UnitPrice("price_de", 1, DE, 11, 7, 35, 200_000, RATE, START)
UNIT_ELSEWHERE = replace(UNIT, id="price_zz", market=ZZ)


def fill(tx: Tx) -> None:
    rates_table.insert(tx, [RATE])
    packages.insert(tx, [LARGE, SMALL, ELSEWHERE])
    packages.insert_units(tx, [UNIT, UNIT_ELSEWHERE])


def test_a_market_has_its_own_prices_or_those_of_everywhere_else(store: Store) -> None:
    def work(tx: Tx) -> None:
        fill(tx)
        assert packages.list_of_market(tx, DE) == (SMALL, LARGE)
        assert packages.list_of_market(tx, Market("FR", "EUR", Platform.WEB)) == (ELSEWHERE,)
        assert packages.list_of_market(tx, Market("DE", "EUR", Platform.IOS)) == ()
        assert packages.find_unit_price(tx, DE) == UNIT
        assert packages.find_unit_price(tx, Market("FR", "EUR", Platform.WEB)) == UNIT_ELSEWHERE
        assert packages.find_unit_price(tx, Market("FR", "USD", Platform.WEB)) is None

    store.write_now(work)


def test_what_is_off_sale_can_still_be_read_by_its_id(store: Store) -> None:
    def work(tx: Tx) -> None:
        fill(tx)
        packages.retire(tx, [SMALL.id], [UNIT.id])
        dearer = replace(SMALL, id="package_new", version=2, price=Money(111, "EUR"))
        packages.insert(tx, [dearer])
        assert packages.list_of_market(tx, DE) == (dearer, LARGE)
        assert packages.find_unit_price(tx, DE) == UNIT_ELSEWHERE
        assert packages.get(tx, SMALL.id) == SMALL
        assert packages.versions(tx)[DE, 70] == 2
        assert packages.unit_versions(tx)[DE] == 1
        with pytest.raises(errors.NotFoundError):
            packages.get(tx, "package_none")

    store.write_now(work)


def test_the_newest_rate_of_each_currency_holds(store: Store) -> None:
    def work(tx: Tx) -> None:
        rates = [Rate("USD", "EUR", 1, 92, 1), Rate("USD", "EUR", 2, 861, 10), RATE]
        rates_table.insert(tx, rates)
        assert sorted(rates_table.list_of_in_force(tx), key=str) == sorted(rates[1:], key=str)

    store.write_now(work)


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE coin_package SET price_minor = 1",
        "UPDATE coin_package SET bonus_coins = 1000000",
        "DELETE FROM coin_package",
        "INSERT OR REPLACE INTO coin_package SELECT * FROM coin_package",
        "UPDATE unit_price SET per_coins = 1000",
        "UPDATE unit_price SET coins_max = 1000000",
        "DELETE FROM unit_price",
        "INSERT OR REPLACE INTO unit_price SELECT * FROM unit_price",
        "UPDATE fx_rate SET numerator = 1",
        "DELETE FROM fx_rate",
        "INSERT OR REPLACE INTO fx_rate SELECT * FROM fx_rate",
    ],
)
def test_the_database_forbids(store: Store, attack: str) -> None:
    def work(tx: Tx) -> None:
        fill(tx)
        tx._connection.execute(attack)

    with pytest.raises(errors.InvariantError):
        store.write_now(work)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda tx: packages.insert(tx, [replace(SMALL, id="package_twin", version=2)]),
        lambda tx: packages.insert_units(tx, [replace(UNIT, id="price_twin", version=2)]),
        lambda tx: packages.insert(tx, [replace(SMALL, id="package_x", coins=1, rate=replace(RATE, version=9))]),
    ],
    ids=["two current packages", "two current unit prices", "a rate that is not there"],
)
def test_a_market_never_has_two_prices_or_an_unknown_rate(store: Store, wrong: Callable[[Tx], None]) -> None:
    store.write_now(fill)
    with pytest.raises(errors.InvariantError):
        store.write_now(wrong)


def test_a_price_that_went_off_sale_stays_off_sale(store: Store) -> None:
    def work(tx: Tx) -> None:
        fill(tx)
        packages.retire(tx, [SMALL.id], [UNIT.id])

    store.write_now(work)
    for table in ("coin_package", "unit_price"):
        with pytest.raises(errors.InvariantError):
            store.write_now(lambda tx, table=table: tx._connection.execute(f"UPDATE {table} SET current = 1"))  # noqa: S608
