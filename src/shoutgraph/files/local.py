"""Files in a folder of this machine."""

import asyncio
import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from shoutgraph.domain import errors, ids, media
from shoutgraph.files import marking, parts, privacy, verdicts, video
from shoutgraph.files.store import Checksum, CopyFacts, FileKind, InspectionError, Receiver

FOLDER_MODE: Final = 0o700
ARCHIVES: Final = "exports"
THREADS_COUNT: Final = 4
"""Slow disks hold up these threads and nobody else's."""
CHECKS_AT_ONCE: Final = 2
RECEIVERS_MAX: Final = 256
"""Parts that are taken at once; each has a buffer."""
RETRY_AFTER_S: Final = 5
BUFFER_BYTES: Final = 1024**2
READ_BYTES: Final = 256 * 1024

T = TypeVar("T")


def open_local_files(folder: Path) -> "LocalFiles":
    """Keeps files in this folder, which is made if it is not there. Close them when done."""
    for kind in FileKind:
        (folder / kind).mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    (folder / ARCHIVES).mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    return LocalFiles(folder)


class Threads:
    """The threads on which everything that waits for a disk is run."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS_COUNT, thread_name_prefix="files")

    async def run(self, work: Callable[[], T]) -> T:
        """Runs it on a thread; a caller who is cancelled does not stop it."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Waits for what is under way."""
        self._pool.shutdown()


class LocalFiles:
    """A `Files` on the local disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = Threads()
        self._checks = asyncio.Semaphore(CHECKS_AT_ONCE)
        self._marks = asyncio.Semaphore(1)
        self._receiving = 0

    def close(self) -> None:
        """Waits for what is being written and ends the threads."""
        self._threads.close()

    def path_of(self, kind: FileKind, video_id: ids.VideoId) -> Path:
        """Where a file is. The id is checked again: no other text becomes part of a path."""
        prefix = ids.ATTACHMENT if _is_attachment(video_id) else ids.VIDEO
        return self._folder / kind / ids.parse(prefix, video_id, path=("videoId",))

    @asynccontextmanager
    async def receive(self, video_id: ids.VideoId, *, checked: str | None = None) -> AsyncIterator[Receiver]:
        """Opens the file for more bytes at its end; see `Files.receive`."""
        if self._receiving >= RECEIVERS_MAX:
            raise errors.OverloadedError(retry_after_s=RETRY_AFTER_S)
        part = parts.Part(self.path_of(FileKind.VIDEO, video_id), checked=checked)
        self._receiving += 1
        try:
            await self._threads.run(part.open)
            yield _LocalReceiver(part, self._threads)
        finally:
            self._receiving -= 1
            await self._threads.run(part.close)

    async def received_bytes(self, video_id: ids.VideoId) -> int:
        """How many bytes are durable."""
        return await self._threads.run(partial(parts.durable_size, self.path_of(FileKind.VIDEO, video_id)))

    async def size_bytes(self, kind: FileKind, video_id: ids.VideoId) -> int | None:
        """The size of a finished file, or None."""
        return await self._threads.run(partial(_size_or_none, self.path_of(kind, video_id)))

    async def list_of_sizes(self, kind: FileKind, video_ids: Sequence[ids.VideoId]) -> list[int | None]:
        """The sizes of many files, in the order asked for."""
        paths = [self.path_of(kind, video_id) for video_id in video_ids]
        return await self._threads.run(lambda: [_size_or_none(path) for path in paths])

    async def read(self, kind: FileKind, video_id: ids.VideoId, *, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` up to, not including, `end`, in chunks."""
        path = self.path_of(kind, video_id)
        with await self._threads.run(partial(path.open, "rb", buffering=0)) as file:
            for at in range(start, end, READ_BYTES):
                yield await self._threads.run(partial(os.pread, file.fileno(), min(READ_BYTES, end - at), at))

    def checking(self) -> AbstractAsyncContextManager[None]:
        """Waits for one of the few places in which a video may be inspected."""
        return self._checks

    async def blank_metadata(self, video_id: ids.VideoId) -> None:
        """Removes what a complete video says about where it was filmed; see `Files.blank_metadata`."""
        await self._threads.run(partial(_of_complete, privacy.blank_metadata, self.path_of(FileKind.VIDEO, video_id)))

    async def sha256(self, video_id: ids.VideoId) -> str:
        """The digest of a whole video, in hexadecimal."""
        return await self._threads.run(partial(_of_complete, _sha256, self.path_of(FileKind.VIDEO, video_id)))

    async def inspect(self, video_id: ids.VideoId) -> media.VideoFacts:
        """Measures a video in a confined process and keeps its poster; see `Files.inspect`."""
        words = (verdicts.ATTACHMENT,) if _is_attachment(video_id) else ()
        inspection = await video.inspect(self.path_of(FileKind.VIDEO, video_id), *words)
        if inspection.poster:
            poster = self.path_of(FileKind.POSTER, video_id)
            await self._threads.run(partial(parts.write_durably, poster, inspection.poster))
        return inspection.facts

    def marking(self) -> AbstractAsyncContextManager[None]:
        """Waits for the one place in which a copy with a watermark may be made."""
        return self._marks

    async def mark(self, video_id: ids.VideoId, words: Sequence[str]) -> CopyFacts:
        """Makes a copy with these words drawn into every picture, and its poster; see `Files.mark`."""
        copy = self.path_of(FileKind.COPY, video_id)
        made = await marking.mark(self.path_of(FileKind.VIDEO, video_id), copy, words)
        poster = self.path_of(FileKind.COPY_POSTER, video_id)
        await self._threads.run(partial(parts.write_durably, poster, made.poster))
        return made.facts

    async def delete_copy(self, video_id: ids.VideoId) -> None:
        """Removes the copy with a watermark and its poster; they may be gone already."""
        for kind in (FileKind.COPY, FileKind.COPY_POSTER):
            await self._threads.run(partial(parts.remove, self.path_of(kind, video_id)))

    async def delete(self, video_id: ids.VideoId) -> None:
        """Removes everything kept for a video; it may be gone already."""
        for kind in FileKind:
            await self._threads.run(partial(parts.remove, self.path_of(kind, video_id)))

    def archive_of(self, export_id: str) -> Path:
        """Where an archive is. The id is checked again: no other text becomes part of a path."""
        return self._folder / ARCHIVES / f"{ids.parse(ids.EXPORT, export_id, path=('exportId',))}.zip"

    async def delete_archive(self, export_id: str) -> None:
        """Removes an archive, and what was left of tries to write it."""
        path = self.archive_of(export_id)
        for each in await self._threads.run(lambda: list(path.parent.glob(f"{path.name}*"))):
            await self._threads.run(partial(each.unlink, missing_ok=True))


class _LocalReceiver:
    """A `Receiver` that gathers small chunks, so that a thread is asked once a mebibyte."""

    def __init__(self, part: parts.Part, threads: Threads) -> None:
        self._part = part
        self._threads = threads
        self._gathered = bytearray()

    @property
    def offset(self) -> int:
        """Where the next byte goes."""
        return self._part.offset + len(self._gathered)

    async def write(self, data: bytes) -> None:
        """Takes bytes; at most a buffer of them is in memory."""
        self._gathered += data
        if len(self._gathered) >= BUFFER_BYTES:
            await self._flush()

    async def keep(self, checksum: Checksum | None = None) -> int:
        """Makes what was written durable and gives the file's size."""
        await self._flush()
        return await self._threads.run(partial(self._part.keep, checksum))

    async def drop(self) -> None:
        """Takes this part back."""
        self._gathered.clear()
        await self._threads.run(self._part.drop)

    async def _flush(self) -> None:
        data = bytes(self._gathered)
        self._gathered.clear()
        await self._threads.run(partial(self._part.write, data))


def _is_attachment(upload_id: str) -> bool:
    return ids.prefix_of(upload_id) == ids.ATTACHMENT


def _size_or_none(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


def _of_complete(work: Callable[[Path], T], path: Path) -> T:
    try:
        return work(path)
    except FileNotFoundError:
        raise InspectionError("the file of a complete video is gone") from None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
