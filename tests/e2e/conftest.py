"""One nursery and one market for the folder; every test gets a copy of the market and servers of its own."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests import postgres
from tests.api.harness import Client
from tests.e2e import crowd
from tests.e2e.fleet import Fleet, fleet_of
from tests.e2e.market import Market, prepare
from tests.e2e.processes import Nursery, Server
from tests.e2e.shop import Shop
from tests.storage.databases import Kind, outside, placed

from shoutgraph.storage import migrations


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
    return first_market.copy_to(tmp_path / "data")


@pytest.fixture
def server(nursery: Nursery, market: Market) -> Iterator[Server]:
    with _serving(nursery, market) as server:
        yield server


Stall = Callable[[int], AbstractContextManager[tuple[Server, Market]]]
"""A server with a market of its own for each number: for runs that begin anew in every round."""


@pytest.fixture
def stall(nursery: Nursery, first_market: Market, tmp_path: Path) -> Stall:
    @contextmanager
    def opened(number: int) -> Iterator[tuple[Server, Market]]:
        market = first_market.copy_to(tmp_path / str(number))
        with _serving(nursery, market) as server:
            yield server, market
        shutil.rmtree(market.folder)

    return opened


@pytest.fixture(scope="session")
def opened(nursery: Nursery, first_market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    market = first_market.copy_to(tmp_path_factory.mktemp("shop") / "data")
    server = Server(nursery, market.folder).start()
    fan, tool = Client(server.url, market.token(market.rich_id)), Client(server.url, market.token("desk", "service"))
    wish = crowd.wish(market.sellers[0].offer_id, crowd.new_key())
    order_id = fan.data(crowd.PLACE, input=wish)["orderPlace"]["order"]["id"]
    yield Shop(server, market, fan, tool, order_id)
    fan.close()
    tool.close()
    said = server.log.read_text()
    assert server.stop() == 0, said
    assert "Traceback" not in said, said
    assert nursery.prove(market.folder) == 1


@pytest.fixture
def shop(opened: Shop) -> Iterator[Shop]:
    before = opened.head()
    yield opened
    assert opened.head() == before, "nothing was done"
    assert opened.fan.http.get("/health").json() == {"status": "ok"}


@contextmanager
def _serving(nursery: Nursery, market: Market) -> Iterator[Server]:
    server = Server(nursery, market.folder).start()
    yield server
    if server.pid is not None:
        assert server.stop() == 0, server.log.read_text()


@pytest.fixture(scope="session")
def first_fleet_market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Market, str]]:
    """A market whose rows lie on the session's PostgreSQL, and the name of their database."""
    with placed(Kind.POSTGRESQL, tmp_path_factory.mktemp("fleet")) as place:
        url = str(place.database())
        yield asyncio.run(prepare(place.folder / "data", url)), urlsplit(url).path.strip("/")


@pytest.fixture
def fleet(nursery: Nursery, first_fleet_market: tuple[Market, str], tmp_path: Path) -> Iterator[Fleet]:
    """Two servers on one database."""
    market, template = first_fleet_market
    name = postgres.shared().create(template)
    folder = shutil.copytree(market.folder, tmp_path / "data")
    with fleet_of(nursery, replace(market, folder=folder), postgres.shared().url(name)) as fleet:
        yield fleet
    postgres.shared().drop(name)


@pytest.fixture
def durable() -> Iterator[postgres.Cluster]:
    """A PostgreSQL of its own that may be killed, and that notes the time of each commit."""
    with postgres.Cluster(durable=True) as cluster:
        with outside(cluster.url()) as raw:
            raw.execute("ALTER SYSTEM SET track_commit_timestamp = on")
        cluster.stop()
        cluster.start()
        migrations.upgrade(cluster.url())
        yield cluster


@pytest.fixture
def durable_fleet(nursery: Nursery, durable: postgres.Cluster, tmp_path: Path) -> Iterator[Fleet]:
    """Two servers on a database that survives."""
    market = asyncio.run(prepare(tmp_path / "data", durable.url()))
    with fleet_of(nursery, market, durable.url()) as fleet:
        yield fleet
