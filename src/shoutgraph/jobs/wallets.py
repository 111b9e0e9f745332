"""Takes back granted coins that have lapsed."""

from shoutgraph.services import wallets
from shoutgraph.tools import Tools


async def tick(tools: Tools) -> int:
    """Lets what is due lapse; says how many lots."""
    return await wallets.expire_due(tools)
