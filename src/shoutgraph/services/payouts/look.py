"""Looking at payouts again, on the schedule of their state: what was left open, and what may still come back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import batches, payout_looks, payouts as rules
from shoutgraph.domain.batches import Batch
from shoutgraph.domain.payouts import Payout, PayoutState, Seen
from shoutgraph.plugins.payouts import FETCH_MAX, Payouts
from shoutgraph.services.payouts import apply, evidence, sights
from shoutgraph.services.payouts.send import ANSWER_DUE, hand_over
from shoutgraph.services.payouts.sights import TIMEOUT
from shoutgraph.storage import batches as batch_rows, payouts
from shoutgraph.storage.payouts import Claimed
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools, in_one_or_each, one_by_one

LOOK: Final = timedelta(seconds=100)
"""What a look takes at the very most: to fetch, to send a batch again, and to look once more after a refusal."""

LEASE: Final = 2 * LOOK

MISSING_PAUSE: Final = timedelta(hours=1)
"""The pause before the next look where the provider's plugin is not there."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What a look showed, by key, and when it began."""

    seen: Mapping[str, sdk.ItemObservation]
    asked_at: datetime


async def look_due(tools: Tools, *, limit: int) -> int:
    """Looks at what is due, many payouts of one provider at a time; gives how many.

    Raises:
        OverloadedError: too much waits for the database; the next round goes on.
        StoreUnavailableError: the database is not there; likewise.
    """
    claimed = await tools.store.write(lambda tx: payouts.claim_due(tx, lease=LEASE, limit=limit))
    late = [each for each in claimed if _as_of(tools.clock(), each.payout, each.batch) != each.payout]
    known = [each for each in claimed if each not in late]
    if late:
        moved = await in_one_or_each(tools.store, "look at", late, partial(_overdue, tools), name=_id_of)
        known += [each for part in moved for each in part]
    for instance, group in _by_instance(known).items():
        parts = [group[start : start + FETCH_MAX] for start in range(0, len(group), FETCH_MAX)]
        await one_by_one("looks at payouts by", parts, partial(_look, tools, instance), name=partial(_by, instance))
    return len(claimed)


def _overdue(tools: Tools, tx: Tx, group: Sequence[Claimed]) -> list[Claimed]:
    """What was claimed, as it is now; what waited too long for its answer is unknown from here on."""
    found = []
    for claimed in sorted(group, key=_id_of):  # in the order in which everybody takes them
        before = payouts.get(tx, claimed.payout.id)
        batch = batch_rows.get(tx, before.batch_id or claimed.batch.id)
        kept = apply.keep(tools, tx, before, Seen(_as_of(tx.now, before, batch)))
        looks = 0 if kept.state is not claimed.payout.state else claimed.looks
        found.append(replace(claimed, payout=kept, batch=batch, looks=looks))
    return found


def _as_of(now: datetime, payout: Payout, batch: Batch) -> Payout:
    """The payout, given that nobody has answered for it until now."""
    lost = payout_looks.lost_answer(payout, answer_due_at=batch.answer_due_at, now=now)
    return payout_looks.overdue_unknown(lost, sent_at=batch.first_sent_at, now=now)


async def _look(tools: Tools, instance: str, group: Sequence[Claimed]) -> None:
    way = tools.providers.payouts.get(instance)
    if way is None:
        await _wait(tools, group)
        return
    if not group[0].lease.leaves(LOOK, now=tools.clock()):
        return  # others take it up, when the lease has run out
    lookable = [each for each in group if evidence.can_tell(way, each.payout)]
    asked_at = tools.clock()
    seen = await evidence.fetch(tools, way, [each.payout for each in lookable])
    keep = partial(_seen, tools, way=way, look=_Look(seen, asked_at))
    await in_one_or_each(tools.store, "look at", group, keep, name=_id_of)
    others = {each.batch.id: each.batch for each in group if each not in lookable}
    again = partial(_resend, tools, way)
    await one_by_one("sending again of", tuple(others.values()), again, name=lambda batch: batch.id)


def _seen(tools: Tools, tx: Tx, group: Sequence[Claimed], *, way: Payouts, look: _Look) -> None:
    for claimed in sorted(group, key=_id_of):  # in the order in which everybody takes them
        before = payouts.get(tx, claimed.payout.id)
        batch = batch_rows.get(tx, before.batch_id or claimed.batch.id)
        outcome = look.seen.get(before.key, sdk.Unknown("no_lookup"))
        in_a_file = before.state is PayoutState.SUBMITTING and batch.exported_at is not None
        if in_a_file and isinstance(outcome, sdk.Unknown):
            due = None if batch.handed_over_at is None else batch.answer_due_at
            payouts.schedule(tx, before.id, look_at=due, looks=0, lease=claimed.lease)
            continue  # its file was written while somebody looked, and nobody can know of it yet
        absence_after = way.caps.lookup.absence_after
        # The call may leave as late as its answer is due: a look that began before that proves nothing. A file that is
        # written may go to the bank at any time.
        waited = absence_after is not None and look.asked_at >= batch.answer_due_at + absence_after
        proves = waited and batch.exported_at is None
        sighting = sights.sighting_of(outcome, at=tx.now)
        result = rules.observe(before, sighting, absence_proves=proves, first_answer=False)
        after = apply.keep(tools, tx, before, result)
        looks = 0 if after.state is not claimed.payout.state else claimed.looks + 1
        due = payout_looks.next_look(
            after,
            answer_due_at=batch.answer_due_at,
            return_window=way.caps.return_window,
            looks=looks,
            now=tx.now,
            answered=way.caps.artifacts or _answered(look.seen.get(before.key)),  # a bank that has files answers nobody
        )
        payouts.schedule(tx, after.id, look_at=due, looks=looks, lease=claimed.lease)


def _answered(seen: sdk.ItemObservation | None) -> bool:
    """Whether the provider said something, or was not asked."""
    return not isinstance(seen, sdk.Unknown) or seen.ref is not None


async def _resend(tools: Tools, way: Payouts, batch: Batch) -> None:
    """Sends the same batch with the same key again, where that is the only way to learn what became of it."""
    promise, writes_files = way.caps.idempotency, way.caps.artifacts
    if promise is None and not writes_files:
        return

    def work(tx: Tx) -> Batch | None:
        group = payouts.list_of_batch(tx, batch.id)
        stored = batch_rows.get(tx, batch.id, to_change=True)
        unknown = all(each.state is PayoutState.UNKNOWN and each.ref is None for each in group)
        whole = batches.key_of([each.key for each in group]) == batch.key  # none of them went on in another batch
        elsewhere = stored.attempts != batch.attempts  # whoever looks at another part of it has sent it again
        if elsewhere or not (unknown and whole):
            return None
        if writes_files:  # a file that was written is kept, and one that was not has moved nothing
            late = stored.exported_at is not None
        else:
            late = promise is None or tx.now + TIMEOUT >= batch.first_sent_at + promise.window
        if late:
            return None
        again = batches.resent(stored, answer_due_at=tx.now + ANSWER_DUE)
        batch_rows.save(tx, again)
        payouts.put_off(tx, again)
        return again

    again = await tools.store.write(work)
    if again is not None:
        await hand_over(tools, again)


async def _wait(tools: Tools, group: Sequence[Claimed]) -> None:
    def work(tx: Tx) -> None:
        for each in group:
            look_at = tx.now + MISSING_PAUSE
            payouts.schedule(tx, each.payout.id, look_at=look_at, looks=each.looks, lease=each.lease)

    await tools.store.write(work)


def _by_instance(claimed: Sequence[Claimed]) -> dict[str, list[Claimed]]:
    groups: dict[str, list[Claimed]] = {}
    for each in claimed:
        groups.setdefault(each.payout.instance, []).append(each)
    return groups


def _id_of(claimed: Claimed) -> str:
    return claimed.payout.id


def _by(instance: str, group: Sequence[Claimed]) -> str:
    return f"{instance} ({len(group)})"
