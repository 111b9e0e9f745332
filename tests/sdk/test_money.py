"""Money as plugins see it."""

import pytest
from hypothesis import given, strategies as st
from iso4217 import Currency

from shoutgraph.sdk import Money, from_provider, minor_digits, to_provider
from shoutgraph.sdk.money import MINOR_MAX

STRIPE = {"UGX": 2, "ISK": 2}


def test_the_digits_of_every_currency_are_those_of_iso_4217() -> None:
    known = {each.code: each.exponent for each in Currency if each.exponent is not None}
    assert {code: minor_digits(code) for code in known} == known


@pytest.mark.parametrize("minor", [1.0, "1", True, None])
def test_an_amount_that_is_not_an_int_is_refused(minor: object) -> None:
    with pytest.raises(TypeError):
        Money(minor, "EUR")


@pytest.mark.parametrize("currency", ["eur", "EURO", "", "E1R", "ÄÖÜ"])
def test_a_currency_that_is_no_code_is_refused(currency: str) -> None:
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, currency)


def test_an_amount_beyond_the_largest_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        Money(MINOR_MAX + 1, "EUR")


@given(minor=st.integers(-(10**12), 10**12), currency=st.sampled_from(["EUR", "JPY", "KWD", "UGX", "ISK", "CLF"]))
def test_what_goes_to_the_provider_comes_back_the_same(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert from_provider(to_provider(money, STRIPE), currency, STRIPE) == money


def test_a_provider_that_counts_finer_gets_more_units() -> None:
    assert to_provider(Money(5000, "UGX"), STRIPE) == 500_000


def test_an_amount_that_would_have_to_be_rounded_is_refused_in_both_directions() -> None:
    with pytest.raises(ValueError, match="exactly"):
        to_provider(Money(1001, "KWD"), {"KWD": 2})
    with pytest.raises(ValueError, match="whole number"):
        from_provider(500_001, "UGX", STRIPE)
