"""The auditor's view of earnings on their way out, also in the currency of the creator's own account."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import ceil, floor

from tests.storage.auditor_topups import Topups
from tests.storage.facts import BOOK, PAR, Outcome, Payout

MINOR = 100
"""Book units of a minor unit."""


@dataclass(frozen=True)
class Agreed:
    """What was agreed when a payout was asked for. Units: book units of the book currency, and of its own."""

    worth: int
    spread: int
    sent: int
    version: int


class Payouts(Topups):
    """What must come of payouts: at the rate of when they were asked for, on the way out and back."""

    def __init__(self, now: datetime) -> None:
        super().__init__(now)
        self.rates: dict[str, tuple[int, Fraction]] = {}
        self.agreed: dict[str, Agreed] = {}

    def publish_rate(self, currency: str, version: int, numerator: int, denominator: int) -> Outcome:
        self.rates[currency] = (version, Fraction(numerator, denominator))
        return Outcome.DONE

    def ask_payout(self, payout: Payout) -> Outcome:
        version, rate = self.rates.get(payout.currency, (0, Fraction(MINOR)))
        worth = payout.coins * PAR
        spread = ceil(Fraction(worth // MINOR * payout.spread_bps, 10_000)) * MINOR
        sent = floor((worth - spread) / rate) * MINOR
        if not sent:
            return Outcome.NOTHING
        if self.balances[f"creator:{payout.creator}:avail"] < payout.coins:
            return Outcome.OVERDRAFT
        self.agreed[payout.id] = Agreed(worth, spread, sent, version)
        available = f"creator:{payout.creator}:avail"
        return self.between("payout.requested", payout.id, available, f"payout:{payout.id}", payout.coins)

    def payout_paid(self, payout: Payout) -> Outcome:
        said = self.between("payout.paid", payout.id, f"payout:{payout.id}", "mint", payout.coins)
        if said is Outcome.DONE:
            self.send(payout, 1)
            self.closed.add(f"payout:{payout.id}")
            self.explain(payout.id)
        return said

    def payout_failed(self, payout: Payout) -> Outcome:
        available = f"creator:{payout.creator}:avail"
        self.closed.add(f"payout:{payout.id}")
        return self.between("payout.failed", payout.id, f"payout:{payout.id}", available, payout.coins)

    def payout_returned(self, payout: Payout) -> Outcome:
        self.payout_paid(payout)
        available = f"creator:{payout.creator}:avail"
        said = self.between("payout.returned", payout.id, "mint", available, payout.coins)
        if said is Outcome.DONE:
            self.send(payout, -1)
            moved_on = self.rates.get(payout.currency, (0,))[0] > self.agreed[payout.id].version
            self.seen["a payout came back at another rate than the newest"] += moved_on
        return said

    def send(self, payout: Payout, sign: int) -> None:
        """Money leaves, or comes back where `sign` is -1."""
        agreed, cash = self.agreed[payout.id], f"cash:psp:{payout.instance}"
        if payout.currency == BOOK:
            self.par(-sign * payout.coins, books=cash)
            return
        self.seen["a payout left in another currency"] += sign > 0
        self.seen["of a payout a spread was kept"] += agreed.spread > 0
        self.par(-sign * payout.coins)
        self.add(f"fx:{BOOK}", sign * (agreed.worth - agreed.spread))
        self.add(f"rev:payout:{BOOK}", sign * agreed.spread)
        self.add(f"fx:{payout.currency}", -sign * agreed.sent)
        self.add(f"{cash}:{payout.currency}", sign * agreed.sent)
