"""The jobs that act because a time has passed: they wait while the time is in doubt."""

from collections.abc import Mapping
from typing import Final

from shoutgraph.jobs.runner import Tick
from shoutgraph.services.watch import Watch
from shoutgraph.tools import Tools

EXPIRING: Final = frozenset(
    {"closures", "deadlines", "dormancy", "earnings", "notices", "prices", "requests", "waitlist", "wallets"}
)
"""What acts because it is time: orders move, earnings mature, prices start, places and granted coins lapse."""


def guarded(jobs: Mapping[str, Tick], watch: Watch) -> Mapping[str, Tick]:
    """The same jobs, of which those that expire something look at the clock first."""
    assert jobs.keys() >= EXPIRING, "they are all there"
    return {name: _guard(tick, watch) if name in EXPIRING else tick for name, tick in jobs.items()}


def _guard(tick: Tick, watch: Watch) -> Tick:
    async def guard(tools: Tools) -> int:
        return 0 if await watch.doubt(tools) is not None else await tick(tools)

    return guard
