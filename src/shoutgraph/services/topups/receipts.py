"""Presenting a store's receipt, and forgetting it once it is known what became of it."""

from datetime import timedelta
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain.topups.topup import MISMATCHES, Submission, Topup
from shoutgraph.plugins import agreement
from shoutgraph.services.topups.submit import TIMEOUT, call_of
from shoutgraph.storage import receipts
from shoutgraph.storage.receipts import Receipt
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

WINDOW: Final = timedelta(days=30)
"""How long a receipt whose answer was lost is presented again: a store tells the same of it however often."""


async def present(tools: Tools, topup: Topup, receipt: Receipt) -> sdk.TopUpOutcome:
    """Presents a receipt to its store; money of another amount than the package's price is `Unknown`.

    There is no risk review: the money was paid in the store before we were asked.
    """
    way = tools.providers.topups.get(topup.instance)
    if way is None:
        return sdk.NotExecuted(sdk.UNAVAILABLE)
    if tools.clock() + TIMEOUT > topup.answer_due_at:
        return sdk.NotExecuted(sdk.UNAVAILABLE)  # this process stood still: others may have gone on by now
    asked = sdk.Money(topup.terms.price_minor, topup.terms.currency)
    request = sdk.Redemption(call_of(topup), receipt.proof, topup.user_id, receipt.product)
    outcome = await way.redeem(request)
    if isinstance(outcome, sdk.Declined):
        # Without its ref: whoever presents a receipt that is not theirs would else take the purchase from its buyer.
        return sdk.Declined(None, outcome.code, retryable=outcome.retryable)
    return agreement.topup(outcome, asked)


def forget_if_answered(tx: Tx, topup: Topup) -> None:
    """Deletes the receipt of a top-up, unless its answer may still be asked for with it."""
    waits = topup.submission in {Submission.SUBMITTING, Submission.UNKNOWN} and topup.ref is None
    if not waits or topup.review in MISMATCHES:
        receipts.forget(tx, topup.id)
