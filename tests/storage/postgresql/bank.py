"""A bank whose tellers do not all know the rules: good ones post through stores, careless ones write rows as the owner.

The careless ones lock nothing first, write posting after posting in any order, in any isolation, and sometimes go away.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from psycopg import errors as causes
from tests import postgres
from tests.storage.postgresql import load
from tests.storage.postgresql.conftest import connect

from shoutgraph.domain import accounts, errors, ids
from shoutgraph.domain.ledger import Posting, Transfer
from shoutgraph.storage import engine, ledger
from shoutgraph.storage.engine import Options, Store, Tx
from shoutgraph.storage.statements import Statement

COINS: Final = 1_000
"""What every account holds at first."""
AMOUNT_MAX: Final = 700
PAUSE_S: Final = 0.002
LOOK_S: Final = 0.02
DEADLOCK_MS: Final = 20
ISOLATIONS: Final = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")

BALANCES: Final = Statement[tuple[int, int, int, int]](
    lambda: sa.text(
        "SELECT sum(a.credits - a.debits), min(a.credits - a.debits),"
        " sum((SELECT e.credits - e.debits FROM entry e WHERE e.account_id = a.id AND e.version = a.version)), count(*)"
        " FROM account a WHERE a.code LIKE 'creator:%'"
    )
)

_WAYS: Final[dict[type[psycopg.Error], str]] = {
    causes.CheckViolation: "refused",
    causes.DeadlockDetected: "deadlocks",
    causes.SerializationFailure: "serialization failures",
    causes.LockNotAvailable: "lock timeouts",
}


class Bank:
    """Tellers and onlookers of one database, each in a thread."""

    def __init__(self, url: str, chance: random.Random, *, size: int) -> None:
        self._url = url
        self.stores = [engine.open_store(url, load.wall, Options(readers=1)) for _ in range(2)]
        self.accounts = [accounts.available(ids.CreatorId(f"bank_{number}")) for number in range(size)]
        self.counts: Counter[str] = Counter()
        self.faults: list[BaseException] = []
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self.stores[0].write_now(self._fund)
        tellers = [
            *(partial(self._post, store) for store in self.stores for _ in range(3)),
            *(self._write_rows for _ in range(4)),
        ]
        self._threads = [
            threading.Thread(target=self._repeat, args=(teller, random.Random(chance.random()), number))  # noqa: S311
            for number, teller in enumerate([*tellers, *(partial(self._look, store) for store in self.stores)])
        ]
        for thread in self._threads:
            thread.start()

    def _fund(self, tx: Tx) -> None:
        for account in self.accounts:
            ledger.post(tx, Transfer("fund", account.code, (Posting(accounts.MINT, account, COINS, "fund"),)))

    def _repeat(self, work: Callable[[random.Random, str], None], chance: random.Random, number: int) -> None:
        done = 0
        try:
            while not self._ending.is_set():
                done += 1
                work(chance, f"{number}-{done}")
        except BaseException as fault:  # noqa: BLE001 - the test tells of it
            self.faults.append(fault)

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def _post(self, store: Store, chance: random.Random, ref: str) -> None:
        postings = tuple(
            Posting(*chance.sample(self.accounts, 2), chance.randint(1, AMOUNT_MAX), "good")
            for _ in range(chance.randint(1, 3))
        )
        try:
            store.write_now(lambda tx: ledger.post(tx, Transfer("good", ref, postings)))
        except errors.InvariantError as refusal:
            if "no_overdraft" not in str(refusal):
                raise
            self._count("refused")
        except errors.StoreUnavailableError as busy:
            if "other work" not in str(busy):
                raise
            self._count("turned away")
        else:
            self._count("good")

    def _write_rows(self, chance: random.Random, ref: str) -> None:
        with connect(self._url) as raw:
            raw.execute(f"SET deadlock_timeout = {DEADLOCK_MS}")
            raw.execute("SET ROLE shoutgraph_owner")
            for number in range(20):
                try:
                    self._write(raw, chance, f"{ref}-{number}")
                except tuple(_WAYS) as error:
                    raw.execute("ROLLBACK")
                    self._count(next(way for kind, way in _WAYS.items() if isinstance(error, kind)))

    def _write(self, raw: Any, chance: random.Random, ref: str) -> None:
        raw.execute(f"BEGIN ISOLATION LEVEL {chance.choice(ISOLATIONS)}")
        transfer = raw.execute(
            "INSERT INTO transfer (kind, ref, digest, at) VALUES ('raw', $1, decode(repeat('00', 32), 'hex'), 0)"
            " RETURNING id",
            (ref,),
        ).fetchone()[0]
        for _ in range(3):
            codes = [account.code for account in chance.sample(self.accounts, 2)]
            raw.execute(
                "INSERT INTO posting (transfer_id, asset, debit_id, credit_id, amount, reason) SELECT $1, 'COIN', d.id,"
                " c.id, $2, 'raw' FROM account d, account c WHERE d.code = $3 AND c.code = $4",
                (transfer, chance.randint(1, AMOUNT_MAX), *codes),
            )
            time.sleep(chance.random() * PAUSE_S)
        gone = chance.random() < 0.1
        raw.execute("ROLLBACK" if gone else "COMMIT")
        self._count("gone" if gone else "raw")

    def _look(self, store: Store, _: random.Random, __: str) -> None:
        total, least, entered, count = store.read_now(lambda tx: tx.all(BALANCES))[0]
        assert count == len(self.accounts)
        assert (total, entered) == (count * COINS, count * COINS), "no onlooker sees coins appear or disappear"
        assert least >= 0, "no onlooker sees an overdraft"
        self._count("looks")
        time.sleep(LOOK_S)

    def wait_for(self, **counts: int) -> None:
        """Returns when so many of each happened."""
        postgres.wait_until(lambda: bool(self.faults) or all(self.counts[way] >= n for way, n in counts.items()))
        assert self.faults == []

    def end(self) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def opened(url: str, chance: random.Random, *, size: int) -> Iterator[Bank]:
    bank = Bank(url, chance, size=size)
    try:
        yield bank
    finally:
        bank.end()
        for store in bank.stores:
            store.close()
    assert bank.faults == []
