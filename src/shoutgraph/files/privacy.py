"""Blanks what an MP4 or QuickTime file says about where, when and with what it was filmed.

Phones write the place into every video, and a fan is not to learn where a creator lives. Boxes of metadata become
free space of the same length, so that nothing moves and nothing is encoded again; a repeat changes nothing.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shoutgraph.domain import errors, media

BOXES_MAX: Final = 200_000
"""Files in fragments have some boxes for each frame."""
DEPTH_MAX: Final = 4
BLANK_BYTES: Final = 1024**2

METADATA: Final = frozenset({b"udta", b"meta", b"uuid"})
NESTS: Final = frozenset({b"moov", b"trak", b"mdia", b"moof", b"traf"})
FREE: Final = b"free"

_HEAD_BYTES: Final = 8
_LARGE_HEAD_BYTES: Final = 16
_TRACK_OF_METADATA: Final = b"meta"
_HANDLER_AT: Final = 8
"""Where the kind of a track stands in the content of its `hdlr` box."""


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its kind, and where it, its content and the next one begin."""

    kind: bytes
    at: int
    content_at: int
    end: int


def blank_metadata(path: Path) -> None:
    """Blanks the metadata of a file in place and makes it durable; other formats are left as they are.

    Raises:
        MediaRejectedError: the file has more boxes than any camera writes.
    """
    with path.open("r+b", buffering=0) as file:
        fd = file.fileno()
        found = list(_Walk(fd).metadata(0, os.fstat(fd).st_size, DEPTH_MAX)) if _is_mp4(fd) else []
        for box in found:
            for at in range(box.content_at, box.end, BLANK_BYTES):
                os.pwrite(fd, bytes(min(BLANK_BYTES, box.end - at)), at)
            os.pwrite(fd, FREE, box.at + _HEAD_BYTES - len(FREE))  # last, so that a crash leaves it to be found again
        if found:
            os.fsync(fd)


def _is_mp4(fd: int) -> bool:
    return os.pread(fd, _HEAD_BYTES, 0)[4:] in {b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}


class _Walk:
    """A walk through the boxes of one file, of bounded length however they are nested."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._left = BOXES_MAX

    def metadata(self, start: int, end: int, depth: int) -> Iterator[Box]:
        """The boxes of metadata, and the tracks of it."""
        for box in self._boxes(start, end):
            if box.kind in METADATA or (box.kind == b"trak" and self._handler_of(box) == _TRACK_OF_METADATA):
                yield box
            elif box.kind in NESTS and depth > 0:
                yield from self.metadata(box.content_at, box.end, depth - 1)

    def _boxes(self, start: int, end: int) -> Iterator[Box]:
        at = start
        while at < end:
            self._left -= 1
            if self._left < 0:
                msg = f"The file has more than {BOXES_MAX:,} boxes."
                raise errors.MediaRejectedError(msg, code=media.RejectionCode.TOO_DEMANDING)
            head = os.pread(self._fd, _LARGE_HEAD_BYTES, at)
            length, kind, head_bytes = int.from_bytes(head[:4]), head[4:8], _HEAD_BYTES
            if length == 0:
                length = end - at
            elif length == 1:
                length, head_bytes = int.from_bytes(head[8:16]), _LARGE_HEAD_BYTES
            if length < head_bytes or at + length > end:
                return
            yield Box(kind, at, at + head_bytes, at + length)
            at += length

    def _handler_of(self, trak: Box) -> bytes:
        for mdia in self._boxes(trak.content_at, trak.end):
            for hdlr in self._boxes(mdia.content_at, mdia.end) if mdia.kind == b"mdia" else ():
                if hdlr.kind == b"hdlr":
                    return os.pread(self._fd, len(_TRACK_OF_METADATA), hdlr.content_at + _HANDLER_AT)
        return b""
