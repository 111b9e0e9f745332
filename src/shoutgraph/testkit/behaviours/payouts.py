"""P01 to P05, P08, P09: batches, recipients, and money that comes back."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from shoutgraph.sdk import (
    BatchOutcome,
    ItemObservation,
    NeedsAction,
    NotExecuted,
    Paid,
    Pending,
    Ready,
    Redirect,
    Rejected,
    Restricted,
    Returned,
    Unknown,
)
from shoutgraph.testkit import amounts, registry
from shoutgraph.testkit.behaviours.money import require_one
from shoutgraph.testkit.kinds import PayoutTrial
from shoutgraph.testkit.registry import Behaviour
from shoutgraph.testkit.trials import Deal, ref_of
from shoutgraph.testkit.upstreams import Act, Recipient
from shoutgraph.testkit.verdicts import declared, require, where_supported

SEVERAL: Final = 3
LONG: Final = timedelta(days=30)
"""How long nothing is heard."""


async def batch_of(trial: PayoutTrial, *kinds: Recipient) -> list[Deal]:
    """Payouts under one key, to such recipients."""
    first = await trial.payout_to(kinds[0])
    more = [
        await trial.payout_to(kind, amounts.fair(trial.plugin.caps, steps=at), batch_key=first.key)
        for at, kind in enumerate(kinds[1:], start=1)
    ]
    return [first, *more]


async def every_item(trial: PayoutTrial) -> None:
    """P01."""
    caps = trial.guarded(trial.providers).caps
    count = min(SEVERAL, caps.max_batch)
    deals = await batch_of(trial, *[Recipient.GOOD, Recipient.OTHER, Recipient.GOOD][:count])
    outcome: BatchOutcome = await trial.straight("submit", trial.batch(*deals))
    _require_exactly(outcome.items.keys(), deals, "a batch")
    for artifact in outcome.artifacts:
        await trial.far(trial.upstream.upload(artifact))
    wrong = [each for each in outcome.items.values() if not isinstance(each, Pending | Paid)]
    require(not wrong, f"good recipients got {wrong}")
    objects = len(await trial.objects())
    require(objects == count or trial.by_file, f"a batch of {count} made {objects} payouts")
    if not trial.by_file:
        refs = {each.operation_id: ref_of(outcome.items[each.operation_id]) for each in deals}
        seen = await trial.straight("fetch", trial.targets(deals, refs), trial.call(deals[0]))
        _require_exactly(seen.keys(), deals, "a look")
    await _too_large(trial)


def _require_exactly(answered: Iterable[str], deals: list[Deal], what: str) -> None:
    ids, wanted = set(answered), {each.operation_id for each in deals}
    require(ids == wanted, f"{what} of {len(wanted)} items lost {len(wanted - ids)} and invented {len(ids - wanted)}")


async def _too_large(trial: PayoutTrial) -> None:
    count = trial.guarded(trial.providers).caps.max_batch + 1
    first = await trial.deal()
    deals = [first] + [
        Deal(f"{first.operation_id[:20]}{at:05}", first.key, first.amount, first.who) for at in range(1, count)
    ]
    asked = len(trial.proxy.asked)
    outcome = await trial.submit(*deals)
    wrong = [each for each in outcome.items.values() if not isinstance(each, NotExecuted)]
    require(not wrong and len(outcome.items) == count, f"a batch of {count} gave {wrong[:1]}, and is NotExecuted")
    require(len(trial.proxy.asked) == asked and not outcome.artifacts, f"a batch of {count} was sent")


async def paid_once(trial: PayoutTrial) -> None:
    """P02."""
    caps = trial.guarded(trial.providers).caps
    declared(caps.idempotency or trial.by_file, "caps.idempotency is not declared")
    deal = await trial.deal()
    first = await trial.submit(deal)
    again = await trial.submit(deal)
    for artifact in again.artifacts:
        try:
            await trial.far(trial.upstream.upload(artifact))
        except ValueError as refused:
            trial.notes.append(f"the bank refused the same file: {refused}")
    ref = ref_of(first.items[deal.operation_id]) or deal.operation_id
    wrong = isinstance(again.items[deal.operation_id], NotExecuted | Rejected)
    require(not wrong, f"the same batch again gave {again.items[deal.operation_id]}, while it is under way")
    await trial.act(Act.PAY, ref)
    await require_one(trial, "after the same batch twice")
    seen = await trial.look(deal, ref)
    require(isinstance(seen, Paid), f"a payout that was paid is shown as {seen}")


async def one_bad_recipient(trial: PayoutTrial) -> None:
    """P03."""
    kinds = (Recipient.GOOD, Recipient.BAD, Recipient.OTHER)
    together = trial.guarded(trial.providers).caps.max_batch >= len(kinds)
    if together:
        deals = await batch_of(trial, *kinds)
        items = dict((await trial.submit(*deals)).items)
    else:
        deals = [await trial.payout_to(kind) for kind in kinds]
        items = {each.operation_id: await trial.send(each) for each in deals}
    good, bad, other = deals
    refs = {name: ref_of(item) for name, item in items.items()}
    for deal in (good, other):
        require(
            isinstance(items[deal.operation_id], Pending | Paid), f"a good recipient got {items[deal.operation_id]}"
        )
        await trial.act(Act.PAY, refs[deal.operation_id] or deal.operation_id)
    if not isinstance(items[bad.operation_id], Rejected | NotExecuted):
        await trial.act(Act.REJECT, refs[bad.operation_id] or bad.operation_id)
    seen = dict(await _seen(trial, deals, refs))
    for deal in (good, other):
        told = f"beside a bad recipient a good one is shown as {seen[deal.operation_id]}"
        require(isinstance(seen[deal.operation_id], Paid), told)
    at_once = isinstance(items[bad.operation_id], Rejected | NotExecuted)
    last = items[bad.operation_id] if at_once else seen[bad.operation_id]
    require(isinstance(last, Rejected | NotExecuted), f"a payout to a bad recipient is shown as {last}")


async def _seen(trial: PayoutTrial, deals: list[Deal], refs: dict[str, str | None]) -> dict[str, ItemObservation]:
    return dict(await trial.look_at(deals, refs))


async def comes_back(trial: PayoutTrial) -> None:
    """P04."""
    deal, ref = await trial.paid()
    before = await trial.look(deal, ref)
    require(isinstance(before, Paid), f"a payout that was paid is shown as {before}")
    await trial.act(Act.RETURN, ref)
    seen = await trial.look(deal, ref)
    require(isinstance(seen, Returned), f"a payout that came back is shown as {seen}")
    require(ref_of(seen) == ref_of(before), f"it was paid as {ref_of(before)}, and came back as {ref_of(seen)}")
    require(isinstance(seen, Returned) and seen.amount == deal.amount, f"{deal.amount} was paid, and {seen} came back")


async def silence(trial: PayoutTrial) -> None:
    """P05."""
    deal = await trial.deal()
    outcome = await trial.send(deal)
    ref = ref_of(outcome) or deal.operation_id
    await trial.act(Act.SILENCE, ref)
    for _ in range(SEVERAL):
        trial.clock.advance(LONG)
        seen = await trial.look(deal, ref)
        told = f"nothing is heard of a payout, and it is shown as {seen}; it stays Pending or Unknown"
        require(isinstance(seen, Pending | Unknown), told)
    require(len(await trial.objects()) <= 1, "it was sent again while nothing was heard of it")


async def recipients_ready(trial: PayoutTrial) -> None:
    """P08."""
    declared(trial.guarded(trial.providers).caps.onboarding, "caps.onboarding is not declared")
    outcome = await trial.send(await trial.payout_to(Recipient.NOT_READY))
    require(isinstance(outcome, NotExecuted), f"a recipient who may not be paid yet got {outcome}, and is NotExecuted")
    require(not await trial.objects(), "a payout to a recipient who may not be paid yet was made")


async def onboarding(trial: PayoutTrial) -> None:
    """P09."""
    declared(trial.guarded(trial.providers).caps.onboarding, "caps.onboarding is not declared")
    request = trial.onboarding()
    guarded = trial.guarded(trial.providers)
    asked = guarded.requirements(request.country, request.currency)
    require(asked is not None, "requirements gave something else than requirements of different names")
    require(guarded.requirements(request.country, request.currency) == asked, "requirements gave two answers")
    missing = sorted({each.name for each in asked or () if each.required} - request.values.keys())
    require(not missing, f"the upstream's answers lack {missing}")
    first = await guarded.onboard(request)
    ref = ref_of(first) or ""
    require(isinstance(first, Ready | NeedsAction), f"a good recipient was onboarded, and is {first}")
    again = await guarded.onboard(request)
    require(ref_of(again) == ref, f"the same recipient twice gave {first}, and then {again}")
    if isinstance(first, NeedsAction):
        require(isinstance(first.action, Redirect), f"a recipient is sent to a page, not to {first.action}")
        seen = await guarded.recipient_status(ref, request.call)
        require(isinstance(seen, NeedsAction), f"a recipient who did nothing yet is shown as {seen}")
        await trial.act(Act.VERIFY, ref)
    seen = await guarded.recipient_status(ref, request.call)
    require(seen == Ready(ref), f"a recipient who is ready is shown as {seen}")
    with where_supported(trial.notes):
        await trial.act(Act.RESTRICT, ref)
        seen = await guarded.recipient_status(ref, request.call)
        require(isinstance(seen, Restricted), f"a recipient who is restricted is shown as {seen}")


BEHAVIOURS: Final = (
    Behaviour("P01", "Every item of a batch has its outcome, and no other has", registry.PAYOUT, every_item),
    Behaviour("P02", "The same batch twice pays once", registry.PAYOUT, paid_once),
    Behaviour("P03", "One bad recipient does not stop the others", registry.PAYOUT, one_bad_recipient),
    Behaviour("P04", "What was paid may come back, under its own ref", registry.PAYOUT, comes_back),
    Behaviour("P05", "Silence proves nothing, and nothing is sent again", registry.PAYOUT, silence),
    Behaviour("P08", "Who is not ready is not paid", registry.PAYOUT, recipients_ready),
    Behaviour("P09", "Who is onboarded is known once, and shown as they are", registry.PAYOUT, onboarding),
)
