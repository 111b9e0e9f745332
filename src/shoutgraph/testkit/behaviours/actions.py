"""A01, A02, L01: what the fan does on the provider's page, what ends by itself, and what can be found."""

from datetime import timedelta
from typing import Final

from shoutgraph.sdk import Absent, Declined, NeedsAction, Pending, Redirect, Settled, Unknown
from shoutgraph.testkit import faults, registry
from shoutgraph.testkit.behaviours.money import NOBODY, THERE
from shoutgraph.testkit.kinds import PayoutTrial, TopUpTrial
from shoutgraph.testkit.registry import Behaviour
from shoutgraph.testkit.trials import Trial, ref_of
from shoutgraph.testkit.upstreams import Act
from shoutgraph.testkit.verdicts import declared, require, where_supported

OPEN: Final = (NeedsAction, Pending)
BACK_COUNT: Final = 2
"""How often the fan comes back without having paid."""


async def page_proves_nothing(trial: TopUpTrial) -> None:
    """A01."""
    deal = await trial.deal()
    outcome = await trial.send(deal)
    require(isinstance(outcome, OPEN), f"a payment that nobody has made yet is {outcome}")
    ref = ref_of(outcome) or deal.operation_id
    if isinstance(outcome, NeedsAction) and isinstance(outcome.action, Redirect):
        url = outcome.action.url
        require(url not in {trial.request(deal).return_url, trial.request(deal).cancel_url}, "it leads to our own page")
    for _ in range(BACK_COUNT):
        seen = await trial.look(deal, ref)
        require(isinstance(seen, OPEN), f"the fan came back without having paid, and a look shows {seen}")
    await trial.act(Act.PAY, ref)
    for _ in range(BACK_COUNT):  # before any webhook was read
        seen = await trial.look(deal, ref)
        require(isinstance(seen, Settled), f"the fan has paid and came back, and a look shows {seen}")
    with where_supported(trial.notes):
        deal, ref = await trial.begun()
        await trial.act(Act.PROCESS, ref)
        seen = await trial.look(deal, ref)
        require(isinstance(seen, Pending), f"a payment that takes a while is shown as {seen}, and is Pending")
        await trial.act(Act.PAY, ref)
        seen = await trial.look(deal, ref)
        require(isinstance(seen, Settled), f"a payment that took a while and was made is shown as {seen}")


async def expiry_and_late_money(trial: TopUpTrial) -> None:
    """A02."""
    deal = await trial.deal()
    outcome = await trial.send(deal)
    ref = ref_of(outcome) or deal.operation_id
    if isinstance(outcome, NeedsAction):
        require(outcome.expires_at > trial.clock(), f"the action expired before it was asked for: {outcome.expires_at}")
    await trial.act(Act.EXPIRE, ref)
    seen = await trial.look(deal, ref)
    require(isinstance(seen, Declined), f"a payment that has expired is shown as {seen}, and is Declined")
    with where_supported(trial.notes):
        await trial.act(Act.PAY_LATE, ref)
        seen = await trial.look(deal, ref)
        require(isinstance(seen, Settled), f"money that came after the expiry is shown as {seen}, and is Settled")
    with where_supported(trial.notes):
        deal, ref = await trial.begun()
        await trial.act(Act.DECLINE, ref)
        seen = await trial.look(deal, ref)
        require(isinstance(seen, Declined), f"a payment that was declined is shown as {seen}")
    await _cancelled(trial)


async def _cancelled(trial: TopUpTrial) -> None:
    deal, ref = await trial.begun()
    outcome = await trial.cancel(deal, ref)
    told = f"cancelling gave {outcome}: what the payment is now, never a proof that it was not there"
    require(isinstance(outcome, Declined | Unknown | NeedsAction | Pending), told)
    deal, ref = await trial.paid()
    outcome = await trial.cancel(deal, ref)
    told = f"cancelling a payment that is paid gave {outcome}: it is still Settled, or Unknown"
    require(isinstance(outcome, Settled | Unknown), told)


async def found_or_absent(trial: Trial) -> None:
    """L01."""
    lookup = trial.plugin.caps.lookup
    if isinstance(trial, PayoutTrial):
        declared(not trial.by_file, "news come by file: nothing is looked up")
    deal, ref = await trial.begun()
    asked = len(trial.proxy.money())
    seen = await trial.look(deal, ref)
    require(isinstance(seen, THERE), f"what there is is looked up by ref as {seen}")
    if len(trial.proxy.money()) == asked:
        trial.notes.append("a look asks nobody")
        return
    stranger = await trial.deal()
    seen = await trial.look(stranger, _like(ref))
    require(isinstance(seen, Absent | Unknown), f"a ref that nobody has is looked up as {seen}")
    if not lookup.by_key:
        trial.notes.append("caps.lookup.by_key is not declared")
        return
    seen = await trial.look(deal, None)
    require(isinstance(seen, THERE), f"what there is is looked up by key as {seen}")
    seen = await trial.look(stranger, None)
    require(isinstance(seen, Absent), f"what was never asked for is looked up by key as {seen}, and is Absent")
    await _absence(trial, lookup.absence_after)


async def _absence(trial: Trial, after: timedelta | None) -> None:
    """What `absence_after` claims: this long after the attempt, "not found" is the truth."""
    if after is None:
        trial.notes.append("caps.lookup.absence_after is not declared")
        return
    declared(trial.upstream.app is not None, NOBODY)
    with where_supported(trial.notes):
        await trial.act(Act.LAG, "")
    deal, _ = await trial.hurt(faults.DROPPED_AFTER)
    trial.clock.advance(after)
    seen = await trial.look(deal, None)
    told = f"{after} after the attempt, when absence is declared to be proof, a look by key shows {seen}; it is there"
    require(isinstance(seen, THERE), told)


def _like(ref: str) -> str:
    """A ref of the same form that nobody has."""
    turned = str.maketrans("0123456789abcdef", "123456789abcdef0")
    return ref[:-8] + ref[-8:].translate(turned)


BEHAVIOURS: Final = (
    Behaviour("A01", "That the fan came back proves nothing: a look does", registry.TOPUP, page_proves_nothing),
    Behaviour("A02", "Expiry is told, and late money counts", registry.TOPUP, expiry_and_late_money),
    Behaviour("L01", "What is there is found, and what is not is absent", registry.ALL, found_or_absent),
)
