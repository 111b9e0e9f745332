"""What two people found to have become of a top-up or a refund, booked as a provider's news would be."""

from shoutgraph.domain import resolutions as rules
from shoutgraph.domain.resolutions import Verdict
from shoutgraph.services.topups import apply, books, refund as refunding
from shoutgraph.services.topups.desk import ReverseOrders
from shoutgraph.storage import refunds, topups
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


def follow_topup(tools: Tools, tx: Tx, topup_id: str, verdict: Verdict, *, reverse_orders: ReverseOrders) -> None:
    """Credits a top-up that was paid, or ends one that was not; late money opens that again."""
    before = topups.get(tx, topup_id)
    settle = rules.paid if verdict is Verdict.PAID else rules.never_paid
    after = apply.keep(apply.open_desk(tools, tx, reverse_orders), before, settle(before, now=tx.now))
    apply.look_again(tx, after, looks=0)


def follow_refund(tools: Tools, tx: Tx, refund_id: str, verdict: Verdict, *, reverse_orders: ReverseOrders) -> None:
    """Ends the coins of a refund whose money went back, or gives them back."""
    desk, refund = apply.open_desk(tools, tx, reverse_orders), refunds.get(tx, refund_id)
    topup = topups.get(tx, refund.topup_id)
    if verdict is Verdict.PAID:
        apply.keep(desk, topup, books.succeed(desk, topup, refund))
    else:
        refunding.fail(desk, topup, refund, code=rules.BY_EVIDENCE)
    refunds.schedule(tx, refund.id, look_at=None, looks=0)
