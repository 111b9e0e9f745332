"""Asks every provider that can list what it has, so that money which the books do not know is found.

What they know is booked as any news would be: a webhook that was lost for good is made up for. What they do not know is
kept for people, and is in suspense until it is explained. Once a day fees become revenue, what is held in other
currencies is valued anew, and the cash books are compared with the rows that they stand for.
"""

import logging
from collections.abc import Collection, Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain.leases import Lease
from shoutgraph.domain.strays import Stray, StrayKind
from shoutgraph.jobs.restore import Lists
from shoutgraph.services import packages, restore
from shoutgraph.services.money import fees, suspense, sweep
from shoutgraph.services.orders import timers
from shoutgraph.services.payouts import adopt
from shoutgraph.services.restore import Apply, Taken
from shoutgraph.services.topups import notice as topup_notices
from shoutgraph.telemetry import metrics
from shoutgraph.tools import Tools, one_by_one, side_by_side

logger = logging.getLogger("shoutgraph.jobs")

LIST: Final = "sweep"
TIMEOUT: Final = timedelta(seconds=60)
PAGES_MAX: Final = 20
"""The most pages of one turn; the rest comes with the next."""
TAKEN_AT_ONCE: Final = 32
"""So many of what is listed are taken in together, and share commits."""

KINDS: Final[Mapping[StrayKind, Apply]] = {
    StrayKind.TOPUP: partial(topup_notices.listed, reverse_orders=timers.reverse_orders),
    StrayKind.PAYOUT: adopt.listed,
}


async def tick(tools: Tools) -> int:
    """Asks the providers whose turn it is; gives how much of theirs the books did not know."""
    found = 0
    instances: Mapping[StrayKind, Mapping[str, Lists]] = {
        StrayKind.TOPUP: tools.providers.topups,
        StrayKind.PAYOUT: tools.providers.payouts,
    }
    for kind, ways in instances.items():
        for name, way in sorted(ways.items()):
            if hasattr(way.provider, "list_since"):
                found += await _sweep(tools, name, kind, way)
    await suspense.call_people(tools)
    await _measure(tools)
    await fees.sweep_today(tools)
    await packages.revalue_today(tools)
    await sweep.compare_today(tools)
    return found


async def _sweep(tools: Tools, name: str, kind: StrayKind, way: Lists) -> int:
    turn = await sweep.claim(tools, name)
    if turn is None:
        return 0
    found, seen, since = 0, set[tuple[str, str]](), turn.since - sweep.OVERLAP
    answered, ended, whole = True, False, True
    for _ in range(PAGES_MAX):
        page = await way.list_since(since, sdk.Call(LIST, LIST, TIMEOUT))
        answered = page is not None
        fresh = [each for each in page or () if _name(each) not in seen]
        ended = answered and not fresh
        if not fresh or not turn.lease.leaves(TIMEOUT, now=tools.clock()):
            break
        seen |= {_name(each) for each in fresh}
        for start in range(0, len(fresh), TAKEN_AT_ONCE):
            part = fresh[start : start + TAKEN_AT_ONCE]
            taken = await side_by_side("listing of", part, partial(_take, tools, name, kind), name=_name)
            found, whole = found + sum(taken), whole and len(taken) == len(part)
        since = max(each.created_at for each in fresh)
    if answered:
        await _look_again(tools, name, turn.lease, kind, {operation for _, operation in seen})
    else:
        logger.warning("the provider %s does not say what it has", name)
    await sweep.finish(tools, turn, answered=answered, all_of_it=ended and whole)
    return found


async def _look_again(tools: Tools, name: str, lease: Lease, kind: StrayKind, listed: Collection[str]) -> None:
    """Looks at what is or was in suspense and is too old to be listed: it may have gone back, or be another amount."""

    async def look(stray: Stray) -> None:
        if stray.operation_id in listed or not lease.leaves(TIMEOUT, now=tools.clock()):
            return
        target = sdk.Target(stray.operation_id, stray.key, stray.ref)
        outcome = await _fetch(tools, name, kind, target)
        if isinstance(outcome, sdk.Settled | sdk.Paid | sdk.Returned):
            again = sdk.Listed(target, outcome, stray.made_at)
            await restore.take(tools, name, kind, again, KINDS[kind])
        if not isinstance(outcome, sdk.Unknown | None):
            await suspense.note_look(tools, stray)

    found = await suspense.to_look_at(tools, name, kind)
    await one_by_one("look at suspense", found, look, name=lambda each: each.operation_id)


async def _fetch(
    tools: Tools, name: str, kind: StrayKind, target: sdk.Target
) -> sdk.Observation | sdk.ItemObservation | None:
    call = sdk.Call(target.idempotency_key, target.operation_id, TIMEOUT)
    if kind is StrayKind.TOPUP:
        return await tools.providers.topups[name].fetch(target, call)
    seen = await tools.providers.payouts[name].fetch([target], call)
    return seen.get(target.operation_id)


async def _measure(tools: Tools) -> None:
    """Says to Prometheus how much is in suspense, and for how long."""
    count, since = await tools.store.read(suspense.waiting)
    metrics.SUSPENSE_LINES.set(count)
    metrics.SUSPENSE_OLDEST.set(0 if since is None else max((tools.clock() - since).total_seconds(), 0))


async def _take(tools: Tools, name: str, kind: StrayKind, listed: sdk.Listed) -> int:
    known = await sweep.is_known_stray(tools, name, listed.target.operation_id)
    if await restore.take(tools, name, kind, listed, KINDS[kind]) is not Taken.STRAY or known:
        return 0
    await sweep.tell_stray(tools, name, listed.target.operation_id)
    return 1


def _name(listed: sdk.Listed) -> tuple[str, str]:
    return listed.target.idempotency_key, listed.target.operation_id
