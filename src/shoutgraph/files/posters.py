"""Makes a poster: one frame, upright, scaled, as a small JPEG without metadata."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from av.codec.context import CodecContext, Flags
from av.video.frame import VideoFrame
from av.video.plane import VideoPlane

from shoutgraph.domain import media

JPEG_FORMAT: Final = "yuvj420p"
JPEG_QUANTISER: Final = 5
"""From 2, the best, to 31."""
QUARTER_DEG: Final = 90


def shown_size(frame: VideoFrame) -> tuple[int, int]:
    """Width and height in pixels as a player shows the frame, upright."""
    if _quarter_turns(frame) % 2:
        return frame.height, frame.width
    return frame.width, frame.height


def jpeg_of(frame: VideoFrame, *, side_max_px: int = media.POSTER_SIDE_MAX_PX) -> bytes:
    """The frame as a JPEG, upright, no side longer than this."""
    longest = max(frame.width, frame.height)
    most = min(longest, side_max_px)
    width, height = (max(side * most // longest // 2, 1) * 2 for side in (frame.width, frame.height))
    picture = frame.reformat(width, height, JPEG_FORMAT, threads=1)
    for _ in range(_quarter_turns(frame)):
        picture = _turned(picture)
    picture.pts, picture.time_base = 0, Fraction(1, 1)
    encoder = CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, JPEG_FORMAT
    encoder.time_base = Fraction(1, 1)
    encoder.qmin = encoder.qmax = JPEG_QUANTISER
    encoder.flags |= Flags.bitexact
    encoder.thread_count = 1
    return b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])


def _quarter_turns(frame: VideoFrame) -> int:
    """How often the frame is to be turned a quarter clockwise; a slanted frame stays as it is."""
    return -frame.rotation // QUARTER_DEG % 4 if frame.rotation % QUARTER_DEG == 0 else 0


def _turned(picture: VideoFrame) -> VideoFrame:
    """The picture turned a quarter clockwise, plane by plane."""
    turned = VideoFrame(picture.height, picture.width, JPEG_FORMAT)
    for source, target in zip(picture.planes, turned.planes, strict=True):
        pixels = bytes(source)
        used = source.line_size * source.height
        columns = (pixels[x : used : source.line_size][::-1] for x in range(source.width))
        target.update(_padded(columns, target))
    return turned


def _padded(rows: Iterable[bytes], plane: VideoPlane) -> bytes:
    return b"".join(row.ljust(plane.line_size, b"\0") for row in rows).ljust(plane.buffer_size, b"\0")
