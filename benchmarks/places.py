"""Where it is measured: a database of its own and a server beside it, both gone afterwards."""

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psutil
import psycopg
from psycopg import sql
from tests import postgres

from benchmarks import market, raw, raw_postgresql
from benchmarks.market import Market
from shoutgraph import settings
from shoutgraph.cli.demo.server import free_port
from shoutgraph.storage import migrations

START_S = 60.0
POLL_S = 0.01


@dataclass(frozen=True)
class Place:
    """A database that may be filled, and a folder beside it."""

    title: str
    folder: Path
    url: str | None
    """Where PostgreSQL has it; None for a file in the folder."""

    @property
    def environment(self) -> dict[str, str]:
        """What a server is told of it."""
        return {} if self.url is None else {"SHOUTGRAPH_DATABASE_URL": self.url}

    @property
    def settings(self) -> dict[str, Any]:
        """The same for this process."""
        return {"data_dir": self.folder} | ({} if self.url is None else {"database_url": self.url})

    @property
    def file(self) -> Path:
        """The embedded database."""
        return self.folder / "shoutgraph.db"

    def migrate(self) -> None:
        """Makes the tables."""
        migrations.upgrade(self.file if self.url is None else self.url)

    def fill(self, *, creators: int, fans: int) -> Market:
        """Adds a market to it."""
        return asyncio.run(market.prepare(settings.load(self.settings, {}), creators=creators, fans=fans))

    def raw_orders(self, seconds: float) -> float:
        """Orders a second by hand, one commit each: the best of one connection and of eight, where there are any."""
        if self.url is None:
            return raw.orders_per_second(self.folder, seconds)
        return max(raw_postgresql.orders_per_second(self.url, seconds, connections=count) for count in (1, 8))

    def raw_pages(self, seconds: float) -> float:
        """Pages a second by hand from the same tables."""
        if self.url is None:
            return raw.pages_per_second(self.file, seconds)
        return raw_postgresql.pages_per_second(self.url, seconds)


@contextmanager
def sqlite() -> Iterator[Place]:
    """An embedded database that is not there yet."""
    with tempfile.TemporaryDirectory() as name:
        yield Place("SQLite", Path(name), None)


@contextmanager
def cluster(url: str | None = None) -> Iterator["Servers"]:
    """A PostgreSQL that keeps what it commits: of its own, or the one where a URL names an empty database."""
    if url is not None:
        yield Servers(url)
        return
    with postgres.Cluster(durable=True) as started:
        started.start()
        yield Servers(started.url())


@dataclass
class Servers:
    """Gives databases of one PostgreSQL."""

    url: str
    made: int = 0

    @contextmanager
    def place(self) -> Iterator[Place]:
        """A new empty database, or the named one the first time."""
        self.made += 1
        name = f"shoutgraph_benchmark_{self.made}"
        with psycopg.connect(self.url, autocommit=True) as connection, tempfile.TemporaryDirectory() as folder:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            try:
                yield Place("PostgreSQL", Path(folder), _beside(self.url, name))
            finally:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _beside(url: str, database: str) -> str:
    """The same server's other database."""
    return urlsplit(url)._replace(path=f"/{database}").geturl()


LAVISH: Final = {f"SHOUTGRAPH_RATE_{kind}": "1000000000" for kind in ("ANONYMOUS", "PERSON", "STAFF")} | {
    "SHOUTGRAPH_CONNECTIONS": "0"
}
"""A few clients ask as fast as they can; their points are counted like anybody's."""


@dataclass(frozen=True)
class Served:
    """A running server."""

    place: Place
    port: int
    process: int
    """Its process id."""
    start_s: float
    """What passed from its command until it answered a query for the first time."""

    @property
    def bytes(self) -> int:
        """The memory that it holds, with that of the processes it started."""
        root = psutil.Process(self.process)
        return sum(each.memory_info().rss for each in (root, *root.children(recursive=True)))


@contextmanager
def serving(place: Place, *, processes: int = 1) -> Iterator[Served]:
    """Runs `shoutgraph serve` until the block ends."""
    port = free_port()
    log = place.folder / f"serve-{processes}.log"
    start = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [
                *(sys.executable, "-m", "shoutgraph", "serve", "--workers", str(processes)),
                *("--port", str(port), "--data-dir", str(place.folder)),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | LAVISH | place.environment | _bytecode(place.folder),
        )
    try:
        _wait(process, port, log)
        yield Served(place, port, process.pid, time.perf_counter() - start)
    finally:
        process.terminate()
        process.wait()


def _bytecode(folder: Path) -> dict[str, str]:
    """Where Python is told to leave no bytecode among the sources, it goes to a folder: an installed server has it."""
    if not sys.dont_write_bytecode:
        return {}
    return {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    """Asks until it answers; a loop of ours, since a client's first request takes as long as a small server's start."""
    body = b'{"query":"{ creators(first: 1) { nodes { id } } }"}'
    head = f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=START_S) as connection:
            connection.sendall(f"{head}\r\nconnection: close\r\n\r\n".encode() + body)
            if connection.recv(12) == b"HTTP/1.1 200":
                return
        time.sleep(POLL_S)
    raise RuntimeError(log.read_text())
