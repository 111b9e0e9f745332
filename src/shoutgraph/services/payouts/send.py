"""Sending approved payouts: a batch is stored first, handed over while no unit of work is open, then its answers.

A crash in between leaves payouts whose answer is overdue; the looks take them up from there. Nothing is ever sent by
another way than the one that its creator chose.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import batches, ids, payouts as rules
from shoutgraph.domain.batches import Batch
from shoutgraph.domain.payout_holds import CODES
from shoutgraph.domain.payouts import HoldCode, Payout, PayoutState, Seen
from shoutgraph.domain.recipients import Recipient
from shoutgraph.plugins.payouts import Payouts
from shoutgraph.services.payouts import adopt, apply, evidence, export, keeping, sights
from shoutgraph.services.payouts.sights import TIMEOUT
from shoutgraph.storage import batches as batch_rows, payouts, recipients, strays
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools, in_one_or_each, one_by_one

DESCRIPTOR: Final = "Earnings"
ANSWER_DUE: Final = timedelta(seconds=90)
"""After this an answer is overdue: the call, a look after a refusal, and time to store what came of it."""

LEASE: Final = timedelta(minutes=5)
"""Longer than the reviews and a look at what was sent before take, for as many as one round handles."""

REVIEWS_AT_ONCE: Final = 8
"""The most payouts that the risk review looks at together."""

SYSTEM: Final = "system"
"""Who holds a payout that no person did."""

RISK_NOTE: Final = "The risk review asks finance to look at this payout first."
STRAY_NOTE: Final = "A provider may have paid this creator before a restore; finance has to settle that first."


async def send_due(tools: Tools, *, limit: int) -> int:
    """Sends what is approved, one batch for each provider and currency; gives how many payouts were handled.

    Raises:
        OverloadedError: too much waits for the database; the next round goes on.
        StoreUnavailableError: the database is not there; likewise.
    """
    rails = await tools.store.read(payouts.list_of_rails_to_send)
    return sum(await one_by_one("sending by", rails, partial(_send, tools, limit), name=" in ".join))


async def _send(tools: Tools, limit: int, rail: tuple[str, str]) -> int:
    instance, currency = rail
    way = tools.providers.payouts.get(instance)
    if way is None:
        return 0  # readiness tells of money that waits for a missing plugin
    size = min(limit, way.caps.max_batch)
    group, lease = await tools.store.write(
        lambda tx: payouts.claim_approved(tx, instance, currency, lease=LEASE, limit=size)
    )
    if not group:
        return 0  # another worker has them
    risky = await _risky(tools, [payout for payout in group if not payout.risk_accepted])
    if risky:
        await _hold_all(tools, risky, RISK_NOTE)
    going = await _looked_at(tools, way, [payout for payout in group if payout not in risky])

    def work(tx: Tx, part: Sequence[Payout]) -> Batch | None:
        ours = payouts.give_back(tx, [payout.id for payout in part], lease)
        return _reserve(tools, tx, instance, [payout for payout in part if payout.id in ours and payout in going])

    reserved = await in_one_or_each(tools.store, "sending of", group, work, name=_id_of)
    batches_made = [batch for batch in reserved if batch is not None]
    await one_by_one("handing over of", batches_made, partial(hand_over, tools), name=lambda each: each.id)
    return len(group)


async def _looked_at(tools: Tools, way: Payouts, group: Sequence[Payout]) -> list[Payout]:
    """Those that may go: what went out before moves on here, if the provider has it after all.

    One whose look cannot be kept stays: nobody would know that it must not be sent again.
    """
    before = [payout for payout in group if payout.attempts > 0]
    seen = await evidence.fetch(tools, way, before)
    keep = partial(evidence.keep_all, tools, seen=seen)
    kept = await in_one_or_each(tools.store, "look at", before, keep, name=_id_of) if seen else [_ids_of(before)]
    told = frozenset().union(*kept)
    return [payout for payout in group if payout.attempts == 0 or payout.id in told]


async def _risky(tools: Tools, group: Sequence[Payout]) -> list[Payout]:
    """Those that the risk review does not allow; each is reviewed by itself, so that none decides about another."""
    to = await _recipients(tools, group)
    turn = asyncio.Semaphore(REVIEWS_AT_ONCE)

    async def allowed(payout: Payout) -> bool:
        request = request_of(batches.key_of([payout.key]), [payout], to, attempt=1)
        async with turn:
            return await tools.providers.hooks.review("payout", request) is sdk.Verdict.ALLOW

    verdicts = await asyncio.gather(*map(allowed, group))
    return [payout for payout, fine in zip(group, verdicts, strict=True) if not fine]


async def hand_over(tools: Tools, batch: Batch) -> None:
    """Asks the provider to pay a stored batch, and stores what it answers for each payout."""
    group = await tools.store.read(lambda tx: payouts.list_of_batch(tx, batch.id))
    to = await _recipients(tools, group)
    way = tools.providers.payouts[batch.instance]
    request = request_of(batch.key, group, to, attempt=batch.attempts, made_at=batch.first_sent_at)
    answer = await _submit(tools, way, batch, request)
    items = answer.items
    checked = await evidence.confirm(tools, way, group, items) if batch.attempts == 1 else items
    outcomes, is_export = export.outcomes_of(way, answer, checked), export.is_export(way, answer)

    def work(tx: Tx, part: Sequence[Payout]) -> None:
        ours = _ids_of(part)
        stored = [payout for payout in payouts.list_of_batch(tx, batch.id) if payout.id in ours]
        known = batch_rows.get(tx, batch.id, to_change=True)
        if answer.batch_ref is not None:
            known = batches.named(known, answer.batch_ref)
        if is_export:
            known = export.keep(tools, tx, known, export.contents_of(answer))
        elif not all(isinstance(seen, sdk.Unknown) for seen in outcomes.values()):
            known = batches.answered(known, now=tx.now)
        batch_rows.save(tx, known)
        for payout in stored:
            outcome = outcomes.get(payout.key)
            if is_export and isinstance(outcome, sdk.Pending):
                export.waits_for_bank(tools, tx, payout, known, outcome.ref)
            elif outcome is not None:
                _answered(tools, tx, payout, known, sights.sighting_of(outcome, at=tx.now))

    await in_one_or_each(tools.store, "answer for", group, work, name=_id_of)


async def _submit(tools: Tools, way: Payouts, batch: Batch, request: sdk.PayoutBatch) -> sdk.BatchOutcome:
    """Asks, unless this process stood still for so long that others may think its call has left."""
    if tools.clock() + TIMEOUT <= batch.answer_due_at:
        return await way.submit(request)
    return sdk.BatchOutcome({item.item_id: sdk.NotExecuted(sdk.UNAVAILABLE) for item in request.items})


def request_of(
    batch_key: str,
    group: Sequence[Payout],
    to: Mapping[str, Recipient],
    *,
    attempt: int,
    made_at: datetime | None = None,
) -> sdk.PayoutBatch:
    """What the provider is asked: the same at every attempt."""
    items = tuple(
        sdk.PayoutItem(
            item_id=payout.key,
            amount=sdk.Money(payout.amount_minor, payout.currency),
            recipient_ref=to[payout.recipient_id].ref,
            descriptor=DESCRIPTOR,
        )
        for payout in sorted(group, key=lambda each: each.key)
    )
    return sdk.PayoutBatch(sdk.Call(batch_key, batch_key, TIMEOUT, attempt), items, made_at)


def _answered(tools: Tools, tx: Tx, payout: Payout, batch: Batch, sighting: rules.Sighting) -> None:
    """Keeps what was answered. The batch is as it is now: somebody may have sent it again meanwhile."""
    seen = rules.observe(payout, sighting, absence_proves=False, first_answer=batch.attempts == 1)
    after = apply.keep(tools, tx, payout, seen)
    window = tools.providers.payouts[batch.instance].caps.return_window
    apply.look_again(tx, after, batch, looks=0, return_window=window)


def _reserve(tools: Tools, tx: Tx, instance: str, group: Sequence[Payout]) -> Batch | None:
    """Stores the batch with those payouts that may still go.

    Holds those of creators whom a provider may have paid behind the books' back, and those that a rule or a person
    keeps back; what the provider has under this very name is taken for sent.
    """
    fresh = [payouts.get(tx, payout.id) for payout in group]
    going = [payout for payout in fresh if payout.state is PayoutState.APPROVED and payout.review is None]
    going = [payout for payout in going if not adopt.adopt_stray(tools, tx, payout)]
    strayed = [payout for payout in going if strays.may_have_been_paid(tx, payout.creator_id)]
    for payout in strayed:
        _hold(tools, tx, payout, STRAY_NOTE)
    going = keeping.keep_back(tools, tx, [payout for payout in going if payout not in strayed])
    if not going:
        return None
    batch = Batch(
        id=tools.new_id(ids.BATCH),
        instance=instance,
        key=batches.key_of([payout.key for payout in going]),
        first_sent_at=tx.now,
        answer_due_at=tx.now + ANSWER_DUE,
    )
    batch_rows.insert(tx, batch)
    for payout in going:
        sent = rules.submitting(payout, batch_id=batch.id, now=tx.now)
        apply.keep(tools, tx, payout, Seen(sent))
        payouts.schedule(tx, payout.id, look_at=batch.answer_due_at, looks=0)
    return batch


def list_of_stops(tx: Tx, payout: Payout) -> tuple[tuple[HoldCode, str], ...]:
    """Why a payout that is approved would be held if it were sent now: the codes, and what its creator is told."""
    if payout.state is not PayoutState.APPROVED:
        return ()
    strayed = ((HoldCode.RISK, STRAY_NOTE),) if strays.may_have_been_paid(tx, payout.creator_id) else ()
    (found,) = keeping.holds_of(tx, [payout])
    return (*strayed, *((CODES[hold.rule], hold.reason or hold.remedy.words) for hold in found))


async def _hold_all(tools: Tools, group: Sequence[Payout], note: str) -> None:
    def work(tx: Tx, part: Sequence[Payout]) -> None:
        for stale in part:
            payout = payouts.get(tx, stale.id)
            if payout.state is PayoutState.APPROVED:
                _hold(tools, tx, payout, note)

    await in_one_or_each(tools.store, "holding of", group, work, name=_id_of)


def _hold(tools: Tools, tx: Tx, payout: Payout, note: str) -> None:
    held = rules.hold(payout, code=HoldCode.RISK, note=note, by=SYSTEM, now=tx.now)
    apply.keep(tools, tx, payout, Seen(held))


def _id_of(payout: Payout) -> str:
    return payout.id


def _ids_of(group: Sequence[Payout]) -> frozenset[str]:
    return frozenset(payout.id for payout in group)


async def _recipients(tools: Tools, group: Sequence[Payout]) -> dict[str, Recipient]:
    wanted = sorted({payout.recipient_id for payout in group})
    found = await tools.store.read(lambda tx: recipients.list_of(tx, wanted))
    return {each.id: each for each in found if each is not None}
