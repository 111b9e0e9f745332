"""Everything that is PostgreSQL's own: connections and their settings, the words of a transaction, what errors mean.

Every guarantee of a unit of work rests on rows that it holds and on constraints of single rows, so READ COMMITTED is
enough. Source: docs/adr/0014-postgresql.md.
"""

import contextlib
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from psycopg import errors as causes
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.numeric import Int8Dumper
from sqlalchemy.dialects.postgresql import psycopg as dialects

from shoutgraph.domain import errors
from shoutgraph.storage import guards
from shoutgraph.storage.pipeline import Connection
from shoutgraph.storage.session import Blame

URL_PREFIXES: Final = ("postgresql://", "postgres://")
VERSION_MIN: Final = 15_00_00
CONNECT_S: Final = 5
SETTLE_S: Final = 10.0
NAME_BYTES: Final = 16
"""How long a lost COMMIT is asked about before its outcome is called unknown."""
SETTLE_PAUSE_S: Final = 0.05

OWNER: Final = guards.OWNER
APP: Final = guards.APP
SEQUENCER: Final = guards.SEQUENCER
REPORT: Final = guards.REPORT
ROLES: Final = guards.ROLES

SETTINGS: Final[Mapping[str, str]] = {
    "search_path": "public, pg_temp",
    "default_transaction_isolation": "read committed",
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "5s",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",  # many small queries, not few large ones
    "application_name": "shoutgraph",
    "TimeZone": "UTC",
}
WRITING: Final[Mapping[str, str]] = {**SETTINGS, "transaction_timeout": "10s"}
"""For who holds rows. Whoever stands still within a pipeline is not idle to PostgreSQL. Unknown before release 17."""
PATIENT: Final[Mapping[str, str]] = {**SETTINGS, "statement_timeout": "0", "idle_in_transaction_session_timeout": "0"}
"""For a migration, a proof or a copy, which take as long as they take."""
_SET: Final = """SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS given (name, value)
  WHERE current_setting(name, true) IS NOT NULL"""
"""Those that this release of the server knows."""

DURABLE: Final = frozenset({"on", "remote_write", "remote_apply"})
_FORGET: Final = "DELETE FROM writer WHERE at < now() - interval '30 days'"
_SIGN: Final = """INSERT INTO writer AS w (name, batch, at) SELECT $1, $2, now()
  WHERE pg_current_xact_id_if_assigned() IS NOT NULL
  ON CONFLICT (name) DO UPDATE SET at = excluded.at,
    batch = CASE WHEN w.at < now() + interval '12 hours' THEN excluded.batch END"""
"""Signs what is about to be committed, if anything was written. In a closed name nothing can be signed: no batch has
no number."""
_SIGNED: Final = """INSERT INTO writer AS w (name, batch, at) VALUES ($1, 0, now() + interval '1 day')
  ON CONFLICT (name) DO UPDATE SET at = excluded.at RETURNING w.batch"""
"""What a writer signed last; it waits for a transaction of its own that has signed and not ended. The name is closed,
by a time to come: a server may still have to read what a lost connection brought."""
_HURRY: Final = "SET LOCAL lock_timeout = '10ms'"
"""What is held by its statement is not waited for at all; this is for keys and rows that others are just writing."""
_SAVE: Final = "SAVEPOINT command"
_KEEP: Final = "RELEASE SAVEPOINT command"
KEEPALIVE: Final = {
    "connect_timeout": CONNECT_S,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}

DIALECT: Final[sa.Dialect] = dialects.dialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
DatabaseError: Final[type[Exception]] = psycopg.Error

_AGAIN: Final = (causes.SerializationFailure, causes.DeadlockDetected, causes.LockNotAvailable)
_CONNECTION: Final = (psycopg.OperationalError, psycopg.InterfaceError)
_TOO_LONG: Final = (causes.IdleInTransactionSessionTimeout, causes.TransactionTimeout)
_ENDED: Final = (causes.AdminShutdown, causes.CrashShutdown, *_TOO_LONG)
"""What the server says when it ends a connection; by the time that somebody asks there may be a new one."""
_COMMAND: Final = (psycopg.IntegrityError, psycopg.DataError, psycopg.ProgrammingError, causes.RaiseException)


class UnknownOutcomeError(psycopg.Error):
    """A COMMIT got no answer, and no server said in time what became of it."""


class _WholeNumbers(Loader):
    """Sums of whole numbers, which PostgreSQL gives as NUMERIC."""

    def load(self, data: Any) -> int:  # noqa: ANN401 - the driver's buffer
        """The number; ours never have a fraction."""
        return int(bytes(data))


class Session:
    """One connection, with the words of its transactions; a lost one is made anew."""

    dialect: Final = DIALECT
    errors: Final[tuple[type[Exception], ...]] = (psycopg.Error, MemoryError)

    def __init__(
        self, url: str, *, role: str | None, settings: Mapping[str, str] = SETTINGS, signs: bool = False
    ) -> None:
        """Connects.

        Args:
            signs: whether it signs its commits, so that it finds out what became of one that got no answer.

        Raises:
            StoreUnavailableError: the server does not answer, is too old, or would lose commits.
        """
        self._url = url
        self._role = role
        self._settings = settings
        self.raw = Connection(self._connect())
        self.lives = 1
        self._name: str | None = None
        self._batch = 0
        if signs:
            with _closing_on_error(self.raw.raw), _away(name_of(url)):
                self.raw.execute(_FORGET)
                self._name = secrets.token_hex(NAME_BYTES)

    @property
    def changes(self) -> int:
        """Not counted: a server that fails is away for all, and is asked again."""
        return 0

    def begin(self) -> None:
        """Opens the transaction that a batch of commands shares."""
        self.raw.forget()
        self.raw.put("BEGIN")

    def snapshot(self) -> None:
        """Opens a transaction that only reads: all its queries see one state."""
        self.raw.put("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    def commit(self) -> None:
        """Makes it durable; the deferred checks run here.

        A connection that is lost meanwhile says nothing of the outcome, so what is committed is signed in the same
        transaction: the signature is there, after a crash too, or it is not. (The number of a transaction would not do:
        a server that crashed gives those again that its log did not keep.)

        Raises:
            UnknownOutcomeError: the server did not say in time.
        """
        if self._name is not None:
            self._batch += 1
            self.raw.put(_SIGN, (self._name, self._batch))
        try:
            ended = self.raw.execute("COMMIT")
        except _CONNECTION:
            if self._name is None or not self._was_signed():
                raise
        else:
            assert ended.statusmessage == "COMMIT", "a transaction that failed was rolled back before"

    def rollback(self) -> None:
        """Takes the whole transaction back, if there still is one."""
        self.raw.forget()
        if self.open:
            with contextlib.suppress(psycopg.OperationalError):  # lost with its connection
                self.raw.execute("ROLLBACK")

    def hurry(self) -> None:
        """Lets the rest of the transaction wait for hardly anybody."""
        self.raw.put(_HURRY)

    def save(self) -> None:
        """Marks where one command begins."""
        self.raw.put(_SAVE)

    def keep(self) -> None:
        """Keeps what the command did; errors of what nobody waited for show now."""
        self.raw.put(_KEEP)
        self.raw.flush()

    def undo(self) -> None:
        """Takes back what the command did, and lets go of what it held."""
        if not self.raw.forget(_SAVE):
            self.raw.forget()  # the mark was sent, so what waits is this command's
            self.raw.execute("ROLLBACK TO SAVEPOINT command")
            self.raw.put(_KEEP)

    def renew(self) -> None:
        """Connects again if the connection was lost.

        Raises:
            StoreUnavailableError: the server does not answer.
        """
        if self._lost:
            self.raw.raw = self._connect()
            self.lives += 1

    def blame(self, error: Exception) -> Blame:
        """Whom an error of the driver concerns."""
        if isinstance(error, UnknownOutcomeError):
            return Blame.BATCH  # it may be there, so it is not run again: whoever retries by a key is told
        if self._lost or isinstance(error, _ENDED) or (isinstance(error, _CONNECTION) and error.sqlstate is None):
            return Blame.CONNECTION
        if isinstance(error, _AGAIN):
            return Blame.NEIGHBOUR
        if isinstance(error, causes.UniqueViolation):
            return Blame.KEY
        return Blame.COMMAND if isinstance(error, _COMMAND) else Blame.BATCH

    def words(self, error: Exception) -> str:
        """What an error of the driver says, in one sentence."""
        said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
        return said or " ".join(str(error).split())

    @property
    def open(self) -> bool:
        """Whether a transaction is open; some errors end it."""
        raw = self.raw.raw
        return not raw.closed and raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE

    def close(self) -> None:
        """Closes the connection."""
        self.raw.raw.close()

    @property
    def _lost(self) -> bool:
        return self.raw.raw.closed or self.raw.raw.broken

    def _connect(self) -> "psycopg.Connection[tuple[Any, ...]]":
        return connect(self._url, role=self._role, settings=self._settings)

    def _was_signed(self) -> bool:
        """Whether a transaction whose COMMIT got no answer was committed.

        Raises:
            UnknownOutcomeError: the server did not say in time.
        """
        asked, self._name = self._name, secrets.token_hex(NAME_BYTES)  # closed by asking, whether or not it is answered
        until = time.monotonic() + SETTLE_S
        while time.monotonic() < until:
            with contextlib.suppress(psycopg.OperationalError, errors.StoreUnavailableError):
                self.renew()
                return bool(self.raw.execute(_SIGNED, (asked,)).fetchall()[0][0] == self._batch)
            time.sleep(SETTLE_PAUSE_S)
        raise UnknownOutcomeError("the outcome of a commit is not known")


def is_url(where: str) -> bool:
    """Whether this names a PostgreSQL database."""
    return where.startswith(URL_PREFIXES)


def name_of(url: str) -> str:
    """The database's name, for messages: never its password."""
    return str(conninfo_to_dict(url).get("dbname") or "the database")


def connect(
    url: str, *, role: str | None, settings: Mapping[str, str] = SETTINGS
) -> "psycopg.Connection[tuple[Any, ...]]":
    """Connects with our settings and takes a role.

    Raises:
        StoreUnavailableError: the server does not answer, is too old, would lose commits, or has no such role.
    """
    name = name_of(url)
    with _away(name):
        raw: psycopg.Connection[tuple[Any, ...]] = psycopg.connect(
            make_conninfo(url, **KEEPALIVE),
            autocommit=True,
            prepare_threshold=0,
            cursor_factory=psycopg.RawCursor,
        )
    with _closing_on_error(raw), _away(name):
        raw.prepared_max = 1_000
        raw.adapters.register_loader("numeric", _WholeNumbers)
        raw.adapters.register_dumper(int, Int8Dumper)  # else each size of a number is another prepared statement
        _set_up(raw, name, role, settings)
    return raw


def connect_owner(url: str) -> "psycopg.Connection[tuple[Any, ...]]":
    """Connects for a migration, as whoever the URL names.

    Raises:
        StoreUnavailableError: the server does not answer.
    """
    with _away(name_of(url)):
        return psycopg.connect(make_conninfo(url, **KEEPALIVE), options="-c search_path=public -c timezone=UTC")


def schema_digest(raw: "psycopg.Connection[Any]") -> str:
    """SHA-256 over everything that guards."""
    return guards.digest(raw)


@contextlib.contextmanager
def _closing_on_error(raw: "psycopg.Connection[Any]") -> Iterator[None]:
    try:
        yield
    except BaseException:
        raw.close()
        raise


@contextlib.contextmanager
def _away(name: str) -> Iterator[None]:
    """Says of whatever the driver finds wrong that the database cannot be opened."""
    try:
        yield
    except psycopg.Error as error:
        raise errors.StoreUnavailableError(f"cannot open {name}: {error}", retry_after_s=1) from error


def _set_up(raw: "psycopg.Connection[Any]", name: str, role: str | None, settings: Mapping[str, str]) -> None:
    if raw.info.server_version < VERSION_MIN:
        raise errors.StoreUnavailableError(
            f"{name} is on PostgreSQL {raw.info.server_version // 10_000}; {VERSION_MIN // 10_000} or later is needed",
            retry_after_s=0,
        )
    try:
        if role is not None:
            raw.execute(f'SET ROLE "{role}"')  # one of ours
        raw.execute(_SET, ([*settings], [*settings.values()]))
    except (causes.InsufficientPrivilege, causes.InvalidParameterValue, causes.UndefinedObject) as error:
        raise errors.StoreUnavailableError(
            f"cannot open {name} as {role}: {error}; run `shoutgraph migrate`", retry_after_s=0
        ) from error
    ((durable, guarded),) = raw.execute(
        "SELECT current_setting('synchronous_commit'), current_setting('session_replication_role')"
    ).fetchall()
    if durable not in DURABLE:
        raw.execute("SET synchronous_commit = on")
    if guarded != "origin":
        raise errors.StoreUnavailableError(
            f"cannot open {name}: session_replication_role is {guarded}, which switches every guard off",
            retry_after_s=0,
        )
