"""The plugin as the application loads it, before a simulated store on loopback."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from shoutgraph.testkit.kinds import RedeemTrial
from shoutgraph.testkit.trials import opened
from shoutgraph.testkit.upstreams import Stage
from shoutgraph_appstore.offers import TOPUP
from shoutgraph_appstore.simulator.upstream import AppStoreUpstream

T = TypeVar("T")


class Subject:
    plugin = TOPUP
    distribution = None

    def upstream(self, stage: Stage) -> AppStoreUpstream:
        return AppStoreUpstream(stage)


@pytest.fixture
def staged(tmp_path: Path) -> Callable[[Callable[[RedeemTrial], Awaitable[T]]], T]:
    """Runs a story before a new store."""

    def run(story: Callable[[RedeemTrial], Awaitable[T]]) -> T:
        async def told() -> T:
            async with opened(RedeemTrial(Subject(), tmp_path)) as trial:
                return await story(trial)

        return asyncio.run(told())

    return run
