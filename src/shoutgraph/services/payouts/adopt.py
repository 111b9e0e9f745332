"""Payouts that a provider has although our books do not know of having sent them: a restore forgot that.

They are taken for sent, so that they are not sent again, and what the provider says decides what became of them.
"""

from datetime import datetime
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import ids, payout_looks
from shoutgraph.domain.batches import Batch
from shoutgraph.domain.payouts import Payout, Seen
from shoutgraph.services.payouts import apply, notice
from shoutgraph.storage import batches as batch_rows, payouts, restoring, strays
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

ADOPTED: Final = "taken for"
"""How the note of a stray begins that turned out to be a payout which was asked for again."""
LISTED: Final = "listed"
"""The name of a notice that we made ourselves of what a provider lists."""


def adopt(tools: Tools, tx: Tx, payout: Payout, *, key: str, sent_at: datetime) -> Payout:
    """Takes a payout for sent, in the batch that went out under this key; one that we know of having sent stays."""
    if not payout_looks.may_adopt(payout):
        return payout
    batch = restoring.find_batch(tx, instance=payout.instance, key=key)
    if batch is None:
        batch = Batch(tools.new_id(ids.BATCH), payout.instance, key, first_sent_at=sent_at, answer_due_at=sent_at)
        batch_rows.insert(tx, batch)
    after = payout_looks.adopted(payout, batch_id=batch.id, sent_at=sent_at, now=tx.now)
    kept = apply.keep(tools, tx, payout, Seen(after))
    payouts.look_soon(tx, kept.id)
    return kept


def adopt_stray(tools: Tools, tx: Tx, payout: Payout) -> bool:
    """Takes a payout for sent that was found at its provider when the books did not know it; says whether it was.

    Whoever asks again after a restore, with nothing between, asks under the same name.
    """
    stray = strays.find(tx, instance=payout.instance, operation_id=payout.key)
    if stray is None or stray.settled_at is not None:
        return False
    adopt(tools, tx, payout, key=stray.key, sent_at=stray.made_at)
    strays.settle(tx, instance=stray.instance, operation_id=stray.operation_id, note=f"{ADOPTED} {payout.id}")
    return True


def listed(tools: Tools, tx: Tx, instance: str, found: sdk.Listed) -> bool:
    """Applies what a provider lists, after taking it for sent; gives False if it is no payout of ours."""
    target = found.target
    payout = payouts.find_by_key(tx, instance=instance, key=target.operation_id)
    if payout is None:
        return False
    adopt(tools, tx, payout, key=target.idempotency_key, sent_at=found.created_at)
    return notice.notified(tools, tx, instance, sdk.Notice(LISTED, target, sdk.NoticeKind.PAYOUT, found.observation))
