"""Subscribers of two servers on one database, whose connections are cut at both ends: everybody hears everything."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
import uvloop
from tests.e2e import journal
from tests.e2e.audience import Audience, Subscriber, Taste, Transport
from tests.e2e.fleet import Fleet
from tests.e2e.shoppers import Shoppers, check_books
from tests.soak import Extent

FANS: Final = 8
RESTARTS: Final = 2
"""In the suite: a drain and a kill."""
RESTARTS_PER_SUBSCRIBERS: Final = 100
"""In a long run: one for so many subscribers."""
ORDERS_MIN: Final = 60
TICK_S: Final = 0.1
TICKS_PER_ROUND: Final = 100
"""So many ticks cut everybody once."""
SAMPLED_EVERY: Final = 10
FORGETS: Final = 7
"""How many of its newest cursors a forgetful subscriber has lost."""
CALM_S: Final = 20.0
CALM_REST_S: Final = 0.4
LISTENED_S: Final = 0.5
"""How long somebody must have listened for an event to count as live."""
PATIENCE_S: Final = 120.0
"""For everybody to hear of the last event, on a slow machine."""

COMMITS: Final = """SELECT e.id, e.topic, (e.body::jsonb ->> 'revision')::int,
    extract(epoch FROM pg_xact_commit_timestamp(t.xmin))::float8
  FROM event e JOIN transfer t ON t.id = e.transfer_id"""

Wants = Callable[[dict[str, Any]], bool]


@dataclass
class Story:
    """What happens in one run."""

    fleet: Fleet
    chance: random.Random
    subscribers: int
    reconnects: int
    restarts: int
    long: bool
    shoppers: Shoppers = field(init=False)
    audience: Audience = field(init=False)
    wants: dict[str, Wants] = field(default_factory=dict)
    """Which lines of the journal belong to a taste, by its name."""
    calm_from: float = 0.0

    def __post_init__(self) -> None:
        self.shoppers = Shoppers(self.fleet, self.chance, cancels=0.3)

    async def live(self) -> list[dict[str, Any]]:
        """Shops, listens, cuts and restarts; gives the journal once everybody has heard all of it."""
        start = await journal.start_of(self.fleet.market, self.fleet.ports[0])
        self.audience = Audience(self.fleet.ports, start.encode(), self.chance)
        await self.shoppers.shop(1, lambda: not self.shoppers.books.told)  # so that there is an order to listen for
        self._invite()
        async with self.audience.listening():
            await self._cut_and_restart()
            lines = await self._caught_up()
            if self.long:
                self.calm_from = time.time()
                await self._shop_in_calm()
                lines = await self._caught_up()
        return lines

    async def _cut_and_restart(self) -> None:
        shopping = True
        async with asyncio.TaskGroup() as group:
            group.create_task(self.shoppers.shop(FANS, lambda: shopping))
            for at in range(self.restarts):
                await self._cut(self.reconnects * (at + 1) // self.restarts)
                await self._restart(at)
            shopping = False

    async def _shop_in_calm(self) -> None:
        """Nobody is behind and nothing breaks: what is measured now is how long an event takes."""
        until = time.monotonic() + CALM_S
        self.shoppers.rest_s = CALM_REST_S
        await self.shoppers.shop(FANS, lambda: time.monotonic() < until)

    async def _caught_up(self) -> list[dict[str, Any]]:
        """The journal, once everybody has heard all of it."""
        lines = await asyncio.to_thread(check_books, self.fleet, self.shoppers.books)
        await self._until_heard(lines)
        return lines

    def _invite(self) -> None:
        market, orders = self.fleet.market, list(self.shoppers.books.told.values())
        tool, fan_ids = market.token("desk", "service"), market.fan_ids[:FANS]
        tastes = [Taste("all", tool), Taste("cancelled", tool, {"status": ["CANCELLED"]})]
        tastes += [Taste(fan_id, market.token(fan_id)) for fan_id in fan_ids]
        tastes += [Taste(order_id, tool, {"orderIds": [order_id]}) for order_id in orders[:1]]
        self.wants = {"all": lambda _: True, "cancelled": lambda line: line["body"]["status"] == "CANCELLED"}
        self.wants |= {fan_id: lambda line, of=fan_id: line["body"]["fan"] == of for fan_id in fan_ids}
        self.wants |= {order_id: lambda line, of=order_id: line["topic"] == of for order_id in orders[:1]}
        weights = [30, 30, *(30 / FANS for _ in fan_ids), 10]
        for at in range(self.subscribers):
            taste = tastes[at] if at < len(tastes) else self.chance.choices(tastes, weights)[0]
            behind = FORGETS if at % SAMPLED_EVERY == 1 else 0
            self.audience.subscribers.append(
                Subscriber(self.audience, taste, list(Transport)[at % 2], at % SAMPLED_EVERY == 0, behind)
            )

    async def _cut(self, wanted: int) -> None:
        """Cuts until so many connections were cut, and so many orders were placed."""
        audience = self.audience
        while audience.connections - len(audience.subscribers) < wanted or len(self.shoppers.books.told) < ORDERS_MIN:
            audience.cut(-(-len(audience.subscribers) // TICKS_PER_ROUND))
            await asyncio.sleep(TICK_S)

    async def _restart(self, at: int) -> None:
        """One of the servers drains or is killed, and comes back."""
        member = self.chance.choice(self.fleet.members)
        if at % 2 == 0:
            assert await asyncio.to_thread(member.stop) == 0, member.log.read_text()
        else:
            await asyncio.to_thread(member.kill)
        await asyncio.to_thread(member.start)

    def expected(self, lines: list[dict[str, Any]]) -> dict[str, list[str]]:
        """The ids of the events that belong to each taste."""
        orders = [line for line in lines if line["topic"].startswith("order_")]
        return {name: [line["id"] for line in orders if wants(line)] for name, wants in self.wants.items()}

    async def _until_heard(self, lines: list[dict[str, Any]]) -> None:
        last = {name: found[-1].encode() if found else None for name, found in self.expected(lines).items()}
        numbers = self.audience.numbers

        def done(subscriber: Subscriber) -> bool:
            event = last[subscriber.taste.name]
            return event is None or (subscriber.last is not None and subscriber.last == numbers.get(event))

        await self.audience.until(done, PATIENCE_S)


def test_everybody_hears_everything_once_and_in_order(request: pytest.FixtureRequest, extent: Extent):
    fleet: Fleet = request.getfixturevalue("durable_fleet" if extent.long else "fleet")
    subscribers = extent.count("subscribers", suite=40, soak=1_000)
    reconnects = extent.count("reconnects", suite=60, soak=10_000)
    restarts = max(subscribers // RESTARTS_PER_SUBSCRIBERS, RESTARTS)
    story = Story(fleet, extent.chance, subscribers, reconnects, restarts, extent.long)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        lines = runner.run(story.live())
    repeats = story.audience.check(story.expected(lines))
    audience, books = story.audience, story.shoppers.books
    assert audience.connections - subscribers >= reconnects
    extent.tell(
        f"{subscribers} subscribers, {len(lines)} events, {audience.deliveries} deliveries,"
        f" {audience.connections - subscribers} reconnects, {restarts} restarts; gaps 0, repeats {repeats} before and"
        f" 0 after de-duplication; connections ended: {dict(audience.ends)}"
    )
    extent.tell(f"{len(books.told)} orders; fans were told meanwhile: {dict(books.said)}")
    if extent.long:
        extent.tell(latency(story, calm=False))
        extent.tell(latency(story, calm=True))


def latency(story: Story, *, calm: bool) -> str:
    """How long after its commit an event was heard, through the process that committed it and through another one."""
    servers, numbers = story.shoppers.books.servers, story.audience.numbers
    commits = {
        numbers[event.encode()]: (servers[topic, revision], at)
        for event, topic, revision, at in story.fleet.ask(COMMITS)
        if (topic, revision) in servers and event.encode() in numbers
    }
    took: dict[bool, list[float]] = {True: [], False: []}
    for number, server, since, at in story.audience.arrivals:
        by, committed = commits.get(number, (None, 0.0))
        if by is not None and since + LISTENED_S < committed and (committed > story.calm_from) == calm:
            took[server == by].append((at - committed) * 1_000)
    told = [f"{where} {_spread(took[same])}" for same, where in ((True, "within a process"), (False, "across"))]
    return f"commit to subscriber {'in calm' if calm else 'under load and cuts'}: {', '.join(told)}"


def _spread(took: list[float]) -> str:
    if not took:
        return "unknown"
    ranked = sorted(took)
    half, most = (ranked[int(len(ranked) * part)] for part in (0.5, 0.99))
    return f"p50 {half:.1f} ms, p99 {most:.1f} ms (of {len(ranked)})"
