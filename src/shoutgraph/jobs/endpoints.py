"""Tells whoever asked for webhooks what happened."""

from shoutgraph.services.endpoints import deliver
from shoutgraph.tools import Tools


async def tick(tools: Tools) -> int:
    """Tells each endpoint what it was not told, and forgets old deliveries; says how much that was."""
    return await deliver.deliver_all(tools) + await deliver.prune(tools)
