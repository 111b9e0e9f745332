"""What coins come to at a recipient: in the currency of their account, at the rate in force or the one that was quoted.

Without a rate a provider that got to know the recipient is sent the book currency, which it converts; the others need
a rate.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import errors, exchanges, packages
from shoutgraph.domain.exchanges import AMOUNT_MAX_MINOR, GROSS_MAX_MINOR, Exchange
from shoutgraph.domain.money import BOOK_UNITS_PER_MINOR, Money
from shoutgraph.domain.pages import PAGE_MAX, PageArgs
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.recipients import Recipient
from shoutgraph.storage import rates
from shoutgraph.storage.tx import Tx

PATH: Final = ("input", "recipientId")


@dataclass(frozen=True, slots=True)
class Terms:
    """What coins are worth, what is sent for them, and the exchange where that is of another currency."""

    gross: Money
    amount: Money
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Desk:
    """How one recipient is paid now: the policy, what the provider takes, and the rate in force, if one is needed."""

    policy: Policy
    caps: sdk.PayoutCaps
    rate: packages.Rate | None

    def terms(self, coins: int) -> Terms:
        """What so many coins come to.

        Raises:
            LimitExceededError: more than is ever exchanged at once.
        """
        return self._terms(coins, self.rate)

    def _terms(self, coins: int, rate: packages.Rate | None) -> Terms:
        gross = Money(self.policy.par_minor(coins), self.policy.book_currency)
        if rate is None:
            return Terms(gross, gross)
        if gross.minor > GROSS_MAX_MINOR:
            limit = GROSS_MAX_MINOR * BOOK_UNITS_PER_MINOR // self.policy.par_units
            msg = f"At most {limit} coins are exchanged at once."
            raise errors.LimitExceededError(msg, code="PAYOUT_EXCHANGE", limit=limit, path=("input", "coins"))
        step, spread = self._step(rate.currency), self.policy.payout_fx_spread_bps
        made = exchanges.exchange(gross, rate, spread_bps=spread, step_minor=step)
        return Terms(gross, made.amount, made)

    def expected(self, tx: Tx, coins: int, minor: int | None) -> Terms:
        """What so many coins come to, if that is what was quoted, now or within the time that quotes hold.

        Raises:
            QuoteExpiredError: it is another amount now.
            LimitExceededError: more than is ever exchanged at once.
        """
        now = self.terms(coins)
        if minor in {None, now.amount.minor}:
            return now
        for rate in self._quoted(tx):
            then = self._terms(coins, rate)
            if then.amount.minor == minor:
                return then
        raise errors.QuoteExpiredError(current_minor=now.amount.minor, currency=now.amount.currency)

    def most(self, coins: int) -> int:
        """As many of the coins as come to no more than the provider sends at once, and to nothing that is rounded."""
        high = min(self.caps.limits.get(self.terms(0).amount.currency, (0, AMOUNT_MAX_MINOR))[1], AMOUNT_MAX_MINOR)
        bound = GROSS_MAX_MINOR * BOOK_UNITS_PER_MINOR // self.policy.par_units if self.rate else coins
        coins = min(coins, bound)
        coins = bisect_right(range(1, coins + 1), high, key=lambda each: self.terms(each).amount.minor)
        whole = BOOK_UNITS_PER_MINOR * (1 if self.rate else self._step(self.policy.book_currency))
        return coins - coins % (whole // math.gcd(whole, self.policy.par_units))

    def takes(self, amount: Money) -> bool:
        """Whether the provider sends such an amount. Nobody sends nothing, whatever a plugin says."""
        low, high = self.caps.limits.get(amount.currency, (1, amount.minor))
        high = min(high, AMOUNT_MAX_MINOR)
        known = amount.currency in self.caps.currencies
        return known and max(low, 1) <= amount.minor <= high and not amount.minor % self._step(amount.currency)

    def _step(self, currency: str) -> int:
        return self.caps.granularity.get(currency, 1)

    def _quoted(self, tx: Tx) -> Iterable[packages.Rate]:
        if self.rate is None:
            return ()
        since = tx.now - timedelta(seconds=self.policy.payout_quote_s)
        newest = PageArgs(size=PAGE_MAX, key=None, backward=False)
        found = rates.list_of_page(tx, self.rate.currency, self.rate.book_currency, newest)
        return exchanges.held_since(found, since=since, now=tx.now)


def open_desk(
    tx: Tx, recipient: Recipient, caps: sdk.PayoutCaps, policy: Policy, *, path: Sequence[str] = PATH
) -> Desk:
    """How a recipient is paid now.

    Raises:
        ValidationError: no rate is in force for the account's currency, and the provider does not convert.
    """
    currency = recipient.currency
    if currency in {None, policy.book_currency}:
        return Desk(policy, caps, None)
    rate = rates.find_in_force(tx, currency, policy.book_currency)
    if rate is None and not (caps.onboarding and policy.book_currency in caps.currencies):
        msg = f"Nobody has said what {currency} is worth now: try again later, or choose another recipient."
        raise errors.ValidationError(msg, code="PAYOUT_NO_RATE", path=path)
    return Desk(policy, caps, rate)
