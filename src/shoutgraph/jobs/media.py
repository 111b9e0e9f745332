"""Videos that wait for their check, and files of rejected ones that can go."""

from shoutgraph.services.media import check
from shoutgraph.tools import Tools


async def tick(tools: Tools) -> int:
    """Checks what waits; says how much it was."""
    return await check.check_pending(tools)
