"""Feeds of order events over a server that is killed again and again in the middle of a stream."""

import asyncio
import random
from collections import Counter

from tests.e2e import crowd, journal
from tests.e2e.conftest import Stall
from tests.e2e.market import Market
from tests.e2e.processes import Server
from tests.e2e.wire import PATIENCE_S, Feed, over_socket, over_sse, until
from tests.soak import Extent

KILLS_OF_A_ROUND = 4
LIVES = 12
"""Orders that are on their way at once."""

FICKLE = 37
"""Events after which some of the feeds hang up by themselves."""


def test_feeds_resume_after_kills_without_a_gap(stall: Stall, extent: Extent):
    total = Counter[str]()
    for seed in extent.seeds("kills", suite=KILLS_OF_A_ROUND, soak=600, each=KILLS_OF_A_ROUND):
        with stall(seed) as (server, market):
            total.update(_kill_while_they_listen(server, market, extent.chance))
    extent.tell(", ".join(f"{count} {what}" for what, count in total.items()))


def _kill_while_they_listen(server: Server, market: Market, chance: random.Random) -> Counter[str]:
    journal_lines, feeds = asyncio.run(_story(server, market, chance))
    rows = journal.stored(market.database)
    assert [seq for seq, _, _ in rows] == [*range(1, len(rows) + 1)], "the journal is dense"
    assert [(journal.seq_of(cursor), id_) for cursor, id_ in journal_lines] == [
        (seq, id_) for seq, id_, topic in rows if topic.startswith("order_")
    ], "pages show the journal"
    for feed in feeds:
        assert [(event.cursor, event.id) for event in feed.heard] == journal_lines, "the feed is the journal"
        assert feed.connections > server.kills, "each kill cut the feed"
        by_order: dict[str, list[int]] = {}
        for event in feed.heard:
            by_order.setdefault(event.order_id, []).append(event.revision)
        assert all(seen == [*range(1, len(seen) + 1)] for seen in by_order.values()), "no revision is missing"
    heard = sum(len(feed.heard) for feed in feeds)
    return Counter({"kills": server.kills, "events": len(journal_lines), "times heard": heard, "gaps": 0})


async def _story(server: Server, market: Market, chance: random.Random) -> tuple[list[journal.Line], list[Feed]]:
    start = await journal.start_of(market, server.port)
    tool = market.token("warehouse", "service")
    streams = (over_socket(server.port, tool), over_sse(server.port, tool))
    feeds = [Feed(stream, start, often) for stream in streams for often in (10**9, 10**9, FICKLE)]
    going = True
    async with asyncio.timeout(PATIENCE_S + 10 * KILLS_OF_A_ROUND):
        listeners = [asyncio.create_task(feed.listen()) for feed in feeds]
        lives = [asyncio.create_task(crowd.live(market, server.port, at, lambda: going)) for at in range(LIVES)]
        for _ in range(KILLS_OF_A_ROUND):
            await _hear_more(feeds, chance.randint(5, 90), lives)
            server.kill()
            await asyncio.to_thread(server.start)
        await _hear_more(feeds, 40, lives)
        going = False
        await asyncio.gather(*lives)
        lines = await journal.paged(market, server.port)
        await until(lambda: all(feed.cursor == lines[-1][0] for feed in feeds))
        for task in listeners:
            task.cancel()
        await asyncio.gather(*listeners, return_exceptions=True)
    return lines, feeds


async def _hear_more(feeds: list[Feed], count: int, lives: list[asyncio.Task[int]]) -> None:
    """Waits, in the thick of it, until every feed has heard so many more."""
    wanted = [len(feed.heard) + count for feed in feeds]

    def enough() -> bool:
        for life in lives:
            if life.done():
                life.result()
        return all(len(feed.heard) >= least for feed, least in zip(feeds, wanted, strict=True))

    await until(enough)
