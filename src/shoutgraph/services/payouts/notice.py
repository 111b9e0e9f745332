"""What a provider tells of a payout by webhook."""

from shoutgraph import sdk
from shoutgraph.domain import payouts as rules
from shoutgraph.plugins import agreement, payouts as plugin_payouts
from shoutgraph.services.payouts import apply, sights
from shoutgraph.services.payouts.send import look_again
from shoutgraph.storage import payouts
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


def notified(tools: Tools, tx: Tx, instance: str, notice: sdk.Notice) -> bool:
    """Applies a proven notice in the unit of work that claims it; a hint only asks for a look.

    Gives False if no payout of this instance is meant.
    """
    payout = payouts.find_by_key(tx, instance=instance, key=notice.target.operation_id)
    if payout is None or payout.batch_id is None:
        return False
    if notice.observation is None:
        payouts.look_soon(tx, payout.id)
        return True
    outcome = plugin_payouts.as_item_outcome(notice.observation)
    if outcome is None:
        return False
    asked = sdk.Money(payout.amount_minor, payout.currency)
    at = min(notice.occurred_at or tx.now, tx.now)
    sighting = sights.sighting_of(agreement.payout(outcome, asked), at=at)
    seen = rules.observe(payout, sighting, absence_proves=False, first_answer=False)
    after = apply.keep(tools, tx, payout, seen)
    if after.state is not payout.state:
        window = tools.providers.payouts[instance].caps.return_window
        look_again(tx, after, payouts.get_batch(tx, payout.batch_id), looks=0, return_window=window)
    return True
