"""Opens the database and gives the store: one writer, a few readers, and the bell.

Refuses to serve on anything that would weaken a promise: an old database, a setting that did not take, a second process
that writes to a file, or a schema that is not this release's. Source: docs/adr/0005-storage.md and, for PostgreSQL,
docs/adr/0014-postgresql.md.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar, cast

from shoutgraph.domain import clock, errors, journal
from shoutgraph.storage import glances, guards, inbox, migrations, postgresql, readers, sequencer, sqlite, writer
from shoutgraph.storage.bell import Bell
from shoutgraph.storage.continuity import Continuity
from shoutgraph.storage.glances import Glances
from shoutgraph.storage.inbox import Command
from shoutgraph.storage.listener import Listener
from shoutgraph.storage.sequencer import Sequencer
from shoutgraph.storage.session import Session
from shoutgraph.storage.tx import Tx
from shoutgraph.telemetry import metrics
from shoutgraph.telemetry.spans import observed

__all__ = ["Options", "Store", "Tx", "open_store"]

WAIT_S: Final = 60
"""How long a thread waits for its own unit of work before it gives up on the answer."""
SETTLE_S: Final = 30.0
SETTLE_PAUSE_S: Final = 0.002
SHARED_BATCH_MAX: Final = 64
"""Commands that share a commit where other processes wait for what they hold."""

T = TypeVar("T")
Refused = Callable[[Tx, errors.ShoutgraphError], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How a store is opened.

    `writing` is off for tools beside a running server. `any_schema` is on for a proof of the books, which has to look
    all the more where someone dropped a guard. `patient` is on for tools whose queries take as long as they take.
    """

    writing: bool = True
    any_schema: bool = False
    patient: bool = False
    readers: int = readers.READERS
    glance_ms: int = glances.GLANCE_MS
    limits: writer.Limits = field(default_factory=writer.Limits)
    busy_timeout_ms: int = sqlite.BUSY_TIMEOUT_MS


def open_store(where: Path | str, wall: clock.Clock, options: Options | None = None) -> "Store":
    """Opens a migrated database.

    Args:
        where: a file, `sqlite:///` and the file, or a `postgresql://` URL.
        wall: the time; the store never lets it go back.

    Raises:
        StoreUnavailableError: it is not there or not whole, is not of this release, or has a writer where only one
            may be.
    """
    chosen = options or Options()
    if postgresql.is_url(str(where)):
        return _open_server(str(where), wall, chosen)
    path = sqlite.path_of(where)
    try:
        return _open_file(path, wall, chosen)
    except (sqlite.DatabaseError, TypeError) as error:  # a damaged page can give a value of any type
        raise errors.StoreUnavailableError(f"cannot open {path.name}: {error}", retry_after_s=0) from error


def _open_file(path: Path, wall: clock.Clock, chosen: Options) -> "Store":
    if not path.exists():
        raise errors.StoreUnavailableError(
            f"cannot open {path.name}: it is not there; run `shoutgraph migrate`", retry_after_s=0
        )
    with contextlib.ExitStack() as parts:
        writing: sqlite.Session | None = None
        if chosen.writing:
            parts.callback(sqlite.WriterLock(path).release)
            writing = sqlite.connect_writer(path, busy_timeout_ms=chosen.busy_timeout_ms)
            parts.callback(writing.close)
        reading = [sqlite.connect_reader(path) for _ in range(chosen.readers)]
        for session in reading:
            parts.callback(session.close)
        first = writing or reading[0]
        fault = _schema_fault(first, sqlite.schema_digest(first), chosen)
        bell = Bell(0 if fault else Tx(first.raw, first.dialect, wall()).head.seq)
        glancing = sqlite.connect_reader(path, busy_timeout_ms=0)
        parts.callback(glancing.close)
        reader = readers.Readers(reading, wall, Glances(glancing, wall, most_ms=chosen.glance_ms))
        parts.callback(reader.close)
        pen = None
        if writing is not None:
            pen = writer.Writer(writing, wall, lambda tx: bell.ring(tx.head.seq), chosen.limits)
            parts.callback(pen.close)
        return Store(reader, pen, bell, parts.pop_all(), schema_fault=fault)


def _open_server(url: str, wall: clock.Clock, chosen: Options) -> "Store":
    settings, held = [postgresql.PATIENT] * 2 if chosen.patient else [postgresql.SETTINGS, postgresql.WRITING]
    with contextlib.ExitStack() as parts:

        def opened(session: postgresql.Session) -> postgresql.Session:
            parts.callback(session.close)
            return session

        reading = [
            opened(postgresql.Session(url, role=postgresql.APP, settings=settings)) for _ in range(chosen.readers)
        ]
        first = reading[0]
        fault = _schema_fault(first, postgresql.schema_digest(first.raw.raw), chosen)
        newest = journal.GENESIS if fault else sequencer.newest(Tx(first.raw, first.dialect, wall()))
        bell, known = Bell(newest.seq), Continuity(newest)
        reader = readers.Readers(reading, wall)
        parts.callback(reader.close)
        parts.callback(Listener(lambda: postgresql.Session(url, role=postgresql.APP), bell, known, wall).close)
        pen = None
        if chosen.writing:
            guards.require_role(first.raw.raw, postgresql.SEQUENCER)

            def sealer() -> postgresql.Session:
                return postgresql.Session(url, role=postgresql.SEQUENCER, settings=held)

            sealing = Sequencer(sealer, bell.ring, known, wall)
            parts.callback(sealing.close)
            limits = writer.Limits(chosen.limits.queue, min(chosen.limits.batch, SHARED_BATCH_MAX))
            session = opened(postgresql.Session(url, role=postgresql.APP, settings=held, signs=True))
            pen = writer.Writer(session, wall, lambda _: sealing.poke(), limits, known=known)
            parts.callback(pen.close)
        return Store(reader, pen, bell, parts.pop_all(), schema_fault=fault, shared=True)


class Store:
    """Runs units of work: writes in one thread that shares its commits, reads in a few others."""

    def __init__(
        self,
        reader: readers.Readers,
        pen: writer.Writer | None,
        bell: Bell,
        parts: contextlib.ExitStack,
        *,
        schema_fault: str | None = None,
        shared: bool = False,
    ) -> None:
        self.bell: Final = bell
        self.schema_fault: Final = schema_fault
        self.shared: Final = shared
        self._readers = reader
        self._writer = pen
        self._parts = parts

    @property
    def contention(self) -> Mapping[str, int]:
        """How often a unit of work was taken back because of neighbours, by what the database called it."""
        return dict(self._writing().counts)

    async def write(self, work: Callable[[Tx], T], *, refused: Refused | None = None) -> T:
        """Runs a unit of work and returns after COMMIT.

        `work` may be run again after a failure of its neighbours, so it must have no effect outside of `tx`. A refusal
        takes back what `work` did; then `refused` may write in the same transaction, and the refusal is raised.
        Cancelling the caller does not cancel the work.

        Raises:
            OverloadedError: too many units of work wait.
            InvariantError: it tried to write what the database forbids.
            StoreUnavailableError: the database cannot be written now; nothing was acknowledged.
        """
        command = Command.from_loop(work, refused)
        with observed("write", metrics.WORK, "write"):
            self._writing().submit(command)
            value: T = await command.future  # type: ignore[misc]
        return value

    async def read(self, query: Callable[[Tx], T]) -> T:
        """Runs a query; all its statements see one state.

        A short one may be run here and now (`storage/glances.py`), and again if it turns out to be long.

        Raises:
            OverloadedError: too many queries wait.
            StoreUnavailableError: the database cannot be read now.
        """
        with observed("read", metrics.WORK, "read"):
            seen = self._readers.look(query)
            if seen is not None:
                return cast("T", seen.taken())
            command = Command.from_loop(query)
            self._readers.submit(command)
            value: T = await command.future  # type: ignore[misc]
        return value

    def write_now(self, work: Callable[[Tx], T], *, refused: Refused | None = None) -> T:
        """Like `write`, for a thread that may block.

        Raises:
            OverloadedError: too many units of work wait.
            InvariantError: it tried to write what the database forbids.
            StoreUnavailableError: the database cannot be written now, or gave no answer in time.
        """
        command = Command.from_thread(work, refused)
        self._writing().submit(command)
        return _wait(command)

    def read_now(self, query: Callable[[Tx], T]) -> T:
        """Like `read`, for a thread that may block.

        Raises:
            OverloadedError: too many queries wait.
            StoreUnavailableError: the database cannot be read now, or gave no answer in time.
        """
        command = Command.from_thread(query)
        self._readers.submit(command)
        return _wait(command)

    async def settle_journal(self) -> None:
        """Returns when everything that was written before stands in the journal and the bell has rung for it.

        Raises:
            StoreUnavailableError: it takes too long; no process seals.
        """
        await asyncio.to_thread(self.settle_journal_now)

    def settle_journal_now(self) -> None:
        """Like `settle_journal`, for a thread that may block.

        Raises:
            StoreUnavailableError: it takes too long; no process seals.
        """
        until = time.monotonic() + SETTLE_S
        while self.shared:
            waiting, newest = self.read_now(lambda tx: (sequencer.count_waiting(tx), sequencer.newest(tx)))
            if not waiting and self.bell.newest >= newest.seq:
                return
            if time.monotonic() > until:
                raise errors.StoreUnavailableError(f"{waiting} events wait for their place", retry_after_s=1)
            time.sleep(SETTLE_PAUSE_S)

    async def aclose(self) -> None:
        """Does what still waits, then closes everything."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Like `aclose`, for a thread that may block."""
        self._parts.close()

    def _writing(self) -> writer.Writer:
        if self._writer is None:
            raise errors.StoreUnavailableError("the store was opened for reading only", retry_after_s=0)
        return self._writer


def _wait(command: Command) -> T:  # type: ignore[type-var]
    assert command.loop is None, "only a command of a thread is waited for"
    try:
        value: T = command.future.result(timeout=WAIT_S)  # type: ignore[call-arg]
    except TimeoutError:
        raise errors.StoreUnavailableError(
            "the store gave no answer in time; the outcome is not known", retry_after_s=inbox.RETRY_AFTER_S
        ) from None
    return value


def _schema_fault(session: Session, found: str, chosen: Options) -> str | None:
    """What is wrong with the schema.

    Raises:
        StoreUnavailableError: something is, and this store is not opened for looking into it.
    """
    migrations.require_known(session)
    if migrations.is_digest(session.dialect.name, found):
        return None
    expected = migrations.schema_digest(session.dialect.name)
    fault = (
        f"the database is not of this release: its schema is {found[:12]}, not {expected[:12]};"
        " run `shoutgraph migrate`, and if that changes nothing, someone dropped a guard"
    )
    if chosen.any_schema:
        return fault
    raise errors.StoreUnavailableError(fault, retry_after_s=0)
