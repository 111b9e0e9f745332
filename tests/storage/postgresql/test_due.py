"""Deadlines that many workers claim at once: each is taken once, with its effect, or given back whole."""

import random
import threading
import time
from collections import Counter
from functools import partial

import pytest
from tests import postgres
from tests.soak import Extent
from tests.storage import databases
from tests.storage.databases import START, Place
from tests.storage.postgresql import scene
from tests.storage.postgresql.conftest import connect
from tests.storage.postgresql.load import wall

from shoutgraph.domain import clock, errors
from shoutgraph.domain.journal import NewEvent
from shoutgraph.storage import deadlines, journal
from shoutgraph.storage.engine import Store, Tx

pytestmark = pytest.mark.postgresql_only

WORKERS = 8
CLAIMED = 50


def put(url: str, count: int) -> None:
    """Orders, each with a deadline that is due."""
    with connect(url) as raw:
        columns = dict(scene.required_columns(raw))
        known = {"id": "'order_' || n", "state": "'DRAFT'", "price_coins": "1", "revision": "1"}
        values = {name: known.get(name, "0" if kind == "INTEGER" else "'x'") for name, kind in columns.items()}
        orders = f"INSERT INTO orders ({', '.join(values)}) SELECT {', '.join(values.values())}"
        due = f"SELECT 'order_' || n, 'accept', {clock.to_micros(START)} - n, 1"
        for insert in (orders, f"INSERT INTO deadline (subject_id, kind, due_at, revision) {due}"):
            raw.execute(f"{insert} FROM generate_series(1, {count}) AS n")


def claim(tx: Tx, *, fails: bool) -> list[str]:
    """Takes what is due, and tells of each in the same transaction."""
    claimed = [deadline.subject_id for deadline in deadlines.claim_due(tx, kinds=["accept"], limit=CLAIMED)]
    for subject in claimed:
        journal.append(tx, NewEvent(f"event_{subject}", subject, "due", {}))
    if claimed and fails:
        raise errors.NotFoundError("There is no such order.")  # a worker that fails after its claim
    return claimed


def work(store: Store, chance: random.Random, claimed: list[str], counts: Counter[str]) -> None:
    until = time.monotonic() + postgres.PATIENCE_S
    while time.monotonic() < until:
        try:
            found = store.write_now(partial(claim, fails=chance.random() < 0.1))
        except errors.NotFoundError:
            counts["given back"] += 1
            continue
        claimed.extend(found)
        if not found and store.read_now(deadlines.find_next_due) is None:
            return


def test_every_deadline_is_claimed_by_one_of_many_workers(place: Place, extent: Extent) -> None:
    count = extent.count("steps", suite=2_000, soak=20_000)
    put(str(place.database()), count)
    stores = [databases.opened(place.database(), wall, readers=1) for _ in range(WORKERS)]
    claimed: list[list[str]] = [[] for _ in stores]
    counts: Counter[str] = Counter()
    chances = [random.Random(extent.seed * WORKERS + at) for at in range(WORKERS)]  # noqa: S311 - a repeatable choice
    threads = [
        threading.Thread(target=work, args=(*each, counts)) for each in zip(stores, chances, claimed, strict=True)
    ]
    since = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took_s = time.monotonic() - since
    taken = [subject for each in claimed for subject in each]
    assert sorted(taken) == sorted(f"order_{number + 1}" for number in range(count))
    assert sum(bool(each) for each in claimed) > 1, "several workers had their share"
    assert counts["given back"] > 0
    stores[0].settle_journal_now()
    told = stores[0].read_now(lambda tx: [event.topic for event in journal.each(tx)])
    assert sorted(told) == sorted(taken)
    for store in stores:
        store.close()
    extent.tell(
        f"{count} deadlines, {WORKERS} workers: {count / took_s:.0f}/s; {counts['given back']} claims given back"
    )
