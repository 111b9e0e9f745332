"""A folder of signed anchors: one small file each, written once and never again.

So the folder may lie where files can be added and not changed: another disk, a mounted bucket with object lock, a git
checkout. What is not signed by a key of ours is told of and counts for nothing. Source: docs/adr/0017-anchors.md.
"""

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import orjson

from shoutgraph.domain import anchors
from shoutgraph.domain.anchors import Anchor
from shoutgraph.domain.journal import Head
from shoutgraph.files import parts, signing
from shoutgraph.files.signing import Signer

logger = logging.getLogger("shoutgraph.anchors")

SIGNATURE: Final = "signature"
MINUTE: Final = timedelta(minutes=1)
FILE_BYTES_MAX: Final = 8_192
FILE_MODE: Final = 0o644
"""Anchors are no secret; whoever checks them from outside has to read them."""
ANCHORS_MAX: Final = 20_000_000
"""The most files of one folder: one a minute for 38 years."""
TRIES_MAX: Final = 8
"""How many files that a crash left half-written may have an anchor's name before it."""

_NAME: Final = re.compile(r"anchor-(\d{6})-(\d{19})(?:-(\d))?\.json", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ignored:
    """A file of the folder that is named like an anchor and is none of ours."""

    name: str
    why: str


class AnchorFolder:
    """Writes anchors into a folder, and reads them back, the newest first.

    `agreed` says that the database agreed with them in this process: only then are more written. `every` is the pause
    between two of them, `newest` what this process wrote last, and `due_at` when the next one is. `found` is the newest
    line as a restore found it, before this process could add one.
    """

    def __init__(self, folder: Path, signer: Signer, *, every: timedelta = MINUTE) -> None:
        self.folder: Final = folder
        self.every: Final = every
        self.agreed = False
        self.newest: Anchor | None = None
        self.due_at: datetime | None = None
        self.found: Head | None = None
        self._signer = signer

    def write(self, anchor: Anchor) -> Path | None:
        """Puts an anchor there, durably; None if a process has written the same one before.

        Raises:
            OSError: the folder takes no file.
            KeyFileError: our key can only prove.
        """
        signed = self._signer.sign(anchors.to_bytes(anchor))
        said = orjson.loads(anchors.to_bytes(anchor)) | {SIGNATURE: signed}
        for attempt in range(TRIES_MAX):
            path = self.folder / _name_of(anchor, attempt)
            try:
                _write_new(path, orjson.dumps(said) + b"\n")
            except FileExistsError:
                known = self._read(path)
                if isinstance(known, Anchor) and known.place == anchor.place:
                    return None
                continue  # a crash left half of it, and nothing is ever written over
            return path
        raise FileExistsError(f"{self.folder} has {TRIES_MAX} broken files of the anchor {anchor.place}")

    def each(self) -> Iterator[Anchor | Ignored]:
        """Every anchor, the newest first, and whatever only looks like one.

        Raises:
            OSError: the folder cannot be read.
        """
        names = (entry.name for entry in os.scandir(self.folder))
        found = sorted((name for name in names if _NAME.fullmatch(name)), reverse=True)
        for name in found[:ANCHORS_MAX]:
            yield self._read(self.folder / name)

    def _read(self, path: Path) -> Anchor | Ignored:
        try:
            with path.open("rb") as file:
                said = orjson.loads(file.read(FILE_BYTES_MAX))
            signed = self._signer.prove(said.pop(SIGNATURE))
            same = orjson.dumps(said, option=orjson.OPT_SORT_KEYS) == signed
            return anchors.from_bytes(signed) if same else Ignored(path.name, "it says something else than is signed")
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            return Ignored(path.name, str(error) or type(error).__name__)


def open_folder(folder: Path | None, keys: Path, *, every: timedelta = MINUTE) -> AnchorFolder | None:
    """The anchors of a folder, if there is one, and the keys of a file; the first use makes a key.

    Raises:
        KeyFileError: the file holds no usable keys.
    """
    return None if folder is None else AnchorFolder(folder, signing.open_signer(keys), every=every)


def _name_of(anchor: Anchor, attempt: int) -> str:
    more = f"-{attempt}" if attempt else ""
    return f"anchor-{anchor.epoch:06}-{anchor.seq:019}{more}.json"


def _write_new(path: Path, data: bytes) -> None:
    """Writes a file that is not there yet, without renaming or linking, which mounted buckets cannot."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    try:
        parts.sync_folder(path.parent)
    except OSError as error:  # a mounted bucket has no folders to make durable
        logger.debug("%s cannot be synchronised: %s", path.parent, error)
