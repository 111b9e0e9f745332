"""What a payment of Mollie's is in the words of the SDK. Pure."""

from datetime import timedelta
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
from shoutgraph_mollie.shapes import Ours, PaymentShape
from shoutgraph_mollie.wire import UNREADABLE

POLL_AFTER: Final = timedelta(minutes=1)
OPEN_FOR: Final = timedelta(minutes=15)
"""How long a page is offered whose end Mollie does not name; a payment that is made later counts all the same."""

REFUNDED: Final = "refunded"
"""The one state of a refund in which money has arrived at the fan. Before it, the refund may still fail."""

CAME_BACK: Final = frozenset({"failed", "canceled"})
"""A refund may fail after it was `refunded`, and does not say whether it was: it counts as done, and as come back."""

DONE: Final = CAME_BACK | {REFUNDED}
NOT_SHOWN: Final = "refunds_not_shown"


def outcome_of(payment: PaymentShape) -> TopUpOutcome:
    """What a payment is."""
    try:
        return _outcome(payment)
    except ValueError as error:
        return Unknown(UNREADABLE, ref=payment.id, detail=str(error))


def target_of(payment: PaymentShape, ours: Ours) -> Target:
    """Which of our top-ups a payment is.

    Raises:
        ValueError: its amount cannot be read.
    """
    return Target(ours.operation_id, ours.key, payment.id, payment.amount.money())


def hides_refunds(payment: PaymentShape) -> bool:
    """Whether it says that more money went back than it shows: Mollie shows all of it when it is asked for it.

    Raises:
        ValueError: an amount cannot be read.
    """
    went_back = (
        (payment.amount_refunded, payment.embedded.refunds),
        (payment.amount_charged_back, payment.embedded.chargebacks),
    )
    return any(
        sum_ is not None and sum_.money().minor > sum(each.amount.money().minor for each in parts or ())
        for sum_, parts in went_back
    )


def _outcome(payment: PaymentShape) -> TopUpOutcome:
    match payment.status:
        case "paid" if payment.paid_at is not None:
            if hides_refunds(payment):
                return Unknown(NOT_SHOWN, ref=payment.id)
            return Settled(payment.id, _totals(payment), payment.paid_at)
        case "open" if payment.links.checkout is not None:
            until = payment.expires_at or payment.created_at + OPEN_FOR
            return NeedsAction(payment.id, Redirect(payment.links.checkout.href), until)
        case "open" | "pending" | "authorized":
            return Pending(payment.id, POLL_AFTER, payment.expires_at)
        case "canceled" | "expired" | "failed":
            return Declined(payment.id, payment.status, retryable=True)
        case _:
            return Unknown(UNREADABLE, ref=payment.id, detail="a status that is not known")


def _totals(payment: PaymentShape) -> Totals:
    """The sums. A chargeback counts as disputed until the bank reverses it; that it is lost, nobody ever says."""
    settled = payment.amount.money()
    refunds, chargebacks = payment.embedded.refunds or (), payment.embedded.chargebacks or ()
    return Totals(
        settled=settled,
        refunded=_sum([each.amount.money() for each in refunds if each.status in DONE], settled.currency),
        disputed=_sum([each.amount.money() for each in chargebacks], settled.currency),
        disputes_won=_sum([each.amount.money() for each in chargebacks if each.reversed_at], settled.currency),
        refunds_failed=_sum([each.amount.money() for each in refunds if each.status in CAME_BACK], settled.currency),
    )


def _sum(parts: list[Money], currency: str) -> Money:
    if any(each.currency != currency for each in parts):
        raise ValueError("money of another currency went back than was paid")
    return Money(sum(each.minor for each in parts), currency)
