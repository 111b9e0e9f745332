"""Checking: a complete file is inspected once, by whichever worker has it, and then READY or REJECTED."""

import asyncio
import logging
from functools import partial

from shoutgraph.domain import errors, ids, media
from shoutgraph.files.store import InspectionError
from shoutgraph.services.media import rejecting
from shoutgraph.storage import media as storage
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

logger = logging.getLogger(__name__)


async def check(tools: Tools, video_id: ids.VideoId) -> None:
    """Judges a complete video, once however often it is asked for; after a crash another worker takes over."""
    async with tools.files.checking():
        attempt = await tools.store.write(partial(storage.claim, video_id=video_id))
        if attempt is None:
            return
        try:
            await tools.files.blank_metadata(video_id)
            digest = await tools.files.sha256(video_id)
            facts = await tools.files.inspect(video_id)
        except errors.MediaRejectedError as refusal:
            judged = await rejecting.reject(tools, video_id, media.rejection_of(refusal))
        except InspectionError as fault:
            logger.exception("checking %s failed at attempt %d", video_id, attempt, exc_info=fault)
            if attempt < media.CHECK_ATTEMPTS_MAX:
                return  # its lease runs out, and then it is tried again
            msg = "This file could not be checked. Upload it again."
            judged = await rejecting.reject(tools, video_id, media.Rejection(media.RejectionCode.CHECK_FAILED, msg))
        else:
            judged = await tools.store.write(partial(_judge, video_id=video_id, facts=facts, digest=digest))
    if judged.state is media.VideoState.REJECTED:
        await rejecting.discard(tools, video_id)


async def check_pending(tools: Tools) -> int:
    """Checks every complete video that waits, and removes the bytes of rejected ones; gives how many it took on."""
    due = await tools.store.read(storage.list_of_due)
    await asyncio.gather(*(check(tools, video_id) for video_id in due))
    gone = await tools.store.read(storage.list_of_discardable)
    for video_id in gone:
        await rejecting.discard(tools, video_id)
    return len(due) + len(gone)


def _judge(tx: Tx, *, video_id: ids.VideoId, facts: media.VideoFacts, digest: str) -> media.Video:
    video = storage.get(tx, video_id)
    if video.state is not media.VideoState.CHECKING:
        return video
    judged = media.judge(video, facts, sha256=digest, now=tx.now)
    storage.save(tx, judged, was=video.state)
    return judged
