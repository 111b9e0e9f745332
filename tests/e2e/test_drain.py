"""SIGTERM: streams end in a way that makes clients come back, what has begun is finished, and the process ends well."""

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.api.harness import Client, Socket
from tests.e2e import journal
from tests.e2e.crowd import PLACE, Crowd, new_key, wish
from tests.e2e.market import Market
from tests.e2e.processes import Nursery, Server, serving, wait_healthy
from tests.e2e.wire import FEED

DRAIN_S = 10.0


def test_a_drain_ends_streams_kindly_and_finishes_what_has_begun(nursery: Nursery, server: Server, market: Market):
    fan = Client(server.url, market.token(market.rich_id))
    tool = Client(server.url, market.token("desk", "service"))
    with ThreadPoolExecutor() as threads, Socket(server.socket_url) as socket, tool.events(FEED) as stream:
        socket.init(market.token("desk", "service")).subscribe("feed", FEED)
        with _locked(market):
            placing = threads.submit(fan.data, PLACE, input=wish(market.sellers[0].offer_id, new_key()))
            time.sleep(0.3)
            assert not placing.done(), "the order waits for the disk"
            began = time.monotonic()
            ending = threads.submit(server.stop)
            assert socket.closed()[0] == 1012
            last = stream.next()
            assert (last.name if last else None, stream.next()) == ("complete", None)
            assert not placing.done(), "streams end before the work that still runs"
        payload = placing.result(DRAIN_S)["orderPlace"]
        assert (payload["order"]["status"], payload["errors"]) == ("SCREENING", [])
        assert ending.result(DRAIN_S) == 0, server.log.read_text()
        assert time.monotonic() - began < DRAIN_S
    fan.close()
    tool.close()
    assert not market.database.with_name("shoutgraph.db-wal").exists(), "the database was closed, not dropped"
    topics = [topic for _, _, topic in journal.stored(market.database)]
    assert [topic for topic in topics if topic.startswith("order_")] == [payload["order"]["id"]]
    assert nursery.prove(market.folder) == 1


def test_a_drain_under_load_loses_no_acknowledged_order(server: Server, market: Market):
    crowd = Crowd(market, server.port)

    async def order_until_stopped() -> int:
        clients = asyncio.create_task(crowd.place(16))
        await asyncio.sleep(0.4)
        code = await asyncio.to_thread(server.stop)
        await clients
        return code

    assert asyncio.run(order_until_stopped()) == 0, server.log.read_text()
    placed = {topic for _, _, topic in journal.stored(market.database) if topic.startswith("order_")}
    assert set(crowd.books.told.values()) <= placed
    assert len(placed) <= len(crowd.books.told) + len(crowd.books.open)
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_a_server_as_people_start_it_ends_well(market: Market, ending: signal.Signals):
    log = market.folder / "served.log"
    with serving("serve", "--port", 0, "--data-dir", market.folder, log=log) as process:
        url = _url_of(log)
        wait_healthy(url, log)
        os.kill(process.pid, ending)
        assert process.wait(DRAIN_S) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def _url_of(log: Path) -> str:
    deadline = time.monotonic() + DRAIN_S
    while time.monotonic() < deadline:
        words = log.read_text().split()
        if "serves" in words:
            return words[words.index("serves") + 1].removesuffix("/graphql")
        time.sleep(0.02)
    raise AssertionError("the server did not say where it listens")


@contextmanager
def _locked(market: Market) -> Iterator[None]:
    """Nothing can be written meanwhile."""
    connection = sqlite3.connect(market.database, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()
