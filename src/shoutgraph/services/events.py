"""The journal for people and tools: stored events first, then live ones, each at least once and without a gap.

Who may read an event is decided for each one, so that a change of rights takes effect in the middle of a stream.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from shoutgraph.domain import clock, errors, feeds
from shoutgraph.domain.anchors import FIRST, Epoch
from shoutgraph.domain.cursors import Place, read_cursor, write_cursor
from shoutgraph.domain.feeds import Feed
from shoutgraph.domain.journal import Event
from shoutgraph.domain.users import Viewer
from shoutgraph.storage import epochs, journal as journal_rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

READ_MAX: Final = 500
READS_MAX: Final = 20
"""How often one page reads on when it finds too little; then it says from where to go on."""
AWAY_S: Final = 1.0
"""How often a stream looks for a database that is away or has too much to do."""
AWAY_LOOKS_MAX: Final = 60
"""How often in a row it does so before it ends."""


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events of a feed: all the given conditions together."""

    subject_ids: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()
    feed: Feed = feeds.ORDERS


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and the cursor to go on from after it."""

    event: Event
    cursor: str


async def follow(tools: Tools, viewer: Viewer, *, after: str | None, only: EventFilter) -> AsyncIterator[Told]:
    """Every event of the feed after the cursor that this viewer may see: the stored ones, then each as it happens.

    The newest number is read before the journal is, so no event falls between the stored ones and the live ones. A
    database that is away for a while, once it began, makes it late and does not end it.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ValidationError: the cursor is not one of the journal, or is ahead of it.
        ResyncError: the journal was restored to a time before the cursor.
    """
    check_reader(viewer, only.feed)
    epoch, head = await _head(tools)
    place = Place(epoch.mark, head) if after is None else read_cursor(after)
    _check_epoch(place, epoch)
    _check_behind(place, head)
    seq = place.seq
    while True:
        found, seq_read, epoch = await _read_patiently(tools, seq, only)
        _check_epoch(place, epoch)
        for event in found:
            if only.feed.visible(event, viewer) and matches(event, only):
                yield _told(event, epoch)
        if seq_read == seq:
            await tools.bell.wait_past(seq)
        seq = seq_read


async def page(
    tools: Tools, viewer: Viewer, *, after: str | None, size: int, only: EventFilter
) -> tuple[tuple[Told, ...], str, bool]:
    """A page of the journal: the events, the cursor to go on from, and whether there is more to read.

    Where events of this viewer are rare, a page may hold few or none although there is more to read.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ValidationError: the cursor is not one of the journal, or is ahead of it.
        ResyncError: the journal was restored to a time before the cursor.
    """
    check_reader(viewer, only.feed)
    place = None if after is None else read_cursor(after)
    seq = 0 if place is None else place.seq
    if place is not None and seq > tools.bell.newest:
        await _check_ahead(tools, place)
    kept: list[Event] = []
    more, epoch = True, FIRST
    for _ in range(READS_MAX):
        found, seq_read, epoch = await _read(tools, seq, only)
        _check_epoch(place, epoch)
        kept += [event for event in found if only.feed.visible(event, viewer) and matches(event, only)]
        if len(kept) >= size:
            del kept[size:]
            seq = kept[-1].seq if kept else seq
            break
        if seq_read == seq:
            more = False
            break
        seq = seq_read
    return tuple(_told(event, epoch) for event in kept), write_cursor(Place(epoch.mark, seq)), more


def check_reader(viewer: Viewer, feed: Feed) -> None:
    """Refuses a viewer who can have no events of a feed.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is a tool without the scope.
    """
    if viewer.user_id is None:
        viewer.require(*feed.scopes)


def matches(event: Event, only: EventFilter) -> bool:
    """Whether the event passes the filter."""
    if not only.feed.tells(event) or (only.subject_ids and event.topic not in only.subject_ids):
        return False
    return not only.statuses or event.body.get("status") in only.statuses


async def _head(tools: Tools) -> tuple[Epoch, int]:
    return await tools.store.read(lambda tx: (epochs.current(tx), journal_rows.head(tx).seq))


def _told(event: Event, epoch: Epoch) -> Told:
    return Told(event, write_cursor(Place(epoch.mark, event.seq)))


async def _check_ahead(tools: Tools, place: Place) -> None:
    epoch, head = await _head(tools)
    _check_epoch(place, epoch)
    _check_behind(place, head)


def _check_epoch(place: Place | None, epoch: Epoch) -> None:
    """A cursor of another epoch may stand at a line that was lost, or that is another one now."""
    if place is not None and place.mark != epoch.mark:
        raise errors.ResyncError(restored_to=clock.to_text(epoch.after.at))


def _check_behind(place: Place, head: int) -> None:
    if place.seq > head:
        msg = "This cursor is ahead of the journal. Page through orders by updatedSince, then start anew."
        raise errors.ValidationError(msg, code="CURSOR_AHEAD", path=("after",))


async def _read_patiently(tools: Tools, seq: int, only: EventFilter) -> tuple[Sequence[Event], int, Epoch]:
    for _ in range(AWAY_LOOKS_MAX):
        try:
            return await _read(tools, seq, only)
        except (errors.StoreUnavailableError, errors.OverloadedError):
            await asyncio.sleep(AWAY_S)
    return await _read(tools, seq, only)


async def _read(tools: Tools, seq: int, only: EventFilter) -> tuple[Sequence[Event], int, Epoch]:
    topics = sorted(each for each in only.subject_ids if each.startswith(only.feed.topic))

    def query(tx: Tx) -> tuple[tuple[Event, ...], int, Epoch]:
        epoch = epochs.current(tx)
        if only.subject_ids:
            return *journal_rows.read_after_of(tx, seq, topics, limit=READ_MAX), epoch
        return *journal_rows.read_after(tx, seq, limit=READ_MAX, prefix=only.feed.topic), epoch

    return await tools.store.read(query)
