"""Payouts in batches."""

from typing import Final

from shoutgraph_paypal.simulator import state
from shoutgraph_paypal.simulator.state import RefusedError, Thing, World

ITEMS_MAX: Final = 15_000
ITEM_ID_CHARS_MAX: Final = 63
PAGE_MAX: Final = 1000

EVENTS: Final = {
    "SUCCESS": "SUCCEEDED",
    "FAILED": "FAILED",
    "UNCLAIMED": "UNCLAIMED",
    "RETURNED": "RETURNED",
    "ONHOLD": "HELD",
    "BLOCKED": "BLOCKED",
    "REFUNDED": "REFUNDED",
}


def create(world: World, asked: Thing) -> Thing:
    """Takes a batch, once for each name.

    Raises:
        RefusedError: there is one of this name, or it is not asked for as PayPal wants it.
    """
    name = asked["sender_batch_header"]["sender_batch_id"]
    for known in world.batches.values():
        if known["batch_header"]["sender_batch_header"]["sender_batch_id"] == name:
            href = f"{world.base_url}/v1/payments/payouts/{known['batch_header']['payout_batch_id']}"
            link = [{"href": href, "rel": "self", "method": "GET", "encType": "application/json"}]
            issue = "Batch with given sender_batch_id already exists"
            raise RefusedError(issue, 400, "USER_BUSINESS_ERROR", field="SENDER_BATCH_ID", location="body", link=link)
    wanted = asked["items"]
    if not 1 <= len(wanted) <= ITEMS_MAX:
        raise RefusedError("INVALID_ITEM_COUNT", 400, "VALIDATION_ERROR")
    for each in wanted:
        state.money_of(each["amount"], currency="currency")
        if len(each["sender_item_id"]) > ITEM_ID_CHARS_MAX or each["recipient_type"] not in {"EMAIL", "PAYPAL_ID"}:
            raise RefusedError("INVALID_ITEM", 400, "VALIDATION_ERROR")
    batch_id = state.new_id(state.BATCH_ID_CHARS)
    header = {"payout_batch_id": batch_id, "batch_status": "PENDING", "sender_batch_header": {"sender_batch_id": name}}
    items = [_item(batch_id, name, each) for each in wanted]
    world.batches[batch_id] = {"batch_header": header, "items": items, "_born": world.clock()}
    world.tell("PAYMENT.PAYOUTSBATCH.PROCESSING", "payouts", {"batch_header": header})
    return {"batch_header": header, "links": []}


def page(world: World, batch_id: str, number: int, size: int) -> Thing:
    """A batch with a page of its items.

    Raises:
        RefusedError: there is none.
    """
    batch = world.batches.get(batch_id)
    if batch is None:
        raise state.missing()
    items = batch["items"] if world.clock() >= batch["_born"] + world.items_after else []
    size = min(size, PAGE_MAX)
    links = []
    if len(items) > number * size:
        links.append({"href": f"{world.base_url}/v1/payments/payouts/{batch_id}?page={number + 1}", "rel": "next"})
    return {"batch_header": batch["batch_header"], "items": items[(number - 1) * size : number * size], "links": links}


def find(world: World, item_id: str) -> Thing:
    """A payout, by PayPal's id or ours.

    Raises:
        RefusedError: there is none.
    """
    for batch in world.batches.values():
        for item in batch["items"]:
            if item_id in {item["payout_item_id"], item["payout_item"]["sender_item_id"]}:
                found: Thing = item
                return found
    raise state.missing()


def turn(world: World, item: Thing, status: str, *, error: str | None = None) -> None:
    """What becomes of a payout."""
    item.update(transaction_status=status, time_processed=world.now())
    if error is not None:
        item["errors"] = {"name": error, "message": "In words.", "details": []}
    batch = world.batches[item["payout_batch_id"]]
    world.tell(f"PAYMENT.PAYOUTS-ITEM.{EVENTS[status]}", "payouts_item", item)
    if all(each["transaction_status"] != "PENDING" for each in batch["items"]):
        batch["batch_header"]["batch_status"] = "SUCCESS"


def deny(world: World, batch_id: str) -> None:
    """PayPal refuses a batch as a whole, after it took it in."""
    header = world.batches[batch_id]["batch_header"]
    header["batch_status"] = "DENIED"
    world.tell("PAYMENT.PAYOUTSBATCH.DENIED", "payouts", {"batch_header": header})


def cancel(world: World, item: Thing) -> Thing:
    """Takes back what nobody has claimed.

    Raises:
        RefusedError: somebody has.
    """
    if item["transaction_status"] != "UNCLAIMED":
        raise RefusedError("ITEM_NOT_CANCELLABLE", 400, "VALIDATION_ERROR")
    turn(world, item, "RETURNED")
    return item


def _item(batch_id: str, name: str, wanted: Thing) -> Thing:
    currency = wanted["amount"]["currency"]
    return {
        "payout_item_id": state.new_id(state.BATCH_ID_CHARS),
        "payout_batch_id": batch_id,
        "sender_batch_id": name,
        "transaction_status": "PENDING",
        "payout_item": dict(wanted),
        "payout_item_fee": {"currency": currency, "value": "0" if currency in {"HUF", "JPY", "TWD"} else "0.25"},
    }
