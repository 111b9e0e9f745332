"""Requests and videos that plugins look at before people do."""

from shoutgraph.services.orders import screen
from shoutgraph.tools import Tools


async def tick(tools: Tools) -> int:
    """Looks at what waits; says how much it was."""
    return await screen.screen_due(tools)
