"""One part of an upload, written to the end of a local file: one writer, durable before it is acknowledged.

Blocking; `files.local` runs it on threads of its own. A lock of the kernel keeps other writers out, also in other
processes, and falls with the process. A part that comes with a checksum leaves a mark where it began, so that a
crash in its middle leaves no bytes that nobody has checked.
"""

import fcntl
import hashlib
import os
import threading
from pathlib import Path
from typing import Final

from shoutgraph.domain import errors
from shoutgraph.files.store import Checksum

FILE_MODE: Final = 0o600
MARK_SUFFIX: Final = ".mark"
MARK_BYTES_MAX: Final = 32


class Part:
    """Bytes on their way to the end of a file."""

    def __init__(self, path: Path, *, checked: str | None) -> None:
        self._path = path
        self._hash = hashlib.new(checked, usedforsecurity=False) if checked else None
        self._turn = threading.Lock()
        self._fd: int | None = None
        self._closed = False
        self._start = 0
        self.offset = 0

    def open(self) -> None:
        """Locks the file and finds its end.

        Raises:
            ValidationError: another part is being written.
        """
        with self._turn:
            if self._closed:  # the one who asked has gone while this waited for a thread
                return
            self._fd = lock(self._path)
            self._drop_unchecked(self._fd)
            self.offset = self._start = os.fstat(self._fd).st_size
            if self._start == 0:
                sync_folder(self._path.parent)
            if self._hash is not None:
                write_durably(_mark_of(self._path), str(self._start).encode())

    def write(self, data: bytes) -> None:
        """Writes at the end; durable only after `keep`."""
        with self._turn:
            if self._fd is None:
                return
            left = memoryview(data)
            while left:
                count = os.pwrite(self._fd, left, self.offset)
                self.offset += count
                left = left[count:]
            if self._hash is not None:
                self._hash.update(data)

    def keep(self, checksum: Checksum | None) -> int:
        """Makes the part durable and gives the file's size.

        Raises:
            ValidationError: the part has another checksum; it is dropped.
        """
        with self._turn:
            assert self._fd is not None, "only an open part is kept"
            if checksum is not None:
                assert self._hash is not None, "a part is hashed while it is written"
                if self._hash.digest() != checksum.digest:
                    self._back_to(self._fd, self._start)
                    msg = "The bytes that arrived have another checksum; send this part again."
                    raise errors.ValidationError(msg, code="UPLOAD_CHECKSUM")
            os.fsync(self._fd)
            self._remove_mark()
            return self.offset

    def drop(self) -> None:
        """Takes the part back."""
        with self._turn:
            if self._fd is not None:
                self._back_to(self._fd, self._start)

    def close(self) -> None:
        """Unlocks the file; waits for a write that is under way."""
        with self._turn:
            self._closed = True
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None

    def _drop_unchecked(self, fd: int) -> None:
        marked = marked_offset(self._path)
        if marked is not None:
            self._back_to(fd, marked)

    def _back_to(self, fd: int, offset: int) -> None:
        if os.fstat(fd).st_size > offset:
            os.ftruncate(fd, offset)
        os.fsync(fd)
        self.offset = offset
        self._remove_mark()

    def _remove_mark(self) -> None:
        mark = _mark_of(self._path)
        if mark.exists():
            mark.unlink()
            sync_folder(mark.parent)


def lock(path: Path) -> int:
    """Opens a file for one writer, made if it is not there.

    Raises:
        ValidationError: another writer has it.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        msg = "Another request is writing this upload. Try again in a moment."
        raise errors.ValidationError(msg, code="UPLOAD_BUSY") from None
    return fd


def durable_size(path: Path) -> int:
    """How many bytes of an unfinished file are durable and, where they must be, checked."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return 0
    try:
        marked = marked_offset(path)
        size = os.fstat(fd).st_size
        os.fsync(fd)
        return size if marked is None else min(size, marked)
    finally:
        os.close(fd)


def marked_offset(path: Path) -> int | None:
    """Where a part began whose checksum is not proven yet, or None."""
    try:
        with _mark_of(path).open("rb") as file:
            return int(file.read(MARK_BYTES_MAX))
    except FileNotFoundError:
        return None


def remove(path: Path) -> None:
    """Removes a file and its mark durably; they may be gone already.

    Raises:
        ValidationError: a part of it is being written.
    """
    if not path.exists():
        return
    fd = lock(path)
    try:
        _mark_of(path).unlink(missing_ok=True)
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
    finally:
        os.close(fd)


def write_durably(path: Path, data: bytes) -> None:
    """Puts a whole small file in place at once: it is there with all its bytes, or not at all."""
    draft = path.with_name(f"{path.name}.draft")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(fd)
    draft.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes names that appeared or vanished in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _mark_of(path: Path) -> Path:
    return path.with_name(path.name + MARK_SUFFIX)
