"""The two databases of a move: how each is opened, and what must be so before a row is written."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from shoutgraph.domain import clock, errors
from shoutgraph.storage import engine, postgresql, sqlite
from shoutgraph.storage.session import Session
from shoutgraph.storage.statements import Statement
from shoutgraph.storage.tx import Tx

UNFINISHED: Final = "unfinished-move"
"""The revision of a target until everything is in it: no process serves a revision that it does not know."""
MOVER: Final = "shoutgraph-move"
"""How our own sessions are told from those of a process that serves."""
QUIET_S: Final = 10.0
"""How long the sessions of a process that has ended may take to be gone."""
LOOK_S: Final = 0.05

_MARK: Final = Statement[Any](
    lambda: sa.update(sa.table("alembic_version", sa.column("version_num"))).values(
        version_num=sa.bindparam("revision", type_=sa.Text())
    )
)
_REVISION: Final = "SELECT version_num FROM alembic_version"
_OTHERS: Final = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name = 'shoutgraph'"
)
_WAITING: Final = {
    "SELECT count(*) FROM outbox": "lines wait for their place in the journal: start it once more",
    "SELECT count(*) FROM outbox_dead": "lines were set aside, and the journal has a gap",
}


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two databases. `server` says that it is PostgreSQL."""

    name: str
    session: Session
    tx: Tx

    @property
    def server(self) -> bool:
        """Whether it is PostgreSQL."""
        return self.session.dialect.name != "sqlite"

    @property
    def revision(self) -> str:
        """The revision of its schema."""
        return str(self.session.raw.execute(_REVISION).fetchall()[0][0])

    def mark(self, revision: str) -> None:
        """Says that it is at a revision."""
        self.tx.run(_MARK, revision=revision)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Keeps what is written in the block, or nothing of it.

        Raises:
            InvariantError: the database forbade it.
        """
        self.session.begin()
        try:
            yield
            self.session.commit()
        except self.session.errors as error:
            raise errors.InvariantError(f"{self.name} forbade it: {self.session.words(error)}") from error
        finally:
            self.session.rollback()


def open_source(parts: contextlib.ExitStack, where: Path | str, wall: clock.Clock) -> Side:
    """Opens the database that everything is in, as it is now; nobody may write to it meanwhile.

    Raises:
        StoreUnavailableError: it is not there, not of this release or in use, or its journal is not complete.
    """
    engine.open_store(where, wall, engine.Options(writing=False, readers=1)).close()  # refuses other schemas
    side = _open(parts, where, wall, writing=False)
    side.session.snapshot()
    for query, what in _WAITING.items() if side.server else ():
        found = side.session.raw.execute(query).fetchall()[0][0]
        if found:
            raise errors.StoreUnavailableError(f"{side.name}: {found} {what}", retry_after_s=0)
    return side


def open_target(parts: contextlib.ExitStack, where: Path | str, wall: clock.Clock) -> Side:
    """Opens the database that everything goes into; nobody may use it meanwhile.

    Raises:
        StoreUnavailableError: it is not there, not migrated to this release, or in use.
    """
    with contextlib.ExitStack() as first:
        side = _open(first, where, wall, writing=True)
        unfinished = _is_migrated(side) and side.revision == UNFINISHED
    if not unfinished:
        engine.open_store(where, wall, engine.Options(writing=False, readers=1)).close()  # refuses other schemas
    return _open(parts, where, wall, writing=True)


def _is_migrated(side: Side) -> bool:
    table = "SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'"
    if side.server:
        table = "SELECT 1 FROM pg_tables WHERE schemaname = 'public' AND tablename = 'alembic_version'"
    return bool(side.session.raw.execute(table).fetchall() and side.session.raw.execute(_REVISION).fetchall())


def _open(parts: contextlib.ExitStack, where: Path | str, wall: clock.Clock, *, writing: bool) -> Side:
    session: Session
    if postgresql.is_url(str(where)):
        name, role = postgresql.name_of(str(where)), postgresql.OWNER if writing else postgresql.APP
        settings = {**postgresql.PATIENT, "application_name": MOVER}
        session = postgresql.Session(str(where), role=role, settings=settings)
        parts.callback(session.close)
        _require_alone(session, name)
    else:
        path = sqlite.path_of(where)
        name = path.name
        if not path.exists():
            raise errors.StoreUnavailableError(f"cannot open {name}: it is not there", retry_after_s=0)
        parts.callback(sqlite.WriterLock(path).release)
        session = sqlite.connect_writer(path) if writing else sqlite.connect_reader(path)
        parts.callback(session.close)
    parts.callback(session.rollback)
    return Side(name, session, Tx(session.raw, session.dialect, wall()))


def _require_alone(session: Session, name: str) -> None:
    until = time.monotonic() + QUIET_S
    while session.raw.execute(_OTHERS).fetchall()[0][0]:
        if time.monotonic() > until:
            raise errors.StoreUnavailableError(f"a process uses {name}: stop it first", retry_after_s=0)
        time.sleep(LOOK_S)
