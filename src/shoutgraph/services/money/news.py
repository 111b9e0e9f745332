"""News of money for plugins: from the journal, after the commit, in order, and at least once.

Every plugin has a place of its own in the journal, which one worker at a time moves on: what broke is told again, later
each time, and holds up nobody else. A plugin that is new hears what happens from then on.
"""

import logging
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Final

from shoutgraph.domain import clock, journal
from shoutgraph.domain.leases import Lease
from shoutgraph.storage import journal as journal_rows, news
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools, side_by_side

logger = logging.getLogger("shoutgraph.news")

TYPES: Final = ("topup.", "refund.", "payout.", "wallet.", "resolution.", "money.")
"""How the types of lines begin that plugins are told of."""

PAGE: Final = 200
"""The most lines of one reading."""
PAGES_MAX: Final = 5
"""The most readings of one turn."""
CALL: Final = timedelta(seconds=10)
"""What one call takes at the very most."""
LEASE: Final = timedelta(minutes=2)
FIRST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(hours=1)
DOUBLINGS_MAX: Final = 12


async def tell_all(tools: Tools) -> int:
    """Tells each plugin what it has not heard; gives how many calls were made."""
    listeners = tools.providers.hooks.listeners
    return sum(await side_by_side("turn of", tuple(listeners), partial(_take_turn, tools)))


def body_of(event: journal.Event) -> Mapping[str, object]:
    """What a plugin is told of a line of the journal; docs/PLUGINS.md describes it."""
    return {
        "id": event.id,
        "seq": event.seq,
        "type": event.type,
        "subject": event.topic,
        "subject_seq": event.topic_seq,
        "at": clock.to_text(event.at),
        "body": event.body,
    }


async def _take_turn(tools: Tools, plugin: str) -> int:
    behind = await tools.store.read(lambda tx: _is_behind(tx, plugin))
    if not behind:
        return 0

    def work(tx: Tx) -> tuple[int, int, Lease] | None:
        news.begin(tx, plugin)
        return news.claim(tx, plugin, lease=LEASE)

    claimed = await tools.store.write(work)
    return 0 if claimed is None else await _tell(tools, plugin, *claimed)


async def _tell(tools: Tools, plugin: str, seq: int, failures: int, lease: Lease) -> int:
    """Tells a plugin line after line, until it has heard all, breaks, or the turn is nearly over."""
    calls, broken = 0, False
    for _ in range(PAGES_MAX):
        events, until = await tools.store.read(partial(_read, after=seq))
        for event in events:
            if not event.type.startswith(TYPES):
                seq = event.seq
                continue
            if not lease.leaves(CALL, now=tools.clock()):
                break
            calls += 1
            broken = bool(await tools.providers.hooks.money_event(body_of(event), only=plugin))
            if broken:
                break
            seq = event.seq
        else:
            seq = max(seq, until)
            if events:
                continue
        break
    await tools.store.write(lambda tx: _end_turn(tx, plugin, seq, failures + 1 if broken else 0, lease))
    return calls


def _read(tx: Tx, *, after: int) -> tuple[tuple[journal.Event, ...], int]:
    return journal_rows.read_after(tx, after, limit=PAGE)


def _end_turn(tx: Tx, plugin: str, seq: int, failures: int, lease: Lease) -> None:
    if not news.advance(tx, plugin, seq=seq, lease=lease):
        return  # the turn was over, and another worker tells it again
    pause = timedelta() if failures == 0 else FIRST_PAUSE * 2 ** min(failures - 1, DOUBLINGS_MAX)
    news.give_back(tx, plugin, failures=failures, due_at=tx.now + min(pause, LONGEST_PAUSE), lease=lease)


def _is_behind(tx: Tx, plugin: str) -> bool:
    """Whether it is new, or lines were written since; so that nothing is written where everything is told."""
    place = next((each for each in news.list_of(tx) if each[0] == plugin), None)
    return place is None or place[1] < tx.head.seq
