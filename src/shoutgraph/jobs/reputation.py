"""Keeps reputations: what the journal told since, and windows that moved with the day."""

from shoutgraph.services import reputation
from shoutgraph.tools import Tools


async def tick(tools: Tools) -> int:
    """Counts, and moves windows on; says how many lines and creators it looked at."""
    return await reputation.fold(tools) + await reputation.move_windows(tools)
