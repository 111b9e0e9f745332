"""Watching: the file behind a signed link, read in pieces."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from typing import Final

from shoutgraph.domain import errors, media
from shoutgraph.domain.attachments import Attachment, Medium
from shoutgraph.files import links
from shoutgraph.files.links import Access
from shoutgraph.files.store import FileKind
from shoutgraph.services.media import rooms
from shoutgraph.tools import Tools

PATHS: Final = {
    FileKind.VIDEO: links.video_path,
    FileKind.POSTER: links.poster_path,
    FileKind.COPY: links.copy_path,
    FileKind.COPY_POSTER: links.copy_poster_path,
}


@dataclass(frozen=True, slots=True)
class Download:
    """A finished file, ready to be read."""

    video: media.Video
    kind: FileKind
    size_bytes: int
    seconds_left: int


async def find_download(tools: Tools, kind: FileKind, video_id: str, token: str | None) -> Download:
    """The file behind a signed link.

    Raises:
        ForbiddenError: the link is not valid or has expired.
        NotFoundError: there is no such video, or it is not READY.
    """
    path = PATHS[kind](video_id)
    now = tools.clock()
    expires_at = tools.links.require(Access.READ, path, token, now=now)
    video: media.Video = await tools.store.read(partial(rooms.of(video_id).get, upload_id=video_id))
    ready = video.state is media.VideoState.READY and not (kind is FileKind.VIDEO and _is_picture(video))
    size_bytes = await tools.files.size_bytes(kind, video.id) if ready else None
    if size_bytes is None:
        raise errors.NotFoundError("There is no such video.")
    return Download(video, kind, size_bytes, seconds_left=(expires_at - now) // links.SECOND)


def _is_picture(video: media.Video) -> bool:
    """Whether it is shown as it was drawn anew, and never as it came."""
    return isinstance(video, Attachment) and video.medium is Medium.PICTURE


def read(tools: Tools, download: Download, *, start: int, end: int) -> AsyncGenerator[bytes, None]:
    """The bytes of a file from `start` up to, not including, `end`. Close it when done."""
    return tools.files.read(download.kind, download.video.id, start=start, end=end)
