"""Coins of a purchase that lapsed are the buyer's again as its money goes back: what was income is none then."""

from typing import Final

from shoutgraph.domain.topups.topup import Topup
from shoutgraph.services.topups.desk import Desk
from shoutgraph.services.topups.set_aside import all_own_lots
from shoutgraph.storage import lapsing

UNDONE: Final = "wallet.lapse_undone"


def bring_back(desk: Desk, topup: Topup) -> None:
    """Makes new lots of what lapsed of a purchase, for whatever takes it back to find. Whoever does holds the wallet.

    What was handed over to the state stays there: its owner claims it from the state, and owes it here.
    """
    lot_ids = [lot.id for lot in all_own_lots(desk.tx, topup)]
    found = lapsing.list_returnable(desk.tx, desk.books, lot_ids)
    if found:
        coins = lapsing.give_back(desk.tx, desk.tools.new_id, desk.books, found)
        desk.tell_wallet(topup.user_id, UNDONE, {"topup": topup.id, "coins": coins})
