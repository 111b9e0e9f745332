"""Keeps what was delivered, and makes the copies with a watermark."""

from shoutgraph.services import authenticity
from shoutgraph.tools import Tools


async def tick(tools: Tools) -> int:
    """Does what is due; says how many lines it looked at and how many copies it tried."""
    return await authenticity.fold(tools) + await authenticity.mark_due(tools)
