"""What the inspector finds in files, good and hostile, through the process in which it runs."""

import asyncio
import hashlib
import io
import json
import os
import signal
import struct
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest
from tests.files import clips
from tests.files.clips import Clip

from shoutgraph.domain import errors, media
from shoutgraph.files import inspector, sample, video
from shoutgraph.files.store import InspectionError
from shoutgraph.files.verdicts import Inspection

JPEG_BEGIN, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
MP4 = Clip()
WEBM = Clip("webm", "libvpx", "libopus")


def inspected(tmp_path: Path, data: bytes) -> Inspection:
    path = tmp_path / "video"
    path.write_bytes(data)
    return asyncio.run(video.inspect(path))


def refusal_of(tmp_path: Path, data: bytes) -> tuple[str, str]:
    with pytest.raises(errors.MediaRejectedError) as refusal:
        inspected(tmp_path, data)
    return refusal.value.code, refusal.value.message


def jpeg_size(jpeg: bytes) -> tuple[int, int]:
    at = jpeg.index(b"\xff\xc0")
    height, width = struct.unpack(">HH", jpeg[at + 5 : at + 9])
    return width, height


def run(code: str, data: bytes) -> str:
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, timeout=60, check=True)
    return done.stdout.decode()


def inspectors() -> list[Path]:
    """The processes of this one that inspect."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
            if parent == str(os.getpid()) and video.INSPECTOR.encode() in (process / "cmdline").read_bytes():
                found.append(process)
    return found


@pytest.mark.parametrize(
    ("clip", "container", "video_codec", "audio_codec"),
    [
        (MP4, "mp4", "h264", "aac"),
        (Clip("mov"), "mov", "h264", "aac"),
        (Clip("mp4", audio=None), "mp4", "h264", None),
        (Clip("mp4", "libx264", "libmp3lame"), "mp4", "h264", "mp3"),
        (Clip("mp4", "libx265"), "mp4", "hevc", "aac"),
        (Clip("mp4", "libsvtav1"), "mp4", "av1", "aac"),
        (WEBM, "webm", "vp8", "opus"),
        (Clip("webm", "libvpx-vp9", "libopus", seconds=1), "webm", "vp9", "opus"),
    ],
)
def test_every_accepted_format_is_measured(
    tmp_path: Path, clip: Clip, container: str, video_codec: str, audio_codec: str | None
) -> None:
    data = clips.make(clip)
    found = inspected(tmp_path, data)
    facts = found.facts
    assert (facts.container, facts.video_codec, facts.audio_codec) == (container, video_codec, audio_codec)
    assert (facts.width_px, facts.height_px) == (160, 192)
    assert abs(facts.duration_ms - int(clip.seconds * 1_000)) < 200
    assert facts.size_bytes == len(data)
    assert found.poster.startswith(JPEG_BEGIN)
    assert found.poster.rstrip(b"\0").endswith(JPEG_END)
    assert jpeg_size(found.poster) == (160, 192)


def test_what_a_browser_records_has_no_length_in_its_header_and_is_measured_all_the_same(tmp_path: Path) -> None:
    live = Clip("webm", "libvpx", "libopus", options=(("live", "1"),))
    assert abs(inspected(tmp_path, clips.make(live)).facts.duration_ms - 2_000) < 200


def test_a_fragmented_file_is_measured(tmp_path: Path) -> None:
    fragmented = Clip(options=(("movflags", "frag_keyframe+empty_moov"),))
    assert abs(inspected(tmp_path, clips.make(fragmented)).facts.duration_ms - 2_000) < 300


def test_a_video_filmed_upright_has_an_upright_poster(tmp_path: Path) -> None:
    found = inspected(tmp_path, clips.turned(clips.make()))
    assert (found.facts.width_px, found.facts.height_px) == (192, 160)
    assert jpeg_size(found.poster) == (192, 160)


def test_a_poster_is_at_most_640_pixels_on_a_side(tmp_path: Path) -> None:
    found = inspected(tmp_path, clips.make(Clip(audio=None, seconds=1, width=1280, height=720)))
    assert jpeg_size(found.poster) == (640, 360)


def test_the_sample_video_is_one_that_we_accept(tmp_path: Path) -> None:
    path = tmp_path / "sample.mp4"
    sample.make_sample_video(path, seconds=2, text="Happy birthday, Ada & Bo!")
    facts = asyncio.run(video.inspect(path)).facts
    assert (facts.container, facts.video_codec, facts.audio_codec) == ("mp4", "h264", "aac")
    assert facts.duration_ms == 2_000


PLAYLISTS = [
    "#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:2,\nfile://{path}\n#EXT-X-ENDLIST\n",
    "ffconcat version 1.0\nfile '{path}'\n",
    "[playlist]\nFile1={path}\n",
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>file://{path}</BaseURL></MPD>',
    "v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 9 RTP/AVP 96\n",
]


@pytest.mark.parametrize("playlist", PLAYLISTS)
def test_a_list_of_other_files_is_never_followed(tmp_path: Path, playlist: str) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(clips.make())
    assert refusal_of(tmp_path, playlist.format(path=other).encode())[0] == "NOT_A_VIDEO"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "NOT_A_VIDEO"),
        (b"\0", "NOT_A_VIDEO"),
        (b"This is a letter, not a film.\n" * 50, "NOT_A_VIDEO"),
        (b"<!doctype html><script>alert(1)</script>", "NOT_A_VIDEO"),
        (b"\x7fELF" + bytes(4_000), "NOT_A_VIDEO"),
        (b"PK\x03\x04" + bytes(4_000), "NOT_A_VIDEO"),
        (hashlib.shake_128(b"noise").digest(50_000), "NOT_A_VIDEO"),
        (b"\0\0\0\x18ftypmp42" + bytes(12), "TRUNCATED"),
        (b"\0\0\0\x08ftyp", "TRUNCATED"),
        (b"\0\0\0\x01ftypmp42\xff\xff\xff\xff\xff\xff\xff\xff" + bytes(100), "TRUNCATED"),
        (b"\0\0\0\x10ftypmp42\0\0\0\0\0\0\0\x08moov", "NOT_A_VIDEO"),
        (b"\x1a\x45\xdf\xa3\x88\x42\x82\x84webm" + bytes(100), "NOT_PLAYABLE"),
        (b"\x1a\x45\xdf\xa3\x87\x42\x82\x84webm\x18\x53\x80\x67\x10\xff\xff\xff", "TRUNCATED"),
    ],
)
def test_what_is_no_video_is_refused_by_its_first_bytes(data: bytes, code: str) -> None:
    verdict = json.loads(inspector.answer_about(cast("io.RawIOBase", io.BytesIO(data))))
    assert verdict["rejected"]["code"] == code


@pytest.mark.parametrize("clip", [Clip("matroska"), Clip("avi", "libx264", "libmp3lame")])
def test_another_container_is_named_as_such(tmp_path: Path, clip: Clip) -> None:
    code, message = refusal_of(tmp_path, clips.make(clip))
    assert code == "CONTAINER_NOT_ACCEPTED"
    assert "mp4, mov, webm" in message


@pytest.mark.parametrize(
    ("clip", "says"),
    [(Clip(video="mpeg4"), "picture is mpeg4"), (Clip("mov", "libx264", "pcm_s16le"), "sound is pcm_s16le")],
)
def test_another_codec_is_named_before_anything_is_decoded(tmp_path: Path, clip: Clip, says: str) -> None:
    code, message = refusal_of(tmp_path, clips.make(clip))
    assert code == "CODEC_NOT_ACCEPTED"
    assert says in message


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    assert refusal_of(tmp_path, clips.make(Clip(video=None)))[0] == "NOT_A_VIDEO"


@pytest.mark.parametrize("clip", [MP4, Clip("mov"), WEBM])
@pytest.mark.parametrize("percent", [20, 60, 99])
def test_a_file_that_ends_early_is_truncated(tmp_path: Path, clip: Clip, percent: int) -> None:
    data = clips.make(clip)
    assert refusal_of(tmp_path, data[: len(data) * percent // 100])[0] == "TRUNCATED"


@pytest.mark.parametrize("noise", [b"\0", b"\xff", bytes(range(256)) * 3])
def test_a_file_with_a_good_index_and_broken_frames_does_not_play(tmp_path: Path, noise: bytes) -> None:
    assert refusal_of(tmp_path, clips.with_media_data(clips.make(), noise))[0] == "NOT_PLAYABLE"


@pytest.mark.parametrize(("width", "height"), [(128, 96), (4_112, 144)])
def test_a_picture_too_small_or_too_large_is_refused_before_it_is_decoded(
    tmp_path: Path, width: int, height: int
) -> None:
    code, message = refusal_of(tmp_path, clips.make(Clip(audio=None, seconds=1, width=width, height=height)))
    assert code == "RESOLUTION_NOT_ACCEPTED"
    assert f"{width} by {height}" in message


DAMAGE = """
import json, random, sys, io
from shoutgraph.files import inspector
inspector._import_everything()
inspector._confine()
rng = random.Random(3)
whole = sys.stdin.buffer.read()
for _ in range(80):
    data = bytearray(whole)
    for _ in range(rng.choice([1, 5, 50, 500])):
        at = rng.randrange(rng.choice([2_000, len(data)]))
        data[at:at + 4] = rng.choice([b"\\xff" * 4, b"\\0" * 4, b"\\x7f" + b"\\xff" * 3, rng.randbytes(4)])
    answer = json.loads(inspector.answer_about(io.BytesIO(bytes(data))))
    print("plays" if "facts" in answer else answer["rejected"]["code"])
"""


@pytest.mark.parametrize("clip", [Clip(seconds=1), Clip("webm", "libvpx", "libopus", seconds=1)])
def test_a_damaged_file_plays_or_is_refused_with_a_code(clip: Clip) -> None:
    verdicts_given = run(DAMAGE, clips.make(clip)).split()
    assert len(verdicts_given) == 80
    assert set(verdicts_given) <= {"plays", *media.RejectionCode}
    assert len(set(verdicts_given)) > 2


CONFINED = """
import os, socket, subprocess, json
from shoutgraph.files import inspector
inspector._import_everything()
inspector._confine()
def outcome(attempt):
    try:
        attempt()
    except (OSError, MemoryError) as error:
        return type(error).__name__
    return "allowed"
print(json.dumps([
    outcome(lambda: open("/etc/passwd")),
    outcome(lambda: socket.socket()),
    outcome(lambda: subprocess.Popen(["true"])),
    outcome(lambda: bytearray(2 * 1024**3)),
]))
"""


def test_the_inspector_can_open_no_file_socket_or_process_and_take_no_endless_memory() -> None:
    assert json.loads(run(CONFINED, b"")) == ["OSError", "OSError", "OSError", "MemoryError"]


TELL_ENVIRONMENT = """
import os, pathlib
pathlib.Path(__file__).with_name("environment").write_text("\\n".join(f"{k}={v}" for k, v in os.environ.items()))
"""


def test_the_inspector_learns_nothing_of_the_servers_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python itself runs `sitecustomize` in every process it starts, before the inspector is confined."""
    monkeypatch.setenv("SHOUTGRAPH_LINK_KEY", "secret")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "sitecustomize.py").write_text(TELL_ENVIRONMENT)
    path = tmp_path / "video"
    path.write_bytes(clips.make())

    asyncio.run(video.inspect(path))

    seen = (tmp_path / "environment").read_text()
    assert f"PYTHONPATH={tmp_path}" in seen
    assert "SHOUTGRAPH" not in seen


def test_a_file_that_takes_too_much_computing_is_refused() -> None:
    with pytest.raises(errors.MediaRejectedError) as refusal:
        video._read(b"ready\n", -signal.SIGXCPU, size_bytes=1)
    assert refusal.value.code == "TOO_DEMANDING"


def test_a_file_that_kills_its_decoder_is_refused() -> None:
    with pytest.raises(errors.MediaRejectedError) as refusal:
        video._read(b"ready\n", -signal.SIGSEGV, size_bytes=1)
    assert refusal.value.code == "NOT_PLAYABLE"


@pytest.mark.parametrize(("answer", "status"), [(b"", 1), (b"", -signal.SIGSEGV), (b"ready\n", -signal.SIGKILL)])
def test_an_inspector_that_fails_by_itself_blames_no_file(answer: bytes, status: int) -> None:
    with pytest.raises(InspectionError):
        video._read(answer, status, size_bytes=1)


def test_an_inspection_that_is_given_up_leaves_no_process_behind(tmp_path: Path) -> None:
    path = tmp_path / "video"
    path.write_bytes(clips.make())

    async def give_up() -> None:
        task = asyncio.create_task(video.inspect(path))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(give_up())
    assert not inspectors()
