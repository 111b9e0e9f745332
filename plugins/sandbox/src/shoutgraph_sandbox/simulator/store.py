"""The simulator's memory: one SQLite file, one thread, one transaction for each step.

Several processes may share the file: each step is a transaction, and they open it one after another.
"""

import asyncio
import fcntl
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

SCHEMA_VERSION: Final = 2
NOTICES_KEPT_MAX: Final = 10_000
"""Delivered notices beyond these are forgotten at the next start."""

T = TypeVar("T")

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS payment (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, instance TEXT NOT NULL, key TEXT NOT NULL,
    digest TEXT NOT NULL, operation_id TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL, customer_ref TEXT NOT NULL, descriptor TEXT NOT NULL,
    return_url TEXT NOT NULL, cancel_url TEXT NOT NULL, status TEXT NOT NULL,
    settled INTEGER NOT NULL DEFAULT 0, refunded INTEGER NOT NULL DEFAULT 0,
    refunds_failed INTEGER NOT NULL DEFAULT 0,
    disputed INTEGER NOT NULL DEFAULT 0, disputes_won INTEGER NOT NULL DEFAULT 0,
    disputes_lost INTEGER NOT NULL DEFAULT 0, fee INTEGER NOT NULL DEFAULT 0, decline_code TEXT,
    attempts INTEGER NOT NULL DEFAULT 0, created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    paid_at INTEGER, due_at INTEGER, due_action TEXT,
    UNIQUE (instance, key), CHECK (refunds_failed <= refunded), CHECK (refunded - refunds_failed <= settled),
    CHECK (disputes_won + disputes_lost <= disputed)
) STRICT;
CREATE INDEX IF NOT EXISTS payment_due ON payment (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS payment_operation ON payment (operation_id);
CREATE TABLE IF NOT EXISTS refund (
    payment_id TEXT NOT NULL, key TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0),
    created_at INTEGER NOT NULL, failed INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (payment_id, key)
) STRICT;
CREATE TABLE IF NOT EXISTS batch (
    id TEXT PRIMARY KEY, instance TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL,
    created_at INTEGER NOT NULL, UNIQUE (instance, key)
) STRICT;
CREATE TABLE IF NOT EXISTS payout (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, instance TEXT NOT NULL, batch_id TEXT NOT NULL,
    batch_key TEXT NOT NULL, item_id TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL, recipient_ref TEXT NOT NULL, descriptor TEXT NOT NULL, status TEXT NOT NULL,
    code TEXT, created_at INTEGER NOT NULL, paid_at INTEGER, returned_at INTEGER, due_at INTEGER,
    due_action TEXT, UNIQUE (instance, batch_key, item_id)
) STRICT;
CREATE INDEX IF NOT EXISTS payout_due ON payout (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS payout_item ON payout (item_id);
CREATE TABLE IF NOT EXISTS notice (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, instance TEXT NOT NULL, body TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending', attempts INTEGER NOT NULL DEFAULT 0, status INTEGER,
    created_at INTEGER NOT NULL, next_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS notice_due ON notice (next_at) WHERE state = 'pending';
"""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class Store:
    """Runs steps against the file, one at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sandbox-store")
        self._db: sqlite3.Connection | None = None

    async def run(self, step: Callable[[sqlite3.Connection], T]) -> T:
        """Runs a step in a transaction: all of it is kept before it returns, or none of it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._in_transaction, step)

    async def aclose(self) -> None:
        """Closes the file."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _in_transaction(self, step: Callable[[sqlite3.Connection], T]) -> T:
        if self._db is None:
            self._db = _opened(self._path)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            result = step(self._db)
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        return result

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


def micros(at: datetime) -> int:
    """A time as it is kept: microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def span(duration: timedelta) -> int:
    """A duration as it is kept. Units: microseconds."""
    return duration // _MICROSECOND


def text_of(kept: int | None) -> str | None:
    """A kept time as the API prints it."""
    return None if kept is None else (_EPOCH + timedelta(microseconds=kept)).isoformat()


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path):
        return _set_up(path)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Lets one process at a time make the file: SQLite does not wait when the journal's mode is changed."""
    with path.with_name(f"{path.name}.opening").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _set_up(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    # NORMAL keeps every commit through a killed process; only a power cut could take the last ones.
    for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "busy_timeout = 5000"):
        db.execute(f"PRAGMA {pragma}")
    with closing(db.execute("PRAGMA user_version")) as cursor:
        version: int = cursor.fetchone()[0]
    if version not in {0, SCHEMA_VERSION}:
        db.close()
        raise RuntimeError(f"{path.name} was written by another version of the sandbox; delete it")
    db.executescript(_SCHEMA)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute(
        "DELETE FROM notice WHERE state <> 'pending' AND seq <= (SELECT max(seq) FROM notice) - ?",
        (NOTICES_KEPT_MAX,),
    )
    return db
