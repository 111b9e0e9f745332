"""Looking at top-ups again, on the schedule of their status: what a crash, a lost webhook or a late payment left open.

A look is leased, so that several workers do not do it twice; it fetches by reference or key, sends the same request
again where the provider lets us and nothing else can tell, and otherwise waits.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain.topups import machine
from shoutgraph.domain.topups.polling import Due
from shoutgraph.domain.topups.topup import Source, Submission, Topup
from shoutgraph.plugins.topups import TopUps
from shoutgraph.services.topups import apply, receipts, sights
from shoutgraph.services.topups.desk import ReverseOrders
from shoutgraph.services.topups.submit import ANSWER_DUE, TIMEOUT, call_of, submit, target_of
from shoutgraph.storage import receipts as receipt_rows, topups
from shoutgraph.storage.receipts import Receipt
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools, in_one_or_each

LOOK: Final = timedelta(seconds=60)
"""What a look takes at the very most: to fetch, and to send the same request again."""

LEASE: Final = 2 * LOOK

NO_LOOKUP: Final = "no_lookup"
"""Nobody can be asked: the provider named nothing, and does not know our key."""

MISSING_PAUSE: Final = timedelta(hours=1)
"""The pause before the next look where the provider's plugin is not there."""


async def claim(tools: Tools, *, limit: int, reverse_orders: ReverseOrders) -> tuple[Due, ...]:
    """Leases what is due for a look; what waited too long for its answer is unknown from here on.

    Raises:
        OverloadedError: too much waits for the database; the next round goes on.
        StoreUnavailableError: the database is not there; likewise.
    """
    claimed = await tools.store.write(lambda tx: topups.claim_due(tx, lease=LEASE, limit=limit))
    late = [each for each in claimed if _as_of(tools.clock(), each.topup) != each.topup]
    known = [each for each in claimed if each not in late]
    if late:
        overdue = partial(_overdue, tools, reverse_orders=reverse_orders)
        moved = await in_one_or_each(tools.store, "look at", late, overdue, name=_id_of)
        known += [each for part in moved for each in part]
    return tuple(known)


def _overdue(tools: Tools, tx: Tx, group: Sequence[Due], *, reverse_orders: ReverseOrders) -> list[Due]:
    """What was claimed, as it is now; what waited too long for its answer is unknown from here on."""
    desk, found = apply.open_desk(tools, tx, reverse_orders), []
    for claimed in sorted(group, key=_id_of):  # in the order in which everybody takes them
        before = topups.get(tx, claimed.topup.id)
        kept = apply.keep(desk, before, _as_of(tx.now, before))
        looks = 0 if kept.status is not claimed.topup.status else claimed.looks
        found.append(replace(claimed, topup=kept, looks=looks))
    return found


def _as_of(now: datetime, topup: Topup) -> Topup:
    """The top-up, given that nobody has answered for it until now."""
    return machine.overdue_unknown(machine.lost_answer(topup, now=now), now=now)


def _id_of(claimed: Due) -> str:
    return claimed.topup.id


async def look(tools: Tools, claimed: Due, *, reverse_orders: ReverseOrders) -> Topup:
    """Looks at one leased top-up, and says when to look next; leaves it alone if the lease is nearly over."""
    topup = claimed.topup
    way = tools.providers.topups.get(topup.instance)
    if way is None:
        return await _wait(tools, claimed)
    if not claimed.lease.leaves(LOOK, now=tools.clock()):
        return topup
    seen: sdk.Observation = sdk.Unknown(NO_LOOKUP)
    source, asked_at = Source.LOOK, tools.clock()
    if topup.ref is not None or way.caps.lookup.by_key:
        seen = await way.fetch(target_of(topup), call_of(topup))
    answered = not isinstance(seen, sdk.Unknown) or seen.ref is not None or seen.reason == NO_LOOKUP
    if isinstance(seen, sdk.Absent | sdk.Unknown) and not _proven(way, topup, seen, asked_at):
        redeems = way.caps.intake is sdk.Intake.REDEEM
        again = await (_present_again(tools, topup) if redeems else _resend(tools, way, topup))
        if again is not None:
            seen, source = again, Source.ANSWER

    def work(tx: Tx) -> Topup:
        desk = apply.open_desk(tools, tx, reverse_orders)
        before = topups.get(tx, topup.id)
        observation = sights.observation_of(seen, at=asked_at if source is Source.LOOK else tx.now)
        absence_after = way.caps.lookup.absence_after
        after = apply.observed(desk, before, observation, source, absence_after=absence_after)
        if way.caps.intake is sdk.Intake.REDEEM:
            receipts.forget_if_answered(tx, after)
        looks = 0 if after.status is not topup.status else claimed.looks + 1
        apply.look_again(tx, after, looks=looks, lease=claimed.lease, answered=answered)
        return after

    return await tools.store.write(work)


def _proven(way: TopUps, topup: Topup, seen: sdk.Observation, asked_at: datetime) -> bool:
    absence_after = way.caps.lookup.absence_after
    return isinstance(seen, sdk.Absent) and machine.is_proof(topup, asked_at, absence_after=absence_after)


async def _resend(tools: Tools, way: TopUps, topup: Topup) -> sdk.TopUpOutcome | None:
    """Sends the same request with the same key again, or None where that is not safe or not needed."""
    promise = way.caps.idempotency
    if promise is None or way.caps.lookup.by_key:
        return None  # the key can be looked up, which is quieter than asking for money again

    again = await tools.store.write(lambda tx: _sent_again(tools, tx, topup, promise.window))
    return None if again is None else await submit(tools, again)


async def _present_again(tools: Tools, topup: Topup) -> sdk.TopUpOutcome | None:
    """Presents a receipt once more, which a store answers alike however often; None where there is none to present."""

    def work(tx: Tx) -> tuple[Topup, Receipt] | None:
        receipt = receipt_rows.find(tx, topup.id)
        again = None if receipt is None else _sent_again(tools, tx, topup, receipts.WINDOW)
        return None if again is None or receipt is None else (again, receipt)

    sent = await tools.store.write(work)
    return None if sent is None else await receipts.present(tools, *sent)


def _sent_again(tools: Tools, tx: Tx, topup: Topup, window: timedelta) -> Topup | None:
    """The top-up, about to be sent once more, or None where that is not safe."""
    before = topups.get(tx, topup.id)
    if not machine.may_resend(before, window=window, timeout=TIMEOUT, now=tx.now):
        return None
    again = machine.resent(before, now=tx.now, answer_due_at=tx.now + ANSWER_DUE)
    assert again.submission is Submission.SUBMITTING, "a re-sent top-up waits for its answer"
    topups.save(tx, again)
    apply.tell(tools, tx, again, before)
    return again


async def _wait(tools: Tools, due: Due) -> Topup:
    def work(tx: Tx) -> None:
        topups.schedule(tx, due.topup.id, look_at=tx.now + MISSING_PAUSE, looks=due.looks, lease=due.lease)

    await tools.store.write(work)
    return due.topup
