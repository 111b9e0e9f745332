"""Checkout: sessions of the page, and what the fan does there."""

from typing import Final

from shoutgraph_stripe.currencies import THREE_DECIMALS
from shoutgraph_stripe.simulator import forms
from shoutgraph_stripe.simulator.forms import Params
from shoutgraph_stripe.simulator.refusals import RefusedError
from shoutgraph_stripe.simulator.state import Thing, World

SHORTEST_S: Final = 30 * 60
LONGEST_S: Final = 24 * 60 * 60
HUNDREDTHS: Final = ("ISK", "UGX")
LARGEST: Final = 99_999_999
FEE_BPS: Final = 150
FEE_FIXED: Final = 25
BPS: Final = 10_000
SUFFIX_MAX: Final = 22
METADATA_MAX: Final = 50

KIND: Final = "checkout.session"

_KNOWN: Final = (
    "adaptive_pricing",
    "cancel_url",
    "client_reference_id",
    "expand",
    "expires_at",
    "line_items",
    "locale",
    "metadata",
    "mode",
    "payment_intent_data",
    "success_url",
)


def create(world: World, params: Params) -> Thing:
    """Opens a session.

    Raises:
        RefusedError: something about it is wrong.
    """
    forms.only(params, *_KNOWN)
    if params.get("mode") != "payment" or not params.get("success_url"):
        raise RefusedError("You must provide a mode and a success_url.", param="mode")
    items = forms.values_of(params.get("line_items"))
    if len(items) != 1:
        raise RefusedError("The simulator sells one thing at a time.", param="line_items")
    price = items[0].get("price_data", {})
    currency, amount = str(price.get("currency", "")), forms.whole(price, "unit_amount")
    require_amount(currency, amount)
    expires_at = forms.whole(params, "expires_at", world.now() + LONGEST_S)
    if not world.now() + SHORTEST_S <= expires_at <= world.now() + LONGEST_S:
        raise RefusedError("The `expires_at` timestamp must be within 30 minutes to 24 hours.", param="expires_at")
    data = params.get("payment_intent_data", {})
    if len(data.get("statement_descriptor_suffix", "")) > SUFFIX_MAX:
        raise RefusedError("The statement descriptor suffix is too long.", param="payment_intent_data")
    session = world.make(
        "cs_test",
        KIND,
        amount_subtotal=amount,
        amount_total=amount,
        cancel_url=params.get("cancel_url"),
        client_reference_id=params.get("client_reference_id"),
        currency=currency,
        expires_at=expires_at,
        livemode=False,
        locale=params.get("locale"),
        metadata=metadata_of(params),
        mode="payment",
        payment_intent=None,
        payment_status="unpaid",
        status="open",
        success_url=params["success_url"],
        _description=price.get("product_data", {}).get("name", ""),
        _of_payment=metadata_of(data),
    )
    session["url"] = f"{world.base_url}/c/pay/{session['id']}"
    return session


def expire(world: World, session: Thing) -> Thing:
    """Ends a session that nobody has completed.

    Raises:
        RefusedError: it is not open.
    """
    require_open(session)
    session.update(status="expired", url=None)
    world.tell("checkout.session.expired", session)
    return session


def pay(world: World, session: Thing, *, amount: int | None = None, currency: str | None = None) -> None:
    """The fan pays, or a payment that took a while is made.

    Raises:
        RefusedError: it is not open, and not under way.
    """
    later = _is_under_way(world, session)
    if not later:
        require_open(session)
    intent = _intent_of(world, session)
    received = session["amount_total"] if amount is None else amount
    paid_in = currency or session["currency"]
    fee = received * FEE_BPS // BPS + FEE_FIXED
    balance = world.make("txn", "balance_transaction", amount=received, currency=paid_in, fee=fee, net=received - fee)
    charge = world.make(
        "ch",
        "charge",
        amount=received,
        amount_captured=received,
        amount_refunded=0,
        balance_transaction=balance["id"],
        currency=paid_in,
        disputed=False,
        livemode=False,
        metadata=intent["metadata"],
        paid=True,
        payment_intent=intent["id"],
        refunded=False,
        status="succeeded",
    )
    intent.update(amount_received=received, currency=paid_in, latest_charge=charge["id"], status="succeeded")
    session.update(payment_status="paid", status="complete", url=None)
    world.tell("charge.succeeded", charge)
    world.tell("payment_intent.succeeded", intent)
    world.tell(f"checkout.session.{'async_payment_succeeded' if later else 'completed'}", session)


def process(world: World, session: Thing) -> None:
    """The fan pays by a method that takes days.

    Raises:
        RefusedError: it is not open.
    """
    require_open(session)
    intent = _intent_of(world, session)
    intent["status"] = "processing"
    session.update(status="complete", url=None)
    world.tell("payment_intent.processing", intent)
    world.tell("checkout.session.completed", session)


def decline(world: World, session: Thing) -> None:
    """A payment that took a while comes to nothing."""
    if not _is_under_way(world, session):
        process(world, session)
    intent = _intent_of(world, session)
    error = {
        "code": "payment_intent_payment_attempt_failed",
        "type": "card_error",
        "decline_code": "debit_not_authorized",
    }
    intent.update(status="requires_payment_method", last_payment_error=error)
    world.tell("payment_intent.payment_failed", intent)
    world.tell("checkout.session.async_payment_failed", session)


def require_open(session: Thing) -> None:
    """Only an open session can be paid or ended.

    Raises:
        RefusedError: it is complete, or has expired.
    """
    if session["status"] != "open":
        raise RefusedError('Only Checkout Sessions with a status in ["open"] can be expired or paid.')


def require_amount(currency: str, amount: int) -> None:
    """Stripe counts some currencies in its own way.

    Raises:
        RefusedError: it does not count like this.
    """
    if len(currency) != 3 or currency != currency.lower():  # noqa: PLR2004 -- ISO 4217
        raise RefusedError(f"Invalid currency: {currency}", param="currency")
    rough = 100 if currency.upper() in HUNDREDTHS else 10 if currency.upper() in THREE_DECIMALS else 1
    if amount % rough:
        raise RefusedError(f"Invalid amount: {currency} has to be a multiple of {rough}.", code="amount_invalid")
    if not 0 < amount <= LARGEST:
        raise RefusedError("Amount must be no more than 999,999.99.", code="amount_too_large")


def metadata_of(params: Params) -> dict[str, str]:
    """What the caller keeps with an object.

    Raises:
        RefusedError: it is more than there is room for.
    """
    told = params.get("metadata") or {}
    if len(told) > METADATA_MAX or any(len(name) > 40 or len(text) > 500 for name, text in told.items()):  # noqa: PLR2004
        raise RefusedError("Metadata has up to 50 keys of 40 characters, with values of 500.", param="metadata")
    return dict(told)


def _intent_of(world: World, session: Thing) -> Thing:
    if session["payment_intent"] is not None:
        return world.things[session["payment_intent"]]
    intent = world.make(
        "pi",
        "payment_intent",
        amount=session["amount_total"],
        amount_received=0,
        currency=session["currency"],
        last_payment_error=None,
        latest_charge=None,
        livemode=False,
        metadata=session["_of_payment"],
        status="requires_confirmation",
    )
    session["payment_intent"] = intent["id"]
    return intent


def _is_under_way(world: World, session: Thing) -> bool:
    intent = world.things.get(session["payment_intent"] or "")
    return intent is not None and intent["status"] == "processing"
