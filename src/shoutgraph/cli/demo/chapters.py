"""What `shoutgraph demo --full` plays beside the story of one order, each chapter in a module of its own."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

from shoutgraph.cli.demo import (
    abroad,
    capacity,
    dormant,
    gifts,
    giving,
    guards,
    law,
    money,
    quarrels,
    rollout,
    suspense,
    tools,
    trust,
)

if TYPE_CHECKING:
    from shoutgraph.cli.demo.story import Story


class Chapter(NamedTuple):
    """A part of the full demo."""

    title: str
    play: Callable[["Story"], None]


FULL: Final = (
    Chapter("gifts", gifts.play),
    Chapter("a redo, a rating and a dispute", quarrels.play),
    Chapter("a line of people, and a campaign", capacity.play),
    Chapter("promo codes and gift cards", money.play),
    Chapter("money back", giving.play),
    Chapter("money that nobody knows", suspense.play),
    Chapter("limits that people set themselves", guards.play),
    Chapter("reputation, and videos that can be proven", trust.play),
    Chapter("features for some, and answers to why", rollout.play),
    Chapter("paid in yen", abroad.play),
    Chapter("tools that are told by webhook", tools.play),
    Chapter("reports, copies of data and erasure", law.play),
    Chapter("coins that lapse where a law says so", dormant.play),
)
"""In the order in which they are played, between the payout and the proof."""
