"""Rejecting: what becomes of a file that is not, or no longer, an acceptable video."""

from contextlib import suppress
from functools import partial

from shoutgraph.domain import errors, ids, media
from shoutgraph.storage import media as storage
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


async def reject(tools: Tools, video_id: ids.VideoId, rejection: media.Rejection) -> media.Video:
    """Makes a video REJECTED if it is not judged yet, and gives it as it is now."""
    return await tools.store.write(partial(_rejected, video_id=video_id, rejection=rejection))


async def discard(tools: Tools, video_id: ids.VideoId) -> None:
    """Removes the bytes of a rejected video now, or leaves them to the next round while they are being written."""
    with suppress(errors.ValidationError):
        await tools.files.delete(video_id)
        await tools.store.write(partial(storage.discarded, video_id=video_id))


def _rejected(tx: Tx, *, video_id: ids.VideoId, rejection: media.Rejection) -> media.Video:
    video = storage.get(tx, video_id)
    if video.state not in {media.VideoState.UPLOADING, media.VideoState.CHECKING}:
        return video
    rejected = media.reject(video, rejection, now=tx.now)
    storage.save(tx, rejected, was=video.state)
    return rejected
