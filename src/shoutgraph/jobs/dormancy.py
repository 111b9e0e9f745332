"""Coins whose owners do nothing lapse where a country's rule says so, after a notice."""

from shoutgraph.services import dormancy
from shoutgraph.tools import Tools


async def tick(tools: Tools) -> int:
    """Gives notices once a day, and lets lapse what is due; says how many people it was about."""
    return await dormancy.run_due(tools)
