"""Tells plugins what happened to money."""

from shoutgraph.services.money import news
from shoutgraph.tools import Tools


async def tick(tools: Tools) -> int:
    """Tells each plugin what it has not heard; says how many calls were made."""
    return await news.tell_all(tools)
