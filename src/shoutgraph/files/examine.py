"""Measures one video and sees that it truly plays: every packet is read, the first and last parts are decoded.

Runs inside the inspector's confined process (`files.inspector`), never in the server's.
"""

import io
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import av
from av.audio.stream import AudioStream
from av.codec import CodecContext
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from shoutgraph.domain import errors, media
from shoutgraph.files import containers, posters

PACKETS_MAX: Final = 1_000_000
STREAMS_MAX: Final = 32
PART_CPU_NS: Final = 4_000_000_000
"""A part is seen enough when this much time went into it."""
PART_PACKETS_MAX: Final = 2_000
BAD_PACKETS_PERCENT_MAX: Final = 10
LAST_PART_MS: Final = 2_000
POSTER_AT_MS: Final = 1_000
SOUND_FRAMES_COUNT: Final = 8
EARLY_END_MS: Final = 500
EARLY_END_PERCENT: Final = 5
"""How much sooner than its header says a whole file may end."""
READ_BYTES: Final = 256 * 1024

OPTIONS: Final = {
    "protocol_whitelist": "none",
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm",
    "codec_whitelist": "h264,hevc,vp8,vp9,libdav1d,av1,aac,opus,libopus,mp3,mp3float",
    "max_streams": str(STREAMS_MAX),
}


@dataclass(frozen=True, slots=True)
class Streams:
    """The one picture and the one sound of a file that are judged; others are ignored."""

    picture: VideoStream
    sound: AudioStream | None


def examine(file: io.RawIOBase) -> tuple[dict[str, object], bytes]:
    """What is in the video, named as in `VideoFacts`, and its poster as a JPEG.

    Raises:
        MediaRejectedError: it is no video, is not accepted, or does not play.
        FFmpegError: its content is broken.
    """
    kind = containers.sniff(file)
    file.seek(0)
    demuxer = containers.DEMUXERS[kind]
    with av.open(
        file, "r", format=demuxer, options=OPTIONS, metadata_errors="replace", buffer_size=READ_BYTES
    ) as container:
        streams = _streams(container)
        duration_ms = measure(container, [each for each in (streams.picture, streams.sound) if each is not None])
        frame = play(container, streams, duration_ms=duration_ms)
        width_px, height_px = posters.shown_size(frame)
        facts: dict[str, object] = {
            "container": kind.value,
            "video_codec": codec_of(streams.picture),
            "audio_codec": codec_of(streams.sound),
            "width_px": width_px,
            "height_px": height_px,
            "duration_ms": duration_ms,
        }
        return facts, posters.jpeg_of(frame)


def _streams(container: InputContainer) -> Streams:
    """The first real picture and sound, refused by name and size before anything is decoded."""
    pictures = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    sounds = list(container.streams.audio)
    streams = Streams(pictures[0], sounds[0] if sounds else None) if pictures else None
    if streams is None:
        media.require_codecs(None, None)
        raise AssertionError("a file without a picture is refused")
    media.require_codecs(codec_of(streams.picture), codec_of(streams.sound))
    media.require_resolution(streams.picture.width, streams.picture.height)
    streams.picture.codec_context.options = {"max_pixels": str(media.SIDE_MAX_PX**2)}
    for stream in (streams.picture, streams.sound):
        if stream is not None:
            stream.codec_context.thread_count = 1
    return streams


def codec_of(stream: VideoStream | AudioStream | None) -> str | None:
    """The name of a stream's codec; None without a stream, unknown without a decoder."""
    if stream is None:
        return None
    context: CodecContext | None = stream.codec_context  # None where no decoder is known, whatever the stub says
    return "unknown" if context is None else context.codec.canonical_name


def measure(container: InputContainer, wanted: Sequence[VideoStream | AudioStream], *, claims: bool = True) -> int:
    """How long the file plays, from its packets and not from what its header claims. Units: milliseconds.

    Args:
        claims: whether its header says how long it is, so that an early end shows.

    Raises:
        MediaRejectedError: it has too many packets, or ends too early.
    """
    start_ms: int | None = None
    end_ms = 0
    for count, packet in enumerate(container.demux(*wanted)):
        if count > PACKETS_MAX:
            msg = f"The file has more than {PACKETS_MAX:,} packets."
            raise errors.MediaRejectedError(msg, code=media.RejectionCode.TOO_DEMANDING)
        if packet.pts is not None and not packet.is_discard:
            at_ms = _millis(packet, packet.pts)
            start_ms = at_ms if start_ms is None else min(start_ms, at_ms)
            end_ms = max(end_ms, at_ms + _millis(packet, packet.duration or 0))
    duration_ms = end_ms - max(start_ms or 0, 0)
    claimed_ms = (container.duration or 0) // (av.time_base // 1_000) if claims else 0
    if duration_ms * 100 < claimed_ms * (100 - EARLY_END_PERCENT) - EARLY_END_MS * 100:
        msg = f"The file says it runs {claimed_ms // 1_000} s and ends after {duration_ms // 1_000} s."
        raise errors.MediaRejectedError(msg, code=media.RejectionCode.TRUNCATED)
    return duration_ms


def _millis(packet: "Packet[Stream]", ticks: int) -> int:
    base = packet.time_base
    return ticks * base.numerator * 1_000 // base.denominator


def play(container: InputContainer, streams: Streams, *, duration_ms: int) -> VideoFrame:
    """Decodes the first part, the last part and some sound; gives the frame for the poster.

    Raises:
        MediaRejectedError: too much of it is broken.
    """
    poster = _play_part(container, streams.picture, from_ms=0, until_ms=POSTER_AT_MS)
    _play_part(container, streams.picture, from_ms=max(duration_ms - LAST_PART_MS, 0), until_ms=None)
    if streams.sound is not None:
        hear(container, streams.sound)
    return poster


def _play_part(container: InputContainer, picture: VideoStream, *, from_ms: int, until_ms: int | None) -> VideoFrame:
    """The last whole frame of a part.

    Raises:
        MediaRejectedError: no frame could be decoded, or too much is broken.
    """
    container.seek(from_ms * (av.time_base // 1_000))
    deadline_ns = time.process_time_ns() + PART_CPU_NS
    last: VideoFrame | None = None
    packets = bad = 0
    for packet in itertools.islice(container.demux(picture), PART_PACKETS_MAX):
        packets += 1
        try:
            whole = [frame for frame in packet.decode() if not frame.is_corrupt]
        except av.error.InvalidDataError:
            bad += 1
            continue
        last = whole[-1] if whole else last
        reached = until_ms is not None and last is not None and _shown_at_ms(last) >= until_ms
        if reached or time.process_time_ns() > deadline_ns:
            break
    if last is None or bad * 100 > packets * BAD_PACKETS_PERCENT_MAX:
        msg = f"The picture cannot be played from {from_ms // 1_000} s on: {bad} of {packets} packets are broken."
        raise errors.MediaRejectedError(msg, code=media.RejectionCode.NOT_PLAYABLE)
    return last


def _shown_at_ms(frame: VideoFrame) -> int:
    if frame.pts is None or frame.time_base is None:
        return 0
    return frame.pts * frame.time_base.numerator * 1_000 // frame.time_base.denominator


def hear(container: InputContainer, sound: AudioStream) -> None:
    """Decodes a little sound.

    Raises:
        MediaRejectedError: none of it could be decoded.
    """
    container.seek(0)
    heard = 0
    for packet in itertools.islice(container.demux(sound), PART_PACKETS_MAX):
        try:
            heard += len(packet.decode())
        except av.error.InvalidDataError:
            continue
        if heard >= SOUND_FRAMES_COUNT:
            return
    if heard == 0:
        msg = "The sound cannot be decoded."
        raise errors.MediaRejectedError(msg, code=media.RejectionCode.NOT_PLAYABLE)
