"""A consistent copy of an embedded database beside the process that writes to it.

`VACUUM INTO` reads one state and writes a new file; copying the file itself while it is written to gives a broken one.
Source: docs/adr/0005-storage.md.
"""

import contextlib
import os
from pathlib import Path
from typing import Final

from shoutgraph.domain import errors
from shoutgraph.storage import sqlite

BESIDE: Final = ("-wal", "-shm")
"""Endings of the files that belong to a database while it is open, and after a crash."""


def copy(path: Path, to: Path) -> None:
    """Writes a copy of the newest state to a file that is not there yet, durably.

    Raises:
        StoreUnavailableError: the database cannot be read, or the copy cannot be written.
    """
    if not path.exists():
        raise errors.StoreUnavailableError(f"cannot copy {path.name}: it is not there", retry_after_s=0)
    refuse_taken(to)
    try:
        with contextlib.closing(sqlite.connect_reader(path)) as session:
            raw = session.raw
            raw.set_authorizer(None)  # type: ignore[attr-defined] # it forbids to write any file
            raw.execute("PRAGMA query_only = 0").fetchall()  # the database itself is open for reading only
            raw.execute("VACUUM INTO ?", (str(to),))
    except sqlite.DatabaseError as error:
        to.unlink(missing_ok=True)
        raise errors.StoreUnavailableError(f"cannot copy {path.name}: {error}", retry_after_s=0) from error
    _sync(to)


def name(draft: Path, to: Path) -> None:
    """Gives a copy its name, durably, unless something has that name.

    Raises:
        StoreUnavailableError: something has it.
    """
    refuse_taken(to)
    try:
        os.link(draft, to)
    except FileExistsError:
        refuse_taken(to)
    except OSError:  # no links there: the moment between the look and the move is all that is lost
        draft.replace(to)
    draft.unlink(missing_ok=True)
    _sync(to.parent)


def put_in_place(backup: Path, path: Path, *, aside: str) -> list[Path]:
    """Makes a copy of a backup the database that nobody serves; gives where the files that were there are now.

    Args:
        aside: what the names of the old files end with: nothing is deleted.

    Raises:
        StoreUnavailableError: a process writes to the database, or it was put aside under this name before.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = sqlite.WriterLock(path)
    try:
        draft = path.with_name(path.name + aside + ".new")
        copy(backup, draft)  # not the file alone: a log may lie beside it
        old = [each for each in (path, *(path.with_name(path.name + end) for end in BESIDE)) if each.exists()]
        moved = [each.with_name(each.name + aside) for each in old]
        for each in moved:
            refuse_taken(each)
        for before, after in zip(reversed(old), reversed(moved), strict=True):  # the log first: never a log without it
            before.rename(after)
        draft.rename(path)
        _sync(path.parent)
    finally:
        lock.release()
    return moved


def refuse_taken(to: Path) -> None:
    """Refuses a name that a file has.

    Raises:
        StoreUnavailableError: a file has it.
    """
    if to.exists():
        raise errors.StoreUnavailableError(f"{to} is there already, and nothing is written over it", retry_after_s=0)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
