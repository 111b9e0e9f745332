"""What was acknowledged is there after any kill; what was not is there whole or not at all."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from tests.soak import Extent
from tests.storage import databases, killed
from tests.storage.databases import Clock

from shoutgraph.storage import ledger_proof
from shoutgraph.storage.engine import Tx
from shoutgraph.storage.statements import Statement

ROOT = Path(__file__).parents[2]
KILLS_OF_A_ROUND = 30
LIFE_S = 0.25
"""How long a process may serve at most before it is killed; many die in their first batches."""

_REFS = Statement[tuple[str]](lambda: sa.text("SELECT ref FROM transfer WHERE kind = 'gift'"))
_TOLD = Statement[tuple[str]](
    lambda: sa.text("SELECT t.ref FROM event e JOIN transfer t ON t.id = e.transfer_id WHERE e.id = 'event_' || t.ref")
)


def durable(tx: Tx) -> tuple[set[str], set[str]]:
    """The transfers that are there, and those whose event is there too."""
    return {ref for (ref,) in tx.all(_REFS)}, {ref for (ref,) in tx.all(_TOLD)}


@contextmanager
def open_nursery(path: Path, acknowledged: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", killed.__name__, str(path), str(acknowledged)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def kill_one(nursery: subprocess.Popen[str], run: str, life_s: float) -> None:
    assert nursery.stdin is not None
    assert nursery.stdout is not None
    nursery.stdin.write(f"{run}\n")
    nursery.stdin.flush()
    said = {nursery.stdout.readline().strip(), nursery.stdout.readline().strip()}
    pid = int((said - {"serving"}).pop())
    assert "serving" in said, "the process serves what its killed forerunner left"
    time.sleep(life_s)
    os.kill(pid, signal.SIGKILL)
    assert nursery.stdout.readline() == "gone\n"


def kill_and_prove(folder: Path, clock: Clock, chance: random.Random) -> tuple[int, int]:
    """Kills many in a row; gives how many transfers were acknowledged, and how many are there."""
    path = databases.migrated(folder)
    with open_nursery(path, folder / "acknowledged") as nursery:
        for run in range(KILLS_OF_A_ROUND):
            kill_one(nursery, f"run{run}", chance.random() * LIFE_S)
    acknowledged = set((folder / "acknowledged").read_text().split())
    store = databases.opened(path, clock, readers=1)
    transfers, told = store.read_now(durable)
    assert acknowledged <= transfers
    assert told == transfers, "a transfer and its event are there together or not at all"
    assert store.read_now(ledger_proof.verify) == []
    assert len(acknowledged) > KILLS_OF_A_ROUND * killed.IN_FLIGHT, "the processes worked before they died"
    store.close()
    return len(acknowledged), len(transfers)


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(tmp_path: Path, clock: Clock, extent: Extent) -> None:
    acknowledged = kept = kills = 0
    for seed in extent.seeds("kills", suite=KILLS_OF_A_ROUND, soak=3_000, each=KILLS_OF_A_ROUND):
        folder = tmp_path / str(seed)
        folder.mkdir()
        told, there = kill_and_prove(folder, clock, extent.chance)
        acknowledged, kept, kills = acknowledged + told, kept + there, kills + KILLS_OF_A_ROUND
        shutil.rmtree(folder)
    extent.tell(f"{kills} kills: {acknowledged} acknowledged, 0 lost, {kept} there and whole")
