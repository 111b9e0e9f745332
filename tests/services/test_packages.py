"""Price lists: loaded once, changed by new versions, and what they then say."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest
from tests.services.world import World

from shoutgraph.domain import errors, packages as rules, pages
from shoutgraph.domain.money import Money
from shoutgraph.domain.packages import Market, PackageEntry, Platform, PriceList, RateEntry
from shoutgraph.domain.price_lists import Hole, ListState, Version
from shoutgraph.domain.users import SYSTEM
from shoutgraph.services import packages, seeds
from shoutgraph.services.packages import Draft, Loaded
from shoutgraph.storage import packages as rows, price_lists
from shoutgraph.storage.tx import Tx

DE = Market("DE", "EUR", Platform.WEB)
PRICES = seeds.read_prices()
HOUR: Final = timedelta(hours=1)


def with_price(coins: int, minor: int) -> PriceList:
    """The demo's list with another price in Germany's browsers."""
    changed = tuple(
        replace(entry, price_minor=minor) if (entry.market, entry.coins) == (DE, coins) else entry
        for entry in PRICES.packages
    )
    return replace(PRICES, packages=changed)


def test_a_price_list_is_loaded_once(world: World) -> None:
    assert world.run(packages.load(world.tools, SYSTEM, PRICES)) == Loaded(
        rates=4, packages=len(PRICES.packages), units=len(PRICES.units)
    )
    assert world.run(packages.load(world.tools, SYSTEM, PRICES)) == Loaded()


def test_a_new_price_is_a_new_version_and_the_old_one_stays(world: World) -> None:
    world.run(packages.load(world.tools, SYSTEM, PRICES))
    before = {package.coins: package for package in world.run(packages.list_of_market(world.tools, DE))}
    changed = with_price(7000, 11_999)
    assert world.run(packages.load(world.tools, SYSTEM, changed)) == Loaded(packages=1, retired=1)
    after = {package.coins: package for package in world.run(packages.list_of_market(world.tools, DE))}
    assert (after[7000].version, after[7000].price) == (2, Money(11_999, "EUR"))
    assert after[70] == before[70]
    assert world.run(packages.list_by_id(world.tools, [before[7000].id])) == [before[7000]]
    world.run(packages.load(world.tools, SYSTEM, PRICES))
    assert {p.coins: p.version for p in world.run(packages.list_of_market(world.tools, DE))}[7000] == 3


def test_what_is_no_longer_listed_goes_off_sale_and_comes_back_as_a_later_version(world: World) -> None:
    world.run(packages.load(world.tools, SYSTEM, PRICES))
    few = replace(PRICES, packages=tuple(entry for entry in PRICES.packages if entry.coins != 70), units=())
    loaded = world.run(packages.load(world.tools, SYSTEM, few))
    assert (loaded.packages, loaded.retired) == (0, 18 + len(PRICES.units))
    with pytest.raises(errors.NotFoundError):
        world.run(packages.price(world.tools, DE, 100))
    world.run(packages.load(world.tools, SYSTEM, PRICES))
    assert world.run(packages.list_of_market(world.tools, DE))[0].version == 2
    assert world.run(packages.price(world.tools, DE, 100)).unit.version == 2


def test_a_new_rate_makes_new_versions_of_its_currency_only(world: World) -> None:
    world.run(packages.load(world.tools, SYSTEM, PRICES))
    rates = tuple(replace(rate, numerator=85) if rate.currency == "USD" else rate for rate in PRICES.rates)
    loaded = world.run(packages.load(world.tools, SYSTEM, replace(PRICES, rates=rates)))
    dollars = [entry for entry in PRICES.packages if entry.market.currency == "USD"]
    assert (loaded.rates, loaded.packages) == (1, len(dollars))
    package = world.run(packages.list_of_market(world.tools, Market("US", "USD", Platform.WEB)))[0]
    assert (package.rate.version, package.rate.numerator) == (2, 85)
    assert rules.book_units(package.price, package.rate) == 125 * 85


def test_a_rate_to_another_currency_than_the_books_is_refused(world: World) -> None:
    prices = PriceList((RateEntry("EUR", "USD", 116, 1),), (PackageEntry(DE, 70, 110),), ())
    with pytest.raises(errors.ValidationError, match="the books are in EUR"):
        world.run(packages.load(world.tools, SYSTEM, prices))
    assert world.read(rows.list_of_current) == []


def test_exact_coins_cost_their_fraction_rounded_up(world: World) -> None:
    world.run(packages.load(world.tools, SYSTEM, PRICES))
    assert world.run(packages.price(world.tools, DE, 7000)).price == Money(11_000, "EUR")
    assert world.run(packages.price(world.tools, DE, 36)).price == Money(57, "EUR")  # 56.57
    assert world.run(packages.price(world.tools, Market("AT", "EUR", Platform.WEB), 36)).price == Money(57, "EUR")
    with pytest.raises(errors.ValidationError):
        world.run(packages.price(world.tools, DE, 34))


def test_only_staff_of_the_catalogue_loads_prices(world: World) -> None:
    with pytest.raises(errors.ForbiddenError):
        world.run(packages.load(world.tools, world.person("ada"), PRICES))
    with pytest.raises(errors.ValidationError):
        world.run(packages.load(world.tools, SYSTEM, replace(PRICES, rates=())))
    assert world.read(rows.list_of_current) == []


def test_the_demo_sells_the_packages_of_the_original_feature() -> None:
    german = {entry.coins: entry.price_minor for entry in PRICES.packages if entry.market == DE}
    assert sorted(german) == [70, 350, 700, 1400, 3500, 7000, 17_500]
    assert german[7000] == 10_999


def test_a_package_of_the_demo_is_never_dearer_than_the_same_coins_apart_and_dearest_in_apps() -> None:
    units = {entry.market: entry for entry in PRICES.units}
    prices = {(entry.market, entry.coins): entry.price_minor for entry in PRICES.packages}
    for (market, coins), minor in prices.items():
        assert minor * units[market].per_coins <= coins * units[market].price_minor
        if market.platform is not Platform.WEB:
            assert minor > prices[replace(market, platform=Platform.WEB), coins]


def test_a_list_for_later_takes_effect_at_its_time_and_one_before_it_is_refused(world: World) -> None:
    tools, admin = world.tools, world.staff("admin")
    world.run(packages.load(tools, SYSTEM, PRICES))

    def publish(minor: int, hours: int, version: int) -> Version:
        draft = Draft(replace(with_price(7000, minor), rates=()), "Autumn", version, world.clock() + hours * HOUR)
        return world.run(packages.publish(tools, admin, world.request("pricePublish", admin), draft)).value

    def sold() -> int:
        return {each.coins: each.price.minor for each in world.run(packages.list_of_market(tools, DE))}[7000]

    first = publish(11_999, 2, 1)
    assert (first.state, first.version) == (ListState.SCHEDULED, 2)
    with pytest.raises(errors.ValidationError, match="withdraw that first"):
        publish(12_999, 1, 2)
    with pytest.raises(errors.ValidationError, match="withdraw that first"):
        world.run(packages.load(tools, SYSTEM, with_price(7000, 12_999)))
    second = publish(12_999, 3, 2)
    assert (world.run(packages.apply_due(tools)), sold()) == (0, 10_999)
    world.clock.move(hours=2)
    assert (world.run(packages.apply_due(tools)), sold()) == (1, 11_999)
    assert world.run(packages.apply_due(tools)) == 0
    gone = world.run(packages.withdraw(tools, admin, world.request("priceWithdraw", admin), second.version)).value
    assert gone.state is ListState.WITHDRAWN
    world.clock.move(hours=2)
    assert (world.run(packages.apply_due(tools)), sold()) == (0, 11_999)
    states = [(each.version, each.state.value, each.ended_at is None) for each in world.read(history)]
    assert states == [(3, "WITHDRAWN", True), (2, "APPLIED", True), (1, "APPLIED", False)]
    with pytest.raises(errors.ValidationError):
        world.run(packages.withdraw(tools, admin, world.request("priceWithdraw", admin), second.version))


def test_what_costs_less_than_it_pays_out_is_warned_of(world: World) -> None:
    world.run(packages.load(world.tools, SYSTEM, PRICES))
    found = world.read(lambda tx: packages.warnings_of(tx, with_price(7000, 4_899)))
    assert {(each.hole, each.coins) for each in found if each.market == DE} == {
        (Hole.BELOW_PAYOUT, 7000),
        (Hole.SMALLER_IS_CHEAPER, 17_500),
    }
    assert all(each.market != DE for each in world.read(lambda tx: packages.warnings_of(tx, PRICES)))


def history(tx: Tx) -> list[Version]:
    return price_lists.list_of_page(tx, pages.PageArgs(10, None, backward=False))
