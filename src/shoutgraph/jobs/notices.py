"""Webhooks that are older than they are kept."""

from shoutgraph.services import notices
from shoutgraph.tools import Tools


async def tick(tools: Tools) -> int:
    """Removes some of them; says how many."""
    return await notices.prune(tools)
