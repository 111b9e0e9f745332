"""Migrated databases for tests: each schema is migrated once, and every test gets a copy."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeAlias

import psycopg
import pysqlite3 as dbapi
import sqlalchemy as sa
from tests import postgres

from shoutgraph.storage import backups, engine, listener, migrations, postgresql, sqlite
from shoutgraph.storage.engine import Options, Store
from shoutgraph.storage.session import Session

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
READERS: Final = 1
"""Reads side by side are for servers of their own, which have as many as people have: opening one costs time."""

Where: TypeAlias = Path | str
"""A file, or the URL of a database on a server."""
Fill: TypeAlias = Callable[[Where], object]


listener.CLOSE_S = 0.02  # type: ignore[misc] # here, stores are closed by the hundred


class Clock:
    """A clock that tests move."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


class Kind(StrEnum):
    """The databases that everything runs on."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


@dataclass(frozen=True)
class Place:
    """A folder, and the databases that belong to it: files in it, or copies of a template on the session's server."""

    kind: Kind
    folder: Path

    def database(self, name: str = "books") -> Where:
        """The migrated database of this name, empty when it is first asked for."""
        if self.kind is Kind.SQLITE:
            path = self.folder / f"{name}.db"
            if not path.exists():
                shutil.copy(_file(), path)
            return path
        note = self._note(name)
        if not note.exists():
            note.write_text(postgres.shared().create(_template()))
        return postgres.shared().url(note.read_text())

    def filled(self, title: str, fill: Fill) -> Where:
        """A copy of a database that `fill` filled: once for all tests of a process, or of a session."""
        if self.kind is Kind.SQLITE:
            path = self.folder / f"{title}.db"
            shutil.copy(_filled_file(title, fill), path)
            return path
        template = postgres.shared().template(title, fill, of=_template())
        self._note(title).write_text(postgres.shared().create(template))
        return postgres.shared().url(self._note(title).read_text())

    def empty(self, name: str = "empty") -> Where:
        """A database that was never migrated."""
        if self.kind is Kind.SQLITE:
            path = self.folder / f"{name}.db"
            path.touch()
            return path
        self._note(name).write_text(postgres.shared().create())
        return postgres.shared().url(self._note(name).read_text())

    def inside(self, name: str) -> "Place":
        """A folder in this one, for other databases; they go with it."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        return Place(self.kind, folder)

    def copy(self, name: str, to: "Place") -> Where:
        """Copies a database, which may be in use, to another place; there it has the same name."""
        where = self.database(name)
        if isinstance(where, Path):
            backups.copy(where, to.folder / where.name)
            return to.database(name)
        copy = to.empty(name)
        dump = to.folder / f"{name}.dump"
        postgres.run("pg_dump", "--format=custom", f"--file={dump}", where)
        postgres.run("pg_restore", "--exit-on-error", f"--dbname={copy}", dump)
        return copy

    def drop(self) -> None:
        """Removes its databases."""
        for file in self.folder.glob("*.db*"):
            file.unlink()
        for note in self.folder.rglob(self._note("*").name):
            postgres.shared().drop(note.read_text())
            note.unlink()

    def _note(self, name: str) -> Path:
        return self.folder / f"{name}.postgresql"


@contextmanager
def placed(kind: Kind, folder: Path) -> Iterator[Place]:
    """A place until the block ends."""
    place = Place(kind, folder)
    try:
        yield place
    finally:
        place.drop()


@cache
def _file() -> Path:
    path = Path(tempfile.mkdtemp(prefix="shoutgraph-")) / "template.db"
    migrations.upgrade(path)
    return path


@cache
def _filled_file(title: str, fill: Fill) -> Path:
    path = _file().with_name(f"{title}.db")
    shutil.copy(_file(), path)
    fill(path)
    return path


@cache
def _template() -> str:
    return postgres.shared().template("shoutgraph", migrations.upgrade)


@contextmanager
def outside(where: Where) -> Iterator[Any]:
    """The driver's own connection of somebody else who may do anything, each statement for itself."""
    raw: Any = psycopg.connect(where, autocommit=True) if isinstance(where, str) else _file_connection(where)
    try:
        yield raw
    finally:
        raw.close()


def _file_connection(path: Path) -> Any:
    return dbapi.connect(path, isolation_level=None, check_same_thread=False)


def url_of(where: Where) -> str:
    """What a setting names it by."""
    return f"sqlite:///{where}" if isinstance(where, Path) else where


def reader(where: Where) -> Session:
    """A connection that only reads, as the store's readers have it."""
    if isinstance(where, Path):
        return sqlite.connect_reader(where)
    return postgresql.Session(where, role=postgresql.APP)


def opened(where: Where, clock: Callable[[], datetime], **options: Any) -> Store:
    """A store with few readers, since every one has a connection of its own."""
    return engine.open_store(where, clock, Options(**({"readers": READERS} | options)))


def schema_digest(session: Session) -> str:
    """What the schema of an open database hashes to."""
    if isinstance(session, sqlite.Session):
        return sqlite.schema_digest(session)
    assert isinstance(session, postgresql.Session), "there are two kinds"
    return postgresql.schema_digest(session.raw.raw)


@cache
def schema() -> tuple[tuple[str, str, str, str], ...]:
    """Type, name, table and text of everything in the migrated schema, tables first."""
    session = sqlite.connect_owner(_file())
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
