"""What a provider tells of a payout by webhook."""

from shoutgraph import sdk
from shoutgraph.plugins import agreement, payouts as plugin_payouts
from shoutgraph.services.payouts import evidence
from shoutgraph.storage import payouts
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


def notified(tools: Tools, tx: Tx, instance: str, notice: sdk.Notice) -> bool:
    """Applies a proven notice in the unit of work that claims it; a hint only asks for a look.

    What it tells counts whether or not we think that the payout is there: the provider knows better. Gives False if no
    payout of this instance is meant, or a hint is about one that was never sent.
    """
    payout = payouts.find_by_key(tx, instance=instance, key=notice.target.operation_id)
    if payout is None:
        return False
    if notice.observation is None:
        if payout.batch_id is None:
            return False
        payouts.look_soon(tx, payout.id)
        return True
    outcome = plugin_payouts.as_item_outcome(notice.observation)
    if outcome is None:
        return False
    asked = sdk.Money(payout.amount_minor, payout.currency)
    at = min(notice.occurred_at or tx.now, tx.now)
    evidence.observed(tools, tx, payout, agreement.payout(outcome, asked), at=at)
    return True
