"""A server that is stopped for a while, as by a debugger or a machine without time: it goes on as if nothing had been.

Everything is asked of it over HTTP, so that it is the same for any database behind it.
"""

import asyncio
import os
import random
import signal
from collections import Counter
from contextlib import suppress
from typing import Any

from tests.e2e.conftest import Stall
from tests.e2e.crowd import PLACE, new_key, wish
from tests.e2e.market import Market
from tests.e2e.processes import Nursery, Server
from tests.e2e.wire import LostError, Wire, until
from tests.soak import Extent

SUITE_STOP_S = 1.5
SOAK_STOP_S = 30.0
IMPATIENT_S = 0.5
"""How long a client waits for its first answer before it hangs up and asks again, under the same key; then longer."""

CLIENTS = 24
ORDERS_OF_A_CLIENT = 6
DUE_ORDERS = 300
"""More than one round of the jobs takes."""
SCREENING_S = 72 * 3_600
JOBS_S = 1.0
"""The pause between two rounds of the jobs."""

ROUND_S = 100.0
"""What a round takes at most beyond the time that the server is stopped, on a slow machine."""

LIVES = """query Lives($after: String) { orders(role: FAN, first: 100, after: $after) {
  nodes { id revision status } pageInfo { hasNextPage endCursor } } }"""
EVENTS = """query Events($after: String) { orderEvents(first: 97, after: $after) {
  nodes { ... on OrderStatusChangedEvent { orderId orderRevision status } } pageInfo { hasNextPage endCursor } } }"""
ADVANCE = """mutation Advance($seconds: Int!) { testClockAdvance(input: {seconds: $seconds}) {
  now errors { ... on UserError { code } } } }"""


async def stand_still(server: Server, seconds: float) -> None:
    """The server does nothing for so long, and does not know it."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(seconds)
    finally:
        os.kill(server.pid, signal.SIGCONT)


class Impatient:
    """A client that hangs up on a slow server and asks again; it counts how often."""

    def __init__(self, port: int, token: str) -> None:
        self._wire = Wire(port, token)
        self.hung_up = 0

    async def place(self, given: dict[str, Any]) -> Any:
        """The payload of one order, asked for until it is told."""
        while True:
            with suppress(LostError, TimeoutError):
                async with asyncio.timeout(IMPATIENT_S * (1 + self.hung_up)):
                    return (await self._wire.once(PLACE, input=given))["orderPlace"]
            self.hung_up += 1
            self._wire.close()
            await asyncio.sleep(IMPATIENT_S / 10)

    def close(self) -> None:
        self._wire.close()


async def read_all(market: Market, port: int, query: str, name: str, *, subject: str, role: str) -> list[Any]:
    """All nodes of a paged query."""
    nodes, after, more = [], None, True
    with Wire(port, market.token(subject, role)) as wire:
        while more:
            page = (await wire.once(query, after=after))[name]
            nodes += page["nodes"]
            after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    return nodes


def test_no_command_is_lost_or_doubled_when_the_server_stands_still(nursery: Nursery, stall: Stall, extent: Extent):
    seconds = SOAK_STOP_S if extent.long else SUITE_STOP_S
    total = Counter[str]()
    for seed in extent.seeds("stops", suite=1, soak=20):
        with stall(seed) as (server, market):
            total.update(asyncio.run(_order_through_a_stop(server, market, seconds, extent.chance)))
            assert nursery.prove(market.folder) == CLIENTS * ORDERS_OF_A_CLIENT
    extent.tell(", ".join(f"{count} {what}" for what, count in total.items()))


async def _order_through_a_stop(server: Server, market: Market, seconds: float, chance: random.Random) -> Counter[str]:
    told: list[tuple[str, bool]] = []
    clients = [Impatient(server.port, market.token(market.rich_id)) for _ in range(CLIENTS)]

    async def order(client: Impatient) -> None:
        for _ in range(ORDERS_OF_A_CLIENT):
            payload = await client.place(wish(chance.choice(market.sellers).offer_id, new_key()))
            assert payload["errors"] == [], payload
            told.append((payload["order"]["id"], payload["replayed"]))

    async with asyncio.timeout(seconds + ROUND_S):
        ordering = asyncio.gather(*map(order, clients))
        least = chance.randint(1, CLIENTS * ORDERS_OF_A_CLIENT // 2)
        await until(lambda: len(told) >= least)
        assert not ordering.done(), "it stands still while clients order"
        await stand_still(server, seconds)
        await ordering
        lives = await read_all(market, server.port, LIVES, "orders", subject=market.rich_id, role="user")
    for client in clients:
        client.close()
    ids = [order_id for order_id, _ in told]
    assert sorted(ids) == sorted({life["id"] for life in lives}), "each key has one order, and each order one key"
    assert {life["status"] for life in lives} == {"SCREENING"}
    hung_up = sum(client.hung_up for client in clients)
    assert hung_up > 0, "clients did not wait for it"
    replayed = sum(again for _, again in told)
    return Counter({"stops": 1, "orders": len(ids), "times hung up": hung_up, "told of an order again": replayed})


def test_no_deadline_fires_twice_when_the_server_stands_still(nursery: Nursery, stall: Stall, extent: Extent):
    seconds = SOAK_STOP_S if extent.long else SUITE_STOP_S
    total = Counter[str]()
    for seed in extent.seeds("stops", suite=1, soak=20):
        with stall(seed) as (server, market):
            total.update(asyncio.run(_fire_through_a_stop(server, market, seconds, extent.chance)))
            assert nursery.prove(market.folder) == DUE_ORDERS
    extent.tell(", ".join(f"{count} {what}" for what, count in total.items()))


async def _fire_through_a_stop(server: Server, market: Market, seconds: float, chance: random.Random) -> Counter[str]:
    offers = [seller.offer_id for seller in market.sellers]
    async with asyncio.timeout(seconds + ROUND_S):
        with Wire(server.port, market.token(market.rich_id)) as fan:
            for at in range(DUE_ORDERS):
                await fan.once(PLACE, input=wish(offers[at % len(offers)], new_key()))
        with Wire(server.port, market.token("ops", "admin")) as ops:
            advanced = await ops.once(ADVANCE, seconds=SCREENING_S + 60)
        assert advanced["testClockAdvance"]["errors"] == []
        await _fired(market, server.port, least=chance.choice((0, 1, DUE_ORDERS // 2)))
        await stand_still(server, seconds)
        await _fired(market, server.port, least=DUE_ORDERS)
        await asyncio.sleep(2 * JOBS_S)  # further rounds of the jobs find nothing
        events = await read_all(market, server.port, EVENTS, "orderEvents", subject="desk", role="service")
        lives = await read_all(market, server.port, LIVES, "orders", subject=market.rich_id, role="user")
    assert {(life["revision"], life["status"]) for life in lives} == {(2, "CANCELLED")}
    assert len(lives) == DUE_ORDERS
    seen = sorted((event["orderId"], event["orderRevision"], event["status"]) for event in events)
    steps = ((1, "SCREENING"), (2, "CANCELLED"))
    assert seen == sorted((life["id"], *step) for life in lives for step in steps), "each deadline fires once"
    return Counter({"stops": 1, "deadlines": DUE_ORDERS, "fired twice": 0})


async def _fired(market: Market, port: int, *, least: int) -> None:
    """Waits until so many deadlines have fired; the round's own bound ends it."""
    fired = 0
    while fired < least:
        events = await read_all(market, port, EVENTS, "orderEvents", subject="desk", role="service")
        fired = sum(event["status"] == "CANCELLED" for event in events)
