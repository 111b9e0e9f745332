"""One of several servers is killed while fans order at all of them: the others go on, and nobody's order is lost."""

import asyncio
import random
import time
from statistics import median

from tests.e2e.fleet import Fleet
from tests.e2e.shoppers import Shoppers, check_books
from tests.soak import Extent

FANS = 24
KILLS = 5
ORDERS_BETWEEN = 40
ORDERS_MEANWHILE = 20
FREED = "what it held was free"
LED = "another one led"
WENT_ON = f"{ORDERS_MEANWHILE} more orders placed at the others"
ROUND_S = 240.0
"""What one kill and the start after it may take on a slow machine."""


def test_no_order_is_lost_or_doubled_when_servers_are_killed(fleet: Fleet, extent: Extent):
    kills = extent.count("kills", suite=KILLS, soak=50)
    shoppers = Shoppers(fleet, extent.chance)
    told = asyncio.run(_story(fleet, shoppers, kills, extent.chance))
    check_books(fleet, shoppers.books)
    books = shoppers.books
    assert books.said["lost"] >= kills, "the kills hit requests in flight"
    assert all("Traceback" not in said for said in fleet.said().values())
    extent.tell(
        f"{kills} kills, {len(books.told)} orders, {len(books.cancelled)} cancelled; {books.said['lost']} answers lost,"
        f" {books.replayed} of them carried out; the longest wait for an answer {books.longest_s:.2f} s"
    )
    extent.tell(
        "; ".join(f"{what}: median {median(took):.3f} s, at most {max(took):.3f} s" for what, took in told.items())
    )


async def _story(fleet: Fleet, shoppers: Shoppers, kills: int, chance: random.Random) -> dict[str, list[float]]:
    took: dict[str, list[float]] = {FREED: [], LED: [], WENT_ON: []}
    going = True
    async with asyncio.TaskGroup() as group:
        group.create_task(shoppers.shop(FANS, lambda: going))
        for at in range(kills):
            async with asyncio.timeout(ROUND_S):
                await shoppers.go_on(ORDERS_BETWEEN)
                await asyncio.sleep(chance.uniform(0.0, 0.3))
                await _kill(fleet, shoppers, at, took)
        going = False
    return took


async def _kill(fleet: Fleet, shoppers: Shoppers, at: int, took: dict[str, list[float]]) -> None:
    """Kills the leader or another one, at any moment or in the one between a commit and its answers."""
    leader = await asyncio.to_thread(fleet.wait_for_leader)
    victim = leader if at % 2 == 0 else fleet.other(leader)
    if at % 4 < 2:
        await asyncio.to_thread(fleet.wait_for_commit, victim)
    began = time.monotonic()
    victim.kill()
    await asyncio.to_thread(fleet.wait_for_end, victim)
    took[FREED].append(time.monotonic() - began)
    if victim is leader:
        assert await asyncio.to_thread(fleet.wait_for_leader) is not victim, "the dead do not lead"
        took[LED].append(time.monotonic() - began)
    await shoppers.go_on(ORDERS_MEANWHILE)
    took[WENT_ON].append(time.monotonic() - began)
    await asyncio.to_thread(victim.start)
