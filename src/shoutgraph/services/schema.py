"""Bringing the database to this release."""

from pathlib import Path

from shoutgraph.storage import migrations


def upgrade(path: Path) -> tuple[str | None, str]:
    """Applies what is missing, in one transaction; gives the revision before and after.

    Raises:
        StoreUnavailableError: a process is writing to the database.
    """
    before = migrations.current(path)
    migrations.upgrade(path)
    return before, migrations.head()
