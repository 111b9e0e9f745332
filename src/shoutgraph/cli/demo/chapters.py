"""What `shoutgraph demo --full` plays beside the story of one order, each chapter in a module of its own."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from shoutgraph.cli.demo import capacity, gifts, giving, guards, law, money, quarrels, rollout, trust

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story

Chapter = Callable[["Story"], None]

FULL: Final[tuple[Chapter, ...]] = (
    gifts.play,
    guards.play,
    quarrels.play,
    money.play,
    trust.play,
    rollout.play,
    capacity.play,
    giving.play,
    law.play,
)
"""In the order in which they are played, between the payout and the proof."""
