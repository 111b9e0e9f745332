"""A server that is killed while many clients order: what was acknowledged is there, the rest is whole or absent."""

import asyncio
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.e2e import journal
from tests.e2e.conftest import Stall
from tests.e2e.crowd import Crowd
from tests.e2e.market import PRICE, RICH_COINS, Market
from tests.e2e.processes import PATIENCE_S, Nursery, Server
from tests.e2e.wire import Wire, until
from tests.soak import Extent

CLIENTS = 64
KILLS_OF_A_ROUND = 4
FIRST_STARTS = 8
ORDERS = """query Orders($after: String) { orders(role: FAN, first: 100, after: $after) {
  nodes { id revision status price submittedAt brief { recipientName } deadlines { transition } }
  pageInfo { hasNextPage endCursor } } }"""


def test_no_acknowledged_order_is_lost_and_none_is_half_placed(nursery: Nursery, stall: Stall, extent: Extent):
    total = Counter[str]()
    for seed in extent.seeds("kills", suite=KILLS_OF_A_ROUND, soak=600, each=KILLS_OF_A_ROUND):
        with stall(seed) as (server, market):
            total.update(_kill_while_they_order(nursery, server, market, extent.chance))
    extent.tell(", ".join(f"{count} {what}" for what, count in total.items()))


def _kill_while_they_order(nursery: Nursery, server: Server, market: Market, chance: random.Random) -> Counter[str]:
    crowd = Crowd(market, server.port)
    lost = carried_out = 0
    for at in range(KILLS_OF_A_ROUND):
        asyncio.run(_order_until_killed(crowd, server, chance.uniform(0.0, 0.3), after_commit=at % 2 == 0))
        server.start()
        found = asyncio.run(_orders(market, server.port))
        _check_whole(found, market)
        told, open_keys = set(crowd.books.told.values()), len(crowd.books.open)
        assert told <= found.keys(), "every acknowledged order exists"
        assert len(found) <= len(told) + open_keys, "one key makes one order at most"
        replayed = asyncio.run(crowd.place_again())
        lost += len(replayed)
        carried_out += sum(replayed.values())
        assert len(found) - len(told) == sum(replayed.values()), "a repeat is told from a first time"
        assert nursery.prove(market.folder) == len(crowd.books.told)
    wallet, left = f"user:{market.rich_id}:paid", RICH_COINS - PRICE * len(crowd.books.told)
    said = nursery.run("ledger", "statement", wallet, "--data-dir", market.folder, log=server.log)[1]
    assert f" {left:,} " in said, "every coin is in the wallet or in an escrow"
    assert asyncio.run(_orders(market, server.port)).keys() == set(crowd.books.told.values())
    assert len(set(crowd.books.told.values())) == len(crowd.books.told), "each key has an order of its own"
    assert lost >= server.kills, "the kills hit requests in flight"
    assert carried_out > 0, "a kill came between a commit and its answers"
    placed = len(crowd.books.told)
    return Counter({"kills": server.kills, "orders": placed, "answers lost": lost, "of them carried out": carried_out})


def test_a_first_start_that_is_killed_leaves_nothing_in_the_way(nursery: Nursery, tmp_path: Path):
    folder = tmp_path / "data"
    folder.mkdir()
    server = Server(nursery, folder)
    for moment in range(FIRST_STARTS):
        server.launch()
        time.sleep(0.06 * (moment + 1))
        server.kill()
    assert server.start().stop() == 0, server.log.read_text()
    assert {path.stat().st_size for path in folder.glob("*.key")} == {32}
    assert nursery.prove(folder) == 0


async def _order_until_killed(crowd: Crowd, server: Server, seconds: float, *, after_commit: bool) -> None:
    """Kills at a random moment, or in the moment between a commit and its answers."""
    async with asyncio.timeout(PATIENCE_S):
        before = len(crowd.books.told)
        clients = asyncio.create_task(crowd.place(CLIENTS))
        await until(lambda: clients.done() or len(crowd.books.told) > before + CLIENTS // 2)
        await asyncio.sleep(seconds)
        if after_commit:
            await asyncio.to_thread(journal.wait_for_commit, crowd.market.database, PATIENCE_S)
        server.kill()
        await clients


async def _orders(market: Market, port: int) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    with Wire(port, market.token(market.rich_id)) as wire:
        after, more = None, True
        while more:
            page = (await wire.once(ORDERS, after=after))["orders"]
            found |= {order["id"]: order for order in page["nodes"]}
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    return found


def _check_whole(found: dict[str, dict[str, Any]], market: Market) -> None:
    events = [topic for _, _, topic in journal.stored(market.database) if topic.startswith("order_")]
    assert sorted(events) == sorted(found), "each order has the one event of its placing"
    for order in found.values():
        assert (order["status"], order["price"]) == ("SCREENING", str(PRICE)), order
        assert order["submittedAt"] is not None, order
        assert order["brief"] == {"recipientName": "Ada"}, order
        assert [deadline["transition"] for deadline in order["deadlines"]] == ["screening_timeout"], order
