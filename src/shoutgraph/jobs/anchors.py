"""Anchors the journal while it grows, at most as often as the settings say, and once more at the end."""

import logging

from shoutgraph.services import anchors
from shoutgraph.tools import Tools

logger = logging.getLogger("shoutgraph.anchors")


async def tick(tools: Tools) -> int:
    """Writes an anchor if one is due and the journal grew; there is never more to do at once."""
    folder, now = tools.anchors, tools.clock()
    if folder is not None and folder.agreed and (folder.due_at is None or now >= folder.due_at):
        folder.due_at = now + folder.every
        await anchors.write(tools.store, folder, tools.clock)
    return 0


async def last(tools: Tools) -> None:
    """Writes the last anchor of a process whose database agreed with them; that it cannot does not hold up the end."""
    if tools.anchors is None or not tools.anchors.agreed:
        return
    try:
        await anchors.write(tools.store, tools.anchors, tools.clock)
    except Exception:
        logger.exception("the last anchor could not be written")
