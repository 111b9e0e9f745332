"""Takes price lists into effect whose time has come."""

from shoutgraph.services import packages
from shoutgraph.tools import Tools


async def tick(tools: Tools) -> int:
    """Takes into effect what is due; says how many lists."""
    return await packages.apply_due(tools)
