"""Rejecting: what becomes of a file that is not, or no longer, an acceptable video."""

from functools import partial

from shoutgraph.domain import errors, ids, media
from shoutgraph.services.media import rooms
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


async def reject(tools: Tools, video_id: ids.VideoId, rejection: media.Rejection) -> media.Video:
    """Makes a video REJECTED if it is not judged yet, and gives it as it is now."""
    return await tools.store.write(partial(_rejected, video_id=video_id, rejection=rejection))


async def discard(tools: Tools, video_id: ids.VideoId) -> bool:
    """Removes the bytes of a video if it is rejected; says no where it is not, or while somebody is writing it."""
    video: media.Video = await tools.store.read(partial(rooms.of(video_id).get, upload_id=video_id))
    if video.state is not media.VideoState.REJECTED:
        return False
    try:
        await tools.files.delete(video_id)
    except errors.ValidationError:
        return False
    await tools.store.write(partial(rooms.of(video_id).discarded, upload_id=video_id))
    return True


def _rejected(tx: Tx, *, video_id: ids.VideoId, rejection: media.Rejection) -> media.Video:
    room = rooms.of(video_id)
    video: media.Video = room.get(tx, video_id)
    if video.state not in {media.VideoState.UPLOADING, media.VideoState.CHECKING}:
        return video
    rejected = media.reject(video, rejection, now=tx.now)
    room.save(tx, rejected, was=video.state)
    return rejected
