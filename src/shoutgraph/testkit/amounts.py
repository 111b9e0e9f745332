"""Amounts that a plugin declares to be fine, and such as it declares not to be."""

import math
from typing import Final

from shoutgraph.sdk import Money, PayoutCaps, TopUpCaps, minor_digits

ROUND: Final = 100
"""Amounts are multiples of this where that can be: simulators give a meaning to odd ones."""

ABOUT: Final = 3_000
"""How large amounts are where the limits allow. Units: minor units."""

PREFERRED: Final = ("EUR", "USD", "GBP")


def currency(caps: TopUpCaps | PayoutCaps) -> str:
    """A currency that is declared; a usual one where it can be."""
    usual = [each for each in PREFERRED if each in caps.currencies]
    return usual[0] if usual else min(caps.currencies)


def fair(caps: TopUpCaps | PayoutCaps, wanted: str | None = None, *, steps: int = 0) -> Money:
    """An amount that is within the limits.

    Args:
        wanted: the currency; None for a usual one.
        steps: how many steps above the first such amount; another number is another amount, where there is room.
    """
    code = wanted or currency(caps)
    step = math.lcm(ROUND, caps.granularity.get(code, 1))
    smallest, largest = caps.limits.get(code, (1, ABOUT * ROUND))
    minor = -(-max(ABOUT, smallest) // step) * step + steps * step
    if minor <= largest:
        return Money(minor, code)
    fine = caps.granularity.get(code, 1)
    return Money(max(largest // fine - steps, -(-smallest // fine)) * fine, code)


def odd(caps: TopUpCaps | PayoutCaps, code: str) -> Money:
    """An amount of which the last digits say something: the smallest unit that is declared to be counted."""
    fine = math.lcm(caps.granularity.get(code, 1), coarseness(caps, code))
    money = fair(caps, code)
    minor = money.minor - money.minor % fine + 34 * fine
    largest = caps.limits.get(code, (1, minor))[1]
    return Money(minor, code) if minor <= largest and not minor % fine else money


def coarseness(caps: TopUpCaps | PayoutCaps, code: str) -> int:
    """How many minor units the provider's own smallest unit is."""
    coarser: int = 10 ** max(0, minor_digits(code) - caps.exponents.get(code, minor_digits(code)))
    return coarser


def impossible(caps: TopUpCaps | PayoutCaps, code: str) -> dict[str, Money]:
    """Amounts that must never reach the provider, by what is wrong with them."""
    found = {"nothing": Money(0, code)}
    if code in caps.limits:
        smallest, largest = caps.limits[code]
        fine = caps.granularity.get(code, 1)
        found["less than the smallest"] = Money(max(0, smallest - fine), code)
        found["more than the largest"] = Money(largest - largest % fine + fine, code)
    fine = math.lcm(caps.granularity.get(code, 1), coarseness(caps, code))
    if fine > 1:
        money = fair(caps, code)
        found["too precise"] = Money(money.minor - money.minor % fine + fine + 1, code)
    return found


def round_trips(caps: TopUpCaps | PayoutCaps) -> list[str]:
    """The currencies to try amounts in: one for each number of digits, and all that the plugin treats specially."""
    by_digits = {minor_digits(code): code for code in sorted(caps.currencies, reverse=True)}
    special = (set(caps.exponents) | set(caps.granularity)) & caps.currencies
    return sorted({*by_digits.values(), *special, currency(caps)})
