"""`python -m benchmarks`: prints each figure beside its limit and their ratio; everything on 127.0.0.1.

Exit code 1: a target that was measured is not met. With `--quick`, sizes are so small that figures say nothing: it
tells only that every measurement still runs.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pysqlite3
from rich.console import Console

from benchmarks import growth, measures, picture, rows
from benchmarks.measures import Bench, Measure
from benchmarks.rows import Row
from benchmarks.sizes import FULL, QUICK, Sizes

MEASURES: Final[dict[str, Measure]] = {
    "memory": measures.over_http,
    "engine": measures.in_process,
    "pages": measures.pages,
    "orders": measures.orders,
    "sockets": measures.sockets,
    "statements": measures.statement_counts,
    "start": measures.rest,
    "page-growth": growth.page_time,
    "order-growth": growth.order_time,
}
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
PICTURE: Final = "benchmarks.svg"
TITLE: Final = "What shoutgraph reaches of its limits"


def parser() -> argparse.ArgumentParser:
    """What can be chosen."""
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    made.add_argument("--only", action="append", choices=tuple(MEASURES), help="this measurement; may be given again")
    made.add_argument("--quick", action="store_true", help="tiny sizes: does everything still run?")
    made.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    made.add_argument("--seconds", type=float, help="how long each turn takes")
    made.add_argument("--rounds", type=int, help="how many turns each candidate has")
    made.add_argument("--creators", type=int, help="of the large market in page-growth, on either database")
    made.add_argument("--postings", type=int, help="of the old books in order-growth, on either database")
    made.add_argument(
        "--processes", default="1", help="how many processes take orders on PostgreSQL, one after another"
    )
    made.add_argument("--url", help="a PostgreSQL in place of one of our own, as a superuser: databases are made in it")
    made.add_argument("--json", type=Path, help="write the figures to this file")
    made.add_argument("--svg", type=Path, help="write a picture of them to this file")
    made.add_argument("--docs", type=Path, help="write them into BENCHMARKS.md and benchmarks.svg of this folder")
    return made


def main(given: Sequence[str] | None = None) -> int:
    """Measures what was chosen, prints it, and writes it where it was asked for."""
    chosen, found = parser().parse_args(given), list[Row]()
    console = Console(width=None if sys.stdout.isatty() else 200)
    with ExitStack() as stack:
        databases = ("sqlite", "postgresql") if chosen.database == "both" else (chosen.database,)
        processes = tuple(int(count) for count in chosen.processes.split(","))
        bench = Bench(sizes_of(chosen), databases, stack, chosen.url, processes)
        for row in _measured(bench, chosen.only or list(MEASURES)):
            found.append(row)
            console.print(" · ".join(cell for cell in row.cells() if cell), style="dim", highlight=False)
    where = machine(bench.sizes)
    console.print(rows.table(found, where))
    if chosen.json:
        told = {"machine": where, "quick": chosen.quick, "rows": rows.as_json(found)}
        chosen.json.write_text(json.dumps(told, indent=2), encoding="utf-8")
    if chosen.svg:
        chosen.svg.write_text(picture.svg(found, TITLE), encoding="utf-8")
    if chosen.docs:
        _write(chosen.docs, found, where)
    return 0 if chosen.quick or all(row.met is not False for row in found) else 1


def sizes_of(chosen: argparse.Namespace) -> Sizes:
    """The sizes, with what was chosen otherwise."""
    made = QUICK if chosen.quick else FULL
    given = {name: getattr(chosen, name) for name in ("seconds", "rounds") if getattr(chosen, name) is not None}
    if chosen.creators is not None:
        given |= {name: (getattr(made, name)[0], chosen.creators) for name in ("page_creators", "shared_creators")}
    if chosen.postings is not None:
        given |= dict.fromkeys(("order_postings", "shared_postings"), (0, chosen.postings))
    return replace(made, **given)


def machine(sizes: Sizes) -> str:
    """Where and how it was measured."""
    python, sqlite = platform.python_version(), pysqlite3.sqlite_version
    day = datetime.now(UTC).date()  # noqa: TID251 - a benchmark has a real clock
    return (
        f"{day}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {python}, SQLite {sqlite}; "
        f"median of {sizes.rounds} rounds of {sizes.seconds:g} s"
    )


def _measured(bench: Bench, names: list[str]) -> Iterator[Row]:
    for name in names:
        yield from MEASURES[name](bench)


def _write(folder: Path, found: list[Row], where: str) -> None:
    """Puts the table between its marks, and the picture beside it."""
    document = folder / "BENCHMARKS.md"
    before, _, rest = document.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    document.write_text(
        f"{before}{BEGIN}\n\n![{TITLE}]({PICTURE})\n\n{rows.markdown(found, where)}\n{END}{after}", encoding="utf-8"
    )
    (folder / PICTURE).write_text(picture.svg(found, TITLE), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
