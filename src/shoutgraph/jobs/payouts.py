"""Sends what finance approved."""

from typing import Final

from shoutgraph.services.payouts import send
from shoutgraph.tools import Tools

ROUND_MAX: Final = 100
"""The most payouts of one round."""


async def tick(tools: Tools) -> int:
    """Hands approved payouts to their providers; says how many."""
    return await send.send_due(tools, limit=ROUND_MAX)
