"""Key files, and the clock that several processes move: real processes at once in one folder."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shoutgraph.files import key_files
from shoutgraph.files.travel import TravelClock

PATIENCE_S = 60
PROCESSES = 4
IMPORTS = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shoutgraph.api import tokens
from shoutgraph.files import key_files
from shoutgraph.files.travel import TravelClock
folder, wall = Path(sys.argv[1]), lambda: datetime(2026, 1, 1, tzinfo=UTC)
print("ready", flush=True)
sys.stdin.readline()
"""
MAKE = """
print(key_files.read_or_make(folder, "k").hex())
"""
SIGN = """
print(tokens.open_local(folder, clock=wall).issue("desk", role="admin", ttl=timedelta(hours=1)))
"""
ADVANCE = """
clock = TravelClock(folder / "test-clock", wall)
for _ in range(25):
    clock.advance(timedelta(seconds=1))
"""
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize("script", [MAKE, SIGN], ids=["a secret", "a signing key"])
def test_processes_that_start_at_once_have_one_key(tmp_path: Path, script: str):
    said = _at_once(script, tmp_path)
    assert len(said) == 1, "one key makes one answer"
    assert len(list(tmp_path.iterdir())) == 1, "drafts are gone"


def test_a_key_is_its_owners_only(tmp_path: Path):
    key = key_files.read_or_make(tmp_path, "k")
    assert key_files.read_or_make(tmp_path, "k") == key
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o600


def test_a_file_that_is_there_is_not_written_again(tmp_path: Path):
    assert key_files.write_once(tmp_path / "k", b"first")
    assert not key_files.write_once(tmp_path / "k", b"second")
    assert (tmp_path / "k").read_bytes() == b"first"


def test_time_that_several_processes_move_adds_up(tmp_path: Path):
    before = TravelClock(tmp_path / "test-clock", lambda: NOON)
    assert before() == NOON
    _at_once(ADVANCE, tmp_path)
    assert before() == NOON + timedelta(seconds=25 * PROCESSES), "it is read again when another process moved it"
    assert TravelClock(tmp_path / "test-clock", lambda: NOON)() == before(), "a restart keeps it"


def _at_once(script: str, folder: Path) -> set[str]:
    """What processes say that run this together, once each of them is ready."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", IMPORTS + script, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for process in running:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = set()
    for process in running:
        output, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
        said.add(output)
    return said
