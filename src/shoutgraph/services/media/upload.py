"""Uploading: bytes arrive in parts, each durable before it is acknowledged; the last one ends the upload.

Who may upload for an order is the order's to say; here a signed link is the proof that somebody was let in.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from shoutgraph.domain import errors, ids, media, users
from shoutgraph.files import links
from shoutgraph.files.links import Access, Link
from shoutgraph.files.store import Checksum, FileKind, Receiver
from shoutgraph.services.media import rejecting, rooms
from shoutgraph.storage import media as storage
from shoutgraph.storage.tx import Tx
from shoutgraph.storage.uploads import Uploads
from shoutgraph.tools import Tools, one_by_one

SWEEP_PAGES_MAX: Final = 100
"""Pages of unfinished uploads that one sweep looks at."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an upload is: `offset` bytes are durable."""

    video: media.Video
    offset: int


@dataclass(frozen=True, slots=True)
class Part:
    """What a client says about the bytes it sends. `length` is None where it does not say."""

    offset: int
    length: int | None
    checksum: Checksum | None = None


async def find(tools: Tools, viewer: users.Viewer, video_id: str) -> Link:
    """The target of an upload of the viewer's again, for a client that lost it.

    Raises:
        NotFoundError: there is no such video, or it is not the viewer's.
        MediaRejectedError: it takes no bytes any more.
    """
    video = await tools.store.read(partial(storage.get_visible, video_id=video_id, viewer=viewer))
    media.require_uploading(video, now=tools.clock())
    return tools.links.upload(video.id, viewer, expires_at=video.expires_at)


async def progress(tools: Tools, video_id: str, token: str | None) -> Progress:
    """How many bytes of an upload are durable.

    Raises:
        ForbiddenError: the link is not valid or has expired.
        NotFoundError: there is no such video.
        MediaRejectedError: the file was refused, cancelled or not finished in time.
    """
    video = await _linked(tools, video_id, token)
    if video.state is not media.VideoState.UPLOADING:
        return Progress(video, video.size_bytes)
    offset = await tools.files.received_bytes(video.id)
    if offset == video.size_bytes:  # a crash came between the last byte and its note
        return await _finish_whole(tools, video)
    return Progress(video, offset)


async def receive(tools: Tools, video_id: str, token: str | None, part: Part, body: AsyncIterator[bytes]) -> Progress:
    """Puts a part at the end of an upload; with the last byte the video waits to be checked.

    A body that stops early is kept as far as it came, unless it has a checksum.

    Raises:
        ForbiddenError: the link is not valid or has expired.
        NotFoundError: there is no such video.
        MediaRejectedError: the file was refused, cancelled or not finished in time.
        ValidationError: the offset is wrong, the part is too long, stopped early or has another checksum, or another
            request is writing.
    """
    video = await _linked(tools, video_id, token)
    if video.state is not media.VideoState.UPLOADING:
        _require_fit(video, part, offset=video.size_bytes)
        return Progress(video, video.size_bytes)
    checked = part.checksum.algorithm if part.checksum else None
    try:
        async with tools.files.receive(video.id, checked=checked) as receiver:
            await _linked(tools, video_id, token)  # again, now that nobody else writes: it may have been cancelled
            _require_fit(video, part, offset=receiver.offset)
            await _take(receiver, video, part, body)
            offset = await receiver.keep(part.checksum)
            if offset == video.size_bytes:
                video = await tools.store.write(partial(_finish, video_id=video.id))
    except errors.MediaRejectedError:
        await rejecting.discard(tools, video.id)
        raise
    return Progress(video, offset)


async def cancel(tools: Tools, video_id: str, token: str | None) -> None:
    """Ends an unfinished upload and removes its bytes; a repeat changes nothing.

    Raises:
        ForbiddenError: the link is not valid or has expired.
        NotFoundError: there is no such video.
        ValidationError: the upload is complete.
    """
    tools.links.require(Access.UPLOAD, links.upload_path(video_id), token, now=tools.clock())
    video = await tools.store.write(partial(_cancel, video_id=video_id))
    await rejecting.discard(tools, video.id)


async def sweep(tools: Tools) -> int:
    """Ends uploads that are complete but not noted so (after a crash) or past their time; gives how many.

    Raises:
        OverloadedError: too much waits for the database; the next sweep goes on.
        StoreUnavailableError: the database is not there; likewise.
    """
    return sum([await _sweep_room(tools, room) for room in rooms.ALL])


async def _sweep_room(tools: Tools, room: Uploads[Any]) -> int:
    ended = 0
    after = ""
    for _ in range(SWEEP_PAGES_MAX):
        page = await tools.store.read(partial(room.list_of_uploading, after=after))
        if not page:
            break
        sizes = await tools.files.list_of_sizes(FileKind.VIDEO, [video.id for video in page])
        there = tuple(zip(page, sizes, strict=True))
        ended += sum(await one_by_one("sweep of", there, partial(_sweep, tools), name=lambda each: each[0].id))
        after = page[-1].id
    return ended


async def _linked(tools: Tools, video_id: str, token: str | None) -> media.Video:
    now = tools.clock()
    tools.links.require(Access.UPLOAD, links.upload_path(video_id), token, now=now)
    video: media.Video = await tools.store.read(partial(rooms.of(video_id).get, upload_id=video_id))
    media.require_uploading(video, now=now)
    return video


def _require_fit(video: media.Video, part: Part, *, offset: int) -> None:
    if part.offset != offset:
        msg = f"The upload is at byte {offset}, not {part.offset}."
        raise errors.ValidationError(msg, code="UPLOAD_OFFSET")
    if part.length is not None and offset + part.length > video.size_bytes:
        raise _too_long(video)


def _too_long(video: media.Video) -> errors.ValidationError:
    msg = f"This upload was opened for {video.size_bytes:,} bytes and takes no more."
    return errors.ValidationError(msg, code="UPLOAD_TOO_LONG")


async def _take(receiver: Receiver, video: media.Video, part: Part, body: AsyncIterator[bytes]) -> None:
    async for data in body:
        if receiver.offset + len(data) > video.size_bytes:
            await receiver.drop()
            raise _too_long(video)
        await receiver.write(data)
    cut_short = part.length is not None and receiver.offset < part.offset + part.length
    if cut_short and part.checksum is not None:
        await receiver.drop()
        raise errors.ValidationError("This part stopped early; send it again.", code="UPLOAD_INTERRUPTED")


async def _finish_whole(tools: Tools, video: media.Video) -> Progress:
    """Notes a complete upload, unless its last part is still being written or not proven."""
    async with tools.files.receive(video.id) as receiver:
        offset = await receiver.keep()
        if offset == video.size_bytes:
            video = await tools.store.write(partial(_finish, video_id=video.id))
    return Progress(video, offset)


async def _sweep(tools: Tools, there: tuple[media.Video, int | None]) -> bool:
    video, size_bytes = there
    if size_bytes == video.size_bytes:
        with suppress(errors.ValidationError):  # somebody is writing it: not now
            return (await _finish_whole(tools, video)).offset == video.size_bytes
    if tools.clock() < video.expires_at:
        return False
    msg = "The upload was not finished in time."
    await rejecting.reject(tools, video.id, media.Rejection(media.RejectionCode.UPLOAD_EXPIRED, msg))
    return True


def _finish(tx: Tx, *, video_id: ids.VideoId) -> media.Video:
    room = rooms.of(video_id)
    video: media.Video = room.get(tx, video_id)
    media.require_uploading(video, now=video.opened_at)  # bytes that came in time count
    if video.state is not media.VideoState.UPLOADING:
        return video
    received = media.receive(video)
    room.save(tx, received, was=video.state)
    return received


def _cancel(tx: Tx, *, video_id: str) -> media.Video:
    room = rooms.of(video_id)
    video: media.Video = room.get(tx, video_id)
    if video.state is media.VideoState.REJECTED:
        return video
    if video.state is not media.VideoState.UPLOADING:
        raise errors.ValidationError("This upload is complete.", code="UPLOAD_COMPLETE")
    msg = "The upload was cancelled."
    rejection = media.Rejection(media.RejectionCode.UPLOAD_CANCELLED, msg)
    cancelled = media.reject(video, rejection, now=tx.now)
    room.save(tx, cancelled, was=video.state)
    return cancelled
