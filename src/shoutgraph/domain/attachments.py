"""Attachments: voice notes that say a name, and evidence for what a side says. They live as videos do.

A voice note is sound; evidence is a picture, a video or sound. Bytes live in `files`, and a picture is shown only as
the inspector draws it anew, so that nothing the camera wrote into it gets out. Source: docs/adr/0010-media.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors, ids, media
from shoutgraph.domain.media import Container, RejectionCode, Video, VideoFacts, VideoLimits, VideoState
from shoutgraph.domain.orders.order import Order, Side
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.users import Scope, Viewer

LIFE: Final = timedelta(hours=2)
"""How long a target of an attachment takes bytes."""
SECONDS_MIN_MS: Final = 300
EVIDENCE_PER_STATEMENT_MAX: Final = 5
VOICE_NOTES_MAX: Final = 5
"""How often a fan may try to say a name for one order."""
PICTURE_SIDE_MAX_PX: Final = 1_200
"""The longest side of a picture as it is shown."""
SIDE_MAX_PX: Final = 9_000
"""The longest side of a picture as it comes from a phone."""


_NOBODY: Final = ids.UserId("")


class Purpose(StrEnum):
    """What an attachment is for."""

    VOICE_NOTE = "VOICE_NOTE"
    EVIDENCE = "EVIDENCE"


class Medium(StrEnum):
    """What an attachment turned out to be."""

    PICTURE = "PICTURE"
    VIDEO = "VIDEO"
    SOUND = "SOUND"


PICTURES: Final = {
    Container.JPEG: "image/jpeg",
    Container.PNG: "image/png",
    Container.WEBP: "image/webp",
}
SOUNDS: Final = {
    Container.MP4: "audio/mp4",
    Container.WEBM: "audio/webm",
    Container.OGG: "audio/ogg",
    Container.MP3: "audio/mpeg",
}
ACCEPTED: Final[Mapping[Purpose, tuple[str, ...]]] = {
    Purpose.VOICE_NOTE: tuple(SOUNDS.values()),
    Purpose.EVIDENCE: (*PICTURES.values(), *media.MEDIA_TYPES.values(), *SOUNDS.values()),
}


@dataclass(frozen=True, slots=True)
class Attachment(Video):
    """A file that a side adds to an order. `used_revision` is the order's that made it part of the order."""

    purpose: Purpose = Purpose.EVIDENCE
    uploader_id: ids.UserId = _NOBODY
    side: Side = Side.FAN
    used_revision: int | None = None

    @property
    def medium(self) -> Medium | None:
        """What it turned out to be, once it was looked at."""
        return None if self.facts is None else medium_of(self.facts)


def limits_of(purpose: Purpose, policy: Policy) -> VideoLimits:
    """How long and how large an attachment may be."""
    if purpose is Purpose.VOICE_NOTE:
        seconds, most = policy.voice_note_s, policy.voice_note_bytes_max
    else:
        seconds, most = policy.evidence_s, policy.evidence_bytes_max
    return VideoLimits(max(seconds, 1), min(most, media.SIZE_BYTES_MAX))


def count_max(purpose: Purpose, policy: Policy) -> int:
    """How many of them one side of an order may upload, refused ones left out."""
    return VOICE_NOTES_MAX if purpose is Purpose.VOICE_NOTE else policy.evidence_max


def check_wish(purpose: Purpose, size_bytes: int, media_type: str, limits: VideoLimits) -> None:
    """Refuses a file before it comes.

    Raises:
        ValidationError: the size is not a positive number of bytes.
        MediaRejectedError: the file would be too large, or its media type is not accepted for this purpose.
    """
    if size_bytes <= 0:
        msg = f"A file has at least one byte, not {size_bytes}."
        raise errors.ValidationError(msg, code="INVALID_SIZE", path=("input", "sizeBytes"))
    media.require_size(size_bytes, limits, path=("input", "sizeBytes"))
    if media_type not in ACCEPTED[purpose]:
        msg = f"Accepted are {', '.join(ACCEPTED[purpose])}."
        code = RejectionCode.CONTAINER_NOT_ACCEPTED
        raise errors.MediaRejectedError(msg, code=code, path=("input", "mediaType"))


def medium_of(facts: VideoFacts) -> Medium:
    """What a file is, by what was found in it."""
    if facts.container in PICTURES:
        return Medium.PICTURE
    return Medium.SOUND if facts.video_codec is None else Medium.VIDEO


def judge(attachment: Attachment, facts: VideoFacts, *, sha256: str, now: datetime) -> Attachment:
    """The attachment READY if what was measured fits its purpose, else REJECTED for the first rule that it breaks."""
    assert attachment.state is VideoState.CHECKING, "only a file whose bytes are complete is judged"
    medium = medium_of(facts)
    try:
        media.require_size(facts.size_bytes, attachment.limits)
        _require_medium(attachment.purpose, medium)
        if medium is not Medium.PICTURE:
            _require_length(facts.duration_ms or 0, attachment.limits)
    except errors.MediaRejectedError as refusal:
        rejection = media.rejection_of(refusal)
        return replace(attachment, state=VideoState.REJECTED, rejection=rejection, checked_at=now)
    media_type = _type_of(facts, medium)
    return replace(
        attachment, state=VideoState.READY, media_type=media_type, facts=facts, sha256=sha256, checked_at=now
    )


def require_usable(attachment: Attachment, *, order_id: str, purpose: Purpose, by: ids.UserId) -> None:
    """Refuses an attachment that cannot become part of this order now.

    Raises:
        NotFoundError: it belongs to another order, is somebody else's, or is for something else.
        MediaRejectedError: it was refused, or its upload or check is not finished.
        ValidationError: it was used before.
    """
    mine = (order_id, purpose, by)
    if (attachment.order_id, attachment.purpose, attachment.uploader_id) != mine:
        raise errors.NotFoundError("There is no such attachment.", path=("input", "attachmentIds"))
    media.require_checked(attachment, path=("input", "attachmentIds"))
    if attachment.used_revision is not None:
        msg = "This attachment is part of the order already."
        raise errors.ValidationError(msg, code="ATTACHMENT_USED", path=("input", "attachmentIds"))


def beside(order: Order, viewer: Viewer) -> bool:
    """Whether the viewer is a side of the order, or moderates; who only reads orders sees no files of people."""
    mine = viewer.user_id is not None and order.fan_id == viewer.user_id
    received = (
        viewer.creator_id is not None and order.creator_id == viewer.creator_id and order.submitted_at is not None
    )
    return mine or received or viewer.has(Scope.MODERATION)


def visible(attachment: Attachment, order: Order | None, viewer: Viewer) -> bool:
    """Whether the viewer may know of an attachment: before it is part of the order, only whoever added it."""
    if order is None or not beside(order, viewer):
        return False
    return attachment.used_revision is not None or attachment.uploader_id == viewer.user_id


def _require_medium(purpose: Purpose, medium: Medium) -> None:
    if purpose is Purpose.VOICE_NOTE and medium is not Medium.SOUND:
        msg = "A voice note is sound alone, without a picture."
        raise errors.MediaRejectedError(msg, code=RejectionCode.CONTAINER_NOT_ACCEPTED)


def _require_length(duration_ms: int, limits: VideoLimits) -> None:
    if duration_ms < SECONDS_MIN_MS:
        raise errors.MediaRejectedError("There is nothing to hear or see in this file.", code=RejectionCode.TOO_SHORT)
    if duration_ms > limits.duration_max_s * 1_000 + media.DURATION_TOLERANCE_MS:
        msg = f"The file runs {duration_ms // 1_000} s; {limits.duration_max_s} s are allowed."
        raise errors.MediaRejectedError(msg, code=RejectionCode.TOO_LONG)


def _type_of(facts: VideoFacts, medium: Medium) -> str:
    if medium is Medium.PICTURE:
        return media.POSTER_TYPE  # it is shown as it was drawn anew
    return SOUNDS[facts.container] if medium is Medium.SOUND else media.MEDIA_TYPES[facts.container]
