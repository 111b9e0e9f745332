"""The videos that show somebody or were made for them, and what they attached to orders."""

from collections.abc import AsyncGenerator
from functools import partial
from typing import Final

from shoutgraph.domain import ids
from shoutgraph.storage import personal
from shoutgraph.tools import Tools

CHUNKS_MAX: Final = 100_000
"""The most of these that somebody has; they go along the ids, so that each is met once."""


async def chunks(tools: Tools, user_id: str, *, shown: bool = False) -> AsyncGenerator[list[ids.VideoId], None]:
    """Their ids, some at a time; where it is asked for, only of those that they may watch."""
    seen = ""
    for _ in range(CHUNKS_MAX):
        found = await tools.store.read(partial(personal.list_of_files, user_id=user_id, after=seen, shown=shown))
        if not found:
            return
        yield [ids.VideoId(each) for each in found]
        seen = found[-1]
