"""PostgreSQL is killed under servers that are ordered at: they stay, say that it is away, and go on when it is back."""

import asyncio
import random
import time
from statistics import median

import httpx
from tests import postgres
from tests.e2e import journal
from tests.e2e.audience import Audience, Subscriber, Taste, Transport
from tests.e2e.fleet import Fleet
from tests.e2e.shoppers import Shoppers, check_books, check_repeats
from tests.soak import Extent

FANS = 16
LISTENERS = 3
"""Of each transport."""

KILLS = 2
LONG_EVERY = 10
ORDERS_BETWEEN = 40
SHORT_S = 1.5
LONG_S = 14.0
"""Longer than a server seeks the database for what waits: then it says that it is away."""

REPEATS = 50
ROUND_S = 240.0
"""What a round may take on a slow machine."""

WENT_ON = "the next order"
READY = "every server ready"


def test_no_order_is_lost_when_the_database_is_killed(durable: postgres.Cluster, durable_fleet: Fleet, extent: Extent):
    kills = extent.count("kills", suite=KILLS, soak=50)
    story = _Story(durable, durable_fleet, extent.chance, kills, long=extent.long)
    lines = asyncio.run(story.live())
    expected = [line["id"] for line in lines if line["topic"].startswith("order_")]
    repeats = story.audience.check({"all": expected})
    books = story.shoppers.books
    assert books.said["UNAVAILABLE"] or not extent.long, "while it was away for long, fans were told so"
    assert not story.audience.ends, "streams wait for it; nobody has to come back"
    assert all(" failed at " not in said for said in durable_fleet.said().values()), "nobody was told of a bug"
    extent.tell(
        f"{kills} kills of PostgreSQL, {len(books.told)} orders acknowledged, 0 lost; {books.replayed} answers were"
        f" repeated; fans were told meanwhile: {dict(books.said)}; the longest wait {books.longest_s:.1f} s"
    )
    took = "; ".join(
        f"{what}: median {median(each):.2f} s, at most {max(each):.2f} s" for what, each in story.took.items()
    )
    extent.tell(f"after it was back {took}")
    extent.tell(f"{len(expected)} events for {2 * LISTENERS} subscribers, who stayed: gaps 0, repeats {repeats}")


class _Story:
    def __init__(
        self, database: postgres.Cluster, fleet: Fleet, chance: random.Random, kills: int, *, long: bool
    ) -> None:
        self.shoppers = Shoppers(fleet, chance)
        self.took: dict[str, list[float]] = {WENT_ON: [], READY: []}
        self.audience: Audience
        self._database = database
        self._fleet = fleet
        self._chance = chance
        self._kills = kills
        self._long = long

    async def live(self) -> list[dict[str, object]]:
        """Shops, listens and kills; gives the journal."""
        fleet = self._fleet
        start = await journal.start_of(fleet.market, fleet.ports[0])
        taste = Taste("all", fleet.market.token("desk", "service"))
        self.audience = Audience(fleet.ports, start.encode(), self._chance)
        for transport in LISTENERS * list(Transport):
            self.audience.subscribers.append(Subscriber(self.audience, taste, transport))
        pids = [member.pid for member in fleet.members]
        async with self.audience.listening():
            await self._kill_again_and_again()
            lines = await asyncio.to_thread(check_books, fleet, self.shoppers.books)
            await check_repeats(fleet, self.shoppers.books, self._chance, REPEATS)
            last = lines[-1]["id"].encode()
            await self.audience.until(lambda each: each.last == self.audience.numbers.get(last, -1), ROUND_S)
        assert [member.pid for member in fleet.members] == pids, "nobody had to start them again"
        return lines

    async def _kill_again_and_again(self) -> None:
        going = True
        async with asyncio.TaskGroup() as group:
            group.create_task(self.shoppers.shop(FANS, lambda: going))
            for at in range(self._kills):
                async with asyncio.timeout(ROUND_S):
                    await self.shoppers.go_on(ORDERS_BETWEEN)
                    await asyncio.sleep(self._chance.uniform(0.0, 0.3))
                    await self._kill(at)
            going = False

    async def _kill(self, at: int) -> None:
        """Kills it, for a short or for a long time."""
        await asyncio.to_thread(self._database.kill)
        await asyncio.to_thread(self._check_health, live=200, ready=503)
        long = self._long and at % LONG_EVERY == 1
        await asyncio.sleep(LONG_S if long else self._chance.uniform(0.0, SHORT_S))
        await asyncio.to_thread(self._database.start)
        began = time.monotonic()
        await self.shoppers.go_on(1)
        self.took[WENT_ON].append(time.monotonic() - began)
        await asyncio.to_thread(self._check_health, live=200, ready=200)
        self.took[READY].append(time.monotonic() - began)

    def _check_health(self, **expected: int) -> None:
        """Waits until every server says of itself what is so."""
        for member in self._fleet.members:
            for path, status in expected.items():
                postgres.wait_until(
                    lambda url=f"{member.url}/health/{path}", status=status: (
                        httpx.get(url, timeout=ROUND_S).status_code == status
                    )
                )
