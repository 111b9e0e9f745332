"""What a video must be, and the life of an uploaded file."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shoutgraph.domain import errors, ids, media
from shoutgraph.domain.media import OpenUpload, RejectionCode, Video, VideoFacts, VideoLimits, VideoState

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
ORDER = ids.OrderId("order_01m817w1sve7s8q03q2a7qhqpy")
OTHER_ORDER = ids.OrderId("order_01m817w1sve7s8q03q2a7qhqpz")
CREATOR = ids.CreatorId("creator_01m817w1sve7s8q03q2a7qhqpy")
VIDEO = ids.VideoId("video_01m817w1sve7s8q03q2a7qhqpy")
LIMITS = VideoLimits(duration_max_s=60, size_bytes_max=1_000_000)
WISH = OpenUpload(ORDER, size_bytes=500_000, media_type="video/mp4", limits=LIMITS)
FACTS = VideoFacts(
    container=media.Container.MP4,
    video_codec="h264",
    audio_codec="aac",
    width_px=1080,
    height_px=1920,
    duration_ms=30_000,
    size_bytes=500_000,
)


def opened() -> Video:
    return media.open_upload(VIDEO, CREATOR, WISH, now=NOW)


def ready() -> Video:
    return media.judge(media.receive(opened()), FACTS, sha256="ab", now=NOW)


def test_an_upload_goes_from_its_bytes_to_its_check_to_ready() -> None:
    video = opened()
    assert video.state is VideoState.UPLOADING
    assert video.expires_at == NOW + media.UPLOAD_LIFE
    assert media.receive(video).state is VideoState.CHECKING
    assert ready().state is VideoState.READY
    assert ready().facts == FACTS


def test_a_checked_video_is_served_as_what_it_is_and_not_as_what_was_declared() -> None:
    webm = replace(FACTS, container=media.Container.WEBM, video_codec="vp9", audio_codec="opus")
    judged = media.judge(media.receive(opened()), webm, sha256="ab", now=NOW)
    assert judged.media_type == "video/webm"


@pytest.mark.parametrize("size_bytes", [0, -1, -(2**80)])
def test_a_file_has_at_least_one_byte(size_bytes: int) -> None:
    with pytest.raises(errors.ValidationError) as refusal:
        media.open_upload(VIDEO, CREATOR, replace(WISH, size_bytes=size_bytes), now=NOW)
    assert refusal.value.code == "INVALID_SIZE"
    assert refusal.value.path == ("input", "sizeBytes")


@pytest.mark.parametrize("size_bytes", [1_000_001, 2**63, 10**30])
def test_a_file_larger_than_the_order_allows_is_refused_before_it_is_sent(size_bytes: int) -> None:
    with pytest.raises(errors.MediaRejectedError) as refusal:
        media.open_upload(VIDEO, CREATOR, replace(WISH, size_bytes=size_bytes), now=NOW)
    assert refusal.value.code == RejectionCode.TOO_LARGE
    assert f"{size_bytes:,}" in refusal.value.message


@pytest.mark.parametrize("media_type", ["", "text/html", "video/x-matroska", "VIDEO/MP4", "video/mp4; x=1"])
def test_only_the_three_media_types_are_taken(media_type: str) -> None:
    with pytest.raises(errors.MediaRejectedError, match="video/mp4, video/quicktime or video/webm") as refusal:
        media.open_upload(VIDEO, CREATOR, replace(WISH, media_type=media_type), now=NOW)
    assert refusal.value.code == RejectionCode.CONTAINER_NOT_ACCEPTED


@pytest.mark.parametrize(
    ("facts", "code", "says"),
    [
        (replace(FACTS, duration_ms=999), "TOO_SHORT", "runs 0.9 s; the shortest is 1.0 s"),
        (replace(FACTS, duration_ms=61_001), "TOO_LONG", "runs 61.0 s, and this order allows 60 s"),
        (replace(FACTS, duration_ms=10**30), "TOO_LONG", "this order allows 60 s"),
        (replace(FACTS, duration_ms=-5), "TOO_SHORT", "the shortest"),
        (replace(FACTS, width_px=143), "RESOLUTION_NOT_ACCEPTED", "143 by 1920"),
        (replace(FACTS, height_px=4_097), "RESOLUTION_NOT_ACCEPTED", "1080 by 4097"),
        (replace(FACTS, video_codec="mpeg4"), "CODEC_NOT_ACCEPTED", "The picture is mpeg4"),
        (replace(FACTS, audio_codec="pcm_s16le"), "CODEC_NOT_ACCEPTED", "The sound is pcm_s16le"),
        (replace(FACTS, audio_codec="\x1b[2J" * 9), "CODEC_NOT_ACCEPTED", "The sound is unknown"),
        (replace(FACTS, size_bytes=1_000_001), "TOO_LARGE", "1,000,001 bytes"),
    ],
)
def test_a_broken_rule_rejects_the_video_with_its_code_and_numbers(facts: VideoFacts, code: str, says: str) -> None:
    judged = media.judge(media.receive(opened()), facts, sha256="ab", now=NOW)
    assert judged.state is VideoState.REJECTED
    assert judged.rejection is not None
    assert judged.rejection.code == code
    assert says in judged.rejection.message


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, duration_ms=1_000),
        replace(FACTS, duration_ms=61_000),
        replace(FACTS, width_px=144, height_px=4_096),
        replace(FACTS, audio_codec=None),
        replace(FACTS, size_bytes=1_000_000),
    ],
)
def test_a_video_at_the_very_limit_is_accepted(facts: VideoFacts) -> None:
    assert media.judge(media.receive(opened()), facts, sha256="ab", now=NOW).state is VideoState.READY


def test_a_file_without_a_moving_picture_is_no_video() -> None:
    with pytest.raises(errors.MediaRejectedError) as refusal:
        media.require_codecs(None, "aac")
    assert refusal.value.code == RejectionCode.NOT_A_VIDEO


def test_only_a_ready_video_of_the_same_order_is_delivered() -> None:
    media.require_ready(ready(), order_id=ORDER)
    with pytest.raises(errors.NotFoundError):
        media.require_ready(ready(), order_id=OTHER_ORDER)
    for unfinished in (opened(), media.receive(opened())):
        with pytest.raises(errors.MediaRejectedError) as refusal:
            media.require_ready(unfinished, order_id=ORDER)
        assert refusal.value.code == media.VIDEO_NOT_READY


def test_a_rejected_video_says_its_reason_wherever_it_is_used() -> None:
    rejected = media.reject(opened(), media.Rejection(RejectionCode.TRUNCATED, "It ends early."), now=NOW)
    with pytest.raises(errors.MediaRejectedError, match=r"It ends early\.") as refusal:
        media.require_ready(rejected, order_id=ORDER)
    assert refusal.value.code == RejectionCode.TRUNCATED
    with pytest.raises(errors.MediaRejectedError, match=r"It ends early\."):
        media.require_uploading(rejected, now=NOW)


def test_a_ready_video_can_be_taken_down() -> None:
    taken = media.reject(ready(), media.Rejection(RejectionCode.TAKEN_DOWN, "It was taken down."), now=NOW)
    assert taken.state is VideoState.REJECTED


def test_an_upload_takes_bytes_until_it_expires() -> None:
    media.require_uploading(opened(), now=NOW + media.UPLOAD_LIFE - timedelta(microseconds=1))
    with pytest.raises(errors.MediaRejectedError) as refusal:
        media.require_uploading(opened(), now=NOW + media.UPLOAD_LIFE)
    assert refusal.value.code == RejectionCode.UPLOAD_EXPIRED
