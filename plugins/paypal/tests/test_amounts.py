"""Money as PayPal writes it."""

import pytest

from shoutgraph.sdk import Money
from shoutgraph_paypal import amounts

WRITTEN = {
    "10.00": Money(1000, "EUR"),
    "0.01": Money(1, "USD"),
    "700": Money(700, "JPY"),
    "12": Money(1200, "HUF"),
    "30": Money(3000, "TWD"),
}


@pytest.mark.parametrize(("value", "money"), WRITTEN.items())
def test_amounts_come_back_as_they_were_written(value: str, money: Money) -> None:
    assert amounts.value_of(money) == value
    assert amounts.money_of(value, money.currency) == money


@pytest.mark.parametrize(("value", "currency"), [("12.00", "HUF"), ("700.0", "JPY"), ("10", "EUR"), ("10.0", "EUR")])
def test_zeros_say_nothing(value: str, currency: str) -> None:
    assert amounts.money_of(value, currency).currency == currency


@pytest.mark.parametrize(
    ("value", "currency"),
    [
        ("10.005", "EUR"),
        ("12.50", "HUF"),
        ("1.5", "JPY"),
        ("-1.00", "EUR"),
        ("1e3", "EUR"),
        ("", "EUR"),
        ("1,00", "EUR"),
    ],
)
def test_what_would_be_rounded_is_no_amount(value: str, currency: str) -> None:
    with pytest.raises(ValueError, match="decimals"):
        amounts.money_of(value, currency)


def test_fractions_that_paypal_does_not_count_are_refused() -> None:
    with pytest.raises(ValueError, match="exactly"):
        amounts.value_of(Money(1250, "HUF"))
