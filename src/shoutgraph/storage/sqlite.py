"""Everything that is SQLite's own: the module, the connection set-up, the lock, and what its errors mean.

Source: docs/adr/0005-storage.md. Older SQLite can corrupt a write-ahead log, so it is refused; every setting is read
back, since SQLite ignores what it does not know.
"""

import fcntl
import functools
import hashlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Final
from urllib.parse import quote

import pysqlite3 as dbapi
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler

from shoutgraph.domain import errors
from shoutgraph.storage.session import Blame
from shoutgraph.storage.statements import Row
from shoutgraph.storage.tx import Connection

URL_PREFIX: Final = "sqlite:///"
VERSION_MIN: Final = (3, 51, 3)
BUSY_TIMEOUT_MS: Final = 5_000
CACHED_STATEMENTS: Final = 512
CACHE_KIB: Final = 32_768
SCHEMAS_MAX: Final = 4
"""How many schemas are remembered with their digest: a process opens the same one again and again."""

WRITER_SETTINGS: Final[dict[str, int | str]] = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: anything less loses acknowledged commits in a power cut
    "foreign_keys": 1,
    "recursive_triggers": 1,  # else INSERT OR REPLACE deletes rows behind the guards' backs
    "trusted_schema": 0,
    "cell_size_check": 1,
    "wal_autocheckpoint": 4_000,
    "mmap_size": 0,  # a stray write into a mapped page is a corrupted database
    "cache_size": -CACHE_KIB,
    "temp_store": 2,
    "fullfsync": int(sys.platform == "darwin"),
}

READER_SETTINGS: Final[dict[str, int | str]] = {
    "query_only": 1,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "wal_autocheckpoint": 0,  # only the writer checkpoints
    "mmap_size": 0,
    "cache_size": -CACHE_KIB,
    "temp_store": 2,
}

_ALLOWED_ACTIONS: Final = frozenset(
    {
        dbapi.SQLITE_SELECT,
        dbapi.SQLITE_READ,
        dbapi.SQLITE_INSERT,
        dbapi.SQLITE_UPDATE,
        dbapi.SQLITE_DELETE,
        dbapi.SQLITE_FUNCTION,
        dbapi.SQLITE_RECURSIVE,
        dbapi.SQLITE_TRANSACTION,
        dbapi.SQLITE_SAVEPOINT,
    }
)
_READABLE_PRAGMAS: Final = frozenset({"data_version", "table_info", "table_xinfo"})
_FORBIDDEN_FUNCTIONS: Final = frozenset({"load_extension", "fts3_tokenizer"})

_BATCH_CODES: Final = frozenset(
    {
        dbapi.SQLITE_FULL,
        dbapi.SQLITE_IOERR,
        dbapi.SQLITE_NOMEM,
        dbapi.SQLITE_CORRUPT,
        dbapi.SQLITE_BUSY,
        dbapi.SQLITE_LOCKED,
        dbapi.SQLITE_CANTOPEN,
        dbapi.SQLITE_PROTOCOL,
        dbapi.SQLITE_NOTADB,
        dbapi.SQLITE_READONLY,
        dbapi.SQLITE_INTERRUPT,
        dbapi.SQLITE_ABORT,
    }
)
_PRIMARY_CODE: Final = 0xFF


class _Compiler(SQLiteCompiler):
    """Hides a bound LIMIT behind a plus: SQLite plans a query again for each value of one that it sees."""

    def limit_clause(self, select: Any, **kw: Any) -> str:  # noqa: ANN401 - as it is declared there
        """What cuts a query off."""
        assert select._limit_clause is not None, "nothing is left out that is not cut off"  # noqa: SLF001
        text = f"\n LIMIT +{self.process(select._limit_clause, **kw)}"  # noqa: SLF001
        skipped = select._offset_clause  # noqa: SLF001
        return text if skipped is None else f"{text} OFFSET {self.process(skipped, **kw)}"


class _Dialect(sqlite.dialect):  # type: ignore[misc, valid-type]
    """SQLite's words, as its planner likes them."""

    statement_compiler = _Compiler
    supports_statement_cache = True


DIALECT: Final[sa.Dialect] = _Dialect(paramstyle="qmark")
MODULE: Final[ModuleType] = dbapi
DatabaseError: Final[type[Exception]] = dbapi.DatabaseError


class SqliteConnection(dbapi.Connection):  # type: ignore[misc]
    """The driver's connection. Nothing is waited for in it, so what is put runs at once."""

    put = dbapi.Connection.execute

    def stream(self, sql: str, parameters: Sequence[object], size: int, /) -> Iterator[list[Row]]:
        """Runs a query; gives so many rows at a time."""
        cursor = self.execute(sql, parameters)
        while rows := cursor.fetchmany(size):
            yield rows


class Session:
    """One connection, with the words of its transactions."""

    dialect: Final = DIALECT
    errors: Final[tuple[type[Exception], ...]] = (dbapi.DatabaseError, MemoryError)
    lives: Final = 1

    def __init__(self, raw: Connection) -> None:
        self.raw = raw

    @property
    def changes(self) -> int:
        """Rows changed through this connection so far."""
        return int(self.raw.total_changes)  # type: ignore[attr-defined]

    def begin(self) -> None:
        """Opens the transaction that a batch of commands shares, and takes the write lock."""
        self.raw.execute("BEGIN IMMEDIATE")

    def snapshot(self) -> None:
        """Opens a transaction that only reads: all its queries see one state."""
        self.raw.execute("BEGIN")

    def commit(self) -> None:
        """Makes it durable; the deferred checks run here."""
        self.raw.execute("COMMIT")

    def rollback(self) -> None:
        """Takes the whole transaction back, if there still is one."""
        if self.open:
            self.raw.execute("ROLLBACK")

    def hurry(self) -> None:
        """Nobody else writes, so there is nobody to wait for."""

    def save(self) -> None:
        """Marks where one command begins."""
        self.raw.execute("SAVEPOINT command")

    def keep(self) -> None:
        """Keeps what the command did."""
        self.raw.execute("RELEASE command")

    def undo(self) -> None:
        """Takes back what the command did."""
        self.raw.execute("ROLLBACK TO command")
        self.raw.execute("RELEASE command")

    def break_off_when(self, enough: Callable[[], bool], *, steps: int) -> None:
        """Has each query asked after so many steps whether it is enough; then it is broken off."""
        self.raw.set_progress_handler(enough, steps)  # type: ignore[attr-defined]

    def renew(self) -> None:
        """Nothing: a file is not lost and found again."""

    def blame(self, error: Exception) -> Blame:
        """Whom an error of the driver concerns."""
        if isinstance(error, MemoryError):
            return Blame.BATCH
        code = getattr(error, "sqlite_errorcode", 0)
        return Blame.BATCH if code & _PRIMARY_CODE in _BATCH_CODES else Blame.COMMAND

    def words(self, error: Exception) -> str:
        """What an error of the driver says, in one sentence."""
        return str(error)

    @property
    def open(self) -> bool:
        """Whether a transaction is open; some errors end it."""
        return bool(self.raw.in_transaction)  # type: ignore[attr-defined]

    def close(self) -> None:
        """Closes the connection."""
        self.raw.close()  # type: ignore[attr-defined]


def path_of(where: Path | str) -> Path:
    """The file that a path or a `sqlite:///` URL names."""
    return Path(str(where).removeprefix(URL_PREFIX))


def require_version() -> None:
    """Refuses an SQLite that can corrupt a write-ahead log.

    Raises:
        StoreUnavailableError: the SQLite in use is older than `VERSION_MIN`.
    """
    if dbapi.sqlite_version_info < VERSION_MIN:
        needed = ".".join(map(str, VERSION_MIN))
        raise errors.StoreUnavailableError(
            f"SQLite {dbapi.sqlite_version} can corrupt a database; {needed} or later is needed", retry_after_s=0
        )


def connect_writer(path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Session:
    """Opens the one connection that writes.

    Raises:
        StoreUnavailableError: a setting did not take.
    """
    raw = _connect(path, "rw")
    return _set_up(raw, WRITER_SETTINGS | {"busy_timeout": busy_timeout_ms})


def connect_reader(path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> Session:
    """Opens a connection that cannot write.

    Raises:
        StoreUnavailableError: a setting did not take.
    """
    raw = _connect(path, "ro")
    return _set_up(raw, READER_SETTINGS | {"busy_timeout": busy_timeout_ms})


def connect_owner(path: Path) -> Session:
    """Opens, and creates, the database for a migration: the only connection that may change the schema.

    Raises:
        StoreUnavailableError: a setting did not take.
    """
    raw = _connect(path, "rwc")
    _apply(raw, WRITER_SETTINGS | {"busy_timeout": BUSY_TIMEOUT_MS})
    return Session(raw)


def connect_scratch() -> Session:
    """Opens a database in memory, gone when it is closed."""
    raw: Connection = dbapi.connect(":memory:", isolation_level=None, factory=SqliteConnection)
    return Session(raw)


def schema_digest(session: Session) -> str:
    """SHA-256 over every table, index and trigger, so that a dropped guard is seen before anything is served."""
    rows = session.raw.execute(
        "SELECT type, name, tbl_name, sql FROM sqlite_schema"
        " WHERE name NOT LIKE 'sqlite|_%' ESCAPE '|' AND tbl_name <> 'alembic_version' ORDER BY type, name"
    ).fetchall()
    return _hashed(tuple(map(tuple, rows)))


@functools.lru_cache(maxsize=SCHEMAS_MAX)
def _hashed(rows: tuple[tuple[object, ...], ...]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        for part in row:
            text = " ".join(str(part).split()).encode()
            digest.update(len(text).to_bytes(4) + text)
    return digest.hexdigest()


class WriterLock:
    """The lock file beside the database: one process writes."""

    def __init__(self, path: Path) -> None:
        """Takes the lock.

        Raises:
            StoreUnavailableError: another process holds it.
        """
        self._file = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise errors.StoreUnavailableError(
                f"another process writes to {path.name}; SQLite has one writer: stop it first",
                retry_after_s=0,
            ) from None

    def release(self) -> None:
        """Gives the lock back; the end of the process does too."""
        os.close(self._file)


def _connect(path: Path, mode: str) -> Connection:
    require_version()
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"
    try:
        raw: Connection = dbapi.connect(
            uri,
            uri=True,
            factory=SqliteConnection,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=CACHED_STATEMENTS,
        )
        raw.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchall()
    except DatabaseError as error:
        raise errors.StoreUnavailableError(f"cannot open {path.name}: {error}", retry_after_s=0) from error
    return raw


def _set_up(raw: Connection, settings: dict[str, int | str]) -> Session:
    _apply(raw, settings)
    raw.set_authorizer(_authorize)  # type: ignore[attr-defined]
    return Session(raw)


def _apply(raw: Connection, settings: dict[str, int | str]) -> None:
    for name, value in settings.items():
        raw.execute(f"PRAGMA {name} = {value}").fetchall()
    for name, value in settings.items():
        rows = raw.execute(f"PRAGMA {name}").fetchall()
        # without memory mapping in the build, mmap_size has no answer at all
        if rows != [(value,)] and (rows or value != 0):
            raise errors.StoreUnavailableError(
                f"the setting {name} = {value} did not take; SQLite says {rows}", retry_after_s=0
            )


def _authorize(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    """Forbids changes of the schema and the settings to every statement of the application."""
    if action == dbapi.SQLITE_PRAGMA:
        allowed = first in _READABLE_PRAGMAS
    elif action == dbapi.SQLITE_FUNCTION:
        allowed = second not in _FORBIDDEN_FUNCTIONS
    elif action in {dbapi.SQLITE_INSERT, dbapi.SQLITE_UPDATE, dbapi.SQLITE_DELETE}:
        allowed = not (first or "").startswith("sqlite_")
    else:
        allowed = action in _ALLOWED_ACTIONS
    answer: int = dbapi.SQLITE_OK if allowed else dbapi.SQLITE_DENY
    return answer
