"""What a PayPal on loopback has seen and has, as the tests of top-ups ask for it."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from shoutgraph.sdk import Money
from shoutgraph.testkit.kinds import TopUpTrial
from shoutgraph.testkit.trials import Deal
from shoutgraph_paypal.simulator import orders
from shoutgraph_paypal.simulator.state import Thing, World
from shoutgraph_paypal.simulator.upstream import PayPalUpstream

Staged: TypeAlias = Callable[[Callable[[TopUpTrial], Awaitable[Any]]], Any]


def world_of(trial: TopUpTrial) -> World:
    assert isinstance(trial.upstream, PayPalUpstream)
    return trial.upstream.world


def order_of(trial: TopUpTrial, ref: str) -> Thing:
    return world_of(trial).orders[ref.partition("-")[0]]


def captures(trial: TopUpTrial) -> list[str]:
    return [each.path for each in trial.proxy.asked if each.path.endswith("/capture")]


async def approved(trial: TopUpTrial, amount: Money | None = None) -> tuple[Deal, str]:
    """An order that the fan has approved, and nobody has completed."""
    deal, ref = await trial.begun(await trial.deal(amount))
    orders.approve(world_of(trial), order_of(trial, ref))
    return deal, ref
