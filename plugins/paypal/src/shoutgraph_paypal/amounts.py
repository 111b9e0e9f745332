"""Money as PayPal writes it: decimal text, with no decimals at all in HUF, JPY and TWD.

Source: https://developer.paypal.com/api/rest/reference/currency-codes/
"""

import re
from typing import Final

from shoutgraph.sdk import Money, from_provider, minor_digits, to_provider

CURRENCIES: Final = frozenset(
    {"AUD", "BRL", "CAD", "CHF", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "JPY", "MXN", "MYR", "NOK", "NZD"}
    | {"PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD"}
)

EXPONENTS: Final = {"HUF": 0, "TWD": 0}
"""Digits of what PayPal counts differently from ISO 4217."""

GRANULARITY: Final = {"HUF": 100, "TWD": 100}

UNITS_MAX: Final = 999_999_999
"""The largest number of PayPal's own smallest units that is asked for: seven digits before the point."""

LIMITS: Final = {code: (GRANULARITY.get(code, 1), UNITS_MAX * GRANULARITY.get(code, 1)) for code in sorted(CURRENCIES)}

PAYOUT_LIMITS: Final = {**LIMITS, "USD": (1, 2_000_000)}
"""One payout is at most USD 20,000. PayPal does not say what that is in other currencies, and refuses what is more.

Source: https://developer.paypal.com/docs/payouts/standard/reference/fees
"""

_VALUE: Final = re.compile(r"([0-9]{1,13})(?:\.([0-9]{1,4}))?", re.ASCII)


def value_of(money: Money) -> str:
    """The amount in PayPal's words: "10.00" for EUR 1000, "1000" for JPY 1000.

    Raises:
        ValueError: PayPal counts more coarsely, and the amount would have to be rounded.
    """
    digits = _digits(money.currency)
    units = to_provider(money, EXPONENTS)
    whole, part = divmod(units, 10**digits)
    return f"{whole}.{part:0{digits}}" if digits else str(whole)


def money_of(value: str, currency: str) -> Money:
    """The money that PayPal means; decimals beyond the currency's own are zeros, or it is no amount.

    Raises:
        ValueError: it is no exact amount of its currency: nothing is rounded.
    """
    found = _VALUE.fullmatch(value)
    digits = _digits(currency)
    part = (found[2] or "") if found else ""
    if found is None or part[digits:].strip("0"):
        raise ValueError("an amount with other decimals than its currency has")
    return from_provider(int(found[1] + part[:digits].ljust(digits, "0")), currency, EXPONENTS)


def _digits(currency: str) -> int:
    return EXPONENTS.get(currency, minor_digits(currency))
