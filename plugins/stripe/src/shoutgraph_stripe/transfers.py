"""What a transfer is in the words of the SDK."""

from datetime import datetime
from typing import Final

from shoutgraph.sdk import ItemOutcome, Paid, Returned, Target
from shoutgraph_stripe import words
from shoutgraph_stripe.shapes import TransferShape
from shoutgraph_stripe.wire import moment, money

REVERSED: Final = "reversed"


def outcome_of(transfer: TransferShape) -> ItemOutcome:
    """A transfer is done when it is there; what was reversed of it came back.

    Where only a part came back, that part is shown: it is not the amount that was sent, so a person looks.
    """
    if transfer.amount_reversed > 0:
        back = money(transfer.amount_reversed, transfer.currency)
        return Returned(transfer.id, back, REVERSED, _reversed_at(transfer))
    return Paid(transfer.id, money(transfer.amount, transfer.currency), moment(transfer.created))


def target_of(transfer: TransferShape) -> Target:
    """Which of our payouts a transfer is."""
    item_id = transfer.metadata.get(words.OPERATION, transfer.id)
    amount = money(transfer.amount, transfer.currency)
    return Target(item_id, transfer.metadata.get(words.KEY, item_id), transfer.id, amount)


def is_of(transfer: TransferShape, instance: str) -> bool:
    """Whether this instance made it."""
    return transfer.metadata.get(words.INSTANCE) == instance


def _reversed_at(transfer: TransferShape) -> datetime:
    made = transfer.reversals.data if transfer.reversals is not None else []
    return moment(max((each.created for each in made), default=transfer.created))
