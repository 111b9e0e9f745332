"""The one way a top-up changes: observe, book, store, tell, and say when to look again. All in one unit of work."""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from shoutgraph.domain import ids, journal
from shoutgraph.domain.leases import Lease
from shoutgraph.domain.postings import Books
from shoutgraph.domain.topups import machine, polling
from shoutgraph.domain.topups.topup import Observation, Review, Seen, Source, Topup
from shoutgraph.services.topups import books, codes
from shoutgraph.services.topups.desk import Desk, ReverseOrders
from shoutgraph.storage import journal as journal_rows, policies, receipts, topups
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

MOVED: Final = "topup.status_changed"
CHANGED: Final = "topup.changed"

REDEEMED: Final = "already_redeemed"
"""The decline code of a receipt that its buyer redeemed before."""


def observed(
    desk: Desk, before: Topup, observation: Observation, source: Source, *, absence_after: timedelta | None = None
) -> Topup:
    """The top-up after one observation, booked and stored."""
    seen = _own(desk.tx, before, observation)
    after = machine.observe(before, seen, source, absence_after=absence_after)
    return keep(desk, before, after)


def keep(desk: Desk, before: Topup, after: Topup) -> Topup:
    """Books what a changed top-up still owes, stores it and tells of it."""
    after = books.settle(desk, after)
    if after == before:
        return before
    after = replace(after, revision=before.revision + 1)
    topups.save(desk.tx, after)
    codes.follow(desk.tx, before, after)
    tell(desk.tools, desk.tx, after, before)
    return after


def look_again(tx: Tx, topup: Topup, *, looks: int, lease: Lease | None = None, answered: bool = True) -> None:
    """Says when to look next; whoever looked gives its lease back."""
    look_at = polling.next_look(topup, looks=looks, now=tx.now, answered=answered)
    topups.schedule(tx, topup.id, look_at=look_at, looks=looks, lease=lease)


def open_desk(tools: Tools, tx: Tx, reverse_orders: ReverseOrders) -> Desk:
    """The desk of one unit of work, with the books of the policy in force."""
    policy = policies.current(tx)
    return Desk(tools, tx, Books(policy.book_currency, policy.par_units), reverse_orders)


def tell(tools: Tools, tx: Tx, topup: Topup, before: Topup | None) -> None:
    """Writes a line of the top-up's story; `before` is None for a new one."""
    moved = before is None or before.status is not topup.status
    body = {
        "status": topup.status.value,
        "previous": None if before is None else before.status.value,
        "user": topup.user_id,
        "coins": topup.terms.coins,
        "revision": topup.revision,
    }
    event = journal.NewEvent(id=tools.new_id(ids.EVENT), topic=topup.id, type=MOVED if moved else CHANGED, body=body)
    journal_rows.append(tx, event)


def _own(tx: Tx, topup: Topup, observation: Observation) -> Observation:
    """The observation, unless the payment that it speaks of pays another top-up already.

    A receipt that its own buyer presents once more is a plain no; that somebody else has it is for staff to see.
    """
    if observation.ref is None or topup.ref == observation.ref:
        return observation
    other = topups.find_by_ref(tx, instance=topup.instance, ref=observation.ref)
    if other is None:
        return observation
    if other.user_id == topup.user_id and receipts.find(tx, topup.id) is not None:
        return Observation(Seen.DECLINED, observation.at, code=REDEEMED)
    return Observation(Seen.UNKNOWN, observation.at, code=Review.REF_TAKEN.value.lower())
