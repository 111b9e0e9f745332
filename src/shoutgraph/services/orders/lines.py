"""How a line changes: each change is stored with its event, by whoever holds the creator.

What is due follows from rows and the time, so a process that dies takes nothing with it, and of several that look at
the same line the second one finds it moved on already.
"""

import logging
from typing import Final

from shoutgraph.domain import capacity, errors, ids, journal
from shoutgraph.domain.capacity import OFFERS_AT_ONCE, Entry
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.policies import Policy
from shoutgraph.storage import creators, journal as journal_rows, policies, waitlist as rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

logger = logging.getLogger("shoutgraph.waitlist")

CHANGED: Final = "waitlist.changed"


async def move_due(tools: Tools, *, limit: int) -> int:
    """Moves the lines on that may move, `limit` at most; says how many entries changed.

    Raises:
        OverloadedError: too much waits for the database; the next round goes on.
    """
    due = await tools.store.read(lambda tx: rows.list_of_due(tx, policies.current(tx), limit=limit))
    changed = 0
    for creator_id in due:
        try:
            changed += await tools.store.write(lambda tx, of=creator_id: _move(tools, tx, of))  # type: ignore[misc]
        except errors.OverloadedError:
            raise
        except Exception:
            logger.exception("the line of %s does not move, and is looked at again", creator_id)
    return changed


def move_on(tools: Tools, tx: Tx, creator: Creator, policy: Policy) -> int:
    """Moves the line of a creator who is held, as far as time and room allow; says how many entries changed."""
    line = rows.get_line(tx, creator.id, limit=OFFERS_AT_ONCE)
    changed = capacity.move_up(creator, line, policy, tx.now)
    was = {entry.id: entry for entry in (*line.offered, *line.waiting)}
    for entry in changed:
        rows.save(tx, entry)
        tell(tools, tx, entry, was[entry.id])
    return len(changed)


def ordered(tools: Tools, tx: Tx, mine: Entry | None, order: Order) -> None:
    """Takes a fan who has just ordered out of the line, if they stood in it: the order has the place now."""
    if mine is not None:
        after = capacity.order(mine, order.id, tx.now)
        rows.save(tx, after)
        tell(tools, tx, after, mine)


def tell(tools: Tools, tx: Tx, entry: Entry, was: Entry | None) -> None:
    """Tells of an entry that changed. Whoever does holds the creator."""
    until = entry.offered_until
    body: journal.Body = {
        "status": entry.state.value,
        "previous": None if was is None else was.state.value,
        "revision": entry.revision,
        "fan": entry.fan_id,
        "creator": entry.creator_id,
        "offer": entry.offer_id,
        "order": entry.order_id,
        "until": None if until is None else until.isoformat(),
    }
    event = journal.NewEvent(tools.new_id(ids.EVENT), entry.id, CHANGED, body, topic_seq=entry.revision)
    journal_rows.append(tx, event)


def _move(tools: Tools, tx: Tx, creator_id: str) -> int:
    return move_on(tools, tx, creators.get(tx, creator_id), policies.current(tx))
