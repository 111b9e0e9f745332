"""What was acknowledged is there after any kill; what was not is there whole or not at all."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.storage import databases, killed
from tests.storage.databases import Clock

from shoutgraph.storage import ledger_proof
from shoutgraph.storage.engine import Tx
from shoutgraph.storage.statements import Statement

ROOT = Path(__file__).parents[2]
KILLS = 30
LIFE_S = 0.25
"""How long a process may serve at most before it is killed; many die in their first batches."""

_REFS = Statement[tuple[str]](lambda: sa.text("SELECT ref FROM transfer WHERE kind = 'gift'"))
_TOLD = Statement[tuple[str]](
    lambda: sa.text("SELECT t.ref FROM event e JOIN transfer t ON t.id = e.transfer_id WHERE e.id = 'event_' || t.ref")
)


def durable(tx: Tx) -> tuple[set[str], set[str]]:
    """The transfers that are there, and those whose event is there too."""
    return {ref for (ref,) in tx.all(_REFS)}, {ref for (ref,) in tx.all(_TOLD)}


@pytest.fixture
def nursery(path: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", killed.__name__, str(path), str(tmp_path / "acknowledged")]
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


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(
    nursery: subprocess.Popen[str], path: Path, tmp_path: Path, clock: Clock
) -> None:
    chance = random.Random(7)  # noqa: S311 - a repeatable choice
    for run in range(KILLS):
        kill_one(nursery, f"run{run}", chance.random() * LIFE_S)
    acknowledged = set((tmp_path / "acknowledged").read_text().split())
    store = databases.opened(path, clock, readers=1)
    transfers, told = store.read_now(durable)
    assert acknowledged <= transfers
    assert told == transfers, "a transfer and its event are there together or not at all"
    assert store.read_now(ledger_proof.verify) == []
    assert len(acknowledged) > KILLS * killed.IN_FLIGHT, "the processes worked before they died"
    store.close()
