"""How the time of a page and of an order changes as a market grows: two databases, small and large, take turns."""

import json
from collections.abc import Callable, Iterator

from benchmarks import market, places
from benchmarks.measures import Bench, load, template_of
from benchmarks.places import Served
from benchmarks.rows import Row

FLAT = 1.5
"""How many times as long the large one may take: a tree of an index has more floors there."""


def page_time(bench: Bench) -> Iterator[Row]:
    """The first page and the last, among few creators and among many."""
    for kind in bench.databases:
        sizes = bench.sizes.page_creators if kind == "sqlite" else bench.sizes.shared_creators
        for end in ("first", "last"):
            body = json.dumps({"body": market.page_of(20, end)})
            took = _both(bench, kind, [(size, 0) for size in sizes], lambda _, body=body: body)
            what = f"{end} page of {sizes[1]:,} creators, {_title(kind)}"
            yield Row("page-growth", what, took[1], "ms", took[0], f"{sizes[0]:,} creators", FLAT, at_most=True)


def order_time(bench: Bench) -> Iterator[Row]:
    """An order in young books and in old ones."""
    for kind in bench.databases:
        sizes = bench.sizes.order_postings if kind == "sqlite" else bench.sizes.shared_postings
        took = _both(bench, kind, [(0, size) for size in sizes], template_of)
        what = f"order after {sizes[1]:,} postings, {_title(kind)}"
        yield Row("order-growth", what, took[1], "ms", took[0], f"{sizes[0]:,} postings", FLAT, at_most=True)


def _both(
    bench: Bench, kind: str, amounts: list[tuple[int, int]], template: Callable[[market.Market], str]
) -> list[float]:
    """The median milliseconds of one request at a time, at a small market and at a large one."""
    shops = [bench.grown(kind, creators=creators, postings=postings) for creators, postings in amounts]
    with places.serving(shops[0][0]) as small, places.serving(shops[1][0]) as large:

        def ask(served: Served, own: market.Market) -> float:
            return load(served, own, template(own), in_flight=1, seconds=bench.sizes.seconds)["p50_ms"]

        return bench.turns(lambda: ask(small, shops[0][1]), lambda: ask(large, shops[1][1]))


def _title(kind: str) -> str:
    return {"sqlite": "SQLite"}.get(kind, "PostgreSQL")
