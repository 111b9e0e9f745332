"""Keeping the answers to idempotent requests as long as promised, and no longer."""

from shoutgraph.storage import requests
from shoutgraph.tools import Tools


async def prune(tools: Tools) -> int:
    """Removes answers that are past their time; says how many."""
    return await tools.store.write(requests.prune)
