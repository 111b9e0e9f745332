"""What a restore does to the books: looks come forward, what the books do not know is kept, and an epoch begins."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from shoutgraph import sdk
from shoutgraph.domain import ids, payouts
from shoutgraph.domain.anchors import Epoch
from shoutgraph.domain.money import Money
from shoutgraph.domain.strays import Stray, StrayKind
from shoutgraph.domain.suspense import Told
from shoutgraph.storage import (
    epochs,
    payouts as payout_rows,
    refunds,
    restoring,
    strays as stray_rows,
    suspending,
    topups,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

BEFORE: Final = timedelta(hours=48)
"""So much longer ago than the last line is the providers' past asked for: clocks differ, and webhooks are late."""

CHUNKS_MAX: Final = 100_000
VERSIONS_MAX: Final = 200
"""So many lost requests of one creator, the first ones, are still recognised by their keys."""

SEEN: Final[Mapping[type[object], str]] = {
    sdk.Settled: "SETTLED",
    sdk.NeedsAction: "NEEDS_ACTION",
    sdk.Pending: "PENDING",
    sdk.Unknown: "UNKNOWN",
    sdk.Paid: "PAID",
    sdk.Returned: "RETURNED",
}
"""What a provider may say of money that moved, or may still move; whatever else it says concerns nobody."""


Apply = Callable[[Tools, Tx, str, sdk.Listed], bool]
"""Books what a provider lists; gives False if nothing of ours is meant."""


class Taken(Enum):
    """What became of an object that a provider lists."""

    KNOWN = "the books know it, and now what its provider says of it"
    STRAY = "the books do not know it, and money moved, or may still move"
    NOTHING = "the books do not know it, and no money moved"


async def in_use(tools: Tools) -> set[str]:
    """The instances that have money of ours in flight."""

    def query(tx: Tx) -> set[str]:
        rooms = (topups, payout_rows, refunds)
        return {instance for room in rooms for instance in room.list_of_instances_in_use(tx)}

    return await tools.store.read(query)


async def take(tools: Tools, instance: str, kind: StrayKind, listed: sdk.Listed, apply: Apply) -> Taken:
    """Books what a provider lists as any news would be; keeps it for a person where the books do not know it."""

    def work(tx: Tx) -> Taken:
        if apply(tools, tx, instance, listed):
            suspending.explain_known(
                tx, tools.new_id, instance=instance, operation_id=listed.target.operation_id, ref=listed.target.ref
            )
            return Taken.KNOWN
        suspending.take_in(tx, tools.new_id, _told(instance, listed))
        return Taken.STRAY if keep_stray(tx, instance, kind, listed) else Taken.NOTHING

    return await tools.store.write(work)


async def look_at_everything(tools: Tools, begun_since: datetime) -> int:
    """Makes looks due at all money that is open or was begun since a time, and brings the others forward."""
    due = 0
    for _ in range(CHUNKS_MAX):
        count = await tools.store.write(lambda tx: restoring.look_now(tx, since=begun_since))
        due += count
        if not count:
            break
    for _ in range(CHUNKS_MAX):
        if not await tools.store.write(restoring.look_soon):
            break
    return due


def keep_stray(tx: Tx, instance: str, kind: StrayKind, listed: sdk.Listed) -> bool:
    """Keeps what a provider has and the books do not know; False where it moved no money and will move none."""
    seen = SEEN.get(type(listed.observation))
    if seen is None:
        return False
    target, amount = listed.target, _amount(listed)
    stray = Stray(
        instance=instance,
        operation_id=target.operation_id,
        kind=kind,
        key=target.idempotency_key,
        ref=target.ref,
        seen=seen,
        amount=None if amount is None else Money(amount.minor, amount.currency),
        made_at=listed.created_at,
    )
    stray_rows.keep(tx, stray)
    return True


async def name_creators(tools: Tools) -> int:
    """Finds whom the payouts were for that the books do not know; gives how many it found.

    A payout's key is a hash of the creator's account and its version at the request, so whoever had the next versions
    is who asked.
    """

    def query(tx: Tx) -> dict[str, ids.CreatorId]:
        wanted = {each.operation_id for each in stray_rows.list_of(tx) if _is_nameless(each)}
        if not wanted:
            return {}
        return {
            key: creator_id
            for creator_id, account, version in restoring.each_creator(tx)
            for number in range(version, version + VERSIONS_MAX)
            if (key := payouts.key_of(account, number)) in wanted
        }

    found = await tools.store.read(query)

    def work(tx: Tx) -> None:
        for key, creator_id in found.items():
            stray_rows.name_creator(tx, key, creator_id)

    await tools.store.write(work)
    return len(found)


async def begin_epoch(tools: Tools, *, above: int, lost_seq: int | None) -> Epoch:
    """Begins the next epoch of the journal where it was found to end: no cursor of before goes on.

    Args:
        above: the highest number of an epoch that others have heard of.
        lost_seq: the newest line that is known to be lost.
    """
    found = None if tools.anchors is None else tools.anchors.found
    return await tools.store.write(lambda tx: epochs.begin(tx, after=found, above=above, lost_seq=lost_seq))


def _is_nameless(stray: Stray) -> bool:
    return stray.kind is StrayKind.PAYOUT and stray.creator_id is None


def _told(instance: str, listed: sdk.Listed) -> Told:
    target, moved = listed.target, _moved(listed)
    return Told(instance, target.operation_id, target.ref, moved, listed.created_at)


def _moved(listed: sdk.Listed) -> Money | None:
    """How much of our money moved at the provider: in above zero, out below; None where that is not said."""
    match listed.observation:
        case sdk.Settled(totals=totals):
            back = sum(each.minor for each in (totals.refunds_failed, totals.disputes_won) if each is not None)
            fee = totals.fee.minor if totals.fee is not None and totals.fee.currency == totals.settled.currency else 0
            gone = totals.refunded.minor + totals.disputed.minor + fee - back
            return Money(totals.settled.minor - gone, totals.settled.currency)
        case sdk.Paid(amount=amount):
            return Money(-amount.minor, amount.currency)
        case sdk.Returned(amount=amount):
            return Money(0, amount.currency)
        case _:
            return None


def _amount(listed: sdk.Listed) -> sdk.Money | None:
    match listed.observation:
        case sdk.Settled(totals=totals):
            return totals.settled
        case sdk.Paid(amount=amount) | sdk.Returned(amount=amount):
            return amount
        case _:
            return listed.target.amount
