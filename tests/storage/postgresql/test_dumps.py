"""What `pg_dump` wrote and `pg_restore` read is the database that it was, with every guard, and it goes on."""

import psycopg
import pytest
from tests.storage import bulk, databases
from tests.storage.databases import Clock, Place, Where

from shoutgraph.storage import guards, journal, ledger_proof

pytestmark = pytest.mark.postgresql_only

ORDERS = 20


def fill(where: Where) -> None:
    store = databases.opened(where, Clock())
    bulk.fill(store, ORDERS)
    store.close()


def test_a_dump_that_is_restored_has_every_guard_and_goes_on(place: Place, clock: Clock) -> None:
    there = place.filled("dumped", fill)
    back = place.copy("dumped", place.inside("back"))
    with psycopg.connect(str(there)) as one, psycopg.connect(str(back)) as other:
        assert guards.digest(other) == guards.digest(one)
    store = databases.opened(back, clock)
    before = store.read_now(journal.head).seq
    bulk.place(store, range(ORDERS, 2 * ORDERS))
    bulk.complete(store, range(ORDERS, 2 * ORDERS))
    store.settle_journal_now()
    assert store.read_now(journal.head).seq == before + 2 * ORDERS
    assert store.read_now(lambda tx: ledger_proof.verify(tx, books=bulk.BOOKS)) == []
    store.close()
