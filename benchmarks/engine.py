"""`python -m benchmarks.engine`: what answering costs without a database, in this process and over HTTP.

Candidates take turns, several times, and the median counts: the machine has other things to do.
"""

import argparse
import asyncio
import json
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import orjson
from rich.console import Console
from rich.table import Table

from benchmarks import memory
from benchmarks.memory_server import CANDIDATES, NO_TOOLS
from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.engine.engine import CompiledEngine
from shoutgraph.api.graphql.execution import Request, Runner
from shoutgraph.cli.demo.server import free_port
from shoutgraph.domain.users import ANONYMOUS

CONNECTIONS: Final = 16
START_S: Final = 30.0
WARM: Final = 3
Answer = Callable[[], Awaitable[bytes]]
ASKED: Final = json.dumps({"query": memory.QUERY})


def context() -> Context:
    return Context(tools=NO_TOOLS, viewer=ANONYMOUS, request_id="benchmark")


def candidates() -> dict[str, Answer]:
    """The ways to answer in this process."""
    engine = CompiledEngine(memory.SCHEMA, patient=False)
    plans, core = Runner(memory.SCHEMA, engine=engine), Runner(memory.SCHEMA)
    operation, request = plans.documents.get(memory.QUERY).pick(None), Request(memory.QUERY, {})

    async def by_hand() -> bytes:
        return memory.by_hand()

    async def by_plan() -> bytes:
        return orjson.dumps({"data": await engine.run(operation, {}, context())})

    async def by_runner() -> bytes:
        return (await plans.answer(request, context())).json()

    async def by_core() -> bytes:
        return (await core.answer(request, context())).json()

    async def by_stock() -> bytes:
        return orjson.dumps({"data": (await memory.STOCK.execute(memory.QUERY, context_value=context())).data})

    return {
        "dictionaries by hand": by_hand,
        "the engine": by_plan,
        "the engine, with documents, limits and deadline": by_runner,
        "graphql-core, with the same": by_core,
        "Strawberry with its caches": by_stock,
    }


async def in_process(rounds: int, seconds: float) -> dict[str, float]:
    """Microseconds of one answer as JSON, by each candidate."""
    chosen = candidates()
    for name, answer in chosen.items():
        assert [await answer() for _ in range(WARM)][-1] == memory.by_hand(), f"{name} answers the same"
    found: dict[str, list[float]] = {name: [] for name in chosen}
    for name, answer in list(chosen.items()) * rounds:
        found[name].append(await _microseconds(answer, seconds))
    return {name: statistics.median(each) for name, each in found.items()}


async def _microseconds(answer: Callable[[], Awaitable[bytes]], seconds: float) -> float:
    count, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        await answer()
        count += 1
    return (time.process_time() - start) / count * 1e6


@contextmanager
def served(name: str) -> Iterator[tuple[int, int, bytes]]:
    """Runs a candidate in a process of its own; gives its id, its port and the request to send."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.memory_server", name, str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own command
        assert process.stdout is not None, "it is piped"
        authorization = process.stdout.readline().strip()
        extra = "" if authorization == "-" else f"authorization: {authorization}\r\n"
        head = (
            f"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
            f"accept: application/json\r\n{extra}content-length: {len(ASKED)}\r\n\r\n"
        )
        try:
            yield process.pid, port, (head + ASKED).encode()
        finally:
            process.terminate()


def over_http(rounds: int, seconds: float) -> dict[str, tuple[float, float]]:
    """Answers a second, and microseconds of the server's CPU for each, by each candidate."""
    turns: dict[str, list[tuple[float, float]]] = {name: [] for name in CANDIDATES}
    with ExitStack() as servers:
        running = {name: servers.enter_context(served(name)) for name in CANDIDATES}
        for _, port, _ in running.values():
            _wait(port)
        for name, (pid, port, request) in list(running.items()) * rounds:
            before = _cpu_s(pid)
            rate = _load(port, request, seconds)
            turns[name].append((rate, (_cpu_s(pid) - before) / (rate * seconds) * 1e6))
    medians = {name: [statistics.median(column) for column in zip(*each, strict=True)] for name, each in turns.items()}
    return {name: (rate, cost_us) for name, (rate, cost_us) in medians.items()}


def _load(port: int, request: bytes, seconds: float) -> float:
    work = {"port": port, "request": request.decode(), "connections": CONNECTIONS, "seconds": seconds}
    command = [sys.executable, "-m", "benchmarks.fixed_load"]
    done = subprocess.run(command, input=json.dumps(work), capture_output=True, text=True, check=True)  # noqa: S603 - ours
    return float(done.stdout)


def _cpu_s(pid: int) -> float:
    """What a process has computed so far; nothing where the system does not say so."""
    path = Path(f"/proc/{pid}/stat")
    if not path.exists():
        return math.nan
    fields = path.read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wait(port: int) -> None:
    async def reach() -> None:
        until = time.monotonic() + START_S
        while time.monotonic() < until:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
        raise TimeoutError

    asyncio.run(reach())


def main() -> None:
    """Runs everything and prints the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long each turn takes")
    parser.add_argument("--rounds", type=int, default=5, help="how many turns each candidate has")
    chosen = parser.parse_args()
    inside = asyncio.run(in_process(chosen.rounds, chosen.seconds / 2))
    table = Table("in this process", "us", "of by hand", "of the engine")
    hand, plan = inside["dictionaries by hand"], inside["the engine"]
    for name, cost in inside.items():
        table.add_row(name, f"{cost:,.1f}", f"{cost / hand:.2f}", f"{cost / plan:.1f}")
    Console().print(table)
    outside = over_http(chosen.rounds, chosen.seconds)
    table = Table("over HTTP, one process", "answers/s", "of fixed bytes", "CPU us", "by CPU")
    limit, limit_us = outside["fixed"]
    for name, (rate, cost_us) in outside.items():
        cells = (f"{rate:,.0f}", f"{rate / limit:.2f}", f"{cost_us:,.0f}", f"{limit_us / cost_us:.2f}")
        table.add_row(name, *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
