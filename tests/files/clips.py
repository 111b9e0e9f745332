"""Small videos of every kind, made once per run by PyAV, and ways to damage them."""

import functools
import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.filter import Graph
from av.video.frame import VideoFrame

from shoutgraph.files import privacy

RATE = 10


@dataclass(frozen=True)
class Clip:
    """What a video is made of."""

    container: str = "mp4"
    video: str | None = "libx264"
    audio: str | None = "aac"
    seconds: float = 2.0
    width: int = 160
    height: int = 192
    options: tuple[tuple[str, str], ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()


@functools.cache
def make(clip: Clip = Clip()) -> bytes:
    """The bytes of a clip."""
    file = io.BytesIO()
    with av.open(file, "w", format=clip.container, options=dict(clip.options)) as out:
        picture = sound = None
        out.metadata.update(clip.metadata)
        if clip.video:
            picture = out.add_stream(clip.video, rate=RATE)
            picture.width, picture.height, picture.pix_fmt = clip.width, clip.height, "yuv420p"
            picture.gop_size = RATE
        if clip.audio:
            sound = out.add_stream(clip.audio, rate=48_000, layout="mono")
            sound.format = "flt" if clip.audio == "libopus" else "s16" if clip.audio == "pcm_s16le" else "fltp"
        if picture is not None:
            for frame in _pictures(clip):
                out.mux(picture.encode(frame))
            out.mux(picture.encode(None))
        if sound is not None:
            for frame in _sounds(clip, sound.format.name, sound.frame_size or 1024):
                out.mux(sound.encode(frame))
            out.mux(sound.encode(None))
    return file.getvalue()


@functools.cache
def plain() -> bytes:
    """A film that says nothing about itself, so that what is kept is what was sent."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film"
        path.write_bytes(make())
        privacy.blank_metadata(path)
        return path.read_bytes()


def _pictures(clip: Clip) -> Iterator[VideoFrame]:
    graph = Graph()
    source = graph.add("testsrc2", f"size={clip.width}x{clip.height}:rate={RATE}:duration={clip.seconds}")
    shape = graph.add("format", "pix_fmts=yuv420p")
    source.link_to(shape)
    shape.link_to(graph.add("buffersink"))
    graph.configure()
    for _ in range(int(clip.seconds * RATE)):
        yield graph.vpull()


def _sounds(clip: Clip, sample_format: str, size: int) -> Iterator[AudioFrame]:
    graph = Graph()
    source = graph.add("sine", f"frequency=440:sample_rate=48000:duration={clip.seconds}")
    shape = graph.add("aformat", f"sample_fmts={sample_format}:channel_layouts=mono")
    source.link_to(shape)
    shape.link_to(graph.add("abuffersink"))
    graph.configure()
    fifo = AudioFifo()
    while True:
        try:
            frame = graph.pull()
        except (av.EOFError, BlockingIOError):
            break
        frame.pts = None
        fifo.write(frame)
    while (part := fifo.read(size)) is not None:
        yield part


def boxes_of(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The outermost boxes of an MP4: kind, where it begins, how long it is."""
    at = 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4])
        yield data[at + 4 : at + 8], at, length
        at += length


def with_media_data(data: bytes, noise: bytes) -> bytes:
    """An MP4 whose frames were overwritten."""
    for kind, at, length in boxes_of(data):
        if kind == b"mdat":
            count = length - 8
            return data[: at + 8] + (noise * (count // len(noise) + 1))[:count] + data[at + length :]
    raise AssertionError("an MP4 has media data")


def turned(data: bytes) -> bytes:
    """An MP4 that says it was filmed with the phone held a quarter turned."""
    upright = b"".join(n.to_bytes(4, signed=True) for n in (0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000))
    quarter = b"".join(n.to_bytes(4, signed=True) for n in (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000))
    at = data.index(upright, data.index(b"tkhd"))
    return data[:at] + quarter + data[at + len(quarter) :]
