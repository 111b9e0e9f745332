"""What the journal is told of gifts: a line of the creator's, so that one feed has all that they got."""

from typing import Final

from shoutgraph.domain import ids, journal
from shoutgraph.domain.gifts import Gift
from shoutgraph.storage import journal as journal_rows, ledger as ledger_rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

SENT: Final = "gift.sent"
THANKED: Final = "gift.thanked"
HIDDEN: Final = "gift.hidden"
RESTORED: Final = "gift.restored"


def tell(tools: Tools, tx: Tx, gift: Gift, kind: str) -> None:
    """Tells of a gift. Whoever does holds the creator. Messages and names stay out of the journal."""
    body: journal.Body = {
        "gift": gift.id,
        "user": gift.user_id,
        "creator": gift.creator_id,
        "sticker": gift.sticker_id,
        "quantity": gift.quantity,
        "coins": gift.coins,
    }
    number = ledger_rows.number_of(tx, "gift", gift.id) if kind == SENT else None
    event = journal.NewEvent(tools.new_id(ids.EVENT), gift.creator_id, kind, body, number)
    journal_rows.append(tx, event)
