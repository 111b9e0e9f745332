"""Coins and money: whole integers only.

Coins are whole coins. Money is an amount in the currency's minor units (cents for EUR, yen for JPY).
The ledger keeps money in book units: one hundredth of a minor unit, so that a coin's par value may be a
fraction of a cent. Source: docs/adr/0003-ledger.md.
"""

from dataclasses import dataclass
from typing import Final, NewType

from iso4217 import Currency

Coins = NewType("Coins", int)

AMOUNT_MAX: Final = 10**15
"""The largest amount of any posting, in the asset's own units."""

BOOK_UNITS_PER_MINOR: Final = 100
BPS: Final = 10_000
"""Basis points of the whole."""


@dataclass(frozen=True, slots=True)
class Money:
    """Real money. Units: `minor` counts the currency's minor units."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        assert type(self.minor) is int, "money is a whole number of minor units"
        assert self.currency.isupper(), "a currency is an ISO 4217 code"


def exponent(currency: str) -> int:
    """Digits after the decimal point of an ISO 4217 currency: 2 for EUR, 0 for JPY, 3 for KWD.

    Raises:
        KeyError: the code is not an ISO 4217 currency with minor units.
    """
    known = _EXPONENTS.get(currency)
    if known is None:
        raise KeyError(currency)
    return known


def is_currency(code: str) -> bool:
    """Whether this is an ISO 4217 currency that has minor units."""
    return code in _EXPONENTS


def to_text(money: Money) -> str:
    """The amount for people and logs, such as `EUR 109.99`."""
    digits = exponent(money.currency)
    sign = "-" if money.minor < 0 else ""
    whole, part = divmod(abs(money.minor), 10**digits)
    return f"{money.currency} {sign}{whole:,}" + (f".{part:0{digits}d}" if digits else "")


def share(amount: int, bps: int) -> int:
    """The floor of `amount` times `bps` basis points; the rest stays with the other side.

    Units: those of `amount`.
    """
    assert 0 <= bps <= BPS, "a share is between nothing and the whole"
    return amount * bps // BPS


_EXPONENTS: Final = {c.code: c.exponent for c in Currency if c.exponent is not None}
