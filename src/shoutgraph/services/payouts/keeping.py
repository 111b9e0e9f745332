"""What keeps payouts back, looked up for several at once: shared by sending, by reading and by letting go."""

from collections.abc import Sequence

from shoutgraph.domain import payout_holds as rules
from shoutgraph.domain.payout_holds import Hold
from shoutgraph.domain.payouts import Payout, Seen
from shoutgraph.domain.recipients import RecipientState
from shoutgraph.services.payouts import apply
from shoutgraph.storage import payout_holds as rows, policies, recipients
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


def holds_of(tx: Tx, payouts: Sequence[Payout]) -> list[tuple[Hold, ...]]:
    """Why each payout waits now."""
    facts = rows.facts_of(tx, sorted({payout.creator_id for payout in payouts}))
    to = recipients.list_of(tx, sorted({payout.recipient_id for payout in payouts}))
    ready = {each.id for each in to if each is not None and each.state is RecipientState.READY}
    policy = policies.current(tx)
    return [
        rules.holds(
            facts[payout.creator_id],
            payout_id=payout.id,
            recipient_id=payout.recipient_id,
            ready=payout.recipient_id in ready,
            now=tx.now,
            policy=policy,
        )
        for payout in payouts
    ]


def holds_of_creators(tx: Tx, creator_ids: Sequence[str]) -> list[tuple[Hold, ...]]:
    """Why any payout of each creator would wait now."""
    facts, policy = rows.facts_of(tx, creator_ids), policies.current(tx)
    return [
        rules.holds(facts[each], payout_id=None, recipient_id=None, ready=True, now=tx.now, policy=policy)
        if each in facts
        else ()
        for each in creator_ids
    ]


def keep_back(tools: Tools, tx: Tx, approved: Sequence[Payout]) -> list[Payout]:
    """Those that nothing keeps back; the others are held, and say what for."""
    going = []
    for payout, found in zip(approved, holds_of(tx, approved) if approved else [], strict=True):
        if not found:
            going.append(payout)
            continue
        first = found[0]
        note, code = first.reason or first.remedy.words, rules.CODES[first.rule]
        held = rules.hold_by_rule(payout, rule=first.rule, code=code, note=note, now=tx.now)
        apply.keep(tools, tx, payout, Seen(held))
    return going
