"""Sends what finance approved, and lets go what no rule holds any more."""

from typing import Final

from shoutgraph.services.payouts import holds, send
from shoutgraph.tools import Tools

ROUND_MAX: Final = 100
"""The most payouts of one round."""


async def tick(tools: Tools) -> int:
    """Hands approved payouts to their providers; says how many."""
    gone = await holds.let_go_due(tools, limit=ROUND_MAX)
    return gone + await send.send_due(tools, limit=ROUND_MAX)
