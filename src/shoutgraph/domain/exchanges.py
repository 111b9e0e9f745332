"""Payouts in another currency than that of the books: what is sent for earnings, and what stays with the platform.

Coins are worth whole minor units of the book currency at par. Of those the spread stays as revenue, rounded up; the
rest is exchanged at a pinned rate, rounded down: both in favour of the ledger. Units: minor units; `_bps` basis points.
Source: docs/adr/0003-ledger.md rows 23 and 25.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shoutgraph.domain import money
from shoutgraph.domain.money import Money
from shoutgraph.domain.packages import Rate

GROSS_MAX_MINOR: Final = 90_000_000
"""The most that one payout exchanges, in the book currency, so that no product leaves 64 bits."""

AMOUNT_MAX_MINOR: Final = money.AMOUNT_MAX // money.BOOK_UNITS_PER_MINOR
"""The most that one payout sends, in its own currency, as postings are bounded."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What earnings are exchanged into: agreed once, and the same on the way back.

    Units: `gross_minor` and `spread_minor` of the rate's book currency, `amount_minor` of its currency.
    """

    rate: Rate
    gross_minor: int
    spread_bps: int
    spread_minor: int
    amount_minor: int

    @property
    def gross(self) -> Money:
        """What the coins are worth in the books."""
        return Money(self.gross_minor, self.rate.book_currency)

    @property
    def spread(self) -> Money:
        """What of that the platform keeps."""
        return Money(self.spread_minor, self.rate.book_currency)

    @property
    def amount(self) -> Money:
        """What is sent."""
        return Money(self.amount_minor, self.rate.currency)


def exchange(gross: Money, rate: Rate, *, spread_bps: int, step_minor: int = 1) -> Exchange:
    """What money of the books is exchanged into for a payout.

    Args:
        step_minor: what the provider sends is a multiple of it; what is left of one stays with the exchange account.
    """
    assert gross.currency == rate.book_currency, "a rate is to the currency of the books"
    assert 0 <= gross.minor <= GROSS_MAX_MINOR, "an exchange is bounded"
    spread_minor = -(-gross.minor * spread_bps // money.BPS)
    units = (gross.minor - spread_minor) * money.BOOK_UNITS_PER_MINOR
    amount_minor = units * rate.denominator // rate.numerator
    return Exchange(rate, gross.minor, spread_bps, spread_minor, amount_minor - amount_minor % step_minor)


def held_since(rates: Iterable[Rate], *, since: datetime, now: datetime) -> Sequence[Rate]:
    """Those versions that held at any time from `since` on until now, the newest first.

    Args:
        rates: versions with the time from which they hold.
    """
    timed = [(rate.effective_from, rate.version, rate) for rate in rates if rate.effective_from is not None]
    found: list[Rate] = []
    for at, _, rate in sorted((each for each in timed if each[0] <= now), key=lambda each: each[:2], reverse=True):
        found.append(rate)
        if at < since:  # of two at one instant either may have been read
            break
    return found
