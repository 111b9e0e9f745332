"""What the use-cases of this room share: their effects, and how a file that was refused goes away."""

from contextlib import suppress
from functools import partial
from typing import Protocol

from shoutgraph.domain import clock, errors, ids, media
from shoutgraph.files.links import Links
from shoutgraph.files.store import Files
from shoutgraph.storage import media as storage
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Store


class MediaTools(Protocol):
    """The effects that this room needs of `Tools`."""

    @property
    def store(self) -> Store:
        """The database."""

    @property
    def clock(self) -> clock.Clock:
        """The time now."""

    @property
    def files(self) -> Files:
        """Where the bytes are."""

    @property
    def links(self) -> Links:
        """Signs links and checks them."""


async def reject(tools: MediaTools, video_id: ids.VideoId, rejection: media.Rejection) -> media.Video:
    """Makes a video REJECTED if it is not judged yet, and gives it as it is now."""
    return await tools.store.write(partial(_rejected, video_id=video_id, rejection=rejection))


async def discard(tools: MediaTools, video_id: ids.VideoId) -> None:
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
