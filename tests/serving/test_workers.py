"""Workers behind one port: real processes that are killed, stopped, broken and told to end."""

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE_S = 60.0
LOOK_S = 0.02
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Toy:
    """A parent with toy workers."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def lives(self) -> list[tuple[int, int, float]]:
        """The number, the process and the begin of every worker that ever lived."""
        path = self.folder / "lives"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(int(number), int(pid), float(at)) for number, pid, at in map(str.split, lines)]

    @property
    def said(self) -> str:
        return (self.folder / "log").read_text()

    def ask(self) -> tuple[int, int]:
        """The number and the process of the worker that answers."""
        with socket.create_connection(("127.0.0.1", int((self.folder / "port").read_text())), PATIENCE_S) as connection:
            number, pid = connection.makefile().readline().split()
        return int(number), int(pid)

    def until(self, true: Callable[[], object]) -> None:
        """Waits until something is true."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if true():
                return
            time.sleep(LOOK_S)
        raise AssertionError(self.said)

    def ready(self) -> "Toy":
        self.until((self.folder / "ready").exists)
        return self

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Tells the parent to end; gives its exit code."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_S)


@contextlib.contextmanager
def toy(folder: Path, count: int, manner: str = "fine", **changes: float) -> Iterator[Toy]:
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.serving.toy",
                str(count),
                str(folder),
                manner,
                *(f"{name}={value}" for name, value in changes.items()),
            ],
            cwd=ROOT,
            stdout=log,
            stderr=log,
        )
    parent = Toy(process, folder)
    try:
        yield parent
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE_S)
        parent.until(lambda: not any(_alive(pid) for _, pid, _ in parent.lives))


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_all_workers_end_when_the_parent_is_told(tmp_path: Path, how: signal.Signals):
    with toy(tmp_path, 3) as parent:
        parent.ready()
        assert {number for number, _, _ in parent.lives} == {0, 1, 2}
        assert parent.ask() in [(number, pid) for number, pid, _ in parent.lives]
        assert parent.end(how) == 0, parent.said
        with pytest.raises(ConnectionRefusedError):
            parent.ask()
    assert parent.said == ""


def test_a_killed_worker_is_replaced_while_the_others_answer(tmp_path: Path):
    with toy(tmp_path, 2) as parent:
        before = {pid for _, pid, _ in parent.ready().lives}
        for _ in range(3):
            _, victim = parent.ask()
            lived = len(parent.lives)
            os.kill(victim, signal.SIGKILL)
            parent.until(lambda pid=victim: not _alive(pid))
            while len(parent.lives) == lived:
                assert parent.ask()[1] != victim, "nobody is sent to the dead"
        assert parent.end() == 0, parent.said
    assert len(parent.lives) == 5
    assert before < {pid for _, pid, _ in parent.lives}
    assert parent.said.count("ended with -9 and is started again") == 3


def test_a_worker_that_is_stuck_is_killed_and_replaced(tmp_path: Path):
    with toy(tmp_path, 2, SILENT_S=3.0) as parent:
        number, victim, _ = parent.ready().lives[1]
        os.kill(victim, signal.SIGSTOP)
        parent.until(lambda: [of for of, _, _ in parent.lives].count(number) > 1)
        assert parent.end() == 0, parent.said
    assert f"worker {number} ({victim}) has not answered for 3.0 s and is killed" in parent.said


def test_workers_that_stood_still_with_their_parent_are_left_alone(tmp_path: Path):
    with toy(tmp_path, 2, SILENT_S=5.0, ASLEEP_S=1.0) as parent:
        pids = [pid for _, pid, _ in parent.ready().lives]
        for pid in (parent.process.pid, *pids):
            os.kill(pid, signal.SIGSTOP)
        time.sleep(5.5)
        for pid in (parent.process.pid, *pids):
            os.kill(pid, signal.SIGCONT)
        assert parent.ask()[1] in pids
        assert parent.end() == 0, parent.said
    assert len(parent.lives) == 2


@pytest.mark.parametrize(
    ("manner", "code", "lives"), [("broken", 3, {0}), ("second broken", 3, {0, 1}), ("raising", 70, {0})]
)
def test_workers_that_cannot_begin_end_the_parent(tmp_path: Path, manner: str, code: int, lives: set[int]):
    with toy(tmp_path, 2, manner) as parent:
        assert parent.process.wait(PATIENCE_S) == code, parent.said
    assert {number for number, _, _ in parent.lives} == lives
    assert ("RuntimeError: a bug" in parent.said) == (manner == "raising")
    assert not (tmp_path / "ready").exists()


def test_a_worker_that_dies_again_and_again_is_started_later_and_later(tmp_path: Path):
    with toy(tmp_path, 2, "broken later") as parent:
        number, victim, _ = parent.ready().lives[1]
        os.kill(victim, signal.SIGKILL)
        parent.until(lambda: len(parent.lives) == 6)
        begun = [at for of, _, at in parent.lives if of == number]
        assert parent.ask()[0] != number, "the other one goes on"
        assert parent.end() == 0, parent.said
    pauses = [later - at for at, later in itertools.pairwise(begun[1:])]
    assert [pause >= least for pause, least in zip(pauses, (0.5, 1.0, 2.0), strict=True)] == [True] * 3


def test_a_worker_that_does_not_end_is_killed(tmp_path: Path):
    with toy(tmp_path, 2, "deaf", END_S=1.0) as parent:
        parent.ready()
        assert parent.end() == 1
    assert parent.said.count("has not ended and is killed") == 2


def test_a_second_interrupt_ends_at_once(tmp_path: Path):
    with toy(tmp_path, 2, "deaf", END_S=PATIENCE_S) as parent:
        parent.ready()
        parent.process.send_signal(signal.SIGINT)
        parent.until(lambda: _refused(parent))
        assert parent.end(signal.SIGINT) == 1
    assert parent.said.count("has not ended and is killed") == 2


def test_workers_whose_parent_is_killed_end_by_themselves(tmp_path: Path):
    with toy(tmp_path, 3) as parent:
        parent.ready()
        parent.process.kill()
        parent.until(lambda: not any(_alive(pid) for _, pid, _ in parent.lives))


def _refused(parent: Toy) -> bool:
    # The deaf ones still listen; what shows that the parent was told is that it closed its own port.
    return f":{int((parent.folder / 'port').read_text()):04X} " not in _listening(parent.process.pid)


def _listening(pid: int) -> str:
    folder = Path(f"/proc/{pid}/fd")
    sockets = {str(each.readlink()).removeprefix("socket:[").rstrip("]") for each in folder.iterdir()}
    lines = Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]
    return "\n".join(line for line in lines if line.split()[9] in sockets)
