"""Lets earnings mature when their hold is over, and releases what was in reserve for long enough."""

from shoutgraph.services import earnings
from shoutgraph.tools import Tools


async def tick(tools: Tools) -> int:
    """Makes available what is due; says how many."""
    return await earnings.mature_due(tools) + await earnings.release_due(tools)
