"""The real store on a disk whose power fails: lives full of commands, and what must be true after every cut.

Only what stands between the store and the disk is replaced: pysqlite3 by apsw, since that lets a VFS be written in
Python. Without shared memory in such a VFS the connection locks the file for itself. What a cut leaves is written to
plain files and opened by the real `engine.open_store`.
"""

import concurrent.futures
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import apsw
from tests.storage.databases import Clock
from tests.storage.powercut import Disk, Trouble

from shoutgraph.domain import accounts, errors, ids, journal as lines, ledger as books
from shoutgraph.domain.ledger import Lot, Posting, Transfer
from shoutgraph.storage import journal, ledger, requests, sqlite
from shoutgraph.storage.inbox import Command
from shoutgraph.storage.session import Blame
from shoutgraph.storage.tx import Tx
from shoutgraph.storage.writer import Writer

NAME: Final = "books.db"
THREADS: Final = 4
PATIENCE_S: Final = 60
FANS: Final = tuple(ids.UserId(f"user_{number}") for number in range(5))
CREATORS: Final = tuple(accounts.pending(ids.CreatorId(f"creator_{number}")) for number in range(5))
TOPUP_COINS: Final = 40
CHECKPOINT_PAGES: Final = (4_000, 8, 30, 120)
"""After how many pages of the log SQLite writes them home; the first is what the store sets."""

_CODES: Final = {apsw.FullError: apsw.SQLITE_FULL, apsw.IOError: apsw.SQLITE_IOERR}
"""What our own disk raises comes without SQLite's number."""


class _Cursor:
    """The part of a DBAPI cursor that the store uses."""

    def __init__(self, rows: list[Any], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def fetchall(self) -> list[Any]:
        return self._rows


class Raw:
    """An apsw connection as a DBAPI connection."""

    def __init__(self, disk: Disk) -> None:
        self._db = apsw.Connection(NAME, vfs=disk.vfs, statementcachesize=sqlite.CACHED_STATEMENTS)

    def execute(self, sql: str, parameters: Any = (), /) -> _Cursor:
        rows = self._db.execute(sql, parameters).fetchall()
        return _Cursor(rows, self._db.changes())

    put = execute

    def stream(self, sql: str, parameters: Any, _size: int, /) -> Iterator[list[Any]]:
        yield self.execute(sql, parameters).fetchall()

    def executemany(self, sql: str, parameters: Any, /) -> _Cursor:
        changed = 0
        for each in parameters:
            changed += self.execute(sql, each).rowcount
        return _Cursor([], changed)

    @property
    def in_transaction(self) -> bool:
        return bool(self._db.in_transaction)

    @property
    def total_changes(self) -> int:
        return int(self._db.total_changes())

    def close(self) -> None:
        self._db.close()


class Session(sqlite.Session):
    """The store's own session, with the errors of apsw."""

    errors = (apsw.Error, MemoryError)

    def blame(self, error: Exception) -> Blame:
        code = next((code for kind, code in _CODES.items() if isinstance(error, kind)), getattr(error, "result", 0))
        error.sqlite_errorcode = code  # type: ignore[attr-defined]
        return super().blame(error)


def connect(disk: Disk, **settings: int) -> Session:
    """Opens the writer's connection, set up as the store does it but for these settings."""
    raw = Raw(disk)
    raw.execute("PRAGMA locking_mode = EXCLUSIVE")
    sqlite._apply(raw, sqlite.WRITER_SETTINGS | settings)
    return Session(raw)


@dataclass(frozen=True)
class Ack:
    """A command that was answered when so many calls to the disk had been made: carried out, or refused."""

    place: int
    ref: str
    refused: bool


@dataclass
class Life:
    """What happened to one database from its opening on.

    `history` is the order in which the journal tells of the commands, `acks` what their clients were told, and
    `unknown` the commands whose batch failed; `closed` says whether the store took no more of them in the end.
    """

    disk: Disk
    acks: list[Ack] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    broken: Counter[str] = field(default_factory=Counter)
    closed: bool = False


def topup(tx: Tx, ref: str, fan: ids.UserId) -> None:
    """Coins come into a wallet as a lot of their own."""
    paid = accounts.paid(fan)
    lot = Lot(f"lot_{ref}", paid.code, fan, None, TOPUP_COINS, TOPUP_COINS, 0, None, None, tx.now)
    told(tx, Transfer("topup", ref, (Posting(accounts.MINT, paid, TOPUP_COINS, "topup"),), lot_grants=(lot,)))


def gift(tx: Tx, ref: str, fan: ids.UserId, coins: int) -> None:
    """Coins leave a wallet, for a creator and for the fee.

    Raises:
        InsufficientCoinsError: the wallet has fewer.
    """
    paid, taker = accounts.paid(fan), CREATORS[coins % len(CREATORS)]
    lots = ledger.list_of_spendable_lots(tx, paid.code)
    have = sum(lot.remaining for lot in lots)
    if have <= coins:
        raise errors.InsufficientCoinsError(required_coins=coins + 1, available_coins=have)
    moved = (Posting(paid, taker, coins, "gift"), Posting(paid, accounts.fee_stripe(coins % 16), 1, "fee"))
    told(tx, Transfer("gift", ref, moved, lot_moves=books.take(lots, coins + 1)))


def told(tx: Tx, transfer: Transfer) -> None:
    """Posts, tells the journal, and keeps the answer under a key, as use-cases do."""
    ref = transfer.ref
    ledger.post(tx, transfer)
    number = ledger.number_of(tx, transfer.kind, ref)
    event = lines.NewEvent(f"event_{ref}", f"topic_{len(ref)}", f"{transfer.kind}.sent", {"ref": ref}, number)
    journal.append(tx, event)
    requests.insert(tx, key_of(ref), bytes(32), result=ref)


def break_a_law(tx: Tx, ref: str, fan: ids.UserId) -> None:
    """Coins in a wallet without a lot, which only COMMIT refuses."""
    told(tx, Transfer("gift", ref, (Posting(accounts.MINT, accounts.paid(fan), 5, "no lot"),)))


def stumble(tx: Tx, ref: str, fan: ids.UserId) -> None:
    """A bug that comes late."""
    topup(tx, ref, fan)
    raise ZeroDivisionError


def key_of(ref: str) -> tuple[str, str, str]:
    """The key under which a command's answer is kept."""
    return ("user", "mutation", ref)


def refused(tx: Tx, refusal: errors.ShoutgraphError, ref: str) -> None:
    """Keeps a refusal."""
    requests.insert(tx, key_of(ref), bytes(32), refusal={"code": refusal.code})


def some_work(chance: random.Random, ref: str) -> Callable[[Tx], None]:
    """A command: mostly money, now and then something that must leave nothing."""
    fan = chance.choice(FANS)
    match chance.randrange(20):
        case 0:
            return partial(break_a_law, ref=ref, fan=fan)
        case 1:
            return partial(stumble, ref=ref, fan=fan)
        case 2 | 3 | 4 | 5 | 6:
            return partial(topup, ref=ref, fan=fan)
        case _:
            return partial(gift, ref=ref, fan=fan, coins=chance.randint(1, 30))


class Clients:
    """Threads that send commands to one writer; each batch is put together by chance, and so by the seed."""

    def __init__(self, life: Life, pen: Writer, chance: random.Random) -> None:
        self._life = life
        self._pen = pen
        self._chance = chance
        self._pool = ThreadPoolExecutor(THREADS)

    def close(self) -> None:
        """Ends the threads."""
        self._pool.shutdown()

    def send_batch(self, refs: list[str]) -> None:
        """Sends commands that share a batch, each from some thread, and waits for their answers."""
        commands = []
        with self._held() if len(refs) > 1 else nullcontext():
            for ref in refs:
                command = Command.from_thread(some_work(self._chance, ref), partial(refused, ref=ref))
                command.future.add_done_callback(partial(self._note, ref))  # type: ignore[arg-type]
                self._pool.submit(self._pen.submit, command).result(PATIENCE_S)
                commands.append(command.future)
        waiting = concurrent.futures.wait(commands, PATIENCE_S).not_done  # type: ignore[type-var]
        assert not waiting, "everybody is answered"

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Keeps the writer inside a batch that writes nothing, so that all that is sent shares the next one."""
        inside, go_on = threading.Event(), threading.Event()

        def wait(_: Tx) -> None:
            inside.set()
            go_on.wait(PATIENCE_S)

        self._pen.submit(Command.from_thread(wait))
        assert inside.wait(PATIENCE_S)
        yield
        go_on.set()

    def _note(self, ref: str, future: "concurrent.futures.Future[None]") -> None:
        """Runs in the writer's thread, in the moment of the answer."""
        match future.exception():
            case None:
                self._life.acks.append(Ack(len(self._life.disk.log), ref, refused=False))
            case errors.ShoutgraphError():
                self._life.acks.append(Ack(len(self._life.disk.log), ref, refused=True))
            case errors.StoreUnavailableError():
                self._life.unknown.add(ref)
            case other:
                self._life.broken[type(other).__name__] += 1


def live(
    disk: Disk,
    chance: random.Random,
    name: str,
    clock: Clock,
    settings: Mapping[str, int],
    befall: Callable[[int], None] = lambda _: None,
) -> Life:
    """Opens the database that is on a disk, fills it, and closes it.

    Args:
        befall: what happens to the disk before the batch of this number.
    """
    life = Life(disk)
    session = connect(disk, wal_autocheckpoint=chance.choice(CHECKPOINT_PAGES), **settings)
    pen = Writer(session, clock, lambda _: None)
    clients = Clients(life, pen, chance)
    for batch in range(chance.randint(5, 20)):
        clock.move(seconds=chance.randint(0, 5))
        befall(batch)
        try:
            clients.send_batch([f"{name}-{batch}-{at}" for at in range(chance.choice((1, 1, 2, 5, 20)))])
        except errors.StoreUnavailableError:
            life.closed = True
            break
    clients.close()
    pen.close()
    life.history = [
        event.id.removeprefix("event_") for event in journal.each(Tx(session.raw, session.dialect, clock()))
    ]
    disk.trouble = Trouble.NONE  # apsw raises what SQLite keeps to itself when it closes
    session.close()
    return life
