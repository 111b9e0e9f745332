"""Takes back granted coins that have lapsed, and gives back those of gift cards that have."""

from shoutgraph.services import wallets
from shoutgraph.services.topups import cards
from shoutgraph.tools import Tools


async def tick(tools: Tools) -> int:
    """Lets what is due lapse; says how many lots and cards."""
    return await wallets.expire_due(tools) + await cards.expire_due(tools)
