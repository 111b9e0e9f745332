"""Watermarks: drawn into every picture, sound as it was, the original untouched, whatever the file."""

import asyncio
import hashlib
import io
import subprocess
import sys
from pathlib import Path

import av
import pytest
from av.video.frame import VideoFrame
from tests.files import clips
from tests.files.clips import Clip

from shoutgraph.files import marker, marking, watermark
from shoutgraph.files.marking import Marked
from shoutgraph.files.store import MarkingError

pytestmark = pytest.mark.sqlite_only
WORDS = ("SHOUTGRAPH", "@nova_7")


def marked(folder: Path, data: bytes) -> Marked:
    (folder / "video").write_bytes(data)
    found = asyncio.run(marking.mark(folder / "video", folder / "copy", WORDS))
    assert (folder / "video").read_bytes() == data
    assert hashlib.sha256((folder / "copy").read_bytes()).hexdigest() == found.facts.sha256
    return found


def sounds(data: bytes) -> list[bytes]:
    with av.open(io.BytesIO(data)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


def pictures(data: bytes) -> list[VideoFrame]:
    with av.open(io.BytesIO(data)) as container:
        return list(container.decode(video=0))


def lit(frame: VideoFrame, *, top: bool) -> int:
    """How many pixels of a frame's upper left, or lower right, are as bright as the ink."""
    grey = frame.reformat(format="gray")
    plane = grey.planes[0]
    rows = [bytes(plane)[at * plane.line_size : at * plane.line_size + grey.width] for at in range(grey.height)]
    half, middle = (rows[: grey.height // 2], grey.width // 2) if top else (rows[grey.height // 2 :], grey.width // 2)
    return sum(value > 200 for row in half for value in (row[:middle] if top else row[middle:]))


@pytest.mark.parametrize(
    "clip",
    [Clip(seconds=7.0), Clip("webm", "libvpx", "libopus"), Clip(audio=None), Clip("mov", width=320, height=180)],
    ids=["mp4", "webm", "silent", "mov"],
)
def test_a_copy_shows_the_words_and_sounds_as_the_original(tmp_path: Path, clip: Clip) -> None:
    data = clips.make(clip)
    found = marked(tmp_path, data)
    copy = (tmp_path / "copy").read_bytes()
    assert found.facts.size_bytes == len(copy)
    assert found.poster.startswith(b"\xff\xd8\xff")
    before, after = pictures(data), pictures(copy)
    assert len(after) == len(before)
    assert (after[0].width, after[0].height) == (before[0].width, before[0].height)
    assert [round(float(f.time), 2) for f in after] == [round(float(f.time), 2) for f in before]  # type: ignore[arg-type]
    assert lit(after[0], top=False) > lit(before[0], top=False) + 50
    if clip.seconds > watermark.STAY_S:
        assert lit(after[-1], top=True) > lit(before[-1], top=True) + 50
    assert sounds(copy) == sounds(data) if clip.audio else True


def test_a_large_picture_is_made_smaller_and_a_turned_one_upright(tmp_path: Path) -> None:
    marked(tmp_path, clips.make(Clip(width=1920, height=320, seconds=1.0)))
    (first, *_) = pictures((tmp_path / "copy").read_bytes())
    assert (first.width, first.height) == (1280, 212)
    marked(tmp_path, clips.turned(clips.make()))
    (first, *_) = pictures((tmp_path / "copy").read_bytes())
    assert (first.width, first.height, first.rotation) == (192, 160, 0)


@pytest.mark.parametrize("data", [b"", b"no video", None, b"\0" * 50_000], ids=["nothing", "text", "half", "zeros"])
def test_what_is_no_video_has_no_copy_and_leaves_nothing_behind(tmp_path: Path, data: bytes | None) -> None:
    with pytest.raises(MarkingError):
        marked(tmp_path, clips.make()[:3_000] if data is None else data)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["video"]


def test_a_file_that_is_gone_is_no_fault_of_the_marker(tmp_path: Path) -> None:
    with pytest.raises(MarkingError, match="gone"):
        asyncio.run(marking.mark(tmp_path / "video", tmp_path / "copy", WORDS))


def test_a_marker_that_works_too_long_is_ended_with_its_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marking, "WALL_S", 0.05)
    with pytest.raises(MarkingError, match="takes more than"):
        marked(tmp_path, clips.make(Clip(seconds=7.0)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["video"]


def test_a_copy_that_grows_too_large_is_a_fault_of_the_file(tmp_path: Path) -> None:
    code = (
        "import sys; from shoutgraph.files import marker; marker.COPY_BYTES_MAX = 10_000;"
        "sys.exit(marker.main(sys.argv[1], ['X']))"
    )
    (tmp_path / "video").write_bytes(clips.make())
    with (tmp_path / "video").open("rb") as file, (tmp_path / "copy").open("wb+") as copy:
        done = subprocess.run(
            [sys.executable, "-c", code, str(copy.fileno())],
            stdin=file, capture_output=True, timeout=60, check=True, pass_fds=(copy.fileno(),),
        )  # fmt: skip
    assert b'"fault"' in done.stdout
    assert (tmp_path / "copy").stat().st_size <= 10_000
    assert marker.COPY_BYTES_MAX > 10_000
