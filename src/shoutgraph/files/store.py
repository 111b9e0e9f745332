"""What the rest of shoutgraph needs from a place that keeps files.

`open_local_files` keeps them in a folder; another place (an object store) is another class with these methods.
Names of files are video ids, already checked by the caller.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from shoutgraph.domain import errors, ids, media


class FileKind(StrEnum):
    """What is kept for a video."""

    VIDEO = "videos"
    POSTER = "posters"
    COPY = "copies"
    COPY_POSTER = "copy-posters"


@dataclass(frozen=True, slots=True)
class Checksum:
    """The digest a client gives for one part: `algorithm` is a name that `hashlib` knows."""

    algorithm: str
    digest: bytes


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """The copy of a video with a watermark: its digest in hexadecimal, and its size."""

    sha256: str
    size_bytes: int


class Receiver(Protocol):
    """One part of an upload on its way to the disk. Nobody else writes this file meanwhile."""

    @property
    def offset(self) -> int:
        """Where the next byte goes."""

    async def write(self, data: bytes) -> None:
        """Takes bytes; at most a buffer of them is in memory."""

    async def keep(self, checksum: Checksum | None = None) -> int:
        """Makes what was written durable and gives the file's size.

        Raises:
            ValidationError: the bytes of this part have another checksum; they are dropped.
        """

    async def drop(self) -> None:
        """Takes this part back."""


class Files(Protocol):
    """A place that keeps videos and posters."""

    def receive(self, video_id: ids.VideoId, *, checked: str | None = None) -> AbstractAsyncContextManager[Receiver]:
        """Opens the file for more bytes at its end, for one writer at a time.

        Args:
            checked: the digest algorithm, where the part comes with a checksum; then a part that is cut short by a
                crash is dropped too.

        Raises:
            ValidationError: another upload writes this file now (`UPLOAD_BUSY`).
            OverloadedError: too many parts are being taken.
        """

    def path_of(self, kind: FileKind, video_id: ids.VideoId) -> Path:
        """Where a file lies on this machine: for those who only read it."""

    async def received_bytes(self, video_id: ids.VideoId) -> int:
        """How many bytes are durable; 0 where there is no file yet."""

    async def size_bytes(self, kind: FileKind, video_id: ids.VideoId) -> int | None:
        """The size of a finished file, or None."""

    async def list_of_sizes(self, kind: FileKind, video_ids: Sequence[ids.VideoId]) -> list[int | None]:
        """The sizes of many files, durable or not, in the order asked for; None where there is none."""

    def read(self, kind: FileKind, video_id: ids.VideoId, *, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """The bytes from `start` up to, not including, `end`, in chunks."""

    def checking(self) -> AbstractAsyncContextManager[None]:
        """Waits for one of the few places in which a video may be inspected."""

    async def blank_metadata(self, video_id: ids.VideoId) -> None:
        """Removes what a complete video says about where it was filmed; a repeat changes nothing.

        Raises:
            MediaRejectedError: the file is built like no camera builds one.
            InspectionError: the file is gone.
        """

    async def sha256(self, video_id: ids.VideoId) -> str:
        """The digest of a whole video, in hexadecimal.

        Raises:
            InspectionError: the file is gone.
        """

    async def inspect(self, video_id: ids.VideoId) -> media.VideoFacts:
        """Measures a video in a confined process and keeps its poster.

        Raises:
            MediaRejectedError: it is no video, is not accepted, or does not play.
            InspectionError: the inspector itself failed; another attempt may succeed.
        """

    def marking(self) -> AbstractAsyncContextManager[None]:
        """Waits for the one place in which a copy with a watermark may be made."""

    async def mark(self, video_id: ids.VideoId, words: Sequence[str]) -> CopyFacts:
        """Makes a copy with these words drawn into every picture, and its poster, in a confined process.

        Raises:
            MarkingError: nothing can be drawn into this file, now or later.
            InspectionError: the marker itself failed; another attempt may succeed.
        """

    async def delete_copy(self, video_id: ids.VideoId) -> None:
        """Removes the copy with a watermark and its poster; they may be gone already."""

    async def delete(self, video_id: ids.VideoId) -> None:
        """Removes everything kept for a video; it may be gone already.

        Raises:
            ValidationError: an upload writes this file now (`UPLOAD_BUSY`).
        """

    def archive_of(self, export_id: str) -> Path:
        """Where the copy of what is kept about somebody lies on this machine."""

    async def delete_archive(self, export_id: str) -> None:
        """Removes such a copy, and what was left of tries to write it; it may be gone already."""


class MarkingError(Exception):
    """This video cannot be given a watermark, now or later; the message says why."""


class InspectionError(errors.FaultError):
    """The inspector failed for a reason that does not lie in the file."""
