"""What a provider says of payouts that were ever sent: kept as it is seen, and asked for before coins go back.

"Not executed" is a proof by contract. A provider that breaks the contract would make us pay twice, so where it can be
asked by our key, it is asked once more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import payouts as rules
from shoutgraph.domain.batches import Batch
from shoutgraph.domain.payouts import Payout
from shoutgraph.plugins.payouts import FETCH_MAX, Payouts
from shoutgraph.services.payouts import apply, sights
from shoutgraph.storage import batches as batch_rows, payouts
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

LOOK: Final = "look"
NOT_CONFIRMED: Final = "not_confirmed"
"""Why a payout is unknown whose provider said "not executed" and could not be asked again."""


def observed(tools: Tools, tx: Tx, payout: Payout, outcome: sdk.ItemObservation, *, at: datetime) -> Payout:
    """The payout after something was seen of it outside its own answer and its own looks."""
    seen = rules.observe(payout, sights.sighting_of(outcome, at=at), absence_proves=False, first_answer=False)
    after = apply.keep(tools, tx, payout, seen)
    way = tools.providers.payouts.get(after.instance)
    if after.state is not payout.state and after.batch_id is not None and way is not None:
        batch = batch_rows.get(tx, after.batch_id)
        apply.look_again(tx, after, batch, looks=0, return_window=way.caps.return_window)
    return after


def can_tell(way: Payouts, payout: Payout) -> bool:
    """Whether the provider can be asked about this payout."""
    return payout.batch_id is not None and (payout.ref is not None or way.caps.lookup.by_key)


async def fetch(tools: Tools, way: Payouts, group: Sequence[Payout]) -> Mapping[str, sdk.ItemObservation]:
    """What the provider has under the keys of payouts; those that it cannot be asked about are left out."""
    known = [payout for payout in group if can_tell(way, payout)]
    batches = await tools.store.read(lambda tx: _batches(tx, known))
    targets = [sights.target_of(payout, batches[payout.batch_id or ""]) for payout in known]
    seen: dict[str, sdk.ItemObservation] = {}
    for start in range(0, len(targets), FETCH_MAX):
        seen |= await way.fetch(targets[start : start + FETCH_MAX], sdk.Call(LOOK, LOOK, sights.TIMEOUT))
    return seen


async def look(tools: Tools, way: Payouts, group: Sequence[Payout]) -> Mapping[str, sdk.ItemObservation]:
    """Looks at payouts that may be there, and keeps what is seen."""
    seen = await fetch(tools, way, group)
    if seen:
        await tools.store.write(lambda tx: keep_all(tools, tx, group, seen))
    return seen


def keep_all(tools: Tools, tx: Tx, group: Sequence[Payout], seen: Mapping[str, sdk.ItemObservation]) -> frozenset[str]:
    """Keeps what was seen of payouts; gives the ids of all of them."""
    for each in group:
        outcome = seen.get(each.key)
        if outcome is not None:
            observed(tools, tx, payouts.get(tx, each.id), outcome, at=tx.now)
    return frozenset(each.id for each in group)


async def cleared(tools: Tools, payout: Payout) -> int:
    """How many attempts at a payout are known to have left nothing at its provider."""
    if payout.attempts == 0 or not payout.may_be_there:
        return payout.attempts
    way = tools.providers.payouts.get(payout.instance)
    if way is None:
        return 0
    if not can_tell(way, payout):
        return payout.attempts  # "not executed" is all that this provider can say
    seen = await look(tools, way, [payout])
    return payout.attempts if nothing(seen.get(payout.key)) else 0


async def confirm(
    tools: Tools, way: Payouts, group: Sequence[Payout], answers: Mapping[str, sdk.ItemOutcome]
) -> dict[str, sdk.ItemObservation]:
    """The answers of a provider, where those that would give coins back are looked at once more."""
    now = tools.clock()
    last = [
        payout
        for payout in group
        if isinstance(answer := answers.get(payout.key), sdk.NotExecuted)
        and rules.gives_back(payout, sights.sighting_of(answer, at=now))
    ]
    checked: dict[str, sdk.ItemObservation] = dict(answers)
    for key, seen in (await fetch(tools, way, last)).items():
        if not nothing(seen):
            checked[key] = sdk.Unknown(NOT_CONFIRMED) if isinstance(seen, sdk.Unknown) else seen
    return checked


def nothing(seen: sdk.ItemObservation | None) -> bool:
    """Whether the provider says that it has nothing of a payout."""
    return isinstance(seen, sdk.Absent | sdk.NotExecuted)


def _batches(tx: Tx, group: Sequence[Payout]) -> dict[str, Batch]:
    return {batch_id: batch_rows.get(tx, batch_id) for batch_id in {each.batch_id or "" for each in group}}
