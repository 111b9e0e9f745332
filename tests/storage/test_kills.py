"""What was acknowledged is there after any kill; what was not is there whole or not at all."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from tests import postgres
from tests.soak import Extent
from tests.storage import databases, killed
from tests.storage.databases import Clock, Kind, Place, Where

from shoutgraph.storage import ledger_proof
from shoutgraph.storage.engine import Tx
from shoutgraph.storage.statements import Statement

ROOT = Path(__file__).parents[2]
KILLS_OF_A_ROUND = {Kind.SQLITE: 30, Kind.POSTGRESQL: 12}
LIFE_S = {Kind.SQLITE: 0.25, Kind.POSTGRESQL: 0.5}
"""How long a process may serve at most before it is killed; many die in their first batches."""
FRUITFUL = 3
"""Of so many processes one is not killed before it acknowledged something, however slow the machine is."""

_REFS = Statement[tuple[str]](lambda: sa.text("SELECT ref FROM transfer WHERE kind = 'gift'"))
_TOLD = Statement[tuple[str]](
    lambda: sa.text("SELECT t.ref FROM event e JOIN transfer t ON t.id = e.transfer_id WHERE e.id = 'event_' || t.ref")
)
_LINES = Statement[tuple[str]](lambda: sa.text("SELECT state FROM suspense_line"))


def durable(tx: Tx) -> tuple[set[str], set[str]]:
    """The transfers that are there, and those whose event is there too."""
    return {ref for (ref,) in tx.all(_REFS)}, {ref for (ref,) in tx.all(_TOLD)}


@contextmanager
def open_nursery(where: Where, acknowledged: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", killed.__name__, str(where), str(acknowledged)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def kill_one(nursery: subprocess.Popen[str], run: str, life_s: float, fruit: Path | None) -> None:
    """Kills a process after that long; with a file of acknowledgements, not before it grew."""
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(f"{run}\n")
    nursery.stdin.flush()
    said = {nursery.stdout.readline().strip(), nursery.stdout.readline().strip()}
    pid = int((said - {"serving"}).pop())
    assert "serving" in said, "the process serves what its killed forerunner left"
    if fruit is not None:
        size = fruit.stat().st_size if fruit.exists() else 0
        postgres.wait_until(lambda: fruit.exists() and fruit.stat().st_size > size)
    time.sleep(life_s)
    os.kill(pid, signal.SIGKILL)
    assert nursery.stdout.readline() == "gone\n"


def kill_and_prove(place: Place, clock: Clock, chance: random.Random) -> tuple[int, int]:
    """Kills many in a row; gives how many transfers were acknowledged, and how many are there."""
    where, acknowledgements = place.database(), place.folder / "acknowledged"
    kills, life_s = KILLS_OF_A_ROUND[place.kind], LIFE_S[place.kind]
    with open_nursery(where, acknowledgements) as nursery:
        for run in range(kills):
            fruit = None if run % FRUITFUL else acknowledgements
            kill_one(nursery, f"run{run}", chance.random() * life_s, fruit)
    acknowledged = set(acknowledgements.read_text().split())
    store = databases.opened(where, clock, readers=1)
    store.settle_journal_now()
    transfers, told = store.read_now(durable)
    assert acknowledged <= transfers
    assert told == transfers, "a transfer and its event are there together or not at all"
    lines = Counter(state for (state,) in store.read_now(lambda tx: tx.all(_LINES)))
    assert lines["OPEN"], "lines are in suspense when processes die"
    assert lines["CLEARED"], "and leave it"
    assert store.read_now(ledger_proof.verify) == []
    assert len(acknowledged) >= kills // FRUITFUL, "the processes worked before they died"
    store.close()
    return len(acknowledged), len(transfers)


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(place: Place, clock: Clock, extent: Extent) -> None:
    acknowledged = kept = kills = 0
    each = KILLS_OF_A_ROUND[place.kind]
    for seed in extent.seeds("kills", suite=each, soak=3_000, each=each):
        folder = place.folder / str(seed)
        folder.mkdir()
        with databases.placed(place.kind, folder) as round_place:
            told, there = kill_and_prove(round_place, clock, extent.chance)
        acknowledged, kept, kills = acknowledged + told, kept + there, kills + each
        shutil.rmtree(folder)
    extent.tell(f"{kills} kills: {acknowledged} acknowledged, 0 lost, {kept} there and whole")
