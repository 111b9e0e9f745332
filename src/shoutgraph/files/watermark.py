"""Draws words into every picture of a video and keeps its sound as it is; the copy is MP4, upright, of bounded size.

Runs inside the marker's confined process (`files.marker`), never in the server's.
"""

import io
import itertools
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.filter import Graph
from av.filter.context import FilterContext
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from shoutgraph.files import containers, lettering, posters
from shoutgraph.files.examine import OPTIONS, PACKETS_MAX, READ_BYTES

SIDE_MAX_PX: Final = 1_280
"""The longer side of a copy: it is there to be shown, and larger pictures cost too much time to make."""
WIDTH_PERCENT: Final = 60
"""How much of the picture's width the longest line fills."""
BLOCK_PX_MAX: Final = 12
MARGIN_PERCENT: Final = 4
STAY_S: Final = 5
"""The words change between two corners, so that none of them can be cut off without being noticed."""
POSTER_AT_S: Final = 1
INK: Final = b"\xff\xff\xff\xc8"
SHADOW: Final = b"\x00\x00\x00\x78"
CLEAR: Final = b"\x00\x00\x00\x00"
TICKS_PER_S: Final = 90_000
RATE_MAX: Final = 120
RATE_USUAL: Final = 30
BAD_PACKETS_MAX: Final = 1_000
ENCODING: Final = {"preset": "veryfast", "crf": "24", "threads": "1"}
QUARTERS: Final = {0: (), 1: ("clock",), 2: ("clock", "clock"), 3: ("cclock",)}
"""The filters that turn a frame upright, by quarter turns clockwise."""


class UnmarkableError(Exception):
    """The video has no picture that could be drawn into."""


def mark(file: io.RawIOBase, out: io.RawIOBase, words: Sequence[str]) -> bytes:
    """Writes a copy with these lines of words into every picture; gives its poster as a JPEG.

    Raises:
        UnmarkableError: there is no moving picture.
        MediaRejectedError: it is no video at all.
        FFmpegError: its content is broken.
    """
    kind = containers.sniff(file)
    file.seek(0)
    with (
        av.open(
            file,
            "r",
            format=containers.DEMUXERS[kind],
            options=OPTIONS,
            metadata_errors="replace",
            buffer_size=READ_BYTES,
        ) as source,
        av.open(out, "w", format="mp4", buffer_size=READ_BYTES) as target,
    ):
        return _Copy(source, target, words).make()


class _Copy:
    """One copy on its way."""

    def __init__(self, source: InputContainer, target: OutputContainer, words: Sequence[str]) -> None:
        pictures = [s for s in source.streams.video if not s.disposition & Disposition.attached_pic]
        if not pictures:
            raise UnmarkableError("there is no moving picture")
        self._source, self._target, self._words = source, target, words
        self._picture: VideoStream = pictures[0]
        self._sound: AudioStream | None = next(iter(source.streams.audio), None)
        self._picture.codec_context.thread_count = 1
        self._drawing: _Drawing | None = None
        self._encoder: VideoStream | None = None
        self._copied: Stream | None = None
        self._last = -1
        self._bad = 0
        self._poster: VideoFrame | None = None

    def make(self) -> bytes:
        """Reads everything, draws, and writes it again."""
        waiting: list[Packet[Stream]] = []
        wanted = [s for s in (self._picture, self._sound) if s is not None]
        for packet in itertools.islice(self._source.demux(*wanted), PACKETS_MAX):
            if packet.stream is self._picture:
                for frame in self._decoded(packet):
                    self._show(frame)
            elif packet.dts is not None:
                waiting.append(packet)
            if self._encoder is not None:  # the header is written with the first packet: the streams are known by then
                self._hear(waiting)
        if self._encoder is None or self._poster is None:
            raise UnmarkableError("no picture of it could be decoded")
        self._target.mux(self._encoder.encode(None))
        return posters.jpeg_of(self._poster)

    def _decoded(self, packet: "Packet[Stream]") -> list[VideoFrame]:
        """The pictures of a packet; a few that are broken are left out, as a player does."""
        try:
            return [frame for frame in packet.decode() if isinstance(frame, VideoFrame)]
        except av.error.InvalidDataError:
            self._bad += 1
            if self._bad > BAD_PACKETS_MAX:
                raise
            return []

    def _show(self, frame: VideoFrame) -> None:
        if frame.pts is None or frame.time_base is None or frame.is_corrupt:
            return
        if self._drawing is None:
            self._drawing = _Drawing(frame, self._words)
            self._begin(self._drawing)
        assert self._encoder is not None, "the first picture begins the copy"
        drawn = self._drawing.draw(frame)
        at = int(drawn.pts * drawn.time_base * TICKS_PER_S) if drawn.pts is not None and drawn.time_base else 0
        if at <= self._last:
            return
        drawn.pts, drawn.time_base, self._last = at, Fraction(1, TICKS_PER_S), at
        if self._poster is None or at <= POSTER_AT_S * TICKS_PER_S:
            self._poster = drawn
        self._target.mux(self._encoder.encode(drawn))

    def _begin(self, drawing: "_Drawing") -> None:
        rate = self._picture.average_rate
        usual = rate if rate is not None and 1 <= rate <= RATE_MAX else Fraction(RATE_USUAL)
        encoder = self._target.add_stream("libx264", rate=usual, options=ENCODING)
        encoder.width, encoder.height, encoder.pix_fmt = drawing.width, drawing.height, "yuv420p"
        encoder.codec_context.time_base = Fraction(1, TICKS_PER_S)
        encoder.codec_context.thread_count = 1
        self._encoder = encoder
        if self._sound is not None:
            self._copied = self._target.add_stream_from_template(self._sound)

    def _hear(self, packets: "list[Packet[Stream]]") -> None:
        """Sound goes on as it came."""
        for packet in packets:
            assert self._copied is not None, "packets that wait are of the sound"
            packet.stream = self._copied
            self._target.mux(packet)
        packets.clear()


class _Drawing:
    """A graph of filters that turns a frame upright, makes it small enough and puts the words over it."""

    def __init__(self, first: VideoFrame, words: Sequence[str]) -> None:
        turns = -first.rotation // posters.QUARTER_DEG % 4 if first.rotation % posters.QUARTER_DEG == 0 else 0
        width, height = (first.height, first.width) if turns % 2 else (first.width, first.height)
        longest = max(width, height)
        most = min(longest, SIDE_MAX_PX)
        self.width, self.height = (max(side * most // longest // 2, 1) * 2 for side in (width, height))
        assert first.time_base is not None, "a frame that is drawn into has a time"
        self._graph = Graph()
        self._graph.threads = 1
        source = self._graph.add_buffer(
            width=first.width, height=first.height, format=first.format, time_base=first.time_base
        )
        upright: FilterContext = source
        for way in QUARTERS[turns]:
            upright = self._linked(upright, "transpose", f"dir={way}")
        small = self._linked(upright, "scale", f"{self.width}:{self.height}")
        logo = _drawn(words, self.width, self.height)
        over = self._graph.add_buffer(
            width=logo.width, height=logo.height, format=logo.format, time_base=Fraction(1, TICKS_PER_S)
        )
        margin = min(self.width, self.height) * MARGIN_PERCENT // 100
        corner = f"lt(mod(t,{2 * STAY_S}),{STAY_S})"
        place = f"x=if({corner},W-w-{margin},{margin}):y=if({corner},H-h-{margin},{margin})"
        both = self._graph.add("overlay", f"{place}:eval=frame:format=auto")
        small.link_to(both, 0, 0)
        over.link_to(both, 0, 1)
        last = self._linked(both, "format", "pix_fmts=yuv420p")
        last.link_to(self._graph.add("buffersink"))
        self._graph.configure()
        self._graph.vpush(logo, 1)
        self._graph.vpush(None, 1)

    def draw(self, frame: VideoFrame) -> VideoFrame:
        """The frame with the words over it."""
        self._graph.vpush(frame, 0)
        return self._graph.vpull()

    def _linked(self, after: FilterContext, name: str, args: str) -> FilterContext:
        found = self._graph.add(name, args)
        after.link_to(found)
        return found


def _drawn(words: Sequence[str], width_px: int, height_px: int) -> VideoFrame:
    """Lines of words as blocks of ink, each with a shadow down and to the right, on nothing."""
    rows = list(_rows(words))
    block = max(min(width_px * WIDTH_PERCENT // 100 // len(rows[0]), height_px // 4 // len(rows), BLOCK_PX_MAX), 1)
    lit = {(x, y) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell == "#"}
    width, height = len(rows[0]) + 1, len(rows) + 1

    def colour(x: int, y: int) -> bytes:
        if (x, y) in lit:
            return INK
        return SHADOW if (x - 1, y - 1) in lit else CLEAR

    lines = [b"".join(colour(x, y) * block for x in range(width)) * block for y in range(height)]
    frame = VideoFrame.from_bytes(b"".join(lines), width * block, height * block, "rgba")
    frame.pts, frame.time_base = 0, Fraction(1, TICKS_PER_S)
    return frame


def _rows(words: Sequence[str]) -> Iterator[str]:
    """Every line as rows of blocks, set flush right."""
    lines = [lettering.rows_of(line, columns=len(line)) for line in words]
    longest = max(len(rows[0]) for rows in lines)
    for rows in lines:
        yield from (row.rjust(longest, lettering.GAP) for row in rows)
