"""Prices of coins: exact fractions, and which way each rounds."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings, strategies as st

from shoutgraph.domain import errors, packages
from shoutgraph.domain.money import Money
from shoutgraph.domain.packages import (
    Market,
    PackageEntry,
    Platform,
    PriceList,
    Rate,
    RateEntry,
    UnitEntry,
    UnitPrice,
)

DE = Market("DE", "EUR", Platform.WEB)
RATE = Rate("EUR", "EUR", 1, 100, 1)
UNIT = UnitPrice("price_1", 1, DE, 11, 7, 35, 200_000, RATE, datetime(2026, 3, 1, tzinfo=UTC))
ENTRY = PackageEntry(DE, 7000, 10_999)
EURO = RateEntry("EUR", "EUR", 100, 1)


@given(st.integers(35, 200_000), st.integers(1, 10_000), st.integers(1, 10_000))
def test_an_exact_price_is_the_fraction_rounded_up(coins: int, minor: int, per: int) -> None:
    exact = packages.price_of(replace(UNIT, price_minor=minor, per_coins=per), coins)
    assert (exact.price.minor - 1) * per < coins * minor <= exact.price.minor * per
    assert exact.price.currency == "EUR"


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(1, 10**9))
def test_money_that_comes_in_is_booked_rounded_down(minor: int, over: int, under: int) -> None:
    units = packages.book_units(Money(minor, "EUR"), Rate("EUR", "EUR", 1, over, under))
    assert units * under <= minor * over < (units + 1) * under


@pytest.mark.parametrize("coins", [0, 34, 200_001])
def test_a_number_of_coins_that_is_not_sold_is_refused(coins: int) -> None:
    with pytest.raises(errors.ValidationError) as caught:
        packages.price_of(UNIT, coins)
    assert (caught.value.code, caught.value.path) == ("OUT_OF_RANGE", ("coins",))


@pytest.mark.parametrize(
    ("missing", "bought"), [(0, None), (1, 35), (35, 35), (36, 36), (200_000, 200_000), (200_001, None)]
)
def test_what_is_missing_is_covered_by_the_smallest_purchase(missing: int, bought: int | None) -> None:
    exact = packages.price_of_missing(UNIT, missing)
    assert (None if exact is None else exact.coins) == bought


@pytest.mark.parametrize(
    ("prices", "code"),
    [
        (PriceList((EURO, EURO), (), ()), "REPEATED"),
        (PriceList((EURO,), (ENTRY, replace(ENTRY, price_minor=1)), ()), "REPEATED"),
        (PriceList((EURO,), (replace(ENTRY, product="a"), replace(ENTRY, coins=1, product="a")), ()), "REPEATED"),
        (PriceList((EURO,), (), (UnitEntry(DE, 1, 1, 1, 1), UnitEntry(DE, 2, 1, 1, 1))), "REPEATED"),
        (PriceList((EURO,), (replace(ENTRY, market=Market("Germany", "EUR", Platform.WEB)),), ()), "INVALID_COUNTRY"),
        (PriceList((EURO,), (replace(ENTRY, market=Market("DE", "USD", Platform.WEB)),), ()), "NO_RATE"),
        (PriceList((EURO,), (replace(ENTRY, market=Market("DE", "XYZ", Platform.WEB)),), ()), "NO_RATE"),
        (PriceList((EURO,), tuple(replace(ENTRY, coins=n) for n in range(1, 22)), ()), "TOO_MANY"),
    ],
)
def test_a_price_list_that_contradicts_itself_is_refused(prices: PriceList, code: str) -> None:
    with pytest.raises(errors.ValidationError) as caught:
        packages.check_list(prices)
    assert caught.value.code == code


def test_a_country_that_is_none_has_no_market() -> None:
    packages.check_market(Market("ZZ", "EUR", Platform.WEB))
    with pytest.raises(errors.ValidationError):
        packages.check_market(Market("de", "EUR", Platform.WEB))


@given(
    st.integers(1, 10**7), st.integers(1, 10**5), st.integers(1, 10**5), st.integers(0, 2_000), st.integers(0, 2_000)
)
@settings(max_examples=200)
def test_money_that_goes_there_and_back_never_gains(minor: int, over: int, under: int, spread: int, back: int) -> None:
    to_book = Rate("USD", "EUR", 1, over, under, spread)
    units = packages.book_units(Money(minor, "USD"), to_book)
    assert units * under * 10_000 <= minor * over * (10_000 - spread), "rounded in favour of the ledger"
    home = Rate("EUR", "USD", 1, under, over, back)
    assert packages.book_units(Money(units, "EUR"), home) <= minor


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(0, 5_000))
@settings(max_examples=100)
def test_a_jump_is_the_same_both_ways_of_the_limit(old: int, new: int, limit: int) -> None:
    before, after = Rate("USD", "EUR", 1, old, 100), Rate("USD", "EUR", 2, new, 100)
    assert packages.jumps(before, after, limit) == (abs(new - old) * 10_000 > old * limit)
