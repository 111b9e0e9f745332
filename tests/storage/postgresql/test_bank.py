"""Coins are neither made nor lost, and nobody is overdrawn, whoever writes to the books of PostgreSQL and however."""

from collections import Counter

import pytest
from tests.soak import Extent
from tests.storage import databases
from tests.storage.databases import Place
from tests.storage.postgresql import bank, load

from shoutgraph.storage import ledger_proof

pytestmark = pytest.mark.postgresql_only

GOOD, RAW = 150, 50
"""Transfers of one round at the least: of tellers who know the rules, and of careless ones."""


def test_every_snapshot_of_a_bank_has_all_its_coins(place: Place, extent: Extent) -> None:
    counts: Counter[str] = Counter()
    for seed in extent.seeds("steps", suite=GOOD + RAW, soak=1_000_000, each=GOOD + RAW):
        url = str(place.database(f"bank{seed}"))
        with bank.opened(url, extent.chance, size=extent.chance.randint(12, 32)) as tellers:
            tellers.wait_for(good=GOOD, raw=RAW, looks=50, refused=1)
        counts += tellers.counts
        store = databases.opened(url, load.wall, writing=False, readers=1)
        assert store.read_now(ledger_proof.verify) == []
        store.close()
        place.drop()
    assert counts["deadlocks"] + counts["serialization failures"] > 0, "careless tellers got into each other's way"
    extent.tell(", ".join(f"{count} {way}" for way, count in sorted(counts.items())))
