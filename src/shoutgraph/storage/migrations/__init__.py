"""The schema's history, applied by Alembic in one transaction: all of it, or nothing."""

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from shoutgraph.domain import errors
from shoutgraph.storage import sqlite

_HERE: Final = Path(__file__).parent


def upgrade(where: Path | str, revision: str = "head") -> None:
    """Brings a database to a revision, and creates it if it is not there.

    Raises:
        StoreUnavailableError: a process is writing to it, it is of a newer release, or it cannot be written.
    """
    path = sqlite.path_of(where)
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as parts:
        parts.enter_context(_saying(path))
        parts.callback(sqlite.WriterLock(path).release)
        session = sqlite.connect_owner(path)
        parts.callback(session.close)
        connection = parts.enter_context(_connection(session))  # rolls back at first, so it comes first
        session.begin()
        require_known(session)
        connection.begin()  # else Alembic commits after each revision, and what follows is in no transaction
        command.upgrade(_config(connection), revision)
        connection.commit()


def current(where: Path | str) -> str | None:
    """The revision that a database is at; None if it is empty or not there.

    Raises:
        StoreUnavailableError: the file cannot be read, or is of a newer release.
    """
    path = sqlite.path_of(where)
    if not path.exists():
        return None
    with _saying(path), contextlib.closing(sqlite.connect_reader(path)) as session:
        return require_known(session)


def require_known(session: sqlite.Session) -> str | None:
    """The revision that an open database is at; None if it is empty.

    Raises:
        StoreUnavailableError: it is a revision that this release does not know.
    """
    tables = session.raw.execute("SELECT name FROM sqlite_schema WHERE name = 'alembic_version'").fetchall()
    rows = session.raw.execute("SELECT version_num FROM alembic_version").fetchall() if tables else []
    if not rows:
        return None
    revision = str(rows[0][0])
    if revision not in _known():
        raise errors.StoreUnavailableError(
            f"this database is of a newer release of shoutgraph: its revision is {revision}, and this release knows"
            f" none after {head()}; run the newer release, or restore a backup from before the upgrade",
            retry_after_s=0,
        )
    return revision


def head() -> str:
    """The newest revision of this release."""
    return _known()[0]


@functools.cache
def schema_digest() -> str:
    """What this release's schema hashes to: that of a database which only its migrations have touched."""
    session = sqlite.connect_scratch()
    try:
        with _connection(session) as connection:
            command.upgrade(_config(connection), "head")
        return sqlite.schema_digest(session)
    finally:
        session.close()


def read_sql(name: str) -> tuple[str, ...]:
    """The statements of a file beside the revisions; a blank line ends each."""
    text = (_HERE / "versions" / name).read_text(encoding="utf-8")
    statements = (
        "\n".join(line for line in block.splitlines() if not line.startswith("--")) for block in text.split("\n\n")
    )
    return tuple(statement.strip() for statement in statements if statement.strip())


@functools.cache
def _known() -> tuple[str, ...]:
    """This release's revisions, the newest first."""
    revisions = tuple(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())
    assert revisions, "there is a first revision"
    return revisions


@contextlib.contextmanager
def _saying(path: Path) -> Iterator[None]:
    """Says of which file it is when the database refuses, whoever ran the statement."""
    try:
        yield
    except (sqlite.DatabaseError, sa.exc.DBAPIError) as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        raise errors.StoreUnavailableError(f"cannot open {path.name}: {cause}", retry_after_s=0) from error


def _config(connection: sa.Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _connection(session: sqlite.Session) -> sa.Connection:
    engine = sa.create_engine("sqlite://", module=sqlite.MODULE, creator=lambda: session.raw, poolclass=sa.StaticPool)
    return engine.connect()
