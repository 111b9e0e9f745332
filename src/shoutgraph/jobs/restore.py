"""Puts books that went back in time beside what the providers know, before anybody is let in.

The next epoch of the journal begins first, so that whatever is written belongs to it. Everything that is open or recent
is looked at, and every provider that can is asked for all it has since two days before the last line. What we know of
is booked as any news would be; what we do not is kept for a person. Only when the books balance does an anchor tell of
the epoch, without which it is not served. Source: docs/adr/0017-anchors.md.
"""

import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Protocol

from shoutgraph import sdk
from shoutgraph.domain import errors
from shoutgraph.domain.anchors import Anchor, Epoch
from shoutgraph.domain.strays import StrayKind
from shoutgraph.jobs import reconcile
from shoutgraph.services import anchors, restore
from shoutgraph.services.anchors import Compared
from shoutgraph.services.books import Proof
from shoutgraph.services.orders import timers
from shoutgraph.services.payouts import adopt, look as payout_looks
from shoutgraph.services.restore import Taken
from shoutgraph.services.topups import notice as topup_notices
from shoutgraph.tools import Tools

logger = logging.getLogger("shoutgraph.restore")

LIST: Final = "restore"
TIMEOUT: Final = timedelta(seconds=60)
TRIES_MAX: Final = 3
"""So often is a provider asked for its list that gives none."""
PAGES_MAX: Final = 10_000
ROUNDS_MAX: Final = 100_000

Prove = Callable[[], Awaitable[Proof]]


class Lists(Protocol):
    """A configured way to move money, as far as it can list."""

    @property
    def provider(self) -> object:
        """The plugin's own object."""

    async def list_since(self, since: datetime, call: sdk.Call) -> Sequence[sdk.Listed] | None:
        """What it has since a time, or None where it cannot list or does not answer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a restore goes: which line somebody accepted to lose, and which providers need not answer."""

    accept_loss: int | None = None
    without: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Report:
    """What a restore found and did. `unlisted` are providers that cannot list what they have."""

    since: datetime
    looked: int
    known: int
    strays: int
    named: int
    unlisted: Sequence[str]
    proof: Proof
    epoch: Epoch
    anchor: Anchor | None


async def run(tools: Tools, plan: Plan, *, prove: Prove) -> Report:
    """Restores the books of a deployment that lets nobody in.

    Raises:
        RestoreError: a loss was not accepted, a provider does not answer, or the books do not balance.
        StoreUnavailableError: the database is another than the anchors tell of, or cannot be used.
    """
    compared = None if tools.anchors is None else await anchors.look(tools.store, tools.anchors)
    lost_seq = _accept(plan, compared)
    await _require_answers(tools, plan)
    epoch = await _begin(tools, compared, lost_seq)
    since = epoch.after.at - restore.BEFORE
    await restore.look_at_everything(tools, since)
    looked = await _look(tools)
    taken: Counter[Taken] = Counter()
    unlisted = [name async for name in _ask_all(tools, plan, since, taken)]
    looked += await _look(tools)  # at what was taken for sent
    named = await restore.name_creators(tools)
    proof = await prove()
    if proof.violations:
        laws = ", ".join(sorted({violation.law for violation in proof.violations}))
        raise errors.RestoreError(f"the books do not balance ({laws}): run `shoutgraph ledger verify`")
    anchor = None
    if tools.anchors is not None:
        anchor = await anchors.write(tools.store, tools.anchors, tools.clock)
        tools.anchors.agreed = True
    return Report(
        since, looked, taken[Taken.KNOWN], taken[Taken.STRAY], named, tuple(sorted(unlisted)), proof, epoch, anchor
    )


async def _begin(tools: Tools, found: Compared | None, lost_seq: int | None) -> Epoch:
    """The epoch that this restore begins, or the one of a restore that did not come to its end."""
    if found is not None and found.unfinished:
        return found.standing.epoch
    above = 0 if found is None or found.newest is None else found.newest.epoch
    return await restore.begin_epoch(tools, above=above, lost_seq=lost_seq)


def _accept(plan: Plan, found: Compared | None) -> int | None:
    """The newest line that is known to be lost, if somebody accepted that.

    Raises:
        RestoreError: nobody accepted it, or another number, or nothing is lost.
        StoreUnavailableError: the database is another than the anchors tell of.
    """
    if found is not None and found.different is not None:
        raise errors.StoreUnavailableError(str(found.fault), retry_after_s=0)
    ahead = None if found is None else found.ahead
    if found is None or ahead is None:
        accepted = None if found is None or not found.unfinished else found.standing.epoch.lost_seq
        if plan.accept_loss not in {None, accepted}:
            raise errors.RestoreError("no anchor is ahead of the database: there is no loss to accept")
        return accepted
    if plan.accept_loss != ahead.seq:
        raise errors.RestoreError(
            f"the database ends at line {found.standing.head.seq}, and the newest anchor is at line {ahead.seq}:"
            f" what came after is lost; accept that with --accept-loss {ahead.seq}"
        )
    return ahead.seq


async def _require_answers(tools: Tools, plan: Plan) -> None:
    missing = set(tools.providers.missing(await restore.in_use(tools))) - plan.without
    if missing:
        raise errors.RestoreError(
            f"money is in flight with {', '.join(sorted(missing))}, which nobody can ask: configure it, or go on"
            f" --without {min(missing)}"
        )


async def _look(tools: Tools) -> int:
    """Looks at everything that is due, in rounds; gives how many looks it were."""
    looked = 0
    for _ in range(ROUNDS_MAX):
        done = await reconcile.look_at_topups(tools)
        done += await payout_looks.look_due(tools, limit=reconcile.ROUND_MAX)
        if not done:
            break
        looked += done
    return looked


async def _ask_all(tools: Tools, plan: Plan, since: datetime, taken: Counter[Taken]) -> AsyncIterator[str]:
    """Takes what every provider has; gives the names of those that cannot list."""
    topup = partial(topup_notices.listed, reverse_orders=timers.reverse_orders)
    ways: list[tuple[StrayKind, Mapping[str, Lists], restore.Apply]] = [
        (StrayKind.TOPUP, tools.providers.topups, topup),
        (StrayKind.PAYOUT, tools.providers.payouts, adopt.listed),
    ]
    for kind, instances, apply in ways:
        for name, way in sorted(instances.items()):
            if not hasattr(way.provider, "list_since"):
                yield name
                continue
            if name in plan.without:
                continue
            async for listed in _listed(name, way, since):
                taken[await restore.take(tools, name, kind, listed, apply)] += 1


async def _listed(name: str, way: Lists, since: datetime) -> AsyncIterator[sdk.Listed]:
    """All that a provider has since a time, page by page: some give only so many at once, the oldest first."""
    seen: set[tuple[str, str]] = set()
    for _ in range(PAGES_MAX):
        page = await _page(name, way, since)
        fresh = [each for each in page if (each.target.idempotency_key, each.target.operation_id) not in seen]
        if not fresh:
            return
        for each in fresh:
            seen.add((each.target.idempotency_key, each.target.operation_id))
            yield each
        since = max(each.created_at for each in fresh)


async def _page(name: str, way: Lists, since: datetime) -> Sequence[sdk.Listed]:
    for attempt in range(TRIES_MAX):
        page = await way.list_since(since, sdk.Call(LIST, LIST, TIMEOUT, attempt + 1))
        if page is not None:
            return page
        logger.warning("the provider %s gave no list", name)
    raise errors.RestoreError(
        f"the provider {name} does not say what it has since {since:%Y-%m-%d %H:%M}: try again, or go on"
        f" --without {name}, and compare its list with the books by hand"
    )
