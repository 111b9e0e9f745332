"""What one payout of a batch shows, in the host's words."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.sdk import ItemOutcome, Paid, Pending, Rejected, Returned, Target, Unknown
from shoutgraph_paypal import wire
from shoutgraph_paypal.shapes import ItemShape

POLL_AFTER: Final = timedelta(minutes=10)
CLAIM_POLL_AFTER: Final = timedelta(hours=12)
CLAIM: Final = timedelta(days=30)
"""How long somebody without an account can claim what was sent to their address; then it comes back."""

SEPARATOR: Final = "/"

_UNDER_WAY: Final = frozenset({"NEW", "PENDING", "ONHOLD", "HELD"})
_REFUSED: Final = frozenset({"FAILED", "BLOCKED", "DENIED", "CANCELED", "CANCELLED"})
_BACK: Final[Mapping[str, str]] = {
    "RETURNED": "returned",
    "REFUNDED": "refunded",
    "REVERSED": "reversed",
}


def ref_of(batch_id: str, item_id: str) -> str:
    """Our ref of a payout: PayPal's id of its batch, and ours of the item.

    PayPal's own ids of items are not there yet when a batch is accepted.
    """
    return f"{batch_id}{SEPARATOR}{item_id}"


def batch_of(ref: str, item_id: str) -> str | None:
    """PayPal's id of the batch, or None where the ref is not of this item."""
    batch_id, separator, name = ref.partition(SEPARATOR)
    return batch_id if separator and batch_id and name == item_id else None


def target_of(item: ItemShape) -> Target | None:
    """Which of ours it is, or None where it is none."""
    item_id = item.payout_item.sender_item_id
    if not item_id:
        return None
    return Target(item_id, item.sender_batch_id or item_id, ref_of(item.payout_batch_id, item_id))


def outcome_of(item: ItemShape, now: datetime | None) -> ItemOutcome:
    """What an item shows. Times that PayPal leaves out are `now`."""
    ref = ref_of(item.payout_batch_id, item.payout_item.sender_item_id or "")
    status = item.transaction_status or "NEW"
    at = item.time_processed or now
    if status in _UNDER_WAY:
        return Pending(ref, POLL_AFTER)
    if status in _REFUSED:
        return Rejected(ref, ((item.errors.name if item.errors else None) or status).lower()[: wire.CODE_CHARS_MAX])
    if status == "UNCLAIMED":
        return Pending(ref, CLAIM_POLL_AFTER, None if at is None else at + CLAIM)
    if at is None or status not in {"SUCCESS", *_BACK}:
        return Unknown(wire.UNREADABLE, ref=ref)
    try:
        amount = item.payout_item.amount.money()
        fee = item.payout_item_fee.money() if item.payout_item_fee else None
    except ValueError:
        return Unknown(wire.UNREADABLE, ref=ref)
    return Paid(ref, amount, at, fee) if status == "SUCCESS" else Returned(ref, amount, _BACK[status], at)
