"""Delivering: an upload target for the creator, the upload that goes to review, and who may watch the video."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shoutgraph.domain import errors, ids, media
from shoutgraph.domain.media import OpenUpload, Video, VideoLimits, VideoState
from shoutgraph.domain.orders import checklist
from shoutgraph.domain.orders.checklist import Ticks
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import BY_NAME, SHOWN_TO_FAN, Actor
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.files.links import Link
from shoutgraph.services.orders import advance, moves
from shoutgraph.services.orders.moves import Turn
from shoutgraph.storage import cuts, media as videos, orders, policies
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

NO_TICKS: Final = Ticks()


@dataclass(frozen=True, slots=True)
class File:
    """What the creator is about to upload. Units: bytes."""

    size_bytes: int
    media_type: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A video with the links that this viewer may follow; None where they may not watch it."""

    video: Video
    watch: Link | None
    poster: Link | None


async def open_upload(
    tools: Tools, viewer: Viewer, request: Request, order_id: str, file: File
) -> tuple[Done[Video], Link]:
    """Gives the creator of an order a target that takes a file by resumable upload.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not this order's creator.
        NotFoundError: there is no such order for this viewer.
        OrderStateError: the order is not waiting for a video.
        ValidationError: the size is not a positive number.
        MediaRejectedError: the file is too large or of a kind that is not accepted.
        LimitExceededError: too many uploads of this order are open.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    creator_id = viewer.require_creator()

    def work(tx: Tx) -> Video:
        order = orders.get_visible(tx, order_id, viewer)
        moves.check_actor(order, viewer, Actor.CREATOR)
        if order.state not in BY_NAME["upload"].sources:
            msg = f"No video is expected while the order is {order.state}."
            raise errors.OrderStateError(msg, state=order.state)
        policy = policies.get(tx, order.terms.policy_version)
        limits = VideoLimits(order.terms.duration_max_s, policy.video_bytes_max)
        wish = OpenUpload(order.id, file.size_bytes, file.media_type, limits)
        video = media.open_upload(
            ids.VideoId(tools.new_id(ids.VIDEO)), creator_id, wish, now=tx.now, life=timedelta(seconds=policy.upload_s)
        )
        videos.insert(tx, video)
        return video

    done = await once(tools, request, work, videos.get)
    link = tools.links.upload(done.value.id, viewer, expires_at=done.value.expires_at)
    return done, link


async def deliver(
    tools: Tools, viewer: Viewer, request: Request, turn: Turn, video_id: str, ticks: Ticks = NO_TICKS
) -> Done[Order]:
    """Hands a video in for review, with what must be said ticked off; the delivery clock stops.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not this order's creator.
        NotFoundError: there is no such order for this viewer, or no such video of this order.
        StaleRevisionError: the order changed since the viewer read it.
        OrderStateError: the order is not waiting for a video.
        ValidationError: something that must be said is neither ticked nor explained, an item is unknown, or the note is
            empty or too long.
        MediaRejectedError: the video was refused, or is not ready yet.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    ids.parse(ids.VIDEO, video_id, path=("input", "videoId"))
    viewer.require_creator()

    def work(tx: Tx) -> Order:
        order = moves.find(tx, viewer, turn)
        moves.check_actor(order, viewer, Actor.CREATOR)
        media.require_ready(videos.get(tx, video_id), order_id=order.id)
        checked = checklist.check_ticks(orders.find_brief(tx, order.id), ticks)
        after = advance.advance(tools, tx, order, Command("upload", Actor.CREATOR, video_id=video_id))
        cuts.put(tx, order.id, video_id, checked)
        return after

    return await once(tools, request, work, orders.get)


async def list_shown(tools: Tools, viewer: Viewer, of: Sequence[Order]) -> list[Shown | None]:
    """The videos of orders with fresh links, None where there is none that this viewer may know of.

    The creator and moderators see the newest cut; the fan only one that passed review.
    """
    wanted = [_shown_id(order, viewer) for order in of]
    known = [video_id for video_id in wanted if video_id is not None]
    found = await tools.store.read(lambda tx: videos.list_of_ids(tx, known))
    return [None if video_id is None else _show(tools, viewer, found.get(video_id)) for video_id in wanted]


async def list_ticked(tools: Tools, viewer: Viewer, of: Sequence[Order]) -> list[Ticks | None]:
    """What was ticked for the videos that this viewer knows of, None where they know of none."""
    wanted = [_shown_id(order, viewer) for order in of]
    found = await tools.store.read(lambda tx: cuts.list_of_videos(tx, [each for each in wanted if each is not None]))
    return [None if video_id is None else found.get(video_id, NO_TICKS) for video_id in wanted]


def _shown_id(order: Order, viewer: Viewer) -> ids.VideoId | None:
    mine = viewer.creator_id is not None and order.creator_id == viewer.creator_id
    if mine or viewer.has(Scope.MODERATION):
        return order.video_id
    if viewer.user_id is not None and order.fan_id == viewer.user_id and order.state in SHOWN_TO_FAN:
        return order.passed_video_id
    return None


def _show(tools: Tools, viewer: Viewer, video: Video | None) -> Shown | None:
    if video is None:
        return None
    if video.state is not VideoState.READY:
        return Shown(video, watch=None, poster=None)
    now = tools.clock()
    return Shown(
        video,
        watch=tools.links.video(video.id, viewer, now=now),
        poster=tools.links.poster(video.id, viewer, now=now),
    )
