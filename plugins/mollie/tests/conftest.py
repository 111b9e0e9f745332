"""The plugin as the application loads it, before a simulated Mollie on loopback."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from shoutgraph.testkit.kinds import TopUpTrial
from shoutgraph.testkit.trials import opened
from shoutgraph.testkit.upstreams import Stage
from shoutgraph_mollie.offers import TOPUP
from shoutgraph_mollie.simulator.upstream import MollieUpstream

T = TypeVar("T")


class Subject:
    plugin = TOPUP
    distribution = None

    def upstream(self, stage: Stage) -> MollieUpstream:
        return MollieUpstream(stage)


@pytest.fixture
def staged(tmp_path: Path) -> Callable[[Callable[[TopUpTrial], Awaitable[T]]], T]:
    """Runs a story before a new Mollie."""

    def run(story: Callable[[TopUpTrial], Awaitable[T]]) -> T:
        async def told() -> T:
            async with opened(TopUpTrial(Subject(), tmp_path)) as trial:
                return await story(trial)

        return asyncio.run(told())

    return run
