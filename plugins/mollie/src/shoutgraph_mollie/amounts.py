"""Amounts as Mollie writes them: `{"value": "10.00", "currency": "EUR"}`, with exactly the currency's decimals."""

import re
from typing import Final

from shoutgraph.sdk import Money, minor_digits

_VALUE: Final = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,4}))?")


def value_of(money: Money) -> str:
    """The amount in Mollie's words: "10.00" for EUR 1000, "1000" for JPY 1000."""
    digits = minor_digits(money.currency)
    whole, part = divmod(money.minor, _ten_to(digits))
    return f"{whole}.{part:0{digits}}" if digits else str(whole)


def money_of(value: str, currency: str) -> Money:
    """The money that Mollie means.

    Raises:
        ValueError: it is no amount, or has other decimals than the currency: nothing is rounded.
    """
    found = _VALUE.fullmatch(value)
    if found is None or len(found[2] or "") != minor_digits(currency):
        raise ValueError("an amount with other decimals than its currency has")
    return Money(int(found[1] + (found[2] or "")), currency)


def _ten_to(digits: int) -> int:
    power: int = 10**digits
    return power
