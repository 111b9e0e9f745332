"""Answers to idempotent requests that are older than they are kept."""

from shoutgraph.services import requests
from shoutgraph.tools import Tools


async def tick(tools: Tools) -> int:
    """Removes some of them; says how many."""
    return await requests.prune(tools)
