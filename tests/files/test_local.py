"""Files in a folder: one writer, durable before acknowledged, nothing unchecked left behind."""

import asyncio
import hashlib
import os
import stat
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.files import clips

from shoutgraph.domain import errors, ids
from shoutgraph.files.local import BUFFER_BYTES, LocalFiles, open_local_files
from shoutgraph.files.store import Checksum, FileKind, InspectionError

VIDEO = ids.VideoId("video_01m817w1sve7s8q03q2a7qhqpy")


@pytest.fixture
def files(tmp_path: Path) -> Iterator[LocalFiles]:
    files = open_local_files(tmp_path / "media")
    yield files
    files.close()


async def put(files: LocalFiles, data: bytes, checksum: Checksum | None = None) -> int:
    async with files.receive(VIDEO, checked=checksum.algorithm if checksum else None) as receiver:
        await receiver.write(data)
        return await receiver.keep(checksum)


async def content(files: LocalFiles) -> bytes:
    size = await files.size_bytes(FileKind.VIDEO, VIDEO)
    assert size is not None
    return b"".join([chunk async for chunk in files.read(FileKind.VIDEO, VIDEO, start=0, end=size)])


def sha1(data: bytes) -> Checksum:
    return Checksum("sha1", hashlib.sha1(data, usedforsecurity=False).digest())


def play(story: Callable[[], Awaitable[None]]) -> None:
    async def told() -> None:
        await story()

    asyncio.run(told())


def test_parts_come_one_after_the_other(files: LocalFiles) -> None:
    async def story() -> None:
        assert await files.received_bytes(VIDEO) == 0
        assert await put(files, b"one ") == 4
        assert await put(files, b"two") == 7
        assert await files.received_bytes(VIDEO) == 7
        assert await content(files) == b"one two"
        assert await files.sha256(VIDEO) == hashlib.sha256(b"one two").hexdigest()

    play(story)


def test_large_parts_are_written_as_they_come(files: LocalFiles) -> None:
    async def story() -> None:
        data = os.urandom(3 * BUFFER_BYTES + 17)
        async with files.receive(VIDEO) as receiver:
            for at in range(0, len(data), 65_536):
                await receiver.write(data[at : at + 65_536])
                assert receiver.offset == min(at + 65_536, len(data))
                written = files.path_of(FileKind.VIDEO, VIDEO).stat().st_size
                assert receiver.offset - written < BUFFER_BYTES, "memory holds one buffer at most"
            assert await receiver.keep() == len(data)
        assert await content(files) == data

    play(story)


def test_only_one_writes_at_a_time(files: LocalFiles) -> None:
    async def story() -> None:
        async with files.receive(VIDEO) as receiver:
            await receiver.write(b"mine")
            with pytest.raises(errors.ValidationError) as refusal:
                await put(files, b"theirs")
            assert refusal.value.code == "UPLOAD_BUSY"
            with pytest.raises(errors.ValidationError):
                await files.delete(VIDEO)
            await receiver.keep()
        assert await put(files, b" again") == 10

    play(story)


def test_a_part_with_its_checksum_is_kept_and_another_is_dropped(files: LocalFiles) -> None:
    async def story() -> None:
        assert await put(files, b"good", sha1(b"good")) == 4
        with pytest.raises(errors.ValidationError) as refusal:
            await put(files, b"evil", sha1(b"good"))
        assert refusal.value.code == "UPLOAD_CHECKSUM"
        assert await files.received_bytes(VIDEO) == 4
        assert await put(files, b"!", sha1(b"!")) == 5
        assert await content(files) == b"good!"

    play(story)


def test_a_part_with_a_checksum_that_a_crash_cut_short_is_forgotten(files: LocalFiles) -> None:
    async def story() -> None:
        await put(files, b"good")
        async with files.receive(VIDEO, checked="sha1") as receiver:
            await receiver.write(b"x" * (BUFFER_BYTES + 1))
        assert files.path_of(FileKind.VIDEO, VIDEO).stat().st_size > 4
        assert await files.received_bytes(VIDEO) == 4
        async with files.receive(VIDEO) as receiver:
            assert receiver.offset == 4

    play(story)


def test_a_part_can_be_taken_back(files: LocalFiles) -> None:
    async def story() -> None:
        await put(files, b"good")
        async with files.receive(VIDEO) as receiver:
            await receiver.write(b"x" * (BUFFER_BYTES + 1))
            await receiver.drop()
        assert await content(files) == b"good"

    play(story)


def test_a_writer_who_is_cancelled_lets_the_next_one_in(files: LocalFiles) -> None:
    async def story() -> None:
        async def stuck() -> None:
            async with files.receive(VIDEO) as receiver:
                await receiver.write(b"y" * BUFFER_BYTES)
                await asyncio.sleep(60)

        for pause in (0.0, 0.001, 0.05):
            task = asyncio.create_task(stuck())
            await asyncio.sleep(pause)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert await put(files, b"z") > 0

    play(story)


def test_everything_of_a_video_goes_when_it_is_deleted(files: LocalFiles, tmp_path: Path) -> None:
    async def story() -> None:
        await put(files, clips.make())
        await files.inspect(VIDEO)
        assert await files.size_bytes(FileKind.POSTER, VIDEO)
        async with files.receive(VIDEO, checked="sha1") as receiver:
            await receiver.write(b"unchecked")
        await files.delete(VIDEO)
        await files.delete(VIDEO)
        assert await files.size_bytes(FileKind.VIDEO, VIDEO) is None

    play(story)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_lost_file_is_a_fault_and_no_refusal(files: LocalFiles) -> None:
    async def story() -> None:
        with pytest.raises(InspectionError):
            await files.sha256(VIDEO)

    play(story)


def test_nobody_else_on_the_machine_reads_the_files(files: LocalFiles) -> None:
    async def story() -> None:
        await put(files, b"private")
        path = files.path_of(FileKind.VIDEO, VIDEO)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    play(story)


@pytest.mark.parametrize("name", ["../../etc/passwd", "video_x", "", "video_01m817w1sve7s8q03q2a7qhqpy/../x", "/etc"])
def test_no_other_text_becomes_a_path(files: LocalFiles, name: str) -> None:
    async def story() -> None:
        with pytest.raises(errors.ValidationError) as refusal:
            await files.received_bytes(ids.VideoId(name))
        assert refusal.value.code == "INVALID_ID"

    play(story)


def test_a_link_in_the_folder_is_not_followed(files: LocalFiles, tmp_path: Path) -> None:
    async def story() -> None:
        target = tmp_path / "target"
        target.write_bytes(b"untouched")
        files.path_of(FileKind.VIDEO, VIDEO).symlink_to(target)
        with pytest.raises(OSError, match="symbolic"):
            await put(files, b"x")
        assert target.read_bytes() == b"untouched"

    play(story)
