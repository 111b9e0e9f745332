"""Several workers behind one port: killed while fans order, told to end in the middle of things, jobs elsewhere."""

import asyncio
import os
import random
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import pytest
from tests import postgres
from tests.api.harness import Client, Socket
from tests.e2e.crowd import PLACE, Crowd, new_key, wish
from tests.e2e.market import Market
from tests.e2e.pool import WORKERS, Pool, ServingPool, pool_of, working
from tests.e2e.processes import PATIENCE_S, Nursery, wait_healthy
from tests.e2e.shoppers import Shoppers, check_books
from tests.e2e.test_prices import DEMO
from tests.e2e.wire import FEED, until
from tests.postgres import wait_until
from tests.soak import Extent
from tests.storage.databases import outside

from shoutgraph.cli.demo.server import free_port

FANS = 16
KILLS = 4
ORDERS_BETWEEN = 40
SOCKETS = 4 * WORKERS
TOGETHER = 24
SECRETS = {"API_KEY": "a-key-of-the-provider", "WEBHOOKS": "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQ="}
PROVIDER = """
[providers.sandbox]
plugin = "sandbox"
base_url = "http://127.0.0.1:{port}"
api_key = {{ env = "API_KEY" }}
webhook_secrets = [{{ env = "WEBHOOKS" }}]
"""
ADVANCE = """mutation { testClockAdvance(input: {seconds: 691200}) { now errors { ... on UserError { code } } } }"""
BUY = """mutation ($input: TopUpCreateInput!) { topUpCreate(input: $input) {
  topUp { id status } errors { ... on UserError { code message } } } }"""

Open = Callable[[type[Pool]], AbstractContextManager[Pool]]


@pytest.fixture
def open_pool(nursery: Nursery, first_fleet_market: tuple[Market, str], tmp_path: Path) -> Iterator[Open]:
    market, template = first_fleet_market
    name = postgres.shared().create(template)
    folder = shutil.copytree(market.folder, tmp_path / "data")

    @contextmanager
    def opened(kind: type[Pool]) -> Iterator[Pool]:
        with pool_of(nursery, replace(market, folder=folder), postgres.shared().url(name), kind) as pool:
            yield pool

    yield opened
    postgres.shared().drop(name)


@pytest.fixture
def pool(open_pool: Open) -> Iterator[Pool]:
    with open_pool(Pool) as pool:
        yield pool


def test_no_order_is_lost_or_doubled_when_workers_are_killed(pool: Pool, extent: Extent):
    kills = extent.count("kills", suite=KILLS, soak=50)
    shoppers = Shoppers(pool, extent.chance, cancels=0.9)
    asyncio.run(_shop(pool, shoppers, kills, extent.chance))
    drained_s = _stop(pool)
    check_books(pool, shoppers.books)
    books, said = shoppers.books, pool.parent.log.read_text()
    assert "Traceback" not in said, said
    assert said.count("ended with -9 and is started again") == kills
    extent.tell(
        f"{kills} workers of {WORKERS} killed, {len(books.told)} orders; {books.said['lost']} answers lost,"
        f" {books.said['refused']} connections refused, {books.replayed} of them carried out; the longest wait"
        f" {books.longest_s:.2f} s; drained in {drained_s:.2f} s"
    )
    assert books.said["refused"] == 0, "somebody always accepts"


async def _shop(pool: Pool, shoppers: Shoppers, kills: int, chance: random.Random) -> None:
    going = True
    async with asyncio.TaskGroup() as group:
        group.create_task(shoppers.shop(FANS, lambda: going))
        for _ in range(kills):
            await shoppers.go_on(ORDERS_BETWEEN)
            victim = chance.choice(sorted(await asyncio.to_thread(lambda: pool.workers)))
            await asyncio.to_thread(pool.kill_worker, victim)
            await shoppers.go_on(ORDERS_BETWEEN)
            await asyncio.to_thread(pool.wait_for_workers)
        going = False


def _stop(pool: Pool) -> float:
    """Tells a pool to end, which it does well. Units: seconds."""
    began = time.monotonic()
    assert pool.parent.stop() == 0, pool.parent.log.read_text()
    return time.monotonic() - began


def test_a_drain_of_workers_ends_streams_kindly_and_finishes_what_has_begun(pool: Pool, extent: Extent):
    market, member = pool.market, pool.parent
    desk = market.token("desk", "service")
    fan = Client(member.url, market.token(market.rich_id))
    with ThreadPoolExecutor() as threads, ExitStack() as opened:
        sockets = [opened.enter_context(Socket(member.socket_url)) for _ in range(SOCKETS)]
        for socket in sockets:
            socket.init(desk).subscribe("feed", FEED)
        tools = [Client(member.url, desk) for _ in range(SOCKETS)]
        streams = [opened.enter_context(tool.events(FEED)) for tool in tools]
        with outside(pool.url) as raw, raw.transaction():
            raw.execute("LOCK TABLE request IN SHARE ROW EXCLUSIVE MODE")
            placing = threads.submit(fan.data, PLACE, input=wish(market.sellers[0].offer_id, new_key()))
            wait_until(lambda: bool(pool.ask("SELECT FROM pg_locks WHERE NOT granted")))
            ending = threads.submit(_stop, pool)
            assert {socket.closed()[0] for socket in sockets} == {1012}
            for stream in streams:
                last = stream.next()
                assert (last.name if last else None, stream.next()) == ("complete", None)
            assert not placing.done(), "streams end before the work that still runs"
        payload = placing.result(PATIENCE_S)["orderPlace"]
        assert (payload["order"]["status"], payload["errors"]) == ("SCREENING", [])
        extent.tell(f"{SOCKETS} sockets and {SOCKETS} streams ended, drained in {ending.result(PATIENCE_S):.2f} s")
    for client in (fan, *tools):
        client.close()
    assert pool.ask("SELECT id FROM orders") == [(payload["order"]["id"],)]
    assert pool.prove() == 1


def test_a_drain_of_workers_under_load_loses_no_acknowledged_order(pool: Pool, extent: Extent):
    crowd = Crowd(pool.market, pool.parent.port)

    async def order_until_stopped() -> float:
        clients = asyncio.create_task(crowd.place(FANS))
        await until(lambda: len(crowd.books.told) >= ORDERS_BETWEEN)
        took = await asyncio.to_thread(_stop, pool)
        await clients
        return took

    took = asyncio.run(order_until_stopped())
    placed = {order_id for (order_id,) in pool.ask("SELECT id FROM orders")}
    assert set(crowd.books.told.values()) <= placed
    assert len(placed) <= len(crowd.books.told) + len(crowd.books.open)
    assert "Traceback" not in pool.parent.log.read_text()
    extent.tell(f"{len(crowd.books.told)} orders by {FANS} clients, drained in {took:.2f} s")


def test_jobs_run_elsewhere_and_each_thing_is_done_once(open_pool: Open):
    with open_pool(ServingPool) as pool, working(pool, 2) as workers:
        market, url = pool.market, pool.parent.url
        fan = Client(url, market.token(market.rich_id))
        for at in range(TOGETHER):
            placed = fan.data(PLACE, input=wish(market.sellers[at].offer_id, new_key()))["orderPlace"]
            assert placed["errors"] == []
        admin = Client(url, market.token("ops", "admin"))
        assert admin.data(ADVANCE)["testClockAdvance"]["errors"] == []
        wait_until(lambda: bool(pool.ask("SELECT FROM orders WHERE state = 'CANCELLED' LIMIT 1")))
        os.kill(workers[0], signal.SIGKILL)
        assert pool.nursery.wait(workers[0]) == -signal.SIGKILL
        wait_until(lambda: pool.ask("SELECT DISTINCT state FROM orders") == [("CANCELLED",)])
        lines = [line["body"]["status"] for line in pool.journal() if line["topic"].startswith("order_")]
        assert sorted(lines) == ["CANCELLED"] * TOGETHER + ["SCREENING"] * TOGETHER
        fan.close()
        admin.close()
    assert pool.prove() == TOGETHER


def test_workers_share_the_simulated_provider(pool: Pool):
    _load_prices(pool)
    for _ in range(TOGETHER // 4):  # a new connection for each, so that the next worker may be asked
        made = _buy(pool, 700).json()
        assert made["data"]["topUpCreate"]["errors"] == [], made
        topup_id = made["data"]["topUpCreate"]["topUp"]["id"]
        _control(pool, "POST", f"payments/{topup_id}/pay")
    wait_until(lambda: pool.ask("SELECT DISTINCT status FROM topup") == [("PAID",)])

    def attempts() -> set[int]:
        return {notice["attempts"] for notice in _control(pool, "GET", "notices")["notices"]}

    wait_until(lambda: 0 not in attempts())  # who is told may have acted on it before it is written that they were
    assert attempts() == {1}, "each was told by one worker"


def test_a_drain_does_not_wait_for_a_provider_and_its_payment_is_taken_up_later(
    open_pool: Open, tmp_path: Path, extent: Extent
):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        config = tmp_path / "shoutgraph.toml"
        config.write_text(PROVIDER.format(port=silent.getsockname()[1]))

        class Waiting(Pool):
            environ = MappingProxyType({"SHOUTGRAPH_CONFIG": str(config)} | SECRETS)

        with open_pool(Waiting) as pool, ThreadPoolExecutor() as threads:
            silent.settimeout(PATIENCE_S)
            _load_prices(pool)
            buying = threads.submit(_buy, pool, 700)
            accepted, _ = silent.accept()
            took = _stop(pool)
            answer = buying.result(PATIENCE_S)
            told = answer.json()["errors"][0]["extensions"]
            assert (answer.status_code, told["code"], told["retryAfter"]) == (503, "UNAVAILABLE", 1)
            assert pool.ask("SELECT submission FROM topup") == [("SUBMITTING",)]
            assert "Traceback" not in pool.parent.log.read_text()
            extent.tell(f"a call of a provider was cut, drained in {took:.2f} s")
            pool.start()
            admin = Client(pool.parent.url, pool.market.token("ops", "admin"))
            assert admin.data(ADVANCE)["testClockAdvance"]["errors"] == []
            wait_until(lambda: pool.ask("SELECT submission FROM topup") == [("UNKNOWN",)])
            admin.close()
            accepted.close()


def _load_prices(pool: Pool) -> None:
    loading = ("prices", "load", DEMO, "--data-dir", pool.market.folder)
    log = pool.market.folder / "prices.log"
    code, said = pool.nursery.run(*loading, log=log, **pool.env)
    assert code == 0, said


def _buy(pool: Pool, coins: int) -> httpx.Response:
    """Asks for coins on a connection of its own."""
    wanted = {
        "idempotencyKey": new_key(),
        "buy": {"coins": str(coins)},
        "currency": "EUR",
        "providerCode": "sandbox",
        "returnUrl": "https://fan.example/back",
    }
    headers = {"authorization": f"Bearer {pool.market.token(pool.market.poor_id)}", "connection": "close"}
    body = {"query": BUY, "variables": {"input": wanted}}
    return httpx.post(f"{pool.parent.url}/graphql", json=body, headers=headers, timeout=PATIENCE_S)


def _control(pool: Pool, method: str, path: str) -> Any:
    """Asks the simulated provider for something, or does something to it."""
    key = (pool.market.folder / "sandbox.key").read_bytes().hex()
    headers = {"authorization": f"Bearer {key}", "connection": "close", "content-type": "application/json"}
    answer = httpx.request(method, f"{pool.parent.url}/sandbox/control/{path}", headers=headers, timeout=PATIENCE_S)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_readiness_is_told_by_every_worker(pool: Pool):
    for _ in range(2 * WORKERS):
        answer = httpx.get(f"{pool.parent.url}/health/ready", headers={"connection": "close"})
        assert (answer.status_code, answer.json()) == (200, {"status": "ready"})


def test_workers_on_the_embedded_database_are_refused(nursery: Nursery, tmp_path: Path):
    options = ("--port", 0, "--workers", 2, "--data-dir", tmp_path)
    said = "error: SQLite has one writing process: several workers need PostgreSQL.\n"
    assert nursery.run("serve", *options, log=tmp_path / "log") == (1, said)


def test_jobs_alone_say_how_they_are_and_end_well(nursery: Nursery, market: Market):
    port, log = free_port(), market.folder / "work.log"
    pid = nursery.start("work", "--data-dir", market.folder, "--health-port", port, log=log)
    wait_healthy(f"http://127.0.0.1:{port}", log)
    for path in ("live", "ready"):
        assert httpx.get(f"http://127.0.0.1:{port}/health/{path}").status_code == 200
    assert httpx.get(f"http://127.0.0.1:{port}/graphql").status_code == 404
    code, said = nursery.run("work", "--data-dir", market.folder, log=market.folder / "second.log")
    assert (code, "another process writes" in said) == (1, True), said
    os.kill(pid, signal.SIGTERM)
    assert nursery.wait(pid) == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def test_a_server_without_a_database_ends_before_any_worker_serves(nursery: Nursery, tmp_path: Path):
    empty = postgres.shared().create()
    log = tmp_path / "log"
    options = ("--port", 0, "--workers", WORKERS, "--data-dir", tmp_path)
    code, said = nursery.run("serve", *options, log=log, SHOUTGRAPH_DATABASE_URL=postgres.shared().url(empty))
    postgres.shared().drop(empty)
    assert code == 1, said
    assert said.count("error:") == 1, said
    assert "shoutgraph migrate" in said
    assert "Traceback" not in said
