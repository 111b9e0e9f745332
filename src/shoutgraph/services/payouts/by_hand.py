"""What two people found to have become of a payout, booked as its provider's news would be."""

from shoutgraph.domain import payouts as rules, resolutions
from shoutgraph.domain.payouts import PaySeen, Sighting
from shoutgraph.domain.resolutions import Verdict
from shoutgraph.services.payouts import apply
from shoutgraph.storage import payouts
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


def follow_payout(tools: Tools, tx: Tx, payout_id: str, verdict: Verdict) -> None:
    """Ends the coins of a payout that was paid, or gives the earnings back."""
    before, now = payouts.get(tx, payout_id), tx.now
    if verdict is Verdict.PAID:
        seen = Sighting(PaySeen.PAID, now, amount_minor=before.amount_minor, currency=before.currency)
    else:
        seen = Sighting(PaySeen.NOT_EXECUTED, now, code=resolutions.BY_EVIDENCE)
    # Two people found it out: that is as good as the answer to the only attempt.
    result = rules.observe(before, seen, absence_proves=False, first_answer=True)
    apply.keep(tools, tx, before, result)
