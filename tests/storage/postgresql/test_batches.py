"""Batches of two processes that write the same rows: neither waits for the other with something in its hands."""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from functools import partial

import pytest
from tests.storage import databases
from tests.storage.databases import START, Clock, Place

from shoutgraph.domain.deadlines import Deadline
from shoutgraph.storage import deadlines, packages
from shoutgraph.storage.engine import Store, Tx

pytestmark = pytest.mark.postgresql_only

ROUNDS = 5
SUBJECTS = ("order_a", "order_b", "order_c", "order_d")
PAUSE_S = 0.002


@pytest.fixture
def stores(place: Place, clock: Clock) -> Iterator[tuple[Store, Store]]:
    one, other = (databases.opened(place.database(), clock) for _ in range(2))
    yield one, other
    one.close()
    other.close()


async def in_one_batch(store: Store, subjects: Sequence[str]) -> None:
    """Writes rows that no statement has held: what comes while the writer is busy shares the next commit."""
    gathered = threading.Event()
    works = [lambda _: gathered.wait(), *(partial(put, subject=subject) for subject in subjects)]
    writing = [asyncio.ensure_future(store.write(work)) for work in works]
    await asyncio.sleep(0)  # now all of them are in the queue
    gathered.set()
    await asyncio.gather(*writing)


def put(tx: Tx, subject: str) -> None:
    deadlines.put(tx, Deadline(subject, "accept", START, 1))
    deadlines.list_of_subject(tx, subject)
    time.sleep(PAUSE_S)


def test_batches_that_write_the_same_rows_in_another_order_end(
    stores: tuple[Store, Store], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    one, other = stores

    async def run() -> None:
        for _ in range(ROUNDS):
            await asyncio.gather(in_one_batch(one, SUBJECTS), in_one_batch(other, SUBJECTS[::-1]))

    asyncio.run(run())
    assert "40P01" not in {*one.contention, *other.contention}, "no deadlock had to be found"
    assert caplog.records == [], "a neighbour is no news"


def test_prices_are_loaded_one_list_after_another(stores: tuple[Store, Store]) -> None:
    seen: list[Store] = []

    def load(tx: Tx, store: Store) -> None:
        packages.hold(tx)
        seen.append(store)
        time.sleep(PAUSE_S)
        seen.append(store)

    async def run() -> None:
        await asyncio.gather(*(store.write(partial(load, store=store)) for store in stores * ROUNDS))

    asyncio.run(run())
    assert all(begins is ends for begins, ends in zip(seen[::2], seen[1::2], strict=True))
