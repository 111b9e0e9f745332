"""Measures one attachment and sees that it truly shows or plays: a picture, a sound or a video.

Runs inside the inspector's confined process (`files.inspector`), never in the server's.
"""

import io
from typing import Final

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from shoutgraph.domain import attachments, errors, media
from shoutgraph.domain.media import Container
from shoutgraph.files import containers, examine, posters

OPTIONS: Final = {
    **examine.OPTIONS,
    "format_whitelist": f"{examine.OPTIONS['format_whitelist']},ogg,mp3,jpeg_pipe,png_pipe,webp_pipe",
    "codec_whitelist": f"{examine.OPTIONS['codec_whitelist']},mjpeg,png,webp",
}
UNCLAIMED: Final = frozenset({Container.OGG, Container.MP3})
"""Formats whose length a reader only guesses."""
PICTURE_CODECS: Final = {Container.JPEG: "mjpeg", Container.PNG: "png", Container.WEBP: "webp"}


def examine_any(file: io.RawIOBase) -> tuple[dict[str, object], bytes]:
    """What is in the attachment, named as in `VideoFacts`, and how it is shown as a JPEG; nothing for sound.

    Raises:
        MediaRejectedError: it is none of what is accepted, or does not play.
        FFmpegError: its content is broken.
    """
    kind = containers.sniff_any(file)
    if kind not in attachments.PICTURES and kind not in attachments.SOUNDS:
        return examine.examine(file)
    file.seek(0)
    with av.open(
        file,
        "r",
        format=containers.DEMUXERS[kind],
        options=OPTIONS,
        metadata_errors="replace",
        buffer_size=examine.READ_BYTES,
    ) as container:
        if kind in attachments.PICTURES:
            return _picture(container, kind)
        moving = [each for each in container.streams.video if not each.disposition & Disposition.attached_pic]
        if not moving:
            return _sound(container, kind), b""
    return examine.examine(file)


def _picture(container: InputContainer, kind: Container) -> tuple[dict[str, object], bytes]:
    (stream,) = container.streams.video
    codec = examine.codec_of(stream)
    if codec != PICTURE_CODECS[kind]:
        raise _unaccepted("This picture is not what it says it is.")
    if max(stream.width, stream.height) > attachments.SIDE_MAX_PX:
        msg = f"A picture has at most {attachments.SIDE_MAX_PX:,} pixels on each side."
        raise errors.MediaRejectedError(msg, code=media.RejectionCode.RESOLUTION_NOT_ACCEPTED)
    stream.codec_context.thread_count = 1
    frame = next(iter(container.decode(stream)), None)
    if frame is None or frame.is_corrupt:
        raise errors.MediaRejectedError("This picture cannot be shown.", code=media.RejectionCode.NOT_PLAYABLE)
    width_px, height_px = posters.shown_size(frame)
    facts = _facts(kind, video_codec=codec, width_px=width_px, height_px=height_px)
    return facts, posters.jpeg_of(frame, side_max_px=attachments.PICTURE_SIDE_MAX_PX)


def _sound(container: InputContainer, kind: Container) -> dict[str, object]:
    sounds: list[AudioStream] = list(container.streams.audio)
    if not sounds:
        raise _unaccepted("There is nothing to hear or see in this file.")
    codec = examine.codec_of(sounds[0])
    if codec not in media.AUDIO_CODECS:
        msg = f"The sound is not accepted; accepted are {', '.join(sorted(media.AUDIO_CODECS))}."
        raise errors.MediaRejectedError(msg, code=media.RejectionCode.CODEC_NOT_ACCEPTED)
    sounds[0].codec_context.thread_count = 1
    duration_ms = examine.measure(container, sounds[:1], claims=kind not in UNCLAIMED)
    examine.hear(container, sounds[0])
    return _facts(kind, audio_codec=codec, duration_ms=duration_ms)


def _facts(kind: Container, **found: object) -> dict[str, object]:
    names = ("video_codec", "audio_codec", "width_px", "height_px", "duration_ms")
    return {"container": kind.value} | {name: found.get(name) for name in names}


def _unaccepted(msg: str) -> errors.MediaRejectedError:
    return errors.MediaRejectedError(msg, code=media.RejectionCode.CONTAINER_NOT_ACCEPTED)
