"""Where a video was filmed is nobody's business."""

import asyncio
from pathlib import Path

import pytest
from tests.files import clips
from tests.files.clips import Clip

from shoutgraph.domain import errors, media
from shoutgraph.files import privacy, video

PLACE = "+48.8584+002.2945/"
TOLD = (("location", PLACE), ("comment", "filmed at home"), ("title", "holiday"))
BINARY_PLACE = b"loci"
FRAGMENTED = (("movflags", "frag_keyframe+empty_moov"),)
APPLE = (("movflags", "use_metadata_tags"),)


def box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4) + kind + content


def blanked(tmp_path: Path, data: bytes) -> bytes:
    path = tmp_path / "video"
    path.write_bytes(data)
    privacy.blank_metadata(path)
    return path.read_bytes()


@pytest.mark.parametrize(
    "clip",
    [
        Clip(metadata=TOLD),
        Clip("mov", metadata=TOLD),
        Clip(metadata=TOLD, options=APPLE),
        Clip(metadata=TOLD, options=FRAGMENTED),
    ],
)
def test_the_place_goes_and_the_film_stays(tmp_path: Path, clip: Clip) -> None:
    data = clips.make(clip)
    assert PLACE.encode() in data or BINARY_PLACE in data
    after = blanked(tmp_path, data)
    assert len(after) == len(data)
    assert not any(text in after for text in (BINARY_PLACE, *(text.encode() for _, text in TOLD)))
    assert asyncio.run(video.inspect(tmp_path / "video")).facts.video_codec == "h264"


def test_a_repeat_changes_nothing(tmp_path: Path) -> None:
    once = blanked(tmp_path, clips.make(Clip(metadata=TOLD)))
    assert blanked(tmp_path, once) == once


def test_a_crash_in_the_middle_is_mended_by_the_repeat(tmp_path: Path) -> None:
    data = clips.make(Clip("mov", metadata=TOLD))
    at = data.index(PLACE.encode())
    half = data[:at] + bytes(len(PLACE)) + data[at + len(PLACE) :]
    assert blanked(tmp_path, half) == blanked(tmp_path, data)


def test_a_track_of_places_is_no_track_any_more(tmp_path: Path) -> None:
    handler = box(b"hdlr", bytes(8) + b"meta" + bytes(12))
    track = box(b"trak", box(b"mdia", handler))
    after = blanked(tmp_path, box(b"ftyp", b"isom") + box(b"moov", track + box(b"trak", b"")))
    assert after == box(b"ftyp", b"isom") + box(b"moov", box(b"free", bytes(len(track) - 8)) + box(b"trak", b""))


@pytest.mark.parametrize("one", [box(b"udta", b""), box(b"moov", box(b"moov", b""))])
def test_a_file_of_nothing_but_boxes_is_refused(tmp_path: Path, one: bytes) -> None:
    with pytest.raises(errors.MediaRejectedError) as refusal:
        blanked(tmp_path, box(b"ftyp", b"isom") + one * privacy.BOXES_MAX)
    assert refusal.value.code == media.RejectionCode.TOO_DEMANDING


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0\x08ftyp",
        b"\0\0\0\x08ftyp\0\0\0\x01udta\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\0\0\0\x08ftyp\0\0\0\x01udta\0\0\0\0\0\0\0\x01",
        b"\0\0\0\x08ftyp" + b"\0\0\0\0moov" * 2_000,
        b"\0\0\0\x08ftyp\0\0\0\x04udta",
        b"udta in a text",
    ],
)
def test_what_is_no_whole_mp4_is_left_as_it_is(tmp_path: Path, data: bytes) -> None:
    assert blanked(tmp_path, data) == data


def test_another_kind_of_film_is_left_as_it_is(tmp_path: Path) -> None:
    data = clips.make(Clip("webm", "libvpx", "libopus"))
    assert blanked(tmp_path, data) == data
