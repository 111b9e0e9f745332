"""The journal for people and tools: stored events first, then live ones, each at least once and without a gap.

Who may read an event is decided for each one, so that a change of rights takes effect in the middle of a stream.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

from shoutgraph.domain import errors, ids, pages
from shoutgraph.domain.journal import Event
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import journal as journal_rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

SCOPE: Final = "events"
READ_MAX: Final = 500
READS_MAX: Final = 20
"""How often one page reads on when it finds too little; then it says from where to go on."""
ORDER_TOPIC: Final = f"{ids.ORDER}_"
MOVED: Final = "order.status_changed"
CHANGED: Final = "order.changed"


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which order events: all the given conditions together."""

    order_ids: frozenset[str] = frozenset()
    statuses: frozenset[str] = frozenset()


def write_cursor(seq: int) -> str:
    """The cursor of a place in the journal."""
    return pages.write_cursor(SCOPE, (seq,))


def read_cursor(cursor: str) -> int:
    """The place of a cursor.

    Raises:
        ValidationError: the text is no cursor of the journal.
    """
    key = pages.read_cursor(SCOPE, cursor, path=("after",))
    if len(key) != 1 or type(key[0]) is not int or not 0 <= key[0] < pages.INT64_END:
        raise errors.ValidationError("This is not a cursor of the journal.", code="INVALID_CURSOR", path=("after",))
    return key[0]


async def follow(tools: Tools, viewer: Viewer, *, after: str | None, only: EventFilter) -> AsyncIterator[Event]:
    """Every order event after the cursor that this viewer may see: the stored ones, then each as it happens.

    The newest number is read before the journal is, so no event falls between the stored ones and the live ones.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ValidationError: the cursor is not one of the journal, or is ahead of it.
    """
    check_reader(viewer)
    head = await _head(tools)
    seq = head if after is None else read_cursor(after)
    _check_behind(seq, head)
    while True:
        found, seq_read = await _read(tools, seq, only)
        for event in found:
            if visible(event, viewer) and matches(event, only):
                yield event
        if seq_read == seq:
            await tools.bell.wait_past(seq)
        seq = seq_read


async def page(
    tools: Tools, viewer: Viewer, *, after: str | None, size: int, only: EventFilter
) -> tuple[tuple[Event, ...], str, bool]:
    """A page of the journal: the events, the cursor to go on from, and whether there is more to read.

    Where events of this viewer are rare, a page may hold few or none although there is more to read.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ValidationError: the cursor is not one of the journal, or is ahead of it.
    """
    check_reader(viewer)
    seq = 0 if after is None else read_cursor(after)
    if seq > tools.bell.newest:
        _check_behind(seq, await _head(tools))
    kept: list[Event] = []
    for _ in range(READS_MAX):
        found, seq_read = await _read(tools, seq, only)
        kept += [event for event in found if visible(event, viewer) and matches(event, only)]
        if len(kept) >= size:
            del kept[size:]
            return tuple(kept), write_cursor(kept[-1].seq if kept else seq), True
        if seq_read == seq:
            return tuple(kept), write_cursor(seq), False
        seq = seq_read
    return tuple(kept), write_cursor(seq), True


def check_reader(viewer: Viewer) -> None:
    """Refuses a viewer who can have no events.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is a tool without the scope.
    """
    if viewer.user_id is None:
        viewer.require(Scope.EVENTS_READ, Scope.ORDERS_READ)


def visible(event: Event, viewer: Viewer) -> bool:
    """Whether the viewer is a side of the event's order, or reads all events. A draft is only its fan's."""
    if viewer.has(Scope.EVENTS_READ, Scope.ORDERS_READ):
        return True
    body = event.body
    if viewer.user_id is not None and body.get("fan") == viewer.user_id:
        return True
    drafted = body.get("status") == "DRAFT" or (body.get("previous") == "DRAFT" and body.get("status") == "CANCELLED")
    return viewer.creator_id is not None and body.get("creator") == viewer.creator_id and not drafted


def matches(event: Event, only: EventFilter) -> bool:
    """Whether the event passes the filter."""
    if only.order_ids and event.topic not in only.order_ids:
        return False
    return not only.statuses or event.body.get("status") in only.statuses


async def _head(tools: Tools) -> int:
    return await tools.store.read(lambda tx: journal_rows.head(tx).seq)


def _check_behind(seq: int, head: int) -> None:
    if seq > head:
        msg = "This cursor is ahead of the journal. Page through orders by updatedSince, then start anew."
        raise errors.ValidationError(msg, code="CURSOR_AHEAD", path=("after",))


async def _read(tools: Tools, seq: int, only: EventFilter) -> tuple[Sequence[Event], int]:
    topics = sorted(order_id for order_id in only.order_ids if order_id.startswith(ORDER_TOPIC))

    def query(tx: Tx) -> tuple[tuple[Event, ...], int]:
        if only.order_ids:
            return journal_rows.read_after_of(tx, seq, topics, limit=READ_MAX)
        return journal_rows.read_after(tx, seq, limit=READ_MAX, prefix=ORDER_TOPIC)

    return await tools.store.read(query)
