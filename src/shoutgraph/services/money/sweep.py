"""Turns of asking a provider for everything that it has, and the days' totals. What it lists is booked elsewhere."""

import logging
from datetime import timedelta
from typing import Final

from shoutgraph.domain import ids, journal
from shoutgraph.storage import cash, journal as journal_rows, strays, sweeps, turns
from shoutgraph.storage.sweeps import Sweep, Total
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

logger = logging.getLogger("shoutgraph.money")

EVERY: Final = timedelta(hours=1)
RETRY: Final = timedelta(minutes=10)
LEASE: Final = timedelta(minutes=15)
OVERLAP: Final = timedelta(hours=2)
"""So much longer ago than the last answer is asked for: clocks differ, and lists lag."""
BEGIN: Final = timedelta(hours=48)
"""So long ago is a provider asked for first."""
STRAY_FOUND: Final = "money.stray_found"
TOTALS_DIFFER: Final = "money.totals_differ"


async def claim(tools: Tools, instance: str) -> Sweep | None:
    """Takes the turn of an instance, or None where it is not due or another worker has it."""
    due = await tools.store.read(lambda tx: _is_due(tx, instance))
    if not due:
        return None

    def work(tx: Tx) -> Sweep | None:
        sweeps.begin(tx, instance, since=tx.now - BEGIN)
        return sweeps.claim(tx, instance, lease=LEASE)

    return await tools.store.write(work)


async def finish(tools: Tools, sweep: Sweep, *, answered: bool, all_of_it: bool) -> None:
    """Ends a turn. The place moves on only when everything was taken in."""

    def work(tx: Tx) -> None:
        since = sweep.lease.since if answered and all_of_it else sweep.since
        due_at = tx.now + (EVERY if answered and all_of_it else RETRY)
        sweeps.finish(tx, sweep, since=since, due_at=due_at, answered=answered)

    await tools.store.write(work)


async def is_known_stray(tools: Tools, instance: str, operation_id: str) -> bool:
    """Whether people were told of it before."""
    found = await tools.store.read(lambda tx: strays.find(tx, instance=instance, operation_id=operation_id))
    return found is not None


async def tell_stray(tools: Tools, instance: str, operation_id: str) -> None:
    """Says once, in the log and the journal, that a provider has money that the books do not know."""
    logger.error("orphan money: %s has %s, which the books do not know", instance, operation_id)
    body: journal.Body = {"instance": instance, "operation": operation_id}
    await tools.store.write(lambda tx: _tell(tools, tx, f"{instance}/{operation_id}", STRAY_FOUND, body))


async def compare_today(tools: Tools) -> int:
    """Compares the cash books with what top-ups and payouts say, once a day; gives how many differ."""
    day = f"{tools.clock():%Y-%m-%d}"
    if await tools.store.read(lambda tx: sweeps.has_totals(tx, day)):
        return 0
    totals = await tools.store.read(lambda tx: cash.compare(tx, day))
    different = [total for total in totals if total.differs]

    def work(tx: Tx) -> int:
        if not turns.take(tx, "totals") or sweeps.has_totals(tx, day):
            return 0
        for total in totals or (Total(day, "", "", 0, 0, 0),):
            sweeps.keep_total(tx, total)
        for total in different:
            body: journal.Body = {"currency": total.currency, "books": total.books_units, "known": total.known_units}
            _tell(tools, tx, f"{total.instance}/{day}", TOTALS_DIFFER, body)
        return len(different)

    count = await tools.store.write(work)
    if count:
        names = ", ".join(sorted({total.instance for total in different}))
        logger.error("the cash books and the rows differ at %s: run `shoutgraph money totals`", names)
    return count


def totals_now(tx: Tx, day: str) -> tuple[Total, ...]:
    """The comparison as it stands."""
    return cash.compare(tx, day)


def _is_due(tx: Tx, instance: str) -> bool:
    place = next((each for each in sweeps.list_of(tx) if each.instance == instance), None)
    return place is None or place.due_at <= tx.now


def _tell(tools: Tools, tx: Tx, topic: str, kind: str, body: journal.Body) -> None:
    journal_rows.append(tx, journal.NewEvent(id=tools.new_id(ids.EVENT), topic=topic, type=kind, body=body))
