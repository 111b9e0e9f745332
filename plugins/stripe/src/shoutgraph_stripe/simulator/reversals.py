"""Money that goes back to the fan: refunds, and disputes."""

from typing import Final

from shoutgraph_stripe.simulator import checkout, forms
from shoutgraph_stripe.simulator.forms import Params
from shoutgraph_stripe.simulator.refusals import RefusedError, missing
from shoutgraph_stripe.simulator.state import Thing, World

REFUND: Final = "refund"
DISPUTE: Final = "dispute"


def create(world: World, params: Params) -> Thing:
    """Refunds a payment, or a part of it.

    Raises:
        RefusedError: there is not so much left, or it is disputed.
    """
    forms.only(params, "payment_intent", "amount", "metadata", "reason", "expand")
    charge = charge_of(world, params.get("payment_intent"))
    left = charge["amount"] - charge["amount_refunded"]
    if left <= 0:
        raise RefusedError("Charge has already been refunded.", code="charge_already_refunded")
    if charge["disputed"]:
        raise RefusedError("Charge has been charged back; cannot issue a refund.", code="charge_disputed")
    amount = forms.whole(params, "amount", left)
    if not 0 < amount <= left:
        raise RefusedError("Refund amount is greater than unrefunded amount on charge.", param="amount")
    held = charge["payment_intent"] in world.hold_refunds
    world.hold_refunds.discard(charge["payment_intent"])
    charge["amount_refunded"] += amount
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    refund = world.make(
        "re",
        REFUND,
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        metadata=checkout.metadata_of(params),
        payment_intent=charge["payment_intent"],
        status="pending" if held else "succeeded",
    )
    world.tell("refund.created", refund)
    world.tell("charge.refunded", charge)
    return refund


def fail(world: World, refund: Thing) -> None:
    """A refund comes to nothing: the money is back with us."""
    charge = world.things[refund["charge"]]
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    refund.update(status="failed", failure_reason="expired_or_canceled_card")
    world.tell("refund.failed", refund)
    world.tell("charge.refund.updated", refund)


def dispute(world: World, payment: object, *, status: str = "needs_response") -> Thing:
    """The fan's bank takes all of it back for now, or asks first."""
    charge = charge_of(world, payment)
    charge["disputed"] = True
    opened = world.make(
        "du",
        DISPUTE,
        amount=charge["amount"],
        balance_transactions=[],
        charge=charge["id"],
        currency=charge["currency"],
        livemode=False,
        metadata={},
        payment_intent=charge["payment_intent"],
        reason="fraudulent",
        status=status,
    )
    world.tell("charge.dispute.created", opened)
    return opened


def decide(world: World, opened: Thing, status: str) -> None:
    """A dispute ends."""
    opened["status"] = status
    if status == "won":
        world.tell("charge.dispute.funds_reinstated", opened)
    world.tell("charge.dispute.closed", opened)


def charge_of(world: World, payment: object) -> Thing:
    """The charge of a payment.

    Raises:
        RefusedError: there is none.
    """
    intent = world.get(payment, "payment_intent", param="payment_intent")
    if intent["latest_charge"] is None:
        raise missing("charge", payment, param="payment_intent")
    return world.things[intent["latest_charge"]]
