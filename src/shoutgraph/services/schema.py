"""Bringing the database to this release."""

from pathlib import Path

from shoutgraph.storage import migrations


def upgrade(where: Path | str) -> tuple[str | None, str]:
    """Applies what is missing, in one transaction; gives the revision before and after.

    Raises:
        StoreUnavailableError: a process is writing to the database.
    """
    before = migrations.current(where)
    migrations.upgrade(where)
    return before, migrations.head()
