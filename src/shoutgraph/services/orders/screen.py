"""Automatic screening: plugins look at what fans ask for and creators deliver, before the other side sees it.

An order that waits for a moderator has one deadline more, of a kind of its own, as long as any plugin screens. Whoever
takes it looks while no unit of work is open, and then moves the order as a moderator would, or leaves it to them.
Everything that goes wrong leaves it to them, too. A worker that dies gives the look back after a while; after the
third try nobody looks any more, so that a file which kills its readers does not do it for ever.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shoutgraph.domain.deadlines import Deadline
from shoutgraph.domain.media import Video, VideoState
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Brief, Order
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.files.store import FileKind
from shoutgraph.sdk import OrderRequest, OrderVideo, Verdict
from shoutgraph.services.orders import advance
from shoutgraph.storage import deadlines, media, orders
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools, side_by_side

logger = logging.getLogger("shoutgraph.orders")

TRIES: Final = advance.SCREENINGS
"""The kinds of the deadlines, one for each try."""

LEASE: Final = timedelta(minutes=10)
"""How long one worker has a look to itself."""

LOOK_TIMEOUT_S: Final = 300.0
"""How long all plugins together may look; well within the lease."""

TOGETHER: Final = 4
ROUND_MAX: Final = 20
REASON: Final = "AUTOMATIC_SCREENING"
"""The reason code of what a plugin rejects; it says nothing of the rule."""

_MOVES: Final = {
    (State.SCREENING, Verdict.ALLOW): Command("screen_pass", Actor.POLICY),
    (State.SCREENING, Verdict.DENY): Command("screen_reject", Actor.POLICY, reason=REASON),
    (State.IN_REVIEW, Verdict.ALLOW): Command("review_pass", Actor.POLICY),
    (State.IN_REVIEW, Verdict.DENY): Command("review_changes", Actor.POLICY, reason=REASON),
}


@dataclass(frozen=True, slots=True)
class _Look:
    """A look that this worker has taken: at which order, and the row that says so; None after the last try."""

    order: Order
    row: Deadline | None
    subject: OrderRequest | OrderVideo | None


async def screen_due(tools: Tools) -> int:
    """Looks at what waits, some at a time; says how many it took."""
    due = await tools.store.read(lambda tx: deadlines.list_due(tx, kinds=TRIES, limit=ROUND_MAX))
    places = asyncio.Semaphore(TOGETHER)

    async def one(deadline: Deadline) -> bool:
        async with places:
            return await _screen(tools, deadline)

    return sum(await side_by_side("screening of", due, one, name=lambda each: each.subject_id))


async def _screen(tools: Tools, deadline: Deadline) -> bool:
    look = await tools.store.write(lambda tx: _take(tools, tx, deadline))
    if look is None:
        return False
    verdict = await _verdict(tools, look)
    await tools.store.write(lambda tx: _decide(tools, tx, look, verdict))
    return True


def _take(tools: Tools, tx: Tx, deadline: Deadline) -> _Look | None:
    order = orders.get(tx, deadline.subject_id)  # before its deadlines, as everybody takes them
    if not deadlines.delete_due(tx, deadline):
        return None  # whoever moves an order drops its deadlines, and whoever notes something carries them on
    later = TRIES[TRIES.index(deadline.kind) + 1 :]
    row = Deadline(order.id, later[0], tx.now + LEASE, order.revision) if later else None
    if row is not None:
        deadlines.put(tx, row)
    return _Look(order, row, _subject(tools, tx, order))


def _subject(tools: Tools, tx: Tx, order: Order) -> OrderRequest | OrderVideo | None:
    if order.state is State.SCREENING:
        (brief,) = orders.list_briefs(tx, [order.id])
        return None if brief is None else request_of(order.id, brief)
    if order.state is State.IN_REVIEW and order.video_id is not None:
        return _video(tools, media.get(tx, order.video_id))
    return None


def request_of(order_id: str, brief: Brief) -> OrderRequest:
    """What a fan asks for, as plugins see it."""
    texts = {"recipientName": brief.recipient_name, "instructions": brief.instructions}
    if brief.pronunciation is not None:
        texts["pronunciation"] = brief.pronunciation
    for name, items in (("mustSay", brief.must_say), ("mustNotSay", brief.must_not_say)):
        texts |= {f"{name}.{at}": item for at, item in enumerate(items)}
    return OrderRequest(order_id, brief.occasion.value, texts, brief.language)


def _video(tools: Tools, video: Video) -> OrderVideo | None:
    facts = video.facts
    if video.state is not VideoState.READY or facts is None or video.sha256 is None:
        return None
    return OrderVideo(
        order_id=video.order_id,
        path=tools.files.path_of(FileKind.VIDEO, video.id),
        duration_s=timedelta(milliseconds=facts.duration_ms or 0).total_seconds(),
        width=facts.width_px or 0,
        height=facts.height_px or 0,
        sha256=video.sha256,
    )


async def _verdict(tools: Tools, look: _Look) -> Verdict:
    if look.subject is None:
        return Verdict.HOLD
    try:
        async with asyncio.timeout(LOOK_TIMEOUT_S):
            return await tools.providers.hooks.screen(look.subject)
    except TimeoutError:
        logger.warning("the screening of %s took too long", look.order.id)
        return Verdict.HOLD


def _decide(tools: Tools, tx: Tx, look: _Look, verdict: Verdict) -> None:
    seen, order = look.order, orders.get(tx, look.order.id)
    if look.row is not None and not deadlines.delete_due(tx, look.row):
        return  # somebody moved the order meanwhile, or has the look now
    same = (order.state, order.video_id) == (seen.state, seen.video_id)  # also after what only adds to its story
    command = _MOVES.get((order.state, verdict)) if same else None
    if command is not None and order.frozen_at is None:
        advance.advance(tools, tx, order, command)
