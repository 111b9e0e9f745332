"""Backups of an embedded database: a copy beside the running server, which counts as one once it is proven."""

from datetime import datetime
from pathlib import Path
from typing import Final

from shoutgraph.storage import backups

DRAFT: Final = ".unproven"
"""What a copy's name ends with until its books are proven, and for good if they do not balance."""


def draft(database: Path, to: Path) -> Path:
    """Copies the newest state of a database to a new file beside the one that it is to become; gives its path.

    Raises:
        StoreUnavailableError: the database cannot be read, the copy cannot be written, or the file is there already.
    """
    backups.refuse_taken(to)
    made = to.with_name(to.name + DRAFT)
    made.unlink(missing_ok=True)
    backups.copy(database, made)
    return made


def keep(made: Path, to: Path) -> None:
    """Gives a proven copy its name.

    Raises:
        StoreUnavailableError: a file has it by now.
    """
    backups.name(made, to)


def put_in_place(backup: Path, database: Path, *, now: datetime) -> list[Path]:
    """Makes a copy of a backup the database of a deployment that does not run.

    Gives where the files that were there are now; nothing is deleted.

    Raises:
        StoreUnavailableError: the backup cannot be read, or a process writes to the database.
    """
    return backups.put_in_place(backup, database, aside=f".lost-{now:%Y%m%dT%H%M%S}")
