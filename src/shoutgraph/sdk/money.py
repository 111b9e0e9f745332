"""Money as plugins see it: whole minor units of an ISO 4217 currency, never a float.

Some providers count in other units than ISO does (Stripe counts UGX in hundredths). A plugin declares that
in `exponents` and converts with `to_provider` and `from_provider`, which refuse what they would have to
round.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MINOR_MAX: Final = 10**15
"""The largest amount. Units: minor units."""

_CODE: Final = re.compile("[A-Z]{3}")
_DIGITS: Final = 2
_OTHER_DIGITS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"), 0),
    **dict.fromkeys(("PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


@dataclass(frozen=True, slots=True)
class Money:
    """An amount of real money.

    Units: `minor` counts the currency's ISO 4217 minor units.

    Raises:
        TypeError: the amount is not an `int`.
        ValueError: the amount is out of range, or the currency is not three capital letters.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError("an amount of money is an int of minor units")
        if not -MINOR_MAX <= self.minor <= MINOR_MAX:
            raise ValueError("an amount of money is at most 10**15 minor units")
        if not _CODE.fullmatch(self.currency):
            raise ValueError("a currency is an ISO 4217 code: three capital letters")


def minor_digits(currency: str) -> int:
    """Digits after the decimal point in ISO 4217: 2 for EUR, 0 for JPY, 3 for KWD."""
    return _OTHER_DIGITS.get(currency, _DIGITS)


def to_provider(money: Money, exponents: Mapping[str, int]) -> int:
    """The amount in the provider's own units.

    Args:
        exponents: the digits of the currencies that the provider counts differently from ISO 4217.

    Raises:
        ValueError: the provider counts more coarsely, and the amount would have to be rounded.
    """
    shift = exponents.get(money.currency, minor_digits(money.currency)) - minor_digits(money.currency)
    if shift >= 0:
        return money.minor * _ten_to(shift)
    amount, rest = divmod(money.minor, _ten_to(-shift))
    if rest:
        raise ValueError("the provider cannot express this amount exactly")
    return amount


def from_provider(amount: int, currency: str, exponents: Mapping[str, int]) -> Money:
    """The money that an amount in the provider's own units stands for.

    Raises:
        ValueError: ISO 4217 counts more coarsely, and the amount would have to be rounded.
    """
    shift = minor_digits(currency) - exponents.get(currency, minor_digits(currency))
    if shift >= 0:
        return Money(amount * _ten_to(shift), currency)
    minor, rest = divmod(amount, _ten_to(-shift))
    if rest:
        raise ValueError("this amount is not a whole number of minor units")
    return Money(minor, currency)


def _ten_to(digits: int) -> int:
    power: int = 10**digits
    return power
