"""Orders whose time has come: each transition that is due is taken once, in the transaction that claims it."""

from typing import Final

from shoutgraph.services.orders import timers
from shoutgraph.tools import Tools

ROUND_MAX: Final = 200
"""The most deadlines of one round; the rest wait for the next, so that people's requests come between."""


async def tick(tools: Tools) -> int:
    """Takes what is due; says how much it was."""
    return await timers.fire_due(tools, limit=ROUND_MAX)
