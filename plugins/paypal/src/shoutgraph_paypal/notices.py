"""What PayPal's webhooks tell: of orders and disputes that something happened, of payouts what."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import ValidationError

from shoutgraph.sdk import Delivery, MalformedNotice, Notice, NoticeKind, RawWebhook, Target
from shoutgraph_paypal import items, words
from shoutgraph_paypal.shapes import EventShape, ItemShape
from shoutgraph_paypal.signatures import Verifier
from shoutgraph_paypal.words import Ours

NOTICE_CHARS_MAX: Final = 200

_ORDERS: Final = ("CHECKOUT.ORDER.", "CHECKOUT.PAYMENT-APPROVAL.")
_CAPTURES: Final = ("PAYMENT.CAPTURE.", "PAYMENT.REFUND.")
_DISPUTES: Final = "CUSTOMER.DISPUTE."
_ITEMS: Final = "PAYMENT.PAYOUTS-ITEM."
_BATCHES: Final = "PAYMENT.PAYOUTSBATCH."
_CAPTURE_HREF: Final = re.compile(r".*/v2/payments/captures/([A-Z0-9]{1,36})", re.ASCII)

Thing = Mapping[str, Any]
"""An object of PayPal's, as its JSON."""


def of_topups(raw: RawWebhook, verifier: Verifier, instance: str) -> Delivery:
    """Proves and reads a webhook about an order, a capture, a refund or a dispute: each is a hint to look.

    None of them says all that is known of a payment, and an order that was approved waits for our look.

    Raises:
        BadSignature: it is not proven.
        MalformedNotice: it is proven and cannot be read.
    """
    return _delivery(raw, verifier, lambda event: _of_topups(event, instance))


def of_payouts(raw: RawWebhook, verifier: Verifier) -> Delivery:
    """Proves and reads a webhook about a payout, which tells what it is now, or about a batch, which tells nothing.

    Raises:
        BadSignature: it is not proven.
        MalformedNotice: it is proven and cannot be read.
    """
    return _delivery(raw, verifier, _of_payouts)


def _delivery(raw: RawWebhook, verifier: Verifier, read: Callable[[EventShape], Notice]) -> Delivery:
    proof = verifier.prove(raw)
    try:
        event = EventShape.model_validate_json(raw.body)
        if not 0 < len(event.id) <= NOTICE_CHARS_MAX:
            raise MalformedNotice("an event has an id")
        return Delivery(proof, (read(event),))
    except (ValueError, ValidationError, RecursionError) as error:
        raise MalformedNotice(f"not an event of PayPal's: {type(error).__name__}") from None


def _of_topups(event: EventShape, instance: str) -> Notice:
    kind, told = event.event_type, event.resource
    if kind.startswith(_ORDERS):
        target = _of_order(told, instance)
    elif kind.startswith(_CAPTURES):
        target = _of_captured(told, instance)
    elif kind.startswith(_DISPUTES):
        target = _of_dispute(told, instance)
    else:
        target = None
    return _ignored(event) if target is None else Notice(event.id, target, NoticeKind.TOPUP)


def _of_order(told: Thing, instance: str) -> Target | None:
    order_id = _text(told.get("id")) or _text(told.get("order_id"))
    unit = _first(told.get("purchase_units"))
    ours = words.ours_of(_text(unit.get("custom_id")))
    if ours is None or ours.instance != instance or not words.is_id(order_id):
        return None
    return _target(ours, words.ref_of(order_id, ours))


def _of_captured(told: Thing, instance: str) -> Target | None:
    """A capture or a refund of one, which both carry our words."""
    ours = words.ours_of(_text(told.get("custom_id")))
    if ours is not None:
        related = _dict(_dict(told.get("supplementary_data")).get("related_ids"))
        order_id = _text(related.get("order_id"))
        known = words.is_id(order_id) and ours.instance == instance
        if ours.instance != instance:
            return None
        return _target(ours, words.ref_of(order_id, ours) if known else None)
    for link in _list(told.get("links")):
        found = _CAPTURE_HREF.fullmatch(_text(_dict(link).get("href")))
        if found is not None:
            return _of_capture(found[1])
    return None


def _of_dispute(told: Thing, instance: str) -> Target | None:
    disputed = _first(told.get("disputed_transactions"))
    ours = words.ours_of(_text(disputed.get("custom")))
    if ours is not None:
        return _target(ours, None) if ours.instance == instance else None
    capture_id = _text(disputed.get("seller_transaction_id"))
    return _of_capture(capture_id) if words.is_id(capture_id) else None


def _target(ours: Ours, ref: str | None) -> Target:
    return Target(ours.operation_id, ours.operation_id, ref)


def _of_capture(capture_id: str) -> Target:
    """Another name of a payment: who asks for it learns which one."""
    name = f"{words.CAPTURE}{capture_id}"
    return Target(name, name, name)


def _of_payouts(event: EventShape) -> Notice:
    if event.event_type.startswith(_ITEMS):
        item = ItemShape.model_validate(event.resource, strict=False)
        target = items.target_of(item)
        if target is None:
            return _ignored(event)
        at = event.create_time or item.time_processed
        seen = items.outcome_of(item, at)
        return Notice(event.id, target, NoticeKind.PAYOUT, seen, at)
    if event.event_type.startswith(_BATCHES):
        header = _dict(event.resource.get("batch_header"))
        key = _text(_dict(header.get("sender_batch_header")).get("sender_batch_id"))
        if key:
            return Notice(event.id, Target(key, key), NoticeKind.PAYOUT)
    return _ignored(event)


def _ignored(event: EventShape) -> Notice:
    return Notice(event.id, Target(event.id, event.id), NoticeKind.IGNORED)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _dict(value: object) -> Thing:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _first(value: object) -> Thing:
    found = _list(value)
    return _dict(found[0]) if found else {}
