"""Runs the jobs in this process: one round after another, each job on its own, a failure never stopping the others."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from shoutgraph.domain import errors
from shoutgraph.telemetry import metrics
from shoutgraph.telemetry.names import IDLE, JOB, OK
from shoutgraph.telemetry.spans import observed
from shoutgraph.tools import Tools

logger = logging.getLogger("shoutgraph.jobs")

Tick = Callable[[Tools], Awaitable[int]]
"""One round of a job: does what is due and says how much it was."""

ROUNDS_MAX: Final = 1_000
"""Rounds that `settle` runs at most before it says that the work does not end."""


async def run(tools: Tools, jobs: Mapping[str, Tick], *, pause_s: int, stop: asyncio.Event) -> None:
    """Runs every job until told to stop; a job with more to do goes on without a pause."""
    async with asyncio.TaskGroup() as group:
        for name, tick in jobs.items():
            group.create_task(_repeat(tools, name, tick, pause_s=pause_s, stop=stop))


async def settle(tools: Tools, jobs: Mapping[str, Tick]) -> int:
    """Runs the jobs until none has anything to do; for tests and the test clock. Says how much was done."""
    total = 0
    for _ in range(ROUNDS_MAX):
        done = sum([await tick(tools) for tick in jobs.values()])
        if not done:
            return total
        total += done
    raise RuntimeError("the jobs do not come to an end")


async def _repeat(tools: Tools, name: str, tick: Tick, *, pause_s: int, stop: asyncio.Event) -> None:
    while not stop.is_set():
        done = 0
        try:
            with observed(JOB, metrics.JOBS, name, attributes={"shoutgraph.job": name}) as entry:
                done = await tick(tools)
                entry.outcome = OK if done else IDLE
        except errors.StoreUnavailableError as absence:
            logger.warning("the job %s waits for the database: %s", name, absence)
        except Exception:
            logger.exception("the job %s failed and is tried again", name)
        if not done:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause_s)
