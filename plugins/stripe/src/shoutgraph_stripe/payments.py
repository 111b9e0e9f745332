"""What a payment is in the words of the SDK: read from a session, its refunds and its disputes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.sdk import (
    Declined,
    Money,
    NeedsAction,
    Pending,
    Redirect,
    Settled,
    Target,
    TopUpOutcome,
    Totals,
    Unknown,
)
from shoutgraph_stripe import words
from shoutgraph_stripe.shapes import (
    AnySessionShape,
    BalanceShape,
    ChargeShape,
    DisputeShape,
    IntentShape,
    RefundShape,
    SessionShape,
)
from shoutgraph_stripe.wire import UNREADABLE, moment, money

POLL_AFTER: Final = timedelta(minutes=10)
"""Delayed methods take days, and a webhook tells of them."""

EXPIRED: Final = "expired"
FAILED: Final = "payment_failed"
OTHER_CURRENCY: Final = "currency_mismatch"

_CAME_BACK: Final = frozenset({"failed", "canceled"})
"""A refund may fail after it succeeded, and does not say whether it did: it counts as done, and as come back."""

_REFUNDED: Final = _CAME_BACK | {"succeeded"}
_INQUIRIES: Final = frozenset({"warning_needs_response", "warning_under_review", "warning_closed", "prevented"})
"""Disputes for which no money was taken."""

_FAILED_INTENTS: Final = frozenset({"requires_payment_method", "canceled"})


@dataclass(frozen=True, slots=True)
class Reversals:
    """What went back of a payment, or was taken back."""

    refunds: Sequence[RefundShape] = ()
    disputes: Sequence[DisputeShape] = ()


NOTHING: Final = Reversals()


def intent_of(session: SessionShape) -> IntentShape | None:
    """The payment of a session, where it was asked for as a whole and there is one."""
    return session.payment_intent if isinstance(session.payment_intent, IntentShape) else None


def charge_of(session: SessionShape) -> ChargeShape | None:
    """The attempt that paid, or the last one that tried, where it was asked for."""
    intent = intent_of(session)
    charge = None if intent is None else intent.latest_charge
    return charge if isinstance(charge, ChargeShape) else None


def outcome_of(session: SessionShape, reversals: Reversals = NOTHING) -> TopUpOutcome:
    """What a payment is, from a look at all of it."""
    intent = intent_of(session)
    if intent is not None and intent.amount_received > 0:
        return _settled(session, intent, reversals)
    if session.payment_status == "paid":
        return Unknown(UNREADABLE, ref=session.id)  # paid by nothing that is ours to see
    return _unpaid(session, intent)


def told_of(session: SessionShape, at: datetime, *, failed: bool) -> TopUpOutcome:
    """What a payment is, from a webhook, which names the payment and does not show it."""
    if session.payment_status == "paid":
        totals = Totals.of(money(session.amount_total, session.currency))
        return Settled(session.id, totals, at)
    if failed:
        return Declined(session.id, FAILED, retryable=True)
    return _unpaid(session, None)


def target_of(session: SessionShape) -> Target:
    """Which of our top-ups a session is."""
    operation_id = session.client_reference_id or session.metadata.get(words.OPERATION, session.id)
    amount = money(session.amount_total, session.currency)
    return Target(operation_id, session.metadata.get(words.KEY, operation_id), session.id, amount)


def is_of(session: AnySessionShape, instance: str) -> bool:
    """Whether this instance made it: others may use the same account."""
    return session.metadata.get(words.INSTANCE) == instance


def _unpaid(session: SessionShape, intent: IntentShape | None) -> TopUpOutcome:
    if session.status == "expired":
        return Declined(session.id, EXPIRED, retryable=True)
    if session.status == "open":  # whatever became of a card: the fan may try another one
        if session.url is None or session.expires_at is None:
            return Pending(session.id, POLL_AFTER)
        return NeedsAction(session.id, Redirect(session.url), moment(session.expires_at))
    if intent is not None and intent.status in _FAILED_INTENTS:
        error = intent.last_payment_error
        code = None if error is None else error.decline_code or error.code
        return Declined(session.id, code or FAILED, retryable=True)
    return Pending(session.id, POLL_AFTER)


def _settled(session: SessionShape, intent: IntentShape, reversals: Reversals) -> TopUpOutcome:
    settled = money(intent.amount_received, intent.currency)
    currencies = {each.currency for each in reversals.refunds} | {each.currency for each in reversals.disputes}
    if not currencies <= {intent.currency}:
        return Unknown(OTHER_CURRENCY, ref=session.id)
    charge = charge_of(session)
    disputes = [each for each in reversals.disputes if each.status not in _INQUIRIES]
    totals = Totals(
        settled=settled,
        refunded=_sum(intent, [each.amount for each in reversals.refunds if each.status in _REFUNDED]),
        disputed=_sum(intent, [each.amount for each in disputes]),
        fee=_fee(charge),
        disputes_won=_sum(intent, [each.amount for each in disputes if each.status == "won"]),
        disputes_lost=_sum(intent, [each.amount for each in disputes if each.status == "lost"]),
        refunds_failed=_sum(intent, [each.amount for each in reversals.refunds if each.status in _CAME_BACK]),
    )
    return Settled(session.id, totals, moment(session.created if charge is None else charge.created))


def _sum(intent: IntentShape, amounts: Sequence[int]) -> Money:
    return money(sum(amounts), intent.currency)


def _fee(charge: ChargeShape | None) -> Money | None:
    """What Stripe kept, in the currency of our balance, once it is known and a whole number of minor units."""
    balance = None if charge is None else charge.balance_transaction
    if not isinstance(balance, BalanceShape) or balance.fee < 0:
        return None  # a negative one is a correction
    try:
        return money(balance.fee, balance.currency)
    except ValueError:
        return None
