"""A deployment moves from its file to PostgreSQL by one command and one setting; subscribers and fans go on."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import postgres
from tests.e2e import drill, journal
from tests.e2e.crowd import Crowd
from tests.e2e.drill import Place
from tests.e2e.market import Market
from tests.e2e.processes import Nursery, Server
from tests.e2e.wire import Feed, over_socket, until
from tests.storage.databases import outside

CLIENTS = 8
ORDERS_MIN = 12
MOVE_S = 240


@pytest.fixture
def url() -> Iterator[str]:
    """An empty database, as an administrator makes it."""
    name = postgres.shared().create()
    yield postgres.shared().url(name)
    postgres.shared().drop(name)


@pytest.fixture
def place(nursery: Nursery, market: Market, tmp_path: Path) -> Place:
    return drill.place_of(nursery, market, tmp_path / "elsewhere")


async def _shop(place: Place, server: Server, feed: Feed) -> set[str]:
    crowd = Crowd(place.market, server.port)
    feed.stream = over_socket(server.port, place.market.token("desk", "service"))
    feed.cursor = feed.cursor or await journal.start_of(place.market, server.port)
    listening, clients = asyncio.create_task(feed.listen()), asyncio.create_task(crowd.place(CLIENTS))
    before = len(feed.heard)
    await until(lambda: min(len(crowd.books.told), len(feed.heard) - before) >= ORDERS_MIN)
    clients.cancel()
    await asyncio.gather(clients, return_exceptions=True)
    await until(lambda: set(crowd.books.told.values()) <= {event.order_id for event in feed.heard})
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    return set(crowd.books.told.values())


def shop(place: Place, feed: Feed) -> set[str]:
    """Fans place orders for a while, and somebody hears of all of them; gives those that were acknowledged."""
    with drill.serving(place) as server:
        return asyncio.run(_shop(place, server, feed))


@pytest.mark.timeout(MOVE_S)
def test_a_deployment_outgrows_its_file_and_nobody_notices(place: Place, url: str):
    feed = Feed(over_socket(0, ""), "")
    before = shop(place, feed)
    commands = ("migrate", "--data-dir", place.market.folder), ("move", f"sqlite:///{place.market.database}", url)
    for command in commands:
        log = place.elsewhere / f"{command[0]}.log"
        code, said = place.nursery.run(*command, log=log, SHOUTGRAPH_DATABASE_URL=url)
        assert code == 0, said
    place.env["SHOUTGRAPH_DATABASE_URL"] = url
    after = shop(place, feed)
    with outside(url) as raw:
        lines = raw.execute("SELECT id, topic FROM event WHERE topic LIKE 'order_%' ORDER BY seq").fetchall()
    assert before | after <= {topic for _, topic in lines}
    assert [event.id for event in feed.heard] == [name for name, _ in lines][: len(feed.heard)], "no gap and no repeat"
    code, said = place.run("ledger", "verify")
    assert (code, "0 ignored" in said) == (0, True), said
