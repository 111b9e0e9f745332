"""What a provider says of a payout, in our words. The money is compared with what we asked for before it gets here."""

from datetime import datetime, timedelta
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain.batches import Batch
from shoutgraph.domain.payouts import Payout, PaySeen, Sighting

TIMEOUT: Final = timedelta(seconds=30)
"""How long a provider's answer is waited for."""


def target_of(payout: Payout, batch: Batch) -> sdk.Target:
    """What to look up, and the money we asked for."""
    amount = sdk.Money(payout.amount_minor, payout.currency)
    return sdk.Target(payout.key, batch.key, payout.ref, amount)


def sighting_of(outcome: sdk.ItemObservation, *, at: datetime) -> Sighting:
    """One look at a payout, as it was at this time."""
    match outcome:
        case sdk.Paid():
            money = outcome.amount
            return Sighting(PaySeen.PAID, at, outcome.ref, money.minor, money.currency)
        case sdk.Returned():
            money = outcome.amount
            return Sighting(PaySeen.RETURNED, at, outcome.ref, money.minor, money.currency, outcome.code)
        case sdk.Rejected():
            return Sighting(PaySeen.REJECTED, at, outcome.ref, code=outcome.code)
        case sdk.Pending():
            return Sighting(PaySeen.PENDING, at, outcome.ref)
        case _:
            return _nothing(outcome, at)


def _nothing(outcome: sdk.NotExecuted | sdk.Unknown | sdk.Absent, at: datetime) -> Sighting:
    match outcome:
        case sdk.NotExecuted():
            return Sighting(PaySeen.NOT_EXECUTED, at, code=outcome.code, retry_after=outcome.retry_after)
        case sdk.Unknown():
            return Sighting(PaySeen.UNKNOWN, at, outcome.ref, code=outcome.reason)
        case sdk.Absent():
            return Sighting(PaySeen.ABSENT, at)
