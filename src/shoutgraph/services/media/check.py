"""Checking: a complete file is inspected once, by whichever worker has it, and then READY or REJECTED."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from functools import partial
from typing import Final

from shoutgraph.domain import attachments, errors, ids, media
from shoutgraph.domain.attachments import Attachment
from shoutgraph.files.store import InspectionError
from shoutgraph.services.media import rejecting, rooms, upload
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools, side_by_side

logger = logging.getLogger(__name__)

RENEW: Final = media.CHECK_LEASE // 4
"""How often whoever checks a video renews the lease."""


async def check(tools: Tools, video_id: ids.VideoId) -> bool:
    """Judges a complete video, once however often it is asked for; says whether this call was the one.

    After a crash another worker takes over.
    """
    async with tools.files.checking():
        attempt = await tools.store.write(partial(rooms.of(video_id).claim, upload_id=video_id))
        if attempt is None:
            return False
        try:
            async with _kept(tools, video_id, attempt):
                await tools.files.blank_metadata(video_id)
                digest = await tools.files.sha256(video_id)
                facts = await tools.files.inspect(video_id)
        except errors.MediaRejectedError as refusal:
            judged = await rejecting.reject(tools, video_id, media.rejection_of(refusal))
        except InspectionError as fault:
            logger.exception("checking %s failed at attempt %d", video_id, attempt, exc_info=fault)
            if attempt < media.CHECK_ATTEMPTS_MAX:
                return True  # its lease runs out, and then it is tried again
            msg = "This file could not be checked. Upload it again."
            judged = await rejecting.reject(tools, video_id, media.Rejection(media.RejectionCode.CHECK_FAILED, msg))
        else:
            judged = await tools.store.write(partial(_judge, video_id=video_id, facts=facts, digest=digest))
    if judged.state is media.VideoState.REJECTED:
        await rejecting.discard(tools, video_id)
    return True


async def check_pending(tools: Tools) -> int:
    """Takes up what crashes and time left: ends uploads, checks complete videos, removes the bytes of rejected ones.

    Gives how much it did, 0 where there is nothing to do now.
    """
    ended = await upload.sweep(tools)
    due = await tools.store.read(lambda tx: [found for room in rooms.ALL for found in room.list_of_due(tx)])
    checked = await side_by_side("check of", due, partial(check, tools))
    rejected = await tools.store.read(lambda tx: [each for room in rooms.ALL for each in room.list_of_discardable(tx)])
    gone = await side_by_side("removal of", rejected, partial(rejecting.discard, tools))
    return ended + sum(checked) + sum(gone)


@contextlib.asynccontextmanager
async def _kept(tools: Tools, video_id: ids.VideoId, attempt: int) -> AsyncIterator[None]:
    """Keeps the lease while the video is looked at, however slow the disk is."""

    async def renew() -> None:
        while True:
            await asyncio.sleep(RENEW.total_seconds())
            try:
                await tools.store.write(lambda tx: rooms.of(video_id).renew(tx, video_id, attempt))
            except (errors.OverloadedError, errors.FaultError) as error:
                logger.warning("the lease on %s could not be renewed: %s", video_id, error)

    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()


def _judge(tx: Tx, *, video_id: ids.VideoId, facts: media.VideoFacts, digest: str) -> media.Video:
    room = rooms.of(video_id)
    video: media.Video = room.get(tx, video_id)
    if video.state is not media.VideoState.CHECKING:
        return video
    judged = (
        attachments.judge(video, facts, sha256=digest, now=tx.now)
        if isinstance(video, Attachment)
        else media.judge(video, facts, sha256=digest, now=tx.now)
    )
    room.save(tx, judged, was=video.state)
    return judged
