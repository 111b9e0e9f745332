"""Orders, from the page to what is given back and fought about."""

from datetime import timedelta
from typing import Final

from shoutgraph.sdk import Money
from shoutgraph_paypal.simulator import state
from shoutgraph_paypal.simulator.state import RefusedError, Thing, World

LIFE: Final = timedelta(hours=3)
"""How long an order waits for its fan, and then for us."""

OPEN: Final = frozenset({"CREATED", "PAYER_ACTION_REQUIRED"})
PATCHED: Final = "/purchase_units/@reference_id=='default'/custom_id"


def create(world: World, asked: Thing) -> Thing:
    """Makes an order.

    Raises:
        RefusedError: it is not asked for as PayPal wants it.
    """
    units = asked.get("purchase_units")
    if asked.get("intent") != "CAPTURE" or not isinstance(units, list) or len(units) != 1:
        raise RefusedError("INVALID_PARAMETER_VALUE", 400, "INVALID_REQUEST")
    (unit,) = units
    state.money_of(unit.get("amount"))
    if len(str(unit.get("custom_id", ""))) > state.CUSTOM_CHARS_MAX:
        raise RefusedError("INVALID_STRING_MAX_LENGTH", 400, "INVALID_REQUEST")
    if asked.get("processing_instruction") is not None:
        raise RefusedError("UNSUPPORTED_PROCESSING_INSTRUCTION")  # PayPal's own wallet knows none
    experience = asked["payment_source"]["paypal"]["experience_context"]
    order: Thing = {
        "id": state.new_id(),
        "intent": "CAPTURE",
        "status": "PAYER_ACTION_REQUIRED",
        "create_time": world.now(),
        "purchase_units": [dict(unit)],
        "_back": experience["return_url"],
        "_born": world.clock(),
    }
    page = f"{world.base_url}/checkoutnow?token={order['id']}"
    order["links"] = [
        {"href": f"{world.base_url}/v2/checkout/orders/{order['id']}", "rel": "self", "method": "GET"},
        {"href": page, "rel": "payer-action", "method": "GET"},
    ]
    world.orders[order["id"]] = order
    return order


def get(world: World, order_id: str) -> Thing:
    """An order, unless it was left alone for too long.

    Raises:
        RefusedError: there is none.
    """
    order = world.orders.get(order_id)
    if order is None or (order["status"] in {*OPEN, "APPROVED"} and world.clock() >= order["_born"] + LIFE):
        raise state.missing()
    return order


def patch(world: World, order: Thing, asked: object) -> None:
    """Changes what we say in it.

    Raises:
        RefusedError: it is completed, or something else is to be changed.
    """
    if order["status"] not in {*OPEN, "APPROVED"}:
        raise RefusedError("ORDER_ALREADY_COMPLETED")
    match asked:
        case [{"op": "replace", "path": path, "value": str(value)}] if path == PATCHED:
            order["purchase_units"][0]["custom_id"] = value
            order["update_time"] = world.now()
        case _:
            raise RefusedError("NOT_PATCHABLE")


def approve(world: World, order: Thing) -> None:
    """The fan agrees on PayPal's page."""
    if order["status"] not in OPEN:
        return
    order.update(status="APPROVED", update_time=world.now())
    world.tell("CHECKOUT.ORDER.APPROVED", "checkout-order", order)


def complete(world: World, order: Thing, *, status: str = "COMPLETED", money: Money | None = None) -> Thing:
    """Takes the money, or another amount of it.

    Raises:
        RefusedError: nobody approved it, it is completed, or the fan's way to pay was refused.
    """
    if order["status"] == "COMPLETED":
        raise RefusedError("ORDER_ALREADY_CAPTURED")
    if order["status"] != "APPROVED":
        raise RefusedError("ORDER_NOT_APPROVED")
    if world.decline_next:
        world.decline_next = False
        raise RefusedError("INSTRUMENT_DECLINED")
    unit = order["purchase_units"][0]
    taken = money or state.money_of(unit["amount"])
    capture: Thing = {
        "id": state.new_id(),
        "status": status,
        "amount": state.amount(taken),
        "custom_id": unit.get("custom_id"),
        "invoice_id": unit.get("invoice_id"),
        "create_time": world.now(),
        "final_capture": True,
        "seller_receivable_breakdown": {"paypal_fee": state.amount(_fee(taken))},
        "supplementary_data": {"related_ids": {"order_id": order["id"]}},
    }
    unit["payments"] = {"captures": [capture], "refunds": []}
    order.update(status="COMPLETED", update_time=world.now())
    _tell_of(world, capture)
    return order


def decide(world: World, order: Thing, status: str) -> None:
    """What became of money that took a while."""
    capture = capture_of(order)
    capture["status"] = status
    _tell_of(world, capture)


def void(world: World, order: Thing) -> None:
    """PayPal gives up waiting."""
    order.update(status="VOIDED", update_time=world.now())
    resource = {"order_id": order["id"], "purchase_units": order["purchase_units"]}
    world.tell("CHECKOUT.PAYMENT-APPROVAL.REVERSED", "checkout-order", resource)


def find_capture(world: World, capture_id: str) -> tuple[Thing, Thing]:
    """A capture and its order.

    Raises:
        RefusedError: there is none.
    """
    for order in world.orders.values():
        for capture in order["purchase_units"][0].get("payments", {}).get("captures", []):
            if capture["id"] == capture_id:
                return capture, order
    raise state.missing()


def capture_of(order: Thing) -> Thing:
    """What was taken for an order.

    Raises:
        RefusedError: nothing was.
    """
    captures: list[Thing] = order["purchase_units"][0].get("payments", {}).get("captures", [])
    if not captures:
        raise state.missing()
    return captures[0]


def refund(world: World, capture: Thing, order: Thing, asked: Thing) -> Thing:
    """Gives some of it back, or all that is left.

    Raises:
        RefusedError: it is more than is left.
    """
    paid = state.money_of(capture["amount"])
    refunds: list[Thing] = order["purchase_units"][0]["payments"]["refunds"]
    left = paid.minor - sum(state.money_of(each["amount"]).minor for each in _live(order))
    back = state.money_of(asked["amount"]) if "amount" in asked else Money(left, paid.currency)
    if back.currency != paid.currency:
        raise RefusedError("REFUND_CAPTURE_CURRENCY_MISMATCH")
    if back.minor > left:
        raise RefusedError("REFUND_AMOUNT_EXCEEDED")
    held = capture["id"] in world.hold_refunds
    world.hold_refunds.discard(capture["id"])
    made: Thing = {
        "id": state.new_id(),
        "status": "PENDING" if held else "COMPLETED",
        "amount": state.amount(back),
        "custom_id": asked.get("custom_id", capture["custom_id"]),
        "create_time": world.now(),
        "links": [{"href": f"{world.base_url}/v2/payments/captures/{capture['id']}", "rel": "up", "method": "GET"}],
    }
    refunds.append(made)
    capture["status"] = "REFUNDED" if back.minor == left else "PARTIALLY_REFUNDED"
    world.tell("PAYMENT.REFUND.PENDING" if held else "PAYMENT.CAPTURE.REFUNDED", "refund", made)
    return made


def fail_refund(world: World, order: Thing) -> None:
    """The newest refund does not arrive, be it that it was done: it can be given back again.

    Raises:
        RefusedError: there is none that could fail.
    """
    capture = capture_of(order)
    live = _live(order)
    if not live:
        raise state.missing()
    *others, made = live
    made["status"] = "FAILED"
    capture["status"] = "PARTIALLY_REFUNDED" if others else "COMPLETED"
    world.tell("PAYMENT.REFUND.FAILED", "refund", made)


def dispute(world: World, order: Thing) -> Thing:
    """The fan wants all of it back."""
    capture = capture_of(order)
    opened: Thing = {
        "dispute_id": f"PP-R-{state.new_id(3)}-{state.new_id(8)}",
        "status": "UNDER_REVIEW",
        "dispute_amount": dict(capture["amount"]),
        "disputed_transactions": [{"seller_transaction_id": capture["id"]}],
        "create_time": world.now(),
    }
    world.disputes[opened["dispute_id"]] = opened
    world.tell("CUSTOMER.DISPUTE.CREATED", "dispute", opened)
    return opened


def end_dispute(world: World, order: Thing, code: str) -> None:
    """The last dispute of an order is decided."""
    (*_, last) = disputes_of(world, capture_of(order)["id"])
    last.update(status="RESOLVED", dispute_outcome={"outcome_code": code})
    world.tell("CUSTOMER.DISPUTE.RESOLVED", "dispute", last)


def disputes_of(world: World, capture_id: str) -> list[Thing]:
    """The disputes about a capture, oldest first."""
    told = [{"seller_transaction_id": capture_id}]
    return [each for each in world.disputes.values() if each["disputed_transactions"] == told]


def _live(order: Thing) -> list[Thing]:
    """The refunds that are done or under way, oldest first."""
    refunds: list[Thing] = order["purchase_units"][0]["payments"]["refunds"]
    return [each for each in refunds if each["status"] in {"COMPLETED", "PENDING"}]


def _fee(money: Money) -> Money:
    units = max(1, money.minor * 3 // 100)
    return Money(units - units % 100 if money.currency in {"HUF", "TWD"} else units, money.currency)


def _tell_of(world: World, capture: Thing) -> None:
    world.tell(f"PAYMENT.CAPTURE.{capture['status']}", "capture", capture)
