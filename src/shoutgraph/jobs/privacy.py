"""What people asked of what is kept about them: copies are made and removed again, and erasures carried out."""

from shoutgraph.services.privacy import erase, export
from shoutgraph.tools import Tools


async def tick(tools: Tools) -> int:
    """Does what is due; says how much it was."""
    return await export.run_due(tools) + await erase.run_due(tools)
