"""Backups of an embedded database: a copy beside the running server, proven before it counts as one."""

import asyncio
from pathlib import Path
from typing import Final

from shoutgraph.domain.clock import Clock
from shoutgraph.services import books
from shoutgraph.services.books import Proof
from shoutgraph.storage import backups, engine

DRAFT: Final = ".unproven"
"""What a copy's name ends with until its books are proven, and for good if they do not balance."""


def write(database: Path, to: Path, wall: Clock) -> Proof:
    """Copies the newest state of a database into a new file, and proves the books of the copy.

    A copy whose books do not balance keeps the name of a draft: it is evidence, and no backup.

    Raises:
        StoreUnavailableError: the database cannot be read, the copy cannot be written, or the file is there already.
    """
    backups.refuse_taken(to)
    draft = to.with_name(to.name + DRAFT)
    draft.unlink(missing_ok=True)
    backups.copy(database, draft)
    proof = prove(draft, wall)
    if not proof.violations:
        backups.name(draft, to)
    return proof


def put_in_place(backup: Path, database: Path, wall: Clock) -> tuple[Proof, list[Path]]:
    """Makes a proven backup the database of a deployment that does not run.

    Gives what was proven, and where the files that were there are now; nothing is deleted.

    Raises:
        StoreUnavailableError: the backup is no database of this release, or a process writes to the database.
    """
    proof = prove(backup, wall)
    if proof.violations:
        return proof, []
    return proof, backups.put_in_place(backup, database, aside=f".lost-{wall():%Y%m%dT%H%M%S}")


def prove(copy: Path, wall: Clock) -> Proof:
    """Proves the books of a copy that nobody serves, however long it takes.

    Raises:
        StoreUnavailableError: it is no database of this release.
    """
    store = engine.open_store(copy, wall, engine.Options(writing=False, readers=1, patient=True))
    try:
        return asyncio.run(store.read(books.prove))
    finally:
        store.close()
