"""`python -m benchmarks`: prints each figure beside its limit and their ratio; everything on 127.0.0.1."""

import argparse
import json
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import market, places
from benchmarks.places import Place

IN_FLIGHT = (1, 8, 64)
Figures = dict[str, dict[str, float]]


def load(url: str, place: Place, body: dict[str, Any], *, in_flight: int, seconds: float) -> dict[str, float]:
    """Runs the load generator in a process of its own."""
    work = {
        "url": f"{url}/graphql",
        "template": json.dumps({"body": body, "offers": place.market.offers, "salt": secrets.token_hex(4)}),
        "in_flight": in_flight,
        "seconds": seconds,
        "headers": [f"authorization: Bearer {token}\r\n" for token in place.market.tokens],
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"], input=json.dumps(work), capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))


def measure(place: Place, *, processes: list[int], seconds: float) -> Figures:
    """All figures of one database, with their share of what the machine does by hand."""
    figures: Figures = {"orders by hand, one commit each": {"rate": place.raw_orders, "share": 1.0}}
    if place.raw_pages is not None:
        figures["pages by hand"] = {"rate": place.raw_pages, "share": 1.0}
    for count in processes:
        with places.serving(place, processes=count) as url:
            figures |= _of_server(url, place, processes=count, seconds=seconds)
    return figures


def _of_server(url: str, place: Place, *, processes: int, seconds: float) -> Figures:
    alone = processes == 1
    figures: Figures = {}
    for flight in IN_FLIGHT[:2] if alone else ():
        told = load(url, place, market.PAGE_BODY, in_flight=flight, seconds=seconds)
        if place.raw_pages is not None:
            told["share"] = told["rate"] / place.raw_pages
        figures[f"pages, {flight} in flight"] = told
    for flight in IN_FLIGHT if alone else IN_FLIGHT[-1:]:
        told = load(url, place, market.PLACE_BODY, in_flight=flight, seconds=seconds)
        beside = "" if alone else f", {processes} processes"
        figures[f"orders, {flight} in flight{beside}"] = told | {"share": told["rate"] / place.raw_orders}
    return figures


def show(title: str, figures: Figures) -> None:
    """Prints the table of one database."""
    table = Table("what", "a second", "p50 ms", "p99 ms", "of by hand", "errors", title=title)
    for name, figure in figures.items():
        cells = (("p50_ms", ".1f"), ("p99_ms", ".1f"), ("share", ".2f"), ("wrong", ".0f"))
        texts = [format(figure[key], form) if key in figure else "" for key, form in cells]
        table.add_row(name, f"{figure['rate']:,.0f}", *texts)
    Console().print(table)


def main() -> None:
    """Runs everything once and prints the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each measurement takes")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    parser.add_argument(
        "--processes", default="1,2,4", help="how many processes serve on PostgreSQL, one after another"
    )
    parser.add_argument("--url", help="an empty PostgreSQL database to use in place of one of our own")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    found: dict[str, Figures] = {}
    if chosen.database != "postgresql":
        with places.sqlite(chosen.seconds) as place:
            found[place.title] = measure(place, processes=[1], seconds=chosen.seconds)
    if chosen.database != "sqlite":
        with places.postgresql(chosen.seconds, chosen.url) as place:
            counts = [int(count) for count in chosen.processes.split(",")]
            found[place.title] = measure(place, processes=counts, seconds=chosen.seconds)
    for title, figures in found.items():
        show(title, figures)
    if chosen.json:
        chosen.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
