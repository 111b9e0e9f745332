"""One nursery and one market for the folder; every test gets a copy of the market and servers of its own."""

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.market import Market, prepare
from tests.e2e.processes import Nursery, Server

KILLS = int(os.environ.get("SHOUTGRAPH_KILLS", "12"))
"""How often servers are killed in all."""


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture(scope="session")
def first_market(tmp_path_factory: pytest.TempPathFactory) -> Market:
    return asyncio.run(prepare(tmp_path_factory.mktemp("market")))


@pytest.fixture
def market(first_market: Market, tmp_path: Path) -> Market:
    folder = tmp_path / "data"
    shutil.copytree(first_market.folder, folder)
    return first_market.at(folder)


@pytest.fixture
def server(nursery: Nursery, market: Market) -> Iterator[Server]:
    server = Server(nursery, market.folder).start()
    yield server
    if server.pid is not None:
        assert server.stop() == 0, server.log.read_text()


@pytest.fixture
def kills() -> int:
    """How often one of the two killing tests kills."""
    return max(KILLS // 2, 1)
