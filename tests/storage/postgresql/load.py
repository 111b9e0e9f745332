"""Stores under load, whose server may go away at any moment: clients that ask again until they are told it is done.

Every command has a name of its own in the books and in the journal, so that what is there can be compared with what was
answered. What was never turned away must have been done exactly then: a command that finds itself done was run twice.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Final

import sqlalchemy as sa
from tests import postgres
from tests.storage import killed

from shoutgraph.domain import errors
from shoutgraph.storage import engine, ledger, ledger_proof
from shoutgraph.storage.engine import Options, Store, Tx
from shoutgraph.storage.statements import Statement

CLIENTS: Final = 6
PAUSE_S: Final = 0.02
FEW: Final = Options(readers=1)

_REFS = Statement[tuple[str]](lambda: sa.text("SELECT ref FROM transfer WHERE kind = 'gift'"))
_TOLD = Statement[tuple[str]](
    lambda: sa.text("SELECT t.ref FROM event e JOIN transfer t ON t.id = e.transfer_id WHERE e.id = 'event_' || t.ref")
)
_ASIDE = Statement[tuple[int]](lambda: sa.text("SELECT count(*) FROM outbox_dead"))


def wall() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - these stores serve


def give(tx: Tx, ref: str, number: int) -> bool:
    """A gift with its event; False where it was given before."""
    if ledger.number_of(tx, killed.KIND, ref) is not None:
        return False
    killed.give(tx, ref, number)
    return True


class Load:
    """Clients of several stores of one database, each in a thread."""

    def __init__(self, url: str, *, stores: int, clients: int, options: Options) -> None:
        self.stores = [engine.open_store(url, wall, options) for _ in range(stores)]
        self.stores[0].write_now(killed.seed)
        self.acknowledged: set[str] = set()
        self.counts: Counter[str] = Counter()
        self.faults: list[BaseException] = []
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(f"s{at}c{client}", store))
            for at, store in enumerate(self.stores)
            for client in range(clients)
        ]
        for thread in self._threads:
            thread.start()

    def _ask(self, name: str, store: Store) -> None:
        number = 0
        try:
            while not self._ending.is_set():
                number += 1
                self._insist(store, f"{name}-{number}", number)
        except BaseException as fault:  # noqa: BLE001 - the test tells of it
            self.faults.append(fault)

    def _insist(self, store: Store, ref: str, number: int) -> None:
        """Asks until it is told that it is done."""
        turned_away = False
        while True:
            try:
                gave = store.write_now(partial(give, ref=ref, number=number))
            except (errors.StoreUnavailableError, errors.OverloadedError) as error:
                turned_away = True
                self._count("unknown" if "not known" in str(error) else "turned away")
                time.sleep(PAUSE_S)
                continue
            assert gave or turned_away, f"{ref} was done twice"
            with self._lock:
                self.acknowledged.add(ref)
                self.counts["there after all"] += not gave
                self.counts[ref.partition("c")[0]] += 1
            return

    def _count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def wait_for_more(self, more: int) -> None:
        """Returns when every store has answered so many more, and read and heard what is new."""
        before = [self.counts[f"s{at}"] for at in range(len(self.stores))]
        postgres.wait_until(
            lambda: bool(self.faults) or all(self.counts[f"s{at}"] >= n + more for at, n in enumerate(before))
        )
        assert self.faults == []
        for store in self.stores:
            newest = retry(partial(store.read_now, lambda tx: tx.head.seq))
            postgres.wait_until(lambda store=store, newest=newest: store.bell.newest >= newest)

    def end(self) -> None:
        """Ends the clients, once each has been told of its last command."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
        assert self.faults == []

    def close(self) -> None:
        for store in self.stores:
            store.close()


def retry(read: Callable[[], int]) -> int:
    """What a reader says, which has to find the server again."""
    while True:
        try:
            return read()
        except errors.StoreUnavailableError:
            time.sleep(PAUSE_S)


@contextmanager
def loaded(url: str, *, stores: int, clients: int = CLIENTS, options: Options = FEW) -> Iterator[Load]:
    load = Load(url, stores=stores, clients=clients, options=options)
    try:
        yield load
        load.end()
        prove(load)
    finally:
        load._ending.set()
        for thread in load._threads:
            thread.join()
        load.close()


def gifts(tx: Tx) -> tuple[list[str], list[str]]:
    """The names of the gifts that are there, and of those that the journal tells of."""
    return [ref for (ref,) in tx.all(_REFS)], [ref for (ref,) in tx.all(_TOLD)]


def prove(load: Load) -> None:
    """What was answered is there, once, whole and in order; nothing else is."""
    store = load.stores[-1]
    store.settle_journal_now()
    there, told = store.read_now(gifts)
    assert set(there) == load.acknowledged
    assert len(told) == len(load.acknowledged)
    assert set(told) == load.acknowledged, "a transfer and its event are there together"
    assert store.read_now(lambda tx: tx.one(_ASIDE)) == (0,)
    assert store.read_now(ledger_proof.verify) == []
