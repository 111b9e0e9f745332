"""Every measurement by its name: what `python -m benchmarks` prints, row by row. Source: the targets of the design.

Candidates take turns, and the median of their rounds counts: the machine has other things to do.
"""

import asyncio
import json
import secrets
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import httpx

from benchmarks import audience, counting, engine, market, places, scale
from benchmarks.load import Told, bodies_of
from benchmarks.places import Place, Served
from benchmarks.rows import Row
from benchmarks.sizes import Sizes

KIB: Final = 1_024


@dataclass
class Bench:
    """One run: what it may use, and the filled databases that its measurements share."""

    sizes: Sizes
    databases: tuple[str, ...]
    stack: ExitStack
    url: str | None = None
    processes: tuple[int, ...] = (1,)
    _filled: dict[str, tuple[Place, market.Market]] = field(default_factory=dict)

    @cached_property
    def servers(self) -> places.Servers:
        """The PostgreSQL of this run."""
        return self.stack.enter_context(places.cluster(self.url))

    def empty(self, kind: str) -> Place:
        """A new database with its tables."""
        made = self.stack.enter_context(places.sqlite() if kind == "sqlite" else self.servers.place())
        made.migrate()
        return made

    def filled(self, kind: str) -> tuple[Place, market.Market]:
        """The database of this kind that all share, and who is in it."""
        if kind not in self._filled:
            place = self.empty(kind)
            self._filled[kind] = place, place.fill(creators=self.sizes.creators, fans=self.sizes.fans)
        return self._filled[kind]

    def grown(self, kind: str, *, creators: int, postings: int) -> tuple[Place, market.Market]:
        """A database with so many more rows, which all share, and who can order in it."""
        name = f"{kind} {creators} {postings}"
        if name not in self._filled:
            place = self.empty(kind)
            scale.fill(place.file if place.url is None else place.url, creators=creators, postings=postings)
            self._filled[name] = place, place.fill(creators=10, fans=2)
        return self._filled[name]

    def turns(self, *candidates: Callable[[], float]) -> list[float]:
        """What each candidate measures, in turns; where there are several rounds, one more that warms up."""
        found = [[measure() for measure in candidates] for _ in range(self.sizes.rounds + self.sizes.warm)]
        del found[: self.sizes.warm]
        return [statistics.median(column) for column in zip(*found, strict=True)]


Measure = Callable[[Bench], Iterator[Row]]


def template_of(own: market.Market) -> str:
    """What the load generator makes orders of; no two rounds share a key."""
    return json.dumps({"body": market.PLACE_BODY, "offers": own.offers, "salt": secrets.token_hex(4)})


def load(served: Served, own: market.Market, template: str, *, in_flight: int, seconds: float) -> Told:
    """Runs the load generator in a process of its own."""
    work = {
        "url": f"http://127.0.0.1:{served.port}/graphql",
        "template": template,
        "in_flight": in_flight,
        "seconds": seconds,
        "headers": [f"authorization: Bearer {token}\r\n" for token in own.tokens],
    }
    command = [sys.executable, "-m", "benchmarks.load"]
    done = subprocess.run(command, input=json.dumps(work), capture_output=True, text=True, check=True)  # noqa: S603 - ours
    told: Told = json.loads(done.stdout)
    assert not told["wrong"], f"{told['wrong']} of {told['count']} answers are errors: {told['example']}"
    return told


def in_process(bench: Bench) -> Iterator[Row]:
    """The engine beside dictionaries that somebody wrote."""
    found = asyncio.run(engine.in_process(bench.sizes.rounds, bench.sizes.seconds / 3))
    took, hand = found["the engine"], found["dictionaries by hand"]
    yield Row("engine", "engine, in process", took, "us", hand, "dictionaries by hand", 2.5, at_most=True)


def over_http(bench: Bench) -> Iterator[Row]:
    """A catalogue in memory, behind everything and behind nothing."""
    found = {name: rate for name, (rate, _) in engine.over_http(bench.sizes.rounds, bench.sizes.seconds / 3).items()}
    fixed, beside = found["fixed"], "fixed bytes by uvicorn"
    yield Row("memory", "catalogue in memory, whole stack", found["whole"], "/s", fixed, beside, 0.30)
    yield Row("memory", "the same, engine alone", found["endpoint"], "/s", fixed, beside, 0.45)
    yield Row(
        "memory", "the same, beside Strawberry", found["whole"], "/s", found["stock"], "Strawberry with caches", 10
    )


def pages(bench: Bench) -> Iterator[Row]:
    """The catalogue page from a database."""
    for kind in bench.databases:
        place, own = bench.filled(kind)
        rate, raw = _page_rates(bench, place, own)
        driver, target = ("raw sqlite3", 0.25) if place.url is None else ("raw psycopg", None)
        yield Row("pages", f"catalogue page from {place.title}, whole stack", rate, "/s", raw, driver, target)


def _page_rates(bench: Bench, place: Place, own: market.Market) -> list[float]:
    body, seconds = json.dumps({"body": market.page_of(20)}), bench.sizes.seconds
    with places.serving(place) as served:
        return bench.turns(
            lambda: load(served, own, body, in_flight=8, seconds=seconds)["rate"], lambda: place.raw_pages(seconds)
        )


def orders(bench: Bench) -> Iterator[Row]:
    """Placing orders over HTTP beside the same work by hand, one commit each."""
    for kind in bench.databases:
        place, own = bench.filled(kind)
        for count in bench.processes if place.url is not None else (1,):
            yield from _orders(bench, place, own, processes=count)


def _orders(bench: Bench, place: Place, own: market.Market, *, processes: int) -> Iterator[Row]:
    flight, late = bench.sizes.in_flight, []

    def ours() -> float:
        told = load(served, own, template_of(own), in_flight=flight, seconds=bench.sizes.seconds)
        late.append(told["p99_ms"])
        return told["rate"]

    with places.serving(place, processes=processes) as served:
        rate, raw = bench.turns(ours, lambda: place.raw_orders(bench.sizes.seconds))
    beside = ("raw sqlite3" if place.url is None else "raw psycopg") + ", a commit each"
    what = f"orderPlace on {place.title}, {flight} in flight" + ("" if processes == 1 else f", {processes} processes")
    target = None if processes > 1 else 0.5 if place.url is None else 1.0
    yield Row("orders", what, rate, "/s", raw, beside, target)
    if processes == 1:
        embedded = place.url is None
        yield Row("orders", "orders a second", rate, "/s", target=500 if embedded else None)
        yield Row("orders", "their p99", statistics.median(late), "ms", target=100 if embedded else None, at_most=True)


def sockets(bench: Bench) -> Iterator[Row]:
    """One event to many sockets, and what a socket costs that waits."""
    for kind in bench.databases:
        place, own = bench.filled(kind)
        with places.serving(place) as served:
            yield from asyncio.run(_sockets(bench, served, own))


async def _sockets(bench: Bench, served: Served, own: market.Market) -> list[Row]:
    count, events, title = bench.sizes.sockets, bench.sizes.events, served.place.title
    bodies = bodies_of(template_of(own))
    headers = {"authorization": f"Bearer {own.tokens[0]}", "content-type": "application/json"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.port}", headers=headers) as client:

        async def order() -> None:
            answer = await client.post("/graphql", content=next(bodies))
            assert '"errors":[]' in answer.text, answer.text

        first = await audience.gather(served.port, 1, own.service)
        alone = await audience.median_of(first, order, events)  # all that is made once is made by then
        before = served.bytes
        listeners = await audience.gather(served.port, count, own.service)
        each = (served.bytes - before) / count / KIB
        took = await audience.median_of(listeners, order, events)
    size = listeners[0].size
    for listener in (*first, *listeners):
        listener.transport.abort()
    limit = await _limit(count, size, events)
    what = f"event of {size} bytes to {count:,} sockets, {title}"
    return [
        Row("sockets", what, took, "ms to the last", limit, "bytes to the transport", 2, at_most=True),
        Row("sockets", f"of which until a lone socket has it, {title}", alone, "ms"),
        Row("sockets", f"memory of an idle subscriber, {title}", each, "KiB", target=32, at_most=True),
    ]


async def _limit(count: int, size: int, events: int) -> float:
    command = [sys.executable, "-m", "benchmarks.audience", str(size)]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
    assert process.stdout is not None, "it is piped"
    try:
        port = int(await process.stdout.readline())
        listeners = await audience.gather(port, count, None)
        _, writer = await asyncio.open_connection("127.0.0.1", port)

        async def tell() -> None:
            writer.write(audience.TELL)
            await writer.drain()

        return await audience.median_of(listeners, tell, events)
    finally:
        process.terminate()
        await process.wait()


def statement_counts(bench: Bench) -> Iterator[Row]:
    """How many statements the database is asked."""
    for kind in bench.databases:
        place, own = bench.filled(kind)
        found = counting.count(place, own, template_of(own))
        few, many = found.pages
        title = place.title
        yield Row("statements", f"statements of a page of 20, {title}", many, "", few, "a page of 2", 1, at_most=True)
        yield Row("statements", f"statements of a catalogue page, {title}", many, "", target=4, at_most=True)
        yield Row("statements", f"statements of an order, {title}", found.order, "", target=12, at_most=True)


def rest(bench: Bench) -> Iterator[Row]:
    """From the command to the first answer, and what the process holds then."""
    for kind in bench.databases:
        place, _ = bench.filled(kind)
        starts, held = [], []
        for _ in range(bench.sizes.starts):
            with places.serving(place) as served:
                starts.append(served.start_s)
                held.append(served.bytes / KIB / KIB)
        yield Row(
            "start", f"start to first answer, {place.title}", statistics.median(starts), "s", target=2, at_most=True
        )
        title = f"memory of a process at rest, {place.title}"
        yield Row("start", title, statistics.median(held), "MiB", target=150, at_most=True)
