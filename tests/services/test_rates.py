"""Rates of currencies: a jump needs a word, money that comes in is worth less by the spread, and the rest is booked."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.services.world import World

from shoutgraph.domain import accounts, errors, ids, postings
from shoutgraph.domain.ledger import Lot
from shoutgraph.domain.packages import Market, Platform, Rate
from shoutgraph.domain.pages import PAGE_MAX, PageArgs
from shoutgraph.domain.policies import FIRST
from shoutgraph.domain.postings import Books, Cash
from shoutgraph.domain.users import SYSTEM
from shoutgraph.services import packages, seeds
from shoutgraph.services.packages import Quoted
from shoutgraph.services.topups import terms
from shoutgraph.storage import ledger, ledger_proof, rates
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done

BOOKS = Books("EUR", 100)
US = Market("US", "USD", Platform.WEB)


def publish(world: World, numerator: int, version: int, **changes: Any) -> int:
    staff = world.staff("finance")
    values = {"currency": "USD", "denominator": 100, "spread_bps": 0, "source": "a bank", "observed_at": world.clock()}
    quoted = Quoted(**values | {"numerator": numerator, "expected_version": version} | changes)
    return world.run(packages.publish_rate(world.tools, staff, world.request("rate", staff), quoted)).value.version


def test_a_rate_is_published_with_its_source_and_a_jump_only_on_purpose(world: World) -> None:
    world.run(packages.load(world.tools, SYSTEM, seeds.read_prices()))  # a cent is worth 86 book units
    assert publish(world, 8_800, 1, spread_bps=100) == 2
    with pytest.raises(errors.ValidationError, match="500 basis points"):
        publish(world, 9_300, 2)
    assert publish(world, 9_300, 2, confirm_jump=True) == 3
    with pytest.raises(errors.StaleRevisionError):
        publish(world, 9_300, 2)
    for changes in ({"currency": "EUR"}, {"spread_bps": 5_000}, {"source": " "}):
        with pytest.raises(errors.ValidationError):
            publish(world, 9_300, 3, **changes)
    with pytest.raises(errors.ValidationError):
        publish(world, 9_300, 3, observed_at=world.clock() + timedelta(hours=1))
    found = world.run(
        packages.page_of_rates(world.tools, world.staff("finance"), "USD", PageArgs(2, None, backward=False))
    )
    newest = [(rate.version, rate.numerator, rate.source) for rate in found.items]
    assert newest == [(3, 9_300, "a bank"), (2, 8_800, "a bank")]
    assert found.has_next


def test_a_repeat_is_answered_alike_however_many_rates_came_after(world: World) -> None:
    world.run(packages.load(world.tools, SYSTEM, seeds.read_prices()))
    staff = world.staff("finance")
    quoted = Quoted("USD", 8_700, 100, 0, "a bank", world.clock(), 1)

    def again() -> Done[Rate]:
        asked = world.request("rate", staff, "key-of-the-second-rate")
        return world.run(packages.publish_rate(world.tools, staff, asked, quoted))

    first = again().value
    later = [replace(first, version=first.version + at, effective_from=None) for at in range(1, PAGE_MAX + 1)]
    world.write(lambda tx: rates.insert(tx, later))
    assert again() == Done(first, replayed=True)


def test_a_rate_for_later_holds_from_its_time_and_one_for_now_does_until_then(world: World) -> None:
    world.run(packages.load(world.tools, SYSTEM, seeds.read_prices()))
    world.clock.move(hours=1)
    start, staff = world.clock(), world.staff("finance")

    def held(minutes: int) -> int:
        rate = world.run(packages.rate_at(world.tools, staff, "USD", start + timedelta(minutes=minutes)))
        return 0 if rate is None else rate.version

    assert publish(world, 8_700, 1, effective_from=start + timedelta(hours=2)) == 2
    assert publish(world, 8_800, 2, effective_from=start + timedelta(hours=1)) == 3
    assert publish(world, 8_500, 3) == 4
    assert [held(minutes) for minutes in (-90, -30, 30, 90, 150)] == [0, 1, 4, 3, 2]
    for wrong in (start - timedelta(seconds=1), start + timedelta(days=400)):
        with pytest.raises(errors.ValidationError):
            publish(world, 8_600, 4, effective_from=wrong)
    with pytest.raises(errors.ValidationError, match="500 basis points"):  # than the rate that it takes over from
        publish(world, 9_200, 4, effective_from=start + timedelta(hours=3))
    for version in (4, 3, 2):
        assert world.read(lambda tx: terms.of_coins(tx, 700, US, FIRST)).rate_version == version
        world.clock.move(hours=1)
    assert publish(world, 8_750, 4) == 5
    assert [held(minutes) for minutes in (30, 90, 150, 200)] == [4, 3, 2, 5], "what held before stays"


def test_a_top_up_names_its_rate_and_the_spread_is_a_gain_once_a_day(world: World) -> None:
    world.run(packages.load(world.tools, SYSTEM, seeds.read_prices()))
    publish(world, 8_600, 1, spread_bps=100)
    agreed = world.read(lambda tx: terms.of_coins(tx, 700, US, FIRST))
    assert (agreed.price_minor, agreed.rate_version, agreed.spread_bps) == (1_260, 2, 100)
    assert agreed.book_units == 1_260 * 86 * 99 // 100

    ada = world.person("ada").user_id
    assert ada is not None

    def buy(tx: Tx) -> None:
        lot_id, topup_id = world.tools.new_id(ids.LOT), ids.TopupId(world.tools.new_id(ids.TOPUP))
        account = accounts.paid(ada).code
        lot = Lot(lot_id, account, ada, topup_id, 700, 700, 1_260, "USD", "US", tx.now)
        cash = Cash("sandbox", "USD", 126_000, agreed.book_units)
        ledger.post(tx, postings.topup_succeeded(BOOKS, ref=topup_id, cash=cash, lot=lot, bonus=None))

    world.write(buy)
    spread = 1_260 * 86 - agreed.book_units
    assert world.run(packages.revalue(world.tools)) == spread
    assert world.run(packages.revalue(world.tools)) == 0
    publish(world, 8_500, 2)
    assert world.run(packages.revalue(world.tools)) == 0, "once a day"
    world.clock.move(hours=24)
    assert world.run(packages.revalue_today(world.tools)) == -1_260
    assert world.run(packages.revalue_today(world.tools)) == 0
    held = world.read(lambda tx: ledger.balances(tx, ["fx:EUR", "fx:USD", "exp:fx:EUR"]))
    assert held == {"fx:EUR": -1_260 * 85, "fx:USD": 126_000, "exp:fx:EUR": spread - 1_260}
    assert world.read(lambda tx: ledger_proof.verify(tx, books=BOOKS)) == []
