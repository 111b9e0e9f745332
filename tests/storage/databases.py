"""Migrated databases for tests: the schema is migrated once, and every test gets a copy."""

import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from shoutgraph.storage import engine, migrations, sqlite
from shoutgraph.storage.engine import Options, Store

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that tests move."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@cache
def _template() -> Path:
    path = Path(tempfile.mkdtemp(prefix="shoutgraph-")) / "template.db"
    migrations.upgrade(path)
    return path


def migrated(folder: Path, name: str = "books.db") -> Path:
    """A fresh migrated database in this folder."""
    path = folder / name
    shutil.copy(_template(), path)
    return path


def opened(path: Path, clock: Callable[[], datetime], **options: object) -> Store:
    return engine.open_store(path, clock, Options(**options))  # type: ignore[arg-type]


@cache
def schema() -> tuple[tuple[str, str, str, str], ...]:
    """Type, name, table and text of everything in the migrated schema, tables first."""
    session = sqlite.connect_owner(_template())
    rows = session.raw.execute(
        "SELECT s.type, s.name, s.tbl_name, s.sql FROM sqlite_schema s"
        " WHERE s.sql IS NOT NULL AND s.name NOT LIKE 'sqlite|_%' ESCAPE '|'"
        " AND s.name NOT IN (SELECT name FROM pragma_table_list WHERE type = 'shadow')"
        " ORDER BY CASE s.type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END, s.rowid"
    ).fetchall()
    session.close()
    return tuple(rows)


def sql(text: str) -> sa.TextClause:
    return sa.text(text)
