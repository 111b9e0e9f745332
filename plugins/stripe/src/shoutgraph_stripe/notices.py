"""Reads Stripe's webhooks.

What a webhook shows of a payment page or a transfer counts as it is. Refunds and disputes are told of one by one, and
not as totals: of these a webhook is only a hint, and the host looks. Two events about one change do no harm, and
neither does any order, because what counts are totals.
"""

from typing import Final, TypeVar

from pydantic import ValidationError

from shoutgraph.sdk import (
    Delivery,
    MalformedNotice,
    Notice,
    NoticeKind,
    Observation,
    RawWebhook,
    Target,
    timestamped_proof,
)
from shoutgraph_stripe import payments, transfers, words
from shoutgraph_stripe.config import StripeConfig
from shoutgraph_stripe.shapes import EventShape, SessionShape, Shape, TransferShape
from shoutgraph_stripe.wire import moment

HEADER: Final = "stripe-signature"

_SESSION: Final = "checkout.session."
_FAILED: Final = "checkout.session.async_payment_failed"
_REVERSALS: Final = ("charge.dispute.", "refund.", "charge.refund.")
_PAYMENTS: Final = ("charge.", "payment_intent.")
_ACCOUNTS: Final = ("account.", "capability.", "payout.failed")

ShapeT = TypeVar("ShapeT", bound=Shape)


def of_topups(raw: RawWebhook, config: StripeConfig, instance: str) -> Delivery:
    """Proves and reads a webhook to an instance that takes money.

    Raises:
        BadSignature: it is not proven.
        MalformedNotice: it is proven and cannot be read.
    """
    proof = timestamped_proof(raw, config.webhook_secrets, header=HEADER)
    event = _event(raw)
    notice = None
    if event.livemode == config.is_live and event.account is None:
        notice = _of_payment(event, instance)
    return Delivery(proof, (notice or _ignored(event),))


def of_payouts(raw: RawWebhook, config: StripeConfig, instance: str) -> Delivery:
    """Proves and reads a webhook to an instance that sends money.

    Raises:
        BadSignature: it is not proven.
        MalformedNotice: it is proven and cannot be read.
    """
    proof = timestamped_proof(raw, config.webhook_secrets, header=HEADER)
    event = _event(raw)
    notice = None
    if event.livemode == config.is_live:
        # What a connected account sends carries metadata of its own making, which may repeat ours.
        notice = _of_transfer(event, instance) if event.account is None else _of_account(event)
    return Delivery(proof, (notice or _ignored(event),))


def _event(raw: RawWebhook) -> EventShape:
    try:
        return EventShape.model_validate_json(raw.body)
    except ValidationError:
        raise MalformedNotice("not an event of Stripe") from None


def _read(event: EventShape, shape: type[ShapeT]) -> ShapeT:
    try:
        return shape.model_validate(event.data.object)
    except ValidationError:
        raise MalformedNotice(f"an event of the type {event.type} that cannot be read") from None


def _of_payment(event: EventShape, instance: str) -> Notice | None:
    if event.type.startswith(_SESSION):
        return _of_session(event, instance)
    payment = event.data.object.get("payment_intent")
    if event.type.startswith(_REVERSALS) and isinstance(payment, str):
        # They carry nothing of ours but the payment's id: whoever looks by it finds the session, and whose it is.
        return _hint(event, NoticeKind.TOPUP, Target(payment, payment, payment))
    if event.type.startswith(_PAYMENTS):
        carried = _carried(event)
        operation_id = carried.get(words.OPERATION)
        if operation_id is not None and carried.get(words.INSTANCE) == instance:
            target = Target(operation_id, carried.get(words.KEY, operation_id))
            return _hint(event, NoticeKind.TOPUP, target)
    return None


def _of_session(event: EventShape, instance: str) -> Notice | None:
    if _carried(event).get(words.INSTANCE) != instance:
        return None
    session = _read(event, SessionShape)
    try:
        seen: Observation = payments.told_of(session, moment(event.created), failed=event.type == _FAILED)
    except ValueError:
        raise MalformedNotice(f"an event of the type {event.type} whose amount is none") from None
    return Notice(event.id, payments.target_of(session), NoticeKind.TOPUP, seen, moment(event.created))


def _of_transfer(event: EventShape, instance: str) -> Notice | None:
    if not event.type.startswith("transfer.") or _carried(event).get(words.INSTANCE) != instance:
        return None
    transfer = _read(event, TransferShape)
    try:
        seen = transfers.outcome_of(transfer)
    except ValueError:
        raise MalformedNotice(f"an event of the type {event.type} whose amount is none") from None
    return Notice(event.id, transfers.target_of(transfer), NoticeKind.PAYOUT, seen, moment(event.created))


def _of_account(event: EventShape) -> Notice | None:
    if event.account is None or not event.type.startswith(_ACCOUNTS):
        return None
    return _hint(event, NoticeKind.RECIPIENT, Target(event.account, event.account, event.account))


def _carried(event: EventShape) -> dict[str, str]:
    metadata = event.data.object.get("metadata")
    if not isinstance(metadata, dict):
        return {}
    return {name: value for name, value in metadata.items() if isinstance(name, str) and isinstance(value, str)}


def _hint(event: EventShape, kind: NoticeKind, target: Target) -> Notice:
    return Notice(event.id, target, kind, occurred_at=moment(event.created))


def _ignored(event: EventShape) -> Notice:
    return Notice(event.id, Target(event.id, event.id), NoticeKind.IGNORED)
