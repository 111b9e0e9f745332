"""What the booking of one top-up needs, and the events it tells."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shoutgraph.domain import ids, journal, wallets as wallet_values
from shoutgraph.domain.postings import Books
from shoutgraph.storage import journal as journal_rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


class ReverseOrders(Protocol):
    """Ends open orders whose coins were charged back."""

    def __call__(
        self, tools: Tools, tx: Tx, order_ids: Sequence[ids.OrderId], /, *, topup_id: ids.TopupId, dispute_id: str
    ) -> int:
        """Gives the coins that went from their escrow to the dispute; it may be more than was asked for."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """One unit of work on the money of top-ups."""

    tools: Tools
    tx: Tx
    books: Books
    reverse_orders: ReverseOrders

    def tell_wallet(
        self, user_id: ids.UserId, kind: str, body: journal.Body, *, transfer_id: int | None = None
    ) -> None:
        """Writes a line of the wallet's story."""
        event = journal.NewEvent(
            id=self.tools.new_id(ids.EVENT),
            topic=wallet_values.id_of(user_id),
            type=kind,
            body={"user": user_id, **body},
            transfer_id=transfer_id,
        )
        journal_rows.append(self.tx, event)
