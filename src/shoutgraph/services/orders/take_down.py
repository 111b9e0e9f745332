"""Taking a delivered video down: nobody watches it any more, its files go, and whoever has a copy learns of it."""

from typing import Final

from shoutgraph.domain import errors, ids, media
from shoutgraph.domain.media import Video, VideoState
from shoutgraph.domain.orders import order as order_values
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.services.orders import advance, moves
from shoutgraph.storage import media as videos, orders
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

TAKE_DOWN: Final = "take_down_video"


async def take_down(
    tools: Tools, viewer: Viewer, request: Request, video_id: str, *, reason: str, note: str
) -> Done[Video]:
    """Takes a video down for good, with a statement of reasons that its creator reads. Coins stay as they are.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not moderate, or it is of an order of their own.
        NotFoundError: there is no such video.
        MediaRejectedError: it is not ready, or was taken down before.
        ValidationError: the reason or the note is empty or too long.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.MODERATION)
    order_values.check_reason(reason)
    order_values.check_note("note", note)
    path = ("input", "videoId")
    ids.parse(ids.VIDEO, video_id, path=path)

    def work(tx: Tx) -> Video:
        known = videos.list_of_ids(tx, [video_id]).get(video_id)
        if known is None:
            raise errors.NotFoundError("There is no such video.", path=path)
        order = orders.get(tx, known.order_id)
        moves.check_actor(order, viewer, Actor.MODERATOR)
        video = media.take_down(videos.get(tx, video_id), note=note, now=tx.now, path=path)
        videos.save(tx, video, was=VideoState.READY)
        advance.note(tools, tx, order, TAKE_DOWN, Actor.MODERATOR)
        return video

    return await once(tools, request, work, videos.get)
