"""M01 to M07: one key is one object, and whatever is lost on the way is told as it is."""

import asyncio
from datetime import timedelta
from typing import Final

from shoutgraph.plugins.providers import Providers
from shoutgraph.sdk import (
    NeedsAction,
    NotExecuted,
    Paid,
    Pending,
    Refunds,
    Settled,
    Unknown,
)
from shoutgraph.testkit import faults, registry
from shoutgraph.testkit.faults import Fault
from shoutgraph.testkit.kinds import RedeemTrial, TopUpTrial
from shoutgraph.testkit.proxy import Which
from shoutgraph.testkit.registry import Behaviour
from shoutgraph.testkit.trials import Deal, Outcome, Trial, changed, ref_of
from shoutgraph.testkit.verdicts import Skipped, declared, require

AT_ONCE: Final = 20
"""How many calls with one key are made at the same time."""

NO_KEY: Final = "caps.idempotency is not declared"
NOBODY: Final = "there is nobody to ask: the upstream has no app"
THERE: Final = (Settled, Pending, NeedsAction, Paid)
"""Outcomes that say that the provider has it."""


async def require_one(trial: Trial, after: str) -> None:
    """Exactly one object exists at the provider."""
    count = len(await trial.objects())
    require(count == 1, f"{after} there are {count} objects at the provider, not one")


async def same_key_same_object(trial: Trial) -> None:
    """M01."""
    declared(trial.plugin.caps.idempotency or isinstance(trial, RedeemTrial), NO_KEY)
    deal, ref = await trial.begun()
    again = await trial.send(deal)
    require((ref_of(again) or deal.operation_id) == ref, f"the same key gave {again}, and {ref} before")
    await require_one(trial, "after the same call twice")
    if trial.upstream.app is not None:
        try:
            twice, outcome = await trial.hurt(faults.TWICE)
        except Skipped:
            return
        require(ref_of(outcome), f"a request that arrived twice gave {outcome}")
        count = len(await trial.objects())
        require(count == 2, f"a request that arrived twice made {count - 1} objects for {twice.key}")  # noqa: PLR2004


async def same_key_other_payload(trial: Trial) -> None:
    """M02."""
    declared(trial.plugin.caps.idempotency, NO_KEY)
    deal, _ = await trial.begun()
    outcome = await trial.send(changed(deal, trial.fair(steps=1)))
    await require_one(trial, "after the same key with another amount")
    told = f"the same key with another amount gave {outcome}; it is Unknown: something exists, and not what was asked"
    require(isinstance(outcome, Unknown), told)


async def many_at_once(trial: Trial) -> None:
    """M03."""
    declared(trial.plugin.caps.idempotency or isinstance(trial, RedeemTrial), NO_KEY)
    deal = await trial.deal()
    outcomes = await asyncio.gather(*(trial.send(deal) for _ in range(AT_ONCE)))
    await require_one(trial, f"after {AT_ONCE} calls at once with one key")
    refs = {ref_of(each) for each in outcomes if isinstance(each, THERE)}
    require(len(refs) == 1, f"{AT_ONCE} calls at once with one key gave the refs {refs}")
    wrong = [each for each in outcomes if not isinstance(each, (*THERE, Unknown))]
    require(not wrong, f"a call beside others with its key gave {wrong[:1]}, while the object exists")


async def lost_answers(trial: Trial) -> None:
    """M04."""
    declared(trial.upstream.app is not None, NOBODY)
    for fault in (faults.DROPPED_AFTER, faults.CUT, faults.DROPPED_BEFORE):
        deal, outcome = await trial.hurt(fault)
        require(isinstance(outcome, Unknown), f"{fault.name} gave {outcome}, and is Unknown")
        if trial.plugin.caps.lookup.by_key and fault is not faults.DROPPED_BEFORE:
            await _require_found(trial, deal)
    if isinstance(trial, TopUpTrial) and not isinstance(trial, RedeemTrial):
        await _lost_refund(trial)


async def _require_found(trial: Trial, deal: Deal) -> None:
    trial.clock.advance(trial.plugin.caps.lookup.absence_after or timedelta(0))
    seen = await trial.look(deal, None)
    require(isinstance(seen, THERE), f"what was made before its answer was lost is looked up by key as {seen}")
    made = {each.ref for each in await trial.objects()}
    ref = ref_of(seen)
    require(ref is None or not made or ref in made, f"the look by key found {ref}, which the provider does not have")


async def _lost_refund(trial: TopUpTrial) -> None:
    if trial.guarded(trial.providers).caps.refunds not in {Refunds.FULL, Refunds.PARTIAL}:
        return
    deal, ref = await trial.paid()
    trial.proxy.plan(faults.DROPPED_AFTER, which=trial.which)
    outcome = await trial.refund(deal, ref, deal.amount, key="refund_lost")
    trial.proxy.mend()
    require(isinstance(outcome, Unknown), f"a refund whose answer was lost gave {outcome}, and is Unknown")


async def proofs_of_nothing(trial: Trial) -> None:
    """M05."""
    declared(trial.upstream.app is not None, NOBODY)
    _, outcome = await trial.hurt(faults.RATE_LIMITED)
    require(isinstance(outcome, NotExecuted), f"429 gave {outcome}, and is NotExecuted")
    wait = getattr(outcome, "retry_after", None)
    told = f"429 with Retry-After: {faults.RETRY_AFTER_S} gave retry_after={wait}"
    require(wait == timedelta(seconds=faults.RETRY_AFTER_S), told)
    for status in (500, 502, 503):
        _, outcome = await trial.hurt(faults.failing(status))
        require(isinstance(outcome, Unknown), f"{status} gave {outcome}, and is Unknown")
    refused = trial.refused()
    outcome = await trial.send(await trial.deal(), refused)
    require(isinstance(outcome, NotExecuted), f"a refused connection gave {outcome}, and is NotExecuted")
    await _looks_prove_nothing(trial, refused)


async def _looks_prove_nothing(trial: Trial, refused: Providers) -> None:
    deal, ref = await trial.begun()
    asked = len(trial.proxy.money())
    await trial.look(deal, ref)
    if len(trial.proxy.money()) == asked:
        trial.notes.append("a look asks nobody")
        return
    seen = await trial.look(deal, ref, refused)
    require(isinstance(seen, Unknown), f"a look that was refused a connection gave {seen}, and is Unknown")
    for fault in (faults.RATE_LIMITED, faults.failing(500), faults.DROPPED_AFTER):
        seen = await hurt_look(trial, fault, deal, ref)
        require(isinstance(seen, Unknown), f"a look with {fault.name} gave {seen}, and is Unknown")


async def hurt_look(trial: Trial, fault: Fault, deal: Deal, ref: str) -> Outcome:
    """Looks with something going wrong on the way."""
    trial.proxy.plan(fault, which=Which.ANY)
    seen = await trial.look(deal, ref)
    trial.proxy.mend()
    return seen


async def saved_500(trial: Trial) -> None:
    """M06."""
    declared(trial.plugin.caps.idempotency, NO_KEY)
    declared(trial.upstream.app is not None, NOBODY)
    deal, outcome = await trial.hurt(faults.SAVED_500)
    require(isinstance(outcome, Unknown), f"500 gave {outcome}, and is Unknown")
    _, outcome = await trial.hurt(faults.SAVED_500, deal)
    require(isinstance(outcome, Unknown), f"the saved 500 gave {outcome} when it was repeated, and is Unknown")
    await require_one(trial, "after a 500 that the provider saved for the key")
    if trial.plugin.caps.lookup.by_key:
        await _require_found(trial, deal)


async def garbage(trial: Trial) -> None:
    """M07."""
    declared(trial.upstream.app is not None, NOBODY)
    for fault in faults.GARBAGE:
        _, outcome = await trial.hurt(fault)
        require(isinstance(outcome, Unknown), f"{fault.name} with status 200 gave {outcome}, and is Unknown")
    deal, ref = await trial.begun()
    asked = len(trial.proxy.money())
    await trial.look(deal, ref)
    if len(trial.proxy.money()) == asked:
        trial.notes.append("a look asks nobody")
        return
    for fault in faults.GARBAGE:
        seen = await hurt_look(trial, fault, deal, ref)
        require(isinstance(seen, Unknown), f"a look answered by {fault.name} gave {seen}, and is Unknown")


BEHAVIOURS: Final = (
    Behaviour("M01", "The same key and payload give one object", registry.ALL, same_key_same_object),
    Behaviour("M02", "The same key with another payload is an error", registry.SENDS, same_key_other_payload),
    Behaviour("M03", "Twenty calls at once with one key make one object", registry.ALL, many_at_once),
    Behaviour("M04", "A lost answer is Unknown, and a look by key finds the object", registry.ALL, lost_answers),
    Behaviour("M05", "Only a proof that nothing happened is NotExecuted", registry.ALL, proofs_of_nothing),
    Behaviour("M06", "A saved 500 leads to a look, and never to a new key", registry.SENDS, saved_500),
    Behaviour("M07", "An answer that cannot be read is Unknown", registry.ALL, garbage),
)
