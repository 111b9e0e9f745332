"""The videos that show somebody or were made for them, and what they attached to orders."""

from collections.abc import AsyncGenerator
from functools import partial

from shoutgraph.domain import ids
from shoutgraph.storage import personal
from shoutgraph.tools import Tools


async def chunks(tools: Tools, user_id: str, *, shown: bool = False) -> AsyncGenerator[list[ids.VideoId], None]:
    """Their ids, some at a time; where it is asked for, only of those that they may watch."""
    seen = ""
    while True:
        found = await tools.store.read(partial(personal.list_of_files, user_id=user_id, after=seen, shown=shown))
        if not found:
            return
        yield [ids.VideoId(each) for each in found]
        seen = found[-1]
