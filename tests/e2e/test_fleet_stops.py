"""One of two servers stands still, holding rows or leading: the other goes on, and later nothing is done twice."""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from statistics import median

from tests.e2e import journal
from tests.e2e.audience import Audience, Subscriber, Taste, Transport
from tests.e2e.fleet import Fleet, Member
from tests.e2e.shoppers import Shoppers, check_books, check_repeats
from tests.soak import Extent

SUITE_STOP_S = 5.0
SOAK_STOP_S = 30.0
FANS = 24
ANSWER_S = 3.0
"""How long a fan waits for an answer before asking the other server."""

LISTENERS = 4
"""Of each transport."""

ORDERS_BETWEEN = 40
ORDERS_MEANWHILE = 20
TRIES_MAX = 500
SETTLE_S = 0.05
"""Within this a statement that was under way when its process stopped is done."""

PATIENCE_S = 200.0
WENT_ON = f"{ORDERS_MEANWHILE} orders placed"
HEARD = "the last of them heard of"
CAUGHT_UP = "the other heard of it too"


def test_nobody_waits_long_for_a_server_that_stands_still(fleet: Fleet, extent: Extent):
    stops = extent.count("stops", suite=2, soak=10)
    story = _Story(fleet, extent.chance, SOAK_STOP_S if extent.long else SUITE_STOP_S)
    lines = asyncio.run(story.live(stops))
    expected = [line["id"] for line in lines if line["topic"].startswith("order_")]
    repeats = story.audience.check({"all": expected})
    books = story.shoppers.books
    assert books.said["late"] > 0, "fans hung up on the one that stood still"
    extent.tell(
        f"{stops} stops of {story.seconds:.0f} s, {story.holding} of them with rows in hand, {story.leading} of the"
        f" leader; {len(books.told)} orders, {books.said['late']} answers late, {books.replayed} of them carried out,"
        f" none twice; the longest wait {books.longest_s:.1f} s"
    )
    took = "; ".join(
        f"{what}: median {median(each):.2f} s, at most {max(each):.2f} s" for what, each in story.took.items()
    )
    extent.tell(f"after the stop {took}")
    extent.tell(f"{len(expected)} events for {2 * LISTENERS} subscribers: gaps 0, repeats {repeats}")


class _Story:
    def __init__(self, fleet: Fleet, chance: random.Random, seconds: float) -> None:
        self.shoppers = Shoppers(fleet, chance, answer_s=ANSWER_S)
        self.seconds = seconds
        self.took: dict[str, list[float]] = {WENT_ON: [], HEARD: [], CAUGHT_UP: []}
        self.holding = self.leading = 0
        self.audience: Audience
        self._fleet = fleet
        self._chance = chance

    async def live(self, stops: int) -> list[dict[str, object]]:
        """Shops, listens and stops; gives the journal."""
        fleet = self._fleet
        start = await journal.start_of(fleet.market, fleet.ports[0])
        taste = Taste("all", fleet.market.token("desk", "service"))
        self.audience = Audience(fleet.ports, start.encode(), self._chance)
        for transport in LISTENERS * list(Transport):
            self.audience.subscribers.append(Subscriber(self.audience, taste, transport))
        async with self.audience.listening():
            await self._stop_again_and_again(stops)
            lines = await asyncio.to_thread(check_books, fleet, self.shoppers.books)
            await check_repeats(fleet, self.shoppers.books, self._chance, ORDERS_MEANWHILE)
            await self._until_heard(lines[-1]["id"])
        return lines

    async def _stop_again_and_again(self, stops: int) -> None:
        going = True
        async with asyncio.TaskGroup() as group:
            group.create_task(self.shoppers.shop(FANS, lambda: going))
            for at in range(stops):
                async with asyncio.timeout(PATIENCE_S + self.seconds):
                    await self.shoppers.go_on(ORDERS_BETWEEN)
                    leader = await asyncio.to_thread(self._fleet.wait_for_leader)
                    await self._stop(leader if at % 2 == 0 else self._fleet.other(leader))
                    self.leading += at % 2 == 0
            going = False

    async def _stop(self, member: Member) -> None:
        """Stops a member with rows in its hands; the other goes on before it does."""
        number = self._fleet.members.index(member)
        async with self._standing_still(member) as began:
            await self.shoppers.go_on(ORDERS_MEANWHILE)
            self.took[WENT_ON].append(time.monotonic() - began)
            newest = await self._event_of(next(reversed(self.shoppers.books.told.values())))
            await self._until_heard(newest, beside=number)
            self.took[HEARD].append(time.monotonic() - began)
            await asyncio.sleep(began + self.seconds - time.monotonic())
        again = time.monotonic()
        await self._until_heard(newest)
        self.took[CAUGHT_UP].append(time.monotonic() - again)

    @asynccontextmanager
    async def _standing_still(self, member: Member) -> AsyncIterator[float]:
        """The member stands still from the beginning of the block, if chance wills in the middle of a transaction."""
        assert member.pid is not None, "it runs"
        try:
            for _ in range(TRIES_MAX):
                await asyncio.sleep(self._chance.uniform(0, SETTLE_S))
                os.kill(member.pid, signal.SIGSTOP)
                began = time.monotonic()
                await asyncio.sleep(SETTLE_S)
                if await asyncio.to_thread(self._fleet.holds, member):
                    break
                os.kill(member.pid, signal.SIGCONT)
            else:
                raise AssertionError("it never stood still with anything in its hands")
            self.holding += 1
            yield began
        finally:
            os.kill(member.pid, signal.SIGCONT)

    async def _event_of(self, order_id: str) -> str:
        """The event of an order's placing, once it is in the journal."""
        until_at = time.monotonic() + PATIENCE_S
        while not (found := await asyncio.to_thread(self._fleet.ask, EVENT_OF, order_id=order_id)):
            assert time.monotonic() < until_at, "nobody sealed it"
        event_id: str = found[0][0]
        return event_id

    async def _until_heard(self, event_id: str, *, beside: int | None = None) -> None:
        """Waits until everybody has heard of an event, but for those at one server."""
        event = event_id.encode()

        def heard(subscriber: Subscriber) -> bool:
            return self.audience.numbers.get(event) in subscriber.heard

        await self.audience.until(heard, PATIENCE_S, beside=beside)


EVENT_OF = "SELECT id FROM event WHERE topic = %(order_id)s ORDER BY seq LIMIT 1"
