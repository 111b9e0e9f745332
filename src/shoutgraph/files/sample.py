"""Makes a short real video, for the demo and for tests: H.264 and AAC in MP4, with a moving picture and a tune."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from av.audio.frame import AudioFrame
from av.filter import Graph
from av.filter.context import FilterContext
from av.video.frame import VideoFrame

from shoutgraph.files import lettering

FRAMES_PER_S: Final = 25
SAMPLES_PER_S: Final = 48_000
TEXT_CHARS_MAX: Final = 80
SECONDS_MAX: Final = 60
LETTERS_PER_LINE: Final = 9
TEXT_SHARE_PERCENT: Final = 84
"""How much of the picture's width the longest line fills."""
BLOCK_PX_MAX: Final = 14
AAC_FRAME_SAMPLES: Final = 1_024
NOTES_HZ: Final = (262, 330, 392, 523, 392, 330)
NOTES_PER_S: Final = 3

INK: Final = b"\xff\xff\xff\xff"
SHADOW: Final = b"\x00\x00\x00\x60"
CLEAR: Final = b"\x00\x00\x00\x00"
HEART: Final = b"\xff\x3b\x6b\xff"


@dataclass(frozen=True, slots=True)
class Look:
    """How a sample looks: its size and the colours of its gradient, as `0xRRGGBB`."""

    width_px: int = 432
    height_px: int = 768
    colours: tuple[str, str] = ("0x5b2bd9", "0xff7a3d")


def make_sample_video(path: Path, *, seconds: int = 4, text: str = "Hello!", look: Look | None = None) -> None:
    """Writes a video of this length with this text to `path`.

    Units: seconds.
    """
    assert 0 < seconds <= SECONDS_MAX, "a sample is short"
    chosen = look or Look()
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        picture = out.add_stream("libx264", rate=FRAMES_PER_S, options={"preset": "veryfast", "crf": "27"})
        picture.width, picture.height, picture.pix_fmt = chosen.width_px, chosen.height_px, "yuv420p"
        sound = out.add_stream("aac", rate=SAMPLES_PER_S, layout="mono")
        for frame in _pictures(seconds, text[:TEXT_CHARS_MAX], chosen):
            out.mux(picture.encode(frame))
        out.mux(picture.encode(None))
        for chunk in _sounds(seconds):
            out.mux(sound.encode(chunk))
        out.mux(sound.encode(None))


def make_sample_sound(path: Path, *, seconds: int = 2) -> None:
    """Writes a sound of this length to `path`, as a phone would record a voice note.

    Units: seconds.
    """
    assert 0 < seconds <= SECONDS_MAX, "a sample is short"
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as out:
        sound = out.add_stream("aac", rate=SAMPLES_PER_S, layout="mono")
        for chunk in _sounds(seconds):
            out.mux(sound.encode(chunk))
        out.mux(sound.encode(None))


def _pictures(seconds: int, text: str, look: Look) -> Iterator[VideoFrame]:
    """A slow gradient, the text swaying over it, a beating heart below."""
    rows = lettering.rows_of(text, columns=LETTERS_PER_LINE)
    block_px = max(look.width_px * TEXT_SHARE_PERCENT // 100 // len(rows[0]), 1)
    first, second = look.colours
    graph = Graph()
    graph.threads = 1
    ground = graph.add(
        "gradients",
        f"size={look.width_px}x{look.height_px}:rate={FRAMES_PER_S}:duration={seconds}"
        f":c0={first}:c1={second}:nb_colors=2:speed=0.03:seed=7",
    )
    words = _drawn(rows, min(block_px, BLOCK_PX_MAX), INK)
    heart = _drawn(lettering.rows_of("*", columns=1), BLOCK_PX_MAX, HEART)
    swaying = _overlaid(graph, ground, words, at="(W-w)/2+W*0.02*sin(3*t):H*0.36-h/2+H*0.02*sin(2*t)")
    beating = _overlaid(graph, swaying, heart, at="(W-w)/2:H*0.74-h/2-H*0.04*abs(sin(4*t))")
    last = graph.add("format", "pix_fmts=yuv420p")
    beating.link_to(last)
    last.link_to(graph.add("buffersink"))
    graph.configure()
    for at, frame in enumerate((words, heart)):
        graph.vpush(frame, at)
        graph.vpush(None, at)
    for _ in range(seconds * FRAMES_PER_S):
        yield graph.vpull()


def _overlaid(graph: Graph, under: FilterContext, frame: VideoFrame, *, at: str) -> FilterContext:
    over = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=Fraction(1, FRAMES_PER_S)
    )
    both = graph.add("overlay", f"{at}:eval=frame:format=auto")
    under.link_to(both, 0, 0)
    over.link_to(both, 0, 1)
    return both


def _drawn(rows: list[str], block_px: int, ink: bytes) -> VideoFrame:
    """Blocks of ink, each with a shadow down and to the right, on nothing."""
    lit = {(x, y) for y, row in enumerate(rows) for x, cell in enumerate(row) if cell == "#"}
    width, height = len(rows[0]) + 1, len(rows) + 1

    def colour(x: int, y: int) -> bytes:
        if (x, y) in lit:
            return ink
        return SHADOW if (x - 1, y - 1) in lit else CLEAR

    lines = [b"".join(colour(x, y) * block_px for x in range(width)) * block_px for y in range(height)]
    frame = VideoFrame.from_bytes(b"".join(lines), width * block_px, height * block_px, "rgba")
    frame.pts, frame.time_base = 0, Fraction(1, FRAMES_PER_S)
    return frame


def _sounds(seconds: int) -> Iterator[AudioFrame]:
    """A plucked chord, note by note."""
    note = "+".join(
        f"{pitch}*eq(mod(floor(t*{NOTES_PER_S}),{len(NOTES_HZ)}),{at})" for at, pitch in enumerate(NOTES_HZ)
    )
    tone = f"0.3*sin(2*PI*t*({note}))*exp(-6*mod(t,1/{NOTES_PER_S}))"
    graph = Graph()
    source = graph.add("aevalsrc", f"'{tone}':s={SAMPLES_PER_S}:d={seconds}")
    shape = graph.add("aformat", "sample_fmts=fltp:channel_layouts=mono")
    source.link_to(shape)
    shape.link_to(graph.add("abuffersink"))
    graph.configure()
    graph.set_audio_frame_size(AAC_FRAME_SAMPLES)
    for _ in range(-(-seconds * SAMPLES_PER_S // AAC_FRAME_SAMPLES)):
        frame = graph.pull()
        assert isinstance(frame, AudioFrame), "a graph of sound gives sound"
        yield frame
