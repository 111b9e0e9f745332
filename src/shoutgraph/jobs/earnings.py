"""Lets earnings mature when their hold is over, releases what was in reserve, and has earnings pay debts."""

from shoutgraph.services import earnings
from shoutgraph.tools import Tools


async def tick(tools: Tools) -> int:
    """Makes available what is due; says how many."""
    done = await earnings.mature_due(tools) + await earnings.release_due(tools)
    return done + await earnings.withhold_due(tools)
