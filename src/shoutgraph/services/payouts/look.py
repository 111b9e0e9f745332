"""Looking at payouts again, on the schedule of their state: what was left open, and what may still come back."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import batches, payouts as rules
from shoutgraph.domain.batches import Batch
from shoutgraph.domain.payouts import PayoutState, Seen
from shoutgraph.plugins.payouts import FETCH_MAX, Payouts
from shoutgraph.services.payouts import apply, sights
from shoutgraph.services.payouts.send import ANSWER_DUE, TIMEOUT, hand_over, look_again
from shoutgraph.storage import payouts
from shoutgraph.storage.payouts import Claimed
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

LEASE: Final = timedelta(minutes=2)
"""Longer than a look takes at the very most."""

MISSING_PAUSE: Final = timedelta(hours=1)
"""The pause before the next look where the provider's plugin is not there."""

LOOK: Final = "look"


async def look_due(tools: Tools, *, limit: int) -> int:
    """Looks at what is due, many payouts of one provider at a time; gives how many."""
    claimed = await tools.store.write(lambda tx: _claim(tools, tx, limit))
    for instance, group in _by_instance(claimed).items():
        way = tools.providers.payouts.get(instance)
        if way is None:
            await _wait(tools, group)
            continue
        for start in range(0, len(group), FETCH_MAX):
            await _look(tools, way, group[start : start + FETCH_MAX])
    return len(claimed)


def _claim(tools: Tools, tx: Tx, limit: int) -> tuple[Claimed, ...]:
    found = []
    for claimed in payouts.claim_due(tx, lease=LEASE, limit=limit):
        before, batch = claimed.payout, claimed.batch
        lost = rules.lost_answer(before, answer_due_at=batch.answer_due_at, now=tx.now)
        after = rules.overdue_unknown(lost, sent_at=batch.first_sent_at, now=tx.now)
        kept = apply.keep(tools, tx, before, Seen(after))
        found.append(Claimed(kept, batch, 0 if kept.state is not before.state else claimed.looks))
    return tuple(found)


async def _look(tools: Tools, way: Payouts, group: Sequence[Claimed]) -> None:
    lookable = [each for each in group if each.payout.ref is not None or way.caps.lookup.by_key]
    targets = [_target(each) for each in lookable]
    call = sdk.Call(LOOK, LOOK, TIMEOUT)
    seen = await way.fetch(targets, call) if targets else {}
    await tools.store.write(lambda tx: _seen(tools, tx, way, group, seen))
    for batch in {each.batch.id: each.batch for each in group if each not in lookable}.values():
        await _resend(tools, way, batch)


def _seen(
    tools: Tools, tx: Tx, way: Payouts, group: Sequence[Claimed], seen: Mapping[str, sdk.ItemObservation]
) -> None:
    for claimed in group:
        before = payouts.get(tx, claimed.payout.id)
        outcome = seen.get(before.key, sdk.Unknown("no_lookup"))
        after_s = way.caps.lookup.absence_after
        proves = after_s is not None and tx.now >= claimed.batch.first_sent_at + after_s
        sighting = sights.sighting_of(outcome, at=tx.now)
        result = rules.observe(before, sighting, absence_proves=proves, first_answer=False)
        after = apply.keep(tools, tx, before, result)
        looks = 0 if after.state is not claimed.payout.state else claimed.looks + 1
        look_again(tx, after, claimed.batch, looks=looks, return_window=way.caps.return_window)


async def _resend(tools: Tools, way: Payouts, batch: Batch) -> None:
    """Sends the same batch with the same key again, where that is the only way to learn what became of it."""
    promise = way.caps.idempotency
    if promise is None:
        return

    def work(tx: Tx) -> Batch | None:
        group = payouts.list_of_batch(tx, batch.id)
        unknown = all(each.state is PayoutState.UNKNOWN and each.ref is None for each in group)
        if not unknown or tx.now + TIMEOUT >= batch.first_sent_at + promise.window:
            return None
        again = batches.resent(payouts.get_batch(tx, batch.id), answer_due_at=tx.now + ANSWER_DUE)
        payouts.save_batch(tx, again)
        return again

    again = await tools.store.write(work)
    if again is not None:
        await hand_over(tools, again)


async def _wait(tools: Tools, group: Sequence[Claimed]) -> None:
    def work(tx: Tx) -> None:
        for each in group:
            payouts.schedule(tx, each.payout.id, look_at=tx.now + MISSING_PAUSE, looks=each.looks)

    await tools.store.write(work)


def _target(claimed: Claimed) -> sdk.Target:
    payout = claimed.payout
    amount = sdk.Money(payout.amount_minor, payout.currency)
    return sdk.Target(payout.key, claimed.batch.key, payout.ref, amount)


def _by_instance(claimed: Sequence[Claimed]) -> dict[str, list[Claimed]]:
    groups: dict[str, list[Claimed]] = {}
    for each in claimed:
        groups.setdefault(each.payout.instance, []).append(each)
    return groups
