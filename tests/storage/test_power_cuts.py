"""Power cuts: what was acknowledged is there, what was not is there whole or not at all, and history is a prefix."""

import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pysqlite3 as dbapi
import pytest
import sqlalchemy as sa
from tests.soak import Extent
from tests.storage import databases, outage
from tests.storage.databases import Clock
from tests.storage.outage import NAME, Life
from tests.storage.powercut import Disk

from shoutgraph.storage import ledger_proof
from shoutgraph.storage.engine import Tx
from shoutgraph.storage.statements import Statement

CUTS_OF_A_ROUND: Final = 40
GENERATIONS: Final = 2
"""How often a round goes on from what a cut left."""

EDGE_CALLS: Final = 4
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it


@dataclass(frozen=True)
class Promise:
    """How much SQLite and the disk do for what was written; the store relies on all of it."""

    settings: Mapping[str, int] = field(default_factory=dict)
    lies: bool = False
    breaks: str | None = None
    """How it shows that it is too little."""


KEPT: Final = Promise()
NORMAL: Final = Promise({"synchronous": 1}, breaks="lost")
OFF: Final = Promise({"synchronous": 0}, breaks="damaged")
LYING: Final = Promise(lies=True, breaks="damaged")
HIT: Final = {NAME: "the database", f"{NAME}-wal": "its log", "": "the directory"}
"""Where a cut can come between a write and its fsync."""

_TRANSFERS = Statement[tuple[str]](lambda: sa.text("SELECT ref FROM transfer"))
_EVENTS = Statement[tuple[str, str]](
    lambda: sa.text(
        "SELECT substr(e.id, 7), t.ref FROM event e LEFT JOIN transfer t ON t.id = e.transfer_id ORDER BY e.seq"
    )
)
_ANSWERS = Statement[tuple[str, int]](lambda: sa.text('SELECT "key", refusal IS NOT NULL FROM request'))


@dataclass(frozen=True)
class Found:
    """What is in a database after a cut."""

    transfers: set[str]
    events: list[tuple[str, str]]
    answers: dict[str, int]
    broken: list[object]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where syncing costs nothing."""
    folder = Path(tempfile.mkdtemp(prefix="shoutgraph-", dir=MEMORY if MEMORY.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def empty(tmp_path: Path) -> dict[str, bytes]:
    """A disk with a migrated database."""
    return {NAME: databases.migrated(tmp_path).read_bytes()}


def find(tx: Tx) -> Found:
    return Found(
        transfers={ref for (ref,) in tx.all(_TRANSFERS)},
        events=tx.all(_EVENTS),
        answers=dict(tx.all(_ANSWERS)),
        broken=[*ledger_proof.verify(tx)],
    )


def reopened(path: Path, clock: Clock) -> Found:
    """What the store finds when it is opened again; it works, and the file is sound."""
    store = databases.opened(path, clock, readers=1)
    try:
        found = store.read_now(find)
        store.write_now(lambda tx: outage.topup(tx, "after", outage.FANS[0]))
    finally:
        store.close()
    connection = dbapi.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    return found


@dataclass
class Trial:
    """Lives of one database and the cuts that ended them."""

    folder: Path
    clock: Clock
    chance: random.Random
    promise: Promise

    def run(self, files: dict[str, bytes]) -> Counter[str]:
        """Cuts the power again and again; gives what was seen."""
        seen = Counter[str]()
        acks: dict[str, bool] = {}
        generations = GENERATIONS if self.promise.breaks is None else 1  # nobody goes on with a damaged database
        for generation in range(generations):
            disk = Disk(files)
            disk.lies = self.promise.lies
            life = outage.live(disk, self.chance, str(generation), self.clock, self.promise.settings)
            count = CUTS_OF_A_ROUND // generations
            places = [self.place(len(disk.log)) for _ in range(count)]
            goes_on = self.chance.randrange(count)
            for number, cut in enumerate(disk.cuts(places, self.chance)):
                told = acks | {ack.ref: ack.refused for ack in life.acks if ack.place <= cut.place}
                seen.update(self.look(cut.files, told, life))
                seen.update(f"in {HIT[name]}" for name in cut.hit)
                if number == goes_on:
                    files, kept = cut.files, told
            disk.remove()
            acks = kept
        return seen

    def place(self, calls: int) -> int:
        """When the power fails: at any moment, or while the database is opened or closed."""
        edge = min(EDGE_CALLS, calls)
        ends = ((0, calls), (0, calls), (0, edge), (calls - edge, calls))
        return self.chance.randint(*self.chance.choice(ends))

    def look(self, files: dict[str, bytes], told: Mapping[str, bool], life: Life) -> Counter[str]:
        """What is found after one cut."""
        seen = Counter({"cuts": 1, "acknowledged": len(told), "lost": 0, "unacknowledged but whole": 0, "damaged": 0})
        for path in self.folder.iterdir():
            path.unlink()
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        try:
            found = reopened(self.folder / NAME, self.clock)
            seen["lost"] += lost(found, told)
            check_whole(found, life)
            seen["unacknowledged but whole"] += len(found.answers.keys() - told.keys())
        except Exception:  # damage shows in many ways
            if self.promise.breaks is None:
                raise
            seen["damaged"] += 1
        return seen


def lost(found: Found, told: Mapping[str, bool]) -> int:
    """How many commands were acknowledged and are not there."""
    return sum(ref not in found.answers for ref in told)


def check_whole(found: Found, life: Life) -> None:
    """Each command is there with all it did, or not at all, in the order in which it was done."""
    carried_out = {ref for ref, refused in found.answers.items() if not refused}
    assert found.transfers == carried_out, "a transfer and its stored answer are there together"
    assert [ref for ref, _ in found.events] == [ref for _, ref in found.events], "events name their transfers"
    assert {ref for ref, _ in found.events} == found.transfers, "a transfer and its event are there together"
    assert [ref for ref, _ in found.events] == life.history[: len(found.events)], "history is a prefix"
    assert found.broken == []


def test_no_power_cut_loses_what_was_acknowledged(
    folder: Path, empty: dict[str, bytes], clock: Clock, extent: Extent
) -> None:
    seen, began = Counter[str](), time.monotonic()
    for _ in extent.seeds("cuts", suite=2 * CUTS_OF_A_ROUND, soak=20_000, each=CUTS_OF_A_ROUND):
        seen.update(Trial(folder, clock, extent.chance, KEPT).run(empty))
        assert seen["lost"] == seen["damaged"] == 0
    rate = seen["cuts"] / (time.monotonic() - began)
    extent.tell(", ".join(f"{count} {what}" for what, count in seen.items()) + f"; {rate:.0f} cuts a second")
    assert seen["acknowledged"] > seen["cuts"], "the cuts came while clients were answered"
    assert seen["unacknowledged but whole"] > 0, "some came between a commit and its answers"
    assert all(seen[f"in {each}"] for each in HIT.values()), "some came between a write and its fsync, everywhere"


@pytest.mark.parametrize("promise", [NORMAL, OFF, LYING], ids=["NORMAL", "OFF", "a lying disk"])
def test_the_simulator_finds_what_weaker_promises_lose(
    folder: Path, empty: dict[str, bytes], clock: Clock, extent: Extent, promise: Promise
) -> None:
    seen = Counter[str]()
    for _ in extent.seeds("cuts", suite=CUTS_OF_A_ROUND, soak=1_000, each=CUTS_OF_A_ROUND):
        seen.update(Trial(folder, clock, extent.chance, promise).run(empty))
    extent.tell(", ".join(f"{count} {what}" for what, count in seen.items()))
    assert promise.breaks is not None
    assert seen[promise.breaks] > 0
    assert promise is not NORMAL or not seen["damaged"], "it forgets the newest, and keeps the rest whole"
