"""Disks that fail: what was acknowledged is there, what was not is there whole or not at all, history is a prefix."""

import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from tests.soak import Extent
from tests.storage import aftermath, filled, outage
from tests.storage.databases import Clock
from tests.storage.outage import NAME, Life
from tests.storage.powercut import Disk, Trouble

from shoutgraph.storage import migrations

ROOT: Final = Path(__file__).parents[2]
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


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where syncing costs nothing."""
    folder = Path(tempfile.mkdtemp(prefix="shoutgraph-disk-", dir=MEMORY if MEMORY.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A disk with a migrated database."""
    path = tmp_path_factory.mktemp("empty") / NAME
    migrations.upgrade(path)
    return {NAME: path.read_bytes()}


@dataclass
class Trial:
    """Lives of one database and the cuts that ended them."""

    folder: Path
    clock: Clock
    chance: random.Random
    promise: Promise = KEPT
    trouble: Trouble = Trouble.NONE

    def run(self, files: dict[str, bytes]) -> Counter[str]:
        """Cuts the power again and again; gives what was seen."""
        seen = Counter[str]()
        acks: dict[str, bool] = {}
        generations = GENERATIONS if self.promise.breaks is None else 1  # nobody goes on with a damaged database
        for generation in range(generations):
            disk = Disk(files)
            disk.lies = self.promise.lies
            befall = self.befall(disk)
            life = outage.live(disk, self.chance, str(generation), self.clock, self.promise.settings, befall)
            seen.update({"stores closed": life.closed, "without an answer": len(life.unknown)})
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

    def befall(self, disk: Disk) -> Callable[[int], None]:
        """What happens to the disk: its trouble comes, and sometimes goes again."""
        begins = self.chance.randint(0, 3)
        ends = begins + self.chance.randint(1, 10)
        room = self.chance.choice((0, 0, 5_000, 20_000))

        def befall(batch: int) -> None:
            if batch == begins:
                disk.trouble, disk.capacity_bytes = self.trouble, disk.used_bytes + room
            elif batch == ends:
                disk.trouble = Trouble.NONE

        return befall

    def place(self, calls: int) -> int:
        """When the power fails: at any moment, or while the database is opened or closed."""
        edge = min(EDGE_CALLS, calls)
        ends = ((0, calls), (0, calls), (0, edge), (calls - edge, calls))
        return self.chance.randint(*self.chance.choice(ends))

    def look(self, files: dict[str, bytes], told: Mapping[str, bool], life: Life) -> Counter[str]:
        """What is found after one cut."""
        seen = Counter({"cuts": 1, "acknowledged": len(told), "lost": 0, "unacknowledged but whole": 0, "damaged": 0})
        path = aftermath.put_down(files, self.folder)
        try:
            found = aftermath.reopened(path, self.clock)
            seen["lost"] += aftermath.lost(found, told)
            aftermath.check_whole(found, life)
            seen["unacknowledged but whole"] += len(found.answers.keys() - told.keys())
        except Exception:  # damage shows in many ways
            if self.promise.breaks is None:
                raise
            seen["damaged"] += 1
        return seen


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


@pytest.mark.parametrize("trouble", [Trouble.FULL, Trouble.WRITE, Trouble.SYNC], ids=lambda trouble: trouble.name)
def test_a_disk_that_fails_loses_nothing_acknowledged(
    folder: Path, empty: dict[str, bytes], clock: Clock, extent: Extent, trouble: Trouble
) -> None:
    seen = Counter[str]()
    for _ in extent.seeds("cuts", suite=2 * CUTS_OF_A_ROUND, soak=5_000, each=CUTS_OF_A_ROUND):
        seen.update(Trial(folder, clock, extent.chance, trouble=trouble).run(empty))
        assert seen["lost"] == seen["damaged"] == 0
    extent.tell(", ".join(f"{count} {what}" for what, count in seen.items()))
    assert seen["without an answer"] > 0
    assert seen["stores closed"] > 0 or not extent.long, "three failures in a row are enough"


def test_a_disk_without_room_is_refused_until_there_is_room_and_a_restart(
    folder: Path, empty: dict[str, bytes], tmp_path: Path
) -> None:
    template = tmp_path / NAME
    template.write_bytes(empty[NAME])
    alone = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("nobody may mount a disk here")  # a kernel's or container's setting that no test can change
    command = [*alone, sys.executable, "-m", filled.__name__, str(template), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["told"] > 0
    assert seen["untold"] > 0
    assert (seen["lost"], seen["broken"]) == ([], [])
    assert all("database or disk is full" in said for said in seen["said"]), seen["said"]
    assert all("closed after 3 failures" in said for said in seen["closed"])
    assert len(seen["closed"]) == 1, "room alone does not open it again"
