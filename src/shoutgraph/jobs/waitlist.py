"""Lines of those who wait: free places are offered to the first, and offers lapse when their time is over."""

from typing import Final

from shoutgraph.services.orders import lines
from shoutgraph.tools import Tools

ROUND_MAX: Final = 100
"""The most lines that one round moves."""


async def tick(tools: Tools) -> int:
    """Moves what may move; says how many entries changed."""
    return await lines.move_due(tools, limit=ROUND_MAX)
