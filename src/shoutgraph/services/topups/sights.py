"""What a provider says, in our words. The money is compared with what we asked for before it gets here."""

from datetime import datetime
from typing import assert_never

from shoutgraph import sdk
from shoutgraph.domain.topups.topup import Action, ActionKind, Observation, Seen, Totals


def observation_of(outcome: sdk.Observation, *, at: datetime) -> Observation:
    """One look at a payment, as it was at this time."""
    match outcome:
        case sdk.Settled():
            currency = outcome.totals.settled.currency
            return Observation(Seen.SETTLED, at, outcome.ref, totals_of(outcome.totals), currency)
        case sdk.Pending():
            seen, poll_after, expires_at = Seen.PENDING, outcome.poll_after, outcome.expires_at
            return Observation(seen, at, outcome.ref, poll_after=poll_after, expires_at=expires_at)
        case sdk.NeedsAction():
            action, expires_at = action_of(outcome.action), outcome.expires_at
            return Observation(Seen.NEEDS_ACTION, at, outcome.ref, action=action, expires_at=expires_at)
        case sdk.Declined():
            code, retryable = outcome.code, outcome.retryable
            return Observation(Seen.DECLINED, at, outcome.ref, code=code, retryable=retryable)
        case _:
            return _nothing(outcome, at)


def totals_of(totals: sdk.Totals) -> Totals:
    """Totals in minor units."""
    fee = totals.fee
    return Totals(
        settled_minor=totals.settled.minor,
        refunded_minor=totals.refunded.minor,
        disputed_minor=totals.disputed.minor,
        won_minor=_minor(totals.disputes_won),
        lost_minor=_minor(totals.disputes_lost),
        fee_currency="" if fee is None or not fee.minor else fee.currency,
        fee_minor=_minor(fee),
        refunds_failed_minor=_minor(totals.refunds_failed),
    )


def action_of(action: sdk.Action) -> Action:
    """The fan's next step."""
    match action:
        case sdk.Redirect():
            return Action(ActionKind.REDIRECT, (action.url,))
        case sdk.ClientSecret():
            return Action(ActionKind.CLIENT, (action.secret, action.publishable))
        case sdk.Instructions():
            return Action(ActionKind.INSTRUCTIONS, action.lines, action.qr)
        case _:
            assert_never(action)


def _nothing(outcome: sdk.NotExecuted | sdk.Unknown | sdk.Absent, at: datetime) -> Observation:
    match outcome:
        case sdk.NotExecuted():
            return Observation(Seen.NOT_EXECUTED, at, code=outcome.code)
        case sdk.Unknown():
            return Observation(Seen.UNKNOWN, at, outcome.ref, code=outcome.reason)
        case sdk.Absent():
            return Observation(Seen.ABSENT, at)
        case _:
            assert_never(outcome)


def _minor(money: sdk.Money | None) -> int:
    return 0 if money is None else money.minor
