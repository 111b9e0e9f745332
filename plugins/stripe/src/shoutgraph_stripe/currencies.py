"""How Stripe counts money, where that differs from ISO 4217, and what it takes at least and at most.

Source: https://docs.stripe.com/currencies (zero-decimal currencies, special cases, minimum and maximum amounts).
"""

from typing import Final

from shoutgraph.sdk import minor_digits

EXPONENTS: Final = {"ISK": 2, "UGX": 2, "MGA": 0}
"""Digits of what Stripe counts differently: ISK and UGX in hundredths that have to be 00, MGA in whole ariary."""

THREE_DECIMALS: Final = ("BHD", "JOD", "KWD", "OMR", "TND")
"""Stripe wants the last of their three digits to be 0."""

WHOLE_PAYOUTS: Final = ("HUF", "TWD")
"""They are charged in hundredths and paid out in whole units."""

_SMALLEST: Final = {
    "AED": 200,
    "AUD": 50,
    "BGN": 100,
    "BRL": 50,
    "CAD": 50,
    "CHF": 50,
    "CZK": 1500,
    "DKK": 250,
    "EUR": 50,
    "GBP": 30,
    "HKD": 400,
    "HUF": 17500,
    "INR": 50,
    "JPY": 50,
    "MXN": 1000,
    "MYR": 200,
    "NOK": 300,
    "NZD": 50,
    "PLN": 200,
    "RON": 200,
    "SEK": 300,
    "SGD": 50,
    "THB": 1000,
    "USD": 50,
}
"""The smallest charge. Units: ISO minor units. Elsewhere it depends on the rate of the day: Stripe refuses."""

_OTHERS: Final = ("CLP", "COP", "IDR", "ILS", "ISK", "KES", "KRW", "MAD", "MGA", "PEN", "PHP", "SAR", "TRY", "TWD")
_MORE: Final = ("UGX", "UYU", "VND", "XAF", "XOF", "ZAR")

CURRENCIES: Final = frozenset({*_SMALLEST, *_OTHERS, *_MORE, *THREE_DECIMALS})

GRANULARITY: Final = {**dict.fromkeys(THREE_DECIMALS, 10), "MGA": 100}
PAYOUT_GRANULARITY: Final = {**GRANULARITY, **dict.fromkeys(WHOLE_PAYOUTS, 100)}

LARGEST: Final = 99_999_999
"""The largest amount. Units: Stripe's own."""


def _largest(currency: str) -> int:
    shift = EXPONENTS.get(currency, minor_digits(currency)) - minor_digits(currency)
    bound = LARGEST // 10**shift if shift >= 0 else LARGEST * 10**-shift
    return int(bound)


def limits(granularity: dict[str, int], *, smallest: dict[str, int]) -> dict[str, tuple[int, int]]:
    """The smallest and the largest amount of every currency. Units: ISO minor units."""
    return {code: (smallest.get(code, granularity.get(code, 1)), _largest(code)) for code in CURRENCIES}


CHARGES: Final = limits(GRANULARITY, smallest=_SMALLEST)
TRANSFERS: Final = limits(PAYOUT_GRANULARITY, smallest={})
