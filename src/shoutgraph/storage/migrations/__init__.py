"""The schema's history, applied by Alembic in one transaction: all of it, or nothing.

A database that is at the newest revision is left alone, without Alembic: a server that starts has nothing else to do
with it, and it takes as much memory as a driver.
"""

import contextlib
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from shoutgraph.domain import errors
from shoutgraph.storage import guards, postgresql, sqlite
from shoutgraph.storage.session import Session

_HERE: Final = Path(__file__).parent
_LINKS: Final = re.compile(r'^revision = "(\w+)"\ndown_revision = (?:"(\w+)"|None)$', re.MULTILINE)
"""What a revision says of its place in the history."""
_ONE_AT_A_TIME: Final = 0x5348_4F55_544D_4947
"""The number of the advisory lock that a migration of PostgreSQL takes."""
_PATIENCE: Final = "10s"
"""How long a migration waits for a table that others use, before it gives up and changes nothing."""


def upgrade(where: Path | str, revision: str = "head") -> None:
    """Brings a database to a revision, and creates an embedded one if it is not there.

    Raises:
        StoreUnavailableError: a process is writing to it, it is of a newer release, or it cannot be changed.
    """
    if postgresql.is_url(str(where)):
        _upgrade_server(str(where), revision)
    else:
        _upgrade_file(sqlite.path_of(where), revision)


def _upgrade_file(path: Path, revision: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as parts:
        parts.enter_context(_saying(path.name))
        parts.callback(sqlite.WriterLock(path).release)
        session = sqlite.connect_owner(path)
        parts.callback(session.close)
        connection = parts.enter_context(_connection(session))  # rolls back at first, so it comes first
        session.begin()
        if require_known(session) == head():
            return
        connection.begin()  # else Alembic commits after each revision, and what follows is in no transaction
        _apply(connection, revision)
        connection.commit()


def _upgrade_server(url: str, revision: str) -> None:
    with contextlib.ExitStack() as parts:
        parts.enter_context(_saying(postgresql.name_of(url)))
        engine = sa.create_engine(
            "postgresql+psycopg://", creator=lambda: postgresql.connect_owner(url), poolclass=sa.NullPool
        )
        connection = parts.enter_context(engine.connect())
        with connection.begin():
            guards.prepare_roles(connection, patience=_PATIENCE, lock=_ONE_AT_A_TIME)
            _require_known(_revision_of(connection))
            _apply(connection, revision)


def current(where: Path | str) -> str | None:
    """The revision that a database is at; None if it is empty or not there.

    Raises:
        StoreUnavailableError: it cannot be read, or is of a newer release.
    """
    session: Session
    if postgresql.is_url(str(where)):
        session = postgresql.Session(str(where), role=None)
    else:
        path = sqlite.path_of(where)
        if not path.exists():
            return None
        with _saying(path.name):
            session = sqlite.connect_reader(path)
    with _saying(str(where)), contextlib.closing(session):
        return require_known(session)


def require_known(session: Session) -> str | None:
    """The revision that an open database is at; None if it is empty.

    Raises:
        StoreUnavailableError: it is a revision that this release does not know.
    """
    is_there = (
        "SELECT name FROM sqlite_schema WHERE name = 'alembic_version'"
        if session.dialect.name == "sqlite"
        else "SELECT 1 FROM pg_tables WHERE schemaname = 'public' AND tablename = 'alembic_version'"
    )
    tables = session.raw.execute(is_there).fetchall()
    rows = session.raw.execute("SELECT version_num FROM alembic_version").fetchall() if tables else []
    return _require_known(str(rows[0][0]) if rows else None)


def _revision_of(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version", schema="public"):
        return None
    revision: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return revision


def _require_known(revision: str | None) -> str | None:
    if revision is not None and revision not in _known():
        raise errors.StoreUnavailableError(
            f"this database is of a newer release of shoutgraph: its revision is {revision}, and this release knows"
            f" none after {head()}; run the newer release, or restore a backup from before the upgrade",
            retry_after_s=0,
        )
    return revision


def head() -> str:
    """The newest revision of this release."""
    return _known()[0]


def schema_digest(dialect: str) -> str:
    """What this release's schema hashes to: that of a database which only its migrations have touched.

    It is kept in a file, which a test compares with a real migration.
    """
    return (_HERE / f"{dialect}.digest").read_text(encoding="ascii").strip()


def is_digest(dialect: str, found: str) -> bool:
    """Whether a database that hashes to this is of this release.

    SQLite keeps the words of each statement, and another release of SQLAlchemy may write them otherwise: then a
    database is made, for comparison, by the one that is installed.
    """
    return found == schema_digest(dialect) or (dialect == "sqlite" and found == _made_digest())


@functools.cache
def _made_digest() -> str:
    session = sqlite.connect_scratch()
    try:
        with _connection(session) as connection:
            _apply(connection, "head")
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
    links = [_LINKS.search(path.read_text(encoding="utf-8")) for path in (_HERE / "versions").glob("r*.py")]
    after = {link[2]: link[1] for link in links if link is not None}
    revisions = [after[None]]
    while (newer := after.get(revisions[-1])) is not None:
        revisions.append(newer)
    assert len(revisions) == len(links), "each revision comes after one that no other comes after"
    return tuple(reversed(revisions))


@contextlib.contextmanager
def _saying(name: str) -> Iterator[None]:
    """Says of which database it is when it refuses, whoever ran the statement."""
    try:
        yield
    except (sqlite.DatabaseError, postgresql.DatabaseError, sa.exc.DBAPIError) as error:
        cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
        said = " ".join(str(cause).split())  # a server's details stand on lines of their own
        raise errors.StoreUnavailableError(f"cannot open {name}: {said}", retry_after_s=0) from error


def _apply(connection: sa.Connection, revision: str) -> None:
    from alembic import command  # noqa: PLC0415 - only who migrates needs it
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _connection(session: sqlite.Session) -> sa.Connection:
    engine = sa.create_engine("sqlite://", module=sqlite.MODULE, creator=lambda: session.raw, poolclass=sa.StaticPool)
    return engine.connect()
