"""Coins and money: whole integers, with the digits of each currency."""

from decimal import Decimal

import pytest
from hypothesis import given, settings, strategies as st

from shoutgraph.domain import money
from shoutgraph.domain.money import Money

CURRENCIES = ["EUR", "USD", "GBP", "JPY", "KRW", "KWD", "BHD", "CLF"]


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (10_999, "EUR", "EUR 109.99"),
        (5, "EUR", "EUR 0.05"),
        (0, "EUR", "EUR 0.00"),
        (-5, "EUR", "EUR -0.05"),
        (-123_456_789, "USD", "USD -1,234,567.89"),
        (1_500, "JPY", "JPY 1,500"),
        (-1, "JPY", "JPY -1"),
        (1_234_567, "KWD", "KWD 1,234.567"),
        (1, "CLF", "CLF 0.0001"),
    ],
)
def test_money_is_written_with_the_digits_of_its_currency(minor: int, currency: str, text: str):
    assert money.to_text(Money(minor, currency)) == text


@settings(deadline=None)
@given(minor=st.integers(-(10**18), 10**18), currency=st.sampled_from(CURRENCIES))
def test_written_money_names_its_exact_amount(minor: int, currency: str):
    code, amount = money.to_text(Money(minor, currency)).split(" ")
    assert code == currency
    assert Decimal(amount.replace(",", "")).scaleb(money.exponent(currency)) == minor


@pytest.mark.parametrize(
    ("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("CLF", 4), ("UGX", 0), ("MGA", 2)]
)
def test_a_currency_has_the_digits_of_iso_4217(currency: str, digits: int):
    assert money.exponent(currency) == digits
    assert money.is_currency(currency)


@pytest.mark.parametrize("code", ["", "eur", "EURO", "ZZZ", "XXX", "XAU", "COIN", "PROMO", "CAP"])  # XXX: no currency
def test_what_has_no_minor_units_is_no_currency(code: str):
    assert not money.is_currency(code)
    with pytest.raises(KeyError, match=repr(code)):
        money.exponent(code)


@pytest.mark.parametrize("minor", [1.0, True, "1", None, Decimal(1)])
def test_money_is_a_whole_number(minor: object):
    with pytest.raises(AssertionError, match="whole number of minor units"):
        Money(minor, "EUR")  # type: ignore[arg-type]


@pytest.mark.parametrize("code", ["eur", "", "Eur"])
def test_a_currency_is_written_in_capitals(code: str):
    with pytest.raises(AssertionError, match="ISO 4217"):
        Money(1, code)


@settings(deadline=None)
@given(amount=st.integers(0, money.AMOUNT_MAX), bps=st.integers(0, money.BPS))
def test_a_share_and_its_rest_sum_to_the_whole(amount: int, bps: int):
    part = money.share(amount, bps)
    assert type(part) is int
    assert 0 <= part <= amount
    assert part * money.BPS <= amount * bps < (part + 1) * money.BPS


@pytest.mark.parametrize("bps", [-1, money.BPS + 1])
def test_a_share_is_between_nothing_and_the_whole(bps: int):
    with pytest.raises(AssertionError, match="between nothing and the whole"):
        money.share(100, bps)
