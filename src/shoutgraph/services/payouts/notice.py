"""What a provider tells of a payout by webhook, or a bank by a statement."""

from collections.abc import Collection
from datetime import datetime

from shoutgraph import sdk
from shoutgraph.domain.payouts import IN_FLIGHT, Payout
from shoutgraph.plugins import agreement, payouts as plugin_payouts
from shoutgraph.services.payouts import evidence, export
from shoutgraph.storage import batches, payouts, rails
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


def notified(tools: Tools, tx: Tx, instance: str, notice: sdk.Notice, *, named: Collection[str] = frozenset()) -> bool:
    """Applies a proven notice in the unit of work that claims it; a hint only asks for a look.

    What it tells counts whether or not we think that the payout is there: the provider knows better. Gives False if no
    payout or batch of this instance is meant, or a hint is about one that was never sent.

    Args:
        named: the names of payouts that the same delivery speaks of by themselves.
    """
    payout = _find(tx, instance, notice.target)
    if payout is None:
        return _notified_of_batch(tools, tx, instance, notice, named)
    if notice.observation is None:
        if payout.batch_id is None:
            return False
        payouts.look_soon(tx, payout.id)
        return True
    outcome = plugin_payouts.as_item_outcome(notice.observation)
    if outcome is None:
        return False
    asked = sdk.Money(payout.amount_minor, payout.currency)
    after = evidence.observed(tools, tx, payout, agreement.payout(outcome, asked), at=_at(tx, notice))
    export.answered(tx, after)
    return True


def _notified_of_batch(tools: Tools, tx: Tx, instance: str, notice: sdk.Notice, named: Collection[str]) -> bool:
    """Applies what is said of a whole batch to those of its payouts that are in flight and were never named.

    Nobody is paid by it: who was paid is named one by one. And nothing is taken back from who was named before: a file
    that is handed over twice is refused as a whole, while what stands in it goes its way.
    """
    batch = batches.find_by_key(tx, instance=instance, key=notice.target.operation_id)
    outcome = plugin_payouts.as_item_outcome(notice.observation)
    if batch is None or not isinstance(outcome, sdk.Pending | sdk.Rejected | sdk.Unknown):
        return False
    for payout in payouts.list_of_batch(tx, batch.id):
        if payout.state in IN_FLIGHT and payout.ref is None and payout.key not in named:
            after = evidence.observed(tools, tx, payout, outcome, at=_at(tx, notice))
            export.answered(tx, after)
    return True


def _at(tx: Tx, notice: sdk.Notice) -> datetime:
    return min(notice.occurred_at or tx.now, tx.now)


def _find(tx: Tx, instance: str, target: sdk.Target) -> Payout | None:
    """The payout that is meant: by our name, or by the provider's where its rail has no room for ours."""
    payout = payouts.find_by_key(tx, instance=instance, key=target.operation_id)
    if payout is None and target.ref is not None:
        payout = rails.find_by_ref(tx, instance=instance, ref=target.ref)
    return payout
