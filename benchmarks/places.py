"""Where it is measured: a database of its own and a server beside it, both gone afterwards."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from tests import postgres

from benchmarks import market, raw, raw_postgresql
from benchmarks.market import Market
from shoutgraph import settings
from shoutgraph.cli.demo.server import free_port
from shoutgraph.storage import migrations

START_S = 60.0
POLL_S = 0.05


@dataclass(frozen=True)
class Place:
    """A filled database and what the machine does with it by hand."""

    title: str
    folder: Path
    market: Market
    environment: dict[str, str]
    raw_orders: float
    raw_pages: float | None


@contextmanager
def sqlite(seconds: float) -> Iterator[Place]:
    """The embedded database."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        filled = asyncio.run(market.prepare(settings.load({"data_dir": folder}, {})))
        orders = raw.orders_per_second(folder, seconds)
        pages = raw.pages_per_second(folder / "shoutgraph.db", seconds)
        yield Place("SQLite, synchronous=FULL", folder, filled, {}, orders, pages)


@contextmanager
def postgresql(seconds: float, url: str | None = None) -> Iterator[Place]:
    """A PostgreSQL that keeps what it commits: of its own, or the empty database that a URL names."""
    with tempfile.TemporaryDirectory() as name:
        if url is not None:
            yield _on_server(Path(name), url, seconds)
            return
        with postgres.Cluster(durable=True) as cluster:
            cluster.start()
            yield _on_server(Path(name), cluster.url(), seconds)


def _on_server(folder: Path, url: str, seconds: float) -> Place:
    orders = max(raw_postgresql.orders_per_second(url, seconds, connections=count) for count in (1, 8))
    migrations.upgrade(url)
    filled = asyncio.run(market.prepare(settings.load({"data_dir": folder, "database_url": url}, {})))
    return Place(
        "PostgreSQL, fsync and synchronous_commit on", folder, filled, {"SHOUTGRAPH_DATABASE_URL": url}, orders, None
    )


LAVISH: Final = {f"SHOUTGRAPH_RATE_{kind}": "1000000000" for kind in ("ANONYMOUS", "PERSON", "STAFF")}
"""A few clients ask as fast as they can; their points are counted like anybody's."""


@contextmanager
def serving(place: Place, *, processes: int = 1) -> Iterator[str]:
    """Runs `shoutgraph serve` until the block ends; gives its address."""
    port = free_port()
    log = place.folder / f"serve-{processes}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [
                *(sys.executable, "-m", "shoutgraph", "serve", "--workers", str(processes)),
                *("--port", str(port), "--data-dir", str(place.folder)),
            ],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | LAVISH | place.environment,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(process, f"{url}/health/ready", log)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(POLL_S)
    raise RuntimeError(log.read_text())
