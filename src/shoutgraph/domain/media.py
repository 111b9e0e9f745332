"""Videos: which files are accepted, and the life of an uploaded file.

    UPLOADING ──(last byte)──> CHECKING ──(it plays)──> READY
        └──────────(a refusal with its reason)─────────> REJECTED

Bytes live in `files`; this module only judges what the inspector measured. Source: docs/adr/0010-media.md.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar

from shoutgraph.domain import errors, ids

DURATION_MIN_MS: Final = 1_000
DURATION_TOLERANCE_MS: Final = 1_000
"""How much longer than the offer's limit a video may run: encoders round up."""
SIDE_MIN_PX: Final = 144
SIDE_MAX_PX: Final = 4_096
SIZE_BYTES_MAX: Final = 2 * 1024**3
"""No order's limit is larger than this."""

UPLOAD_LIFE: Final = timedelta(hours=24)
"""How long an upload target takes bytes, where the operator chose nothing else."""
UPLOADS_PER_ORDER_MAX: Final = 3
"""Unfinished uploads of one order at a time, so that nobody fills the disk with targets."""
CHECK_LEASE: Final = timedelta(minutes=2)
"""How long one worker holds a video; longer than the inspector's own time limit."""
CHECK_ATTEMPTS_MAX: Final = 5

POSTER_TYPE: Final = "image/jpeg"
POSTER_SIDE_MAX_PX: Final = 640


class VideoState(StrEnum):
    """Where an uploaded video is in its life."""

    UPLOADING = "UPLOADING"
    CHECKING = "CHECKING"
    READY = "READY"
    REJECTED = "REJECTED"


class RejectionCode(StrEnum):
    """Why a file is not an acceptable video, or is one no longer."""

    NOT_A_VIDEO = "NOT_A_VIDEO"
    CONTAINER_NOT_ACCEPTED = "CONTAINER_NOT_ACCEPTED"
    CODEC_NOT_ACCEPTED = "CODEC_NOT_ACCEPTED"
    RESOLUTION_NOT_ACCEPTED = "RESOLUTION_NOT_ACCEPTED"
    TOO_SHORT = "TOO_SHORT"
    TOO_LONG = "TOO_LONG"
    TOO_LARGE = "TOO_LARGE"
    TRUNCATED = "TRUNCATED"
    NOT_PLAYABLE = "NOT_PLAYABLE"
    TOO_DEMANDING = "TOO_DEMANDING"
    CHECK_FAILED = "CHECK_FAILED"
    UPLOAD_EXPIRED = "UPLOAD_EXPIRED"
    UPLOAD_CANCELLED = "UPLOAD_CANCELLED"
    TAKEN_DOWN = "TAKEN_DOWN"


VIDEO_NOT_READY: Final = "VIDEO_NOT_READY"
"""The code for a video that is neither refused nor ready yet."""


class Container(StrEnum):
    """The file formats that are known; which are accepted is for whatever the file is."""

    MP4 = "mp4"
    MOV = "mov"
    WEBM = "webm"
    OGG = "ogg"
    MP3 = "mp3"
    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"


MEDIA_TYPES: Final = {
    Container.MP4: "video/mp4",
    Container.MOV: "video/quicktime",
    Container.WEBM: "video/webm",
}
VIDEO_CODECS: Final = frozenset({"h264", "hevc", "vp8", "vp9", "av1"})
AUDIO_CODECS: Final = frozenset({"aac", "opus", "mp3"})


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """What an order allows, snapshotted when the upload is opened."""

    duration_max_s: int
    size_bytes_max: int

    def __post_init__(self) -> None:
        assert self.duration_max_s > 0, "an order allows a video of some length"
        assert 0 < self.size_bytes_max <= SIZE_BYTES_MAX, "an order's size limit is within ours"


@dataclass(frozen=True, slots=True)
class VideoFacts:
    """What the inspector measured. Width and height are as shown, after rotation; a video has all but sound."""

    container: Container
    video_codec: str | None
    audio_codec: str | None
    width_px: int | None
    height_px: int | None
    duration_ms: int | None
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a video is REJECTED, for its creator to read."""

    code: RejectionCode
    message: str


@dataclass(frozen=True, slots=True)
class Video:
    """One uploaded (or still uploading) file of an order. `size_bytes` is what the client declared."""

    id: ids.VideoId
    order_id: ids.OrderId
    creator_id: ids.CreatorId
    state: VideoState
    media_type: str
    size_bytes: int
    limits: VideoLimits
    opened_at: datetime
    expires_at: datetime
    checked_at: datetime | None = None
    facts: VideoFacts | None = None
    sha256: str | None = None
    rejection: Rejection | None = None


V = TypeVar("V", bound=Video)


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """A creator's wish to upload a video for an order, with the limits of that order."""

    order_id: ids.OrderId
    size_bytes: int
    media_type: str
    limits: VideoLimits


def open_upload(
    video_id: ids.VideoId,
    creator_id: ids.CreatorId,
    wish: OpenUpload,
    *,
    now: datetime,
    life: timedelta = UPLOAD_LIFE,
) -> Video:
    """A new video that waits for its bytes for a while.

    Raises:
        ValidationError: the size is not a positive number of bytes.
        MediaRejectedError: the file would be too large, or its media type is not accepted.
    """
    if wish.size_bytes <= 0:
        msg = f"A file has at least one byte, not {wish.size_bytes}."
        raise errors.ValidationError(msg, code="INVALID_SIZE", path=("input", "sizeBytes"))
    require_size(wish.size_bytes, wish.limits, path=("input", "sizeBytes"))
    if wish.media_type not in MEDIA_TYPES.values():
        msg = f"Videos are accepted as {_one_of(MEDIA_TYPES.values())}."
        code = RejectionCode.CONTAINER_NOT_ACCEPTED
        raise errors.MediaRejectedError(msg, code=code, path=("input", "mediaType"))
    return Video(
        id=video_id,
        order_id=wish.order_id,
        creator_id=creator_id,
        state=VideoState.UPLOADING,
        media_type=wish.media_type,
        size_bytes=wish.size_bytes,
        limits=wish.limits,
        opened_at=now,
        expires_at=now + life,
    )


def require_size(size_bytes: int, limits: VideoLimits, *, path: tuple[str, ...] | None = None) -> None:
    """Refuses a file that is larger than the order allows.

    Raises:
        MediaRejectedError: it is too large.
    """
    if size_bytes > limits.size_bytes_max:
        msg = f"The file has {size_bytes:,} bytes, and this order allows {limits.size_bytes_max:,}."
        raise errors.MediaRejectedError(msg, code=RejectionCode.TOO_LARGE, path=path)


def require_codecs(video_codec: str | None, audio_codec: str | None) -> None:
    """Refuses pictures or sound that players of the web cannot play.

    Raises:
        MediaRejectedError: there is no moving picture, or a codec is not accepted.
    """
    if video_codec is None:
        msg = "There is no moving picture in this file."
        raise errors.MediaRejectedError(msg, code=RejectionCode.NOT_A_VIDEO)
    code = RejectionCode.CODEC_NOT_ACCEPTED
    if video_codec not in VIDEO_CODECS:
        msg = f"The picture is {_shown(video_codec)}; accepted are {_one_of(sorted(VIDEO_CODECS))}."
        raise errors.MediaRejectedError(msg, code=code)
    if audio_codec is not None and audio_codec not in AUDIO_CODECS:
        msg = f"The sound is {_shown(audio_codec)}; accepted are {_one_of(sorted(AUDIO_CODECS))}."
        raise errors.MediaRejectedError(msg, code=code)


def require_resolution(width_px: int, height_px: int) -> None:
    """Refuses pictures that are too small to see or too large to play.

    Raises:
        MediaRejectedError: a side is out of bounds.
    """
    if min(width_px, height_px) < SIDE_MIN_PX or max(width_px, height_px) > SIDE_MAX_PX:
        msg = (
            f"The picture is {width_px} by {height_px} pixels; each side has between {SIDE_MIN_PX} and {SIDE_MAX_PX:,}."
        )
        raise errors.MediaRejectedError(msg, code=RejectionCode.RESOLUTION_NOT_ACCEPTED)


def require_duration(duration_ms: int, limits: VideoLimits) -> None:
    """Refuses a video that is shorter than a second or longer than the order allows.

    Raises:
        MediaRejectedError: it is too short or too long.
    """
    runs = f"The video runs {_seconds(duration_ms)}"
    if duration_ms < DURATION_MIN_MS:
        msg = f"{runs}; the shortest is {_seconds(DURATION_MIN_MS)}."
        raise errors.MediaRejectedError(msg, code=RejectionCode.TOO_SHORT)
    if duration_ms > limits.duration_max_s * 1_000 + DURATION_TOLERANCE_MS:
        msg = f"{runs}, and this order allows {limits.duration_max_s} s."
        raise errors.MediaRejectedError(msg, code=RejectionCode.TOO_LONG)


def judge(video: Video, facts: VideoFacts, *, sha256: str, now: datetime) -> Video:
    """The video READY if what was measured keeps every rule, else REJECTED for the first that it breaks."""
    assert video.state is VideoState.CHECKING, "only a video whose bytes are complete is judged"
    try:
        require_size(facts.size_bytes, video.limits)
        require_codecs(facts.video_codec, facts.audio_codec)
        require_resolution(facts.width_px or 0, facts.height_px or 0)
        require_duration(facts.duration_ms or 0, video.limits)
    except errors.MediaRejectedError as refusal:
        return reject(video, rejection_of(refusal), now=now)
    media_type = MEDIA_TYPES[facts.container]
    return replace(video, state=VideoState.READY, media_type=media_type, facts=facts, sha256=sha256, checked_at=now)


def receive(video: Video) -> Video:
    """The video CHECKING: its last byte is on the disk."""
    assert video.state is VideoState.UPLOADING, "only an upload can end"
    return replace(video, state=VideoState.CHECKING)


def reject(video: Video, rejection: Rejection, *, now: datetime) -> Video:
    """The video REJECTED with its reason; also how a READY one is taken down."""
    assert video.state is not VideoState.REJECTED, "a video is rejected once"
    return replace(video, state=VideoState.REJECTED, rejection=rejection, checked_at=now)


def take_down(video: V, *, note: str, now: datetime, path: tuple[str, ...]) -> V:
    """A READY file that nobody sees any more; its bytes stay as long as that can be undone.

    Args:
        path: the input that names it.

    Raises:
        MediaRejectedError: it was rejected, or its upload or check is not finished.
    """
    require_checked(video, path=path)
    return replace(
        video, state=VideoState.REJECTED, rejection=Rejection(RejectionCode.TAKEN_DOWN, note), checked_at=now
    )


def is_down(video: V) -> bool:
    """Whether it was taken down."""
    return video.rejection is not None and video.rejection.code is RejectionCode.TAKEN_DOWN


def put_back(video: V, *, now: datetime) -> V:
    """A file that was taken down, READY again; one that is not, or of which nothing is left, stays as it is."""
    if not is_down(video) or video.sha256 is None or video.facts is None:
        return video
    return replace(video, state=VideoState.READY, rejection=None, checked_at=now)


def rejection_of(refusal: errors.MediaRejectedError) -> Rejection:
    """The reason to keep with the video."""
    return Rejection(RejectionCode(refusal.code), refusal.message)


def require_uploading(video: Video, *, now: datetime) -> None:
    """Refuses bytes for a video that takes none any more.

    Raises:
        MediaRejectedError: the upload expired, was cancelled, or the file was rejected.
    """
    if video.state is VideoState.REJECTED:
        raise _refusal_of(video)
    if video.state is VideoState.UPLOADING and now >= video.expires_at:
        msg = "This upload was not finished in time. Open a new one."
        raise errors.MediaRejectedError(msg, code=RejectionCode.UPLOAD_EXPIRED)


def require_ready(video: Video, *, order_id: ids.OrderId) -> None:
    """Refuses a video that cannot be delivered for this order.

    Raises:
        NotFoundError: the video belongs to another order.
        MediaRejectedError: it was rejected, or its upload or check is not finished.
    """
    path = ("input", "videoId")
    if video.order_id != order_id:
        raise errors.NotFoundError("There is no such video.", path=path)
    require_checked(video, path=path)


def require_checked(video: Video, *, path: tuple[str, ...]) -> None:
    """Refuses a file that was rejected, or whose upload or check is not finished.

    Raises:
        MediaRejectedError: it was rejected, or is not finished.
    """
    if video.state is VideoState.REJECTED:
        raise _refusal_of(video, path=path)
    if video.state is not VideoState.READY:
        left = "checked" if video.state is VideoState.CHECKING else "uploaded"
        msg = f"The file is not fully {left} yet."
        raise errors.MediaRejectedError(msg, code=VIDEO_NOT_READY, path=path)


def _refusal_of(video: Video, *, path: tuple[str, ...] | None = None) -> errors.MediaRejectedError:
    assert video.rejection is not None, "a rejected video keeps its reason"
    return errors.MediaRejectedError(video.rejection.message, code=video.rejection.code, path=path)


def _one_of(names: Iterable[str]) -> str:
    *rest, last = names
    return f"{', '.join(rest)} or {last}"


def _seconds(duration_ms: int) -> str:
    return f"{duration_ms // 1_000}.{duration_ms % 1_000 // 100} s"


def _shown(name: str) -> str:
    """A codec's name as a hostile file gives it, cut to what a sentence can carry."""
    return name[:32] if name.isascii() and name.isprintable() else "unknown"
