"""The plugin as the application loads it, before a simulated PayPal on loopback."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from shoutgraph.sdk import AnyPayoutPlugin, AnyTopUpPlugin
from shoutgraph.testkit.kinds import PayoutTrial, TopUpTrial
from shoutgraph.testkit.trials import opened
from shoutgraph.testkit.upstreams import Stage
from shoutgraph_paypal.offers import PAYOUT, TOPUP
from shoutgraph_paypal.simulator.upstream import PayPalUpstream

T = TypeVar("T")


class Subject:
    distribution = None

    def __init__(self, plugin: AnyTopUpPlugin | AnyPayoutPlugin) -> None:
        self.plugin = plugin

    def upstream(self, stage: Stage) -> PayPalUpstream:
        return PayPalUpstream(stage)


@pytest.fixture
def shop(tmp_path: Path) -> Callable[[Callable[[TopUpTrial], Awaitable[T]]], T]:
    """Runs a story of top-ups before a new PayPal."""

    def run(story: Callable[[TopUpTrial], Awaitable[T]]) -> T:
        async def told() -> T:
            async with opened(TopUpTrial(Subject(TOPUP), tmp_path)) as trial:
                return await story(trial)

        return asyncio.run(told())

    return run


@pytest.fixture
def bank(tmp_path: Path) -> Callable[[Callable[[PayoutTrial], Awaitable[T]]], T]:
    """Runs a story of payouts before a new PayPal."""

    def run(story: Callable[[PayoutTrial], Awaitable[T]]) -> T:
        async def told() -> T:
            async with opened(PayoutTrial(Subject(PAYOUT), tmp_path)) as trial:
                return await story(trial)

        return asyncio.run(told())

    return run
