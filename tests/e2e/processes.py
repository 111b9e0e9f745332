"""Real processes of the command line: servers that are killed and started again, and commands that end."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Self

import httpx

from shoutgraph.cli.demo.server import free_port

PATIENCE_S = 30.0
LOOK_S = 0.02
LAVISH = {
    "SHOUTGRAPH_RATE_ANONYMOUS": "0",  # nor is anybody counted who guesses tokens
    "SHOUTGRAPH_RATE_PERSON": "1000000",
    "SHOUTGRAPH_RATE_STAFF": "1000000",
    "SHOUTGRAPH_CONNECTIONS": "0",
}
"""Points a second: a test asks in a second what people ask in a day."""
ROOT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    """The environment of every child: ours without settings, and with wide, plain output."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SHOUTGRAPH_")}
    return ours | LAVISH | {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "250", "PYTHONUNBUFFERED": "1"}


def command(*arguments: object) -> list[str]:
    """How a person starts shoutgraph."""
    return [sys.executable, "-m", "shoutgraph", *map(str, arguments)]


def run(*arguments: object, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(
        command(*arguments),
        env=environment() | more,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def orders_in(said: str) -> int:
    """The number of orders that a proof says it looked at."""
    found = re.search(r"([0-9,]+) orders?\b", said)
    assert found is not None, said
    return int(found.group(1).replace(",", ""))


class Nursery:
    """Our side of the nursery: see the module of that name."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.nursery"],
            env=environment(),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, *arguments: object, log: Path, **env: str) -> int:
        """Starts a command, with more in its environment; gives the number of its process."""
        return int(self._ask({"start": [*map(str, arguments)], "log": str(log), "env": env})["pid"])

    def wait(self, pid: int) -> int:
        """Waits for the end of a process; gives its exit code, negative for a signal."""
        return int(self._ask({"wait": pid})["code"])

    def run(self, *arguments: object, log: Path, **env: str) -> tuple[int, str]:
        """Runs a command to its end; gives its exit code and what it said."""
        log.unlink(missing_ok=True)
        code = self.wait(self.start(*arguments, log=log, **env))
        return code, log.read_text()

    def prove(self, folder: Path) -> int:
        """Proves the books of a data folder; gives how many orders they know."""
        code, said = self.run("ledger", "verify", "--data-dir", folder, log=folder / "proof.log")
        assert code == 0, said
        return orders_in(said)

    def close(self) -> None:
        """Ends the nursery and what it started."""
        self._pipe(self._process.stdin).close()
        self._process.wait(PATIENCE_S)
        self._pipe(self._process.stdout).close()

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        inbox = self._pipe(self._process.stdin)
        inbox.write(json.dumps(order) + "\n")
        inbox.flush()
        answer: dict[str, Any] = json.loads(self._pipe(self._process.stdout).readline())
        return answer

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None, "both ends were asked for"
        return pipe


@dataclass
class Server:
    """`shoutgraph serve` on one data folder and one port, as often as it is started again."""

    nursery: Nursery
    folder: Path
    port: int = field(default_factory=free_port)
    pid: int | None = None
    kills: int = 0
    env: dict[str, str] = field(default_factory=dict)
    more: Sequence[object] = ()
    """Options of `serve` beside the usual ones."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/graphql"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def arguments(self) -> Sequence[object]:
        return ("serve", "--port", self.port, "--data-dir", self.folder, "--test-clock", *self.more)

    def launch(self) -> None:
        """Starts it."""
        assert self.pid is None, "it runs already"
        self.pid = self.nursery.start(*self.arguments, log=self.log, **self.env)

    def start(self) -> Self:
        """Starts it and waits until it answers."""
        self.launch()
        wait_healthy(self.url, self.log)
        return self

    def kill(self) -> None:
        """Ends it at once, whatever it is doing."""
        assert self.pid is not None, "it does not run"
        os.kill(self.pid, signal.SIGKILL)
        assert self._reap() == -signal.SIGKILL, self.log.read_text()
        self.kills += 1

    def stop(self) -> int:
        """Asks it to end; gives its exit code."""
        assert self.pid is not None, "it does not run"
        os.kill(self.pid, signal.SIGTERM)
        return self._reap()

    def _reap(self) -> int:
        assert self.pid is not None, "it does not run"
        pid, self.pid = self.pid, None
        return self.nursery.wait(pid)


def wait_healthy(url: str, log: Path) -> None:
    """Waits until a server answers."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/health", timeout=PATIENCE_S).status_code == httpx.codes.OK:
                return
        time.sleep(LOOK_S)
    raise AssertionError(f"no answer within {PATIENCE_S} s: {log.read_text(errors='replace')}")


@contextlib.contextmanager
def serving(*arguments: object, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A command as a person starts it, until the block ends; killed if it has not ended by then."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command(*arguments),
            env=environment(),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE_S)
