"""Anchors of the journal: written elsewhere while it grows, and asked before anything is served.

A database that ends before an anchor lost what it had acknowledged; one that has another line there was changed.
Neither is served. Source: docs/adr/0017-anchors.md.
"""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from shoutgraph.domain import anchors, clock, errors
from shoutgraph.domain.anchors import Anchor, Finding, Standing
from shoutgraph.domain.clock import Clock
from shoutgraph.files.anchors import ANCHORS_MAX, AnchorFolder, Ignored
from shoutgraph.storage import epochs, journal
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Store, Tools

logger = logging.getLogger("shoutgraph.anchors")

START_MAX: Final = 100
"""So many anchors are compared at a start, the newest first: each vouches for every line before it."""

IGNORED_TOLD_MAX: Final = 20
WRONG: Final = frozenset({Finding.AHEAD, Finding.DIFFERENT})


@dataclass(frozen=True, slots=True)
class Compared:
    """What anchors say of a database. `wrong` are those that do not agree, `ignored` files that are no anchors."""

    standing: Standing
    newest: Anchor | None
    agreeing: int
    lost: int
    wrong: Sequence[tuple[Anchor, Finding]]
    ignored: Sequence[Ignored]

    @property
    def ahead(self) -> Anchor | None:
        """The newest anchor that the database ends before."""
        return anchors.newest([anchor for anchor, finding in self.wrong if finding is Finding.AHEAD])

    @property
    def different(self) -> Anchor | None:
        """The newest anchor that says another line than the database has."""
        return anchors.newest([anchor for anchor, finding in self.wrong if finding is Finding.DIFFERENT])

    @property
    def unfinished(self) -> bool:
        """Whether an epoch began that no anchor tells of: a restore was begun, and did not come to its end."""
        return self.newest is not None and self.standing.epoch.number > self.newest.epoch

    @property
    def fault(self) -> str | None:
        """Why the database must not be served, or None."""
        head = self.standing.head.seq
        if self.different is not None:
            return (
                f"the database has another line {self.different.seq} than the anchor of {_time(self.different)}, and"
                f" ends at line {head}: it was changed, or it is another database"
            )
        if self.ahead is not None:
            return (
                f"the database ends at line {head} of epoch {self.standing.epoch.number}, and the anchor of"
                f" {_time(self.ahead)} is at line {self.ahead.seq} of epoch {self.ahead.epoch}: what came after is"
                " lost; start on a newer copy, or `shoutgraph restore --accept-loss"
                f" {self.ahead.seq}`"
            )
        if self.unfinished:
            return (
                f"a restore began epoch {self.standing.epoch.number} at line {self.standing.epoch.after.seq}, and the"
                " newest anchor knows nothing of it: it did not come to its end; run `shoutgraph restore` again"
            )
        return None


def compare(tx: Tx, folder: AnchorFolder, *, limit: int = ANCHORS_MAX) -> Compared:
    """Compares the newest anchors with the database.

    Raises:
        StoreUnavailableError: the folder cannot be read.
    """
    standing = epochs.standing(tx)
    found: list[tuple[Anchor, Finding]] = []
    ignored: list[Ignored] = []
    newest: Anchor | None = None
    agreeing = lost = 0
    for group in _groups(_valid(folder, ignored), limit):
        newest = newest or group[0]
        there = epochs.list_of_hashes(tx, [anchor.seq for anchor in group])
        for anchor in group:
            finding = anchors.compare(anchor, standing, there.get(anchor.seq))
            agreeing += finding is Finding.FINE
            lost += finding is Finding.LOST
            if finding in WRONG:
                found.append((anchor, finding))
    return Compared(standing, newest, agreeing, lost, found, ignored)


async def find(store: Store, folder: AnchorFolder) -> None:
    """Remembers where a database ends that is to be restored.

    Raises:
        StoreUnavailableError: the database cannot be read.
    """
    folder.found = await store.read(journal.head)


async def require(store: Store, folder: AnchorFolder) -> Compared:
    """Refuses a database that does not agree with its anchors.

    Raises:
        StoreUnavailableError: it ends before one, has another line than one, or a restore of it did not end.
    """
    found = await look(store, folder)
    if found.fault is not None:
        raise errors.StoreUnavailableError(found.fault, retry_after_s=0)
    folder.agreed = True
    return found


async def look(store: Store, folder: AnchorFolder) -> Compared:
    """Compares the newest anchors with the database, and tells of files that are none of ours.

    Raises:
        StoreUnavailableError: the folder or the database cannot be read.
    """
    found = await store.read(lambda tx: compare(tx, folder, limit=START_MAX))
    for each in found.ignored[:IGNORED_TOLD_MAX]:
        logger.warning("%s is no anchor of ours and is ignored: %s", each.name, each.why)
    if len(found.ignored) > IGNORED_TOLD_MAX:
        logger.warning("%d more files are no anchors of ours", len(found.ignored) - IGNORED_TOLD_MAX)
    if found.newest is None:
        logger.warning("%s holds no anchor of ours yet: nothing vouches for what the database says", folder.folder)
    return found


async def fault(tools: Tools) -> str | None:
    """Why a running process must not be sent requests: its database went back in time, or was changed."""
    folder = tools.anchors
    if folder is None:
        return None
    try:
        found = await tools.store.read(lambda tx: compare(tx, folder, limit=1))
    except (errors.OverloadedError, errors.FaultError):
        return None  # the database speaks for itself, and a folder that is away for a while proves nothing
    return None if found.fault is None else "the database does not agree with its anchors"


async def write(store: Store, folder: AnchorFolder, wall: Clock) -> Anchor | None:
    """Writes an anchor of the newest line, unless this process did before; gives the newest one.

    Raises:
        StoreUnavailableError: the database cannot be read, or lost a line that this process has anchored.
        OSError: the folder takes no file.
        KeyFileError: our key can only prove.
    """
    known = folder.newest
    standing, there = await store.read(lambda tx: _stand(tx, known))
    if known is not None and anchors.compare(known, standing, there) in WRONG:
        msg = f"the database ends at line {standing.head.seq} and lost line {known.seq}, of which an anchor tells"
        raise errors.StoreUnavailableError(msg, retry_after_s=0)
    anchor = anchors.of(standing, at=wall())
    if anchor is not None and (known is None or anchor.place != known.place):
        await asyncio.to_thread(folder.write, anchor)
        folder.newest = anchor
    return folder.newest


def write_now(tx: Tx, folder: AnchorFolder, wall: Clock) -> Anchor | None:
    """Writes an anchor of the newest line; None where there is no line yet.

    Raises:
        StoreUnavailableError: the database does not agree with the anchors that are there.
        OSError: the folder takes no file.
        KeyFileError: our key can only prove.
    """
    found = compare(tx, folder, limit=START_MAX)
    if found.fault is not None:
        raise errors.StoreUnavailableError(found.fault, retry_after_s=0)
    anchor = anchors.of(found.standing, at=wall())
    if anchor is not None:
        folder.write(anchor)
    return anchor


def _stand(tx: Tx, known: Anchor | None) -> tuple[Standing, bytes | None]:
    there = {} if known is None else epochs.list_of_hashes(tx, [known.seq])
    return epochs.standing(tx), None if known is None else there.get(known.seq)


def _valid(folder: AnchorFolder, ignored: list[Ignored]) -> Iterator[Anchor]:
    try:
        for each in folder.each():
            if isinstance(each, Anchor):
                yield each
            else:
                ignored.append(each)
    except OSError as error:
        raise errors.StoreUnavailableError(
            f"the folder of the anchors cannot be read: {error}; nothing is served without them", retry_after_s=0
        ) from error


def _groups(found: Iterator[Anchor], limit: int) -> Iterator[list[Anchor]]:
    left = islice(found, limit)
    while group := list(islice(left, epochs.HASHES_MAX)):
        yield group


def _time(anchor: Anchor) -> str:
    return clock.to_text(anchor.at)
