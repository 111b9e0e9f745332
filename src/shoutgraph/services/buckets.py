"""Buckets: what the processes of one deployment have let callers spend, put together once in a while."""

from collections.abc import Mapping

from shoutgraph.storage import buckets
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


async def share(tools: Tools, micros: Mapping[str, int]) -> Mapping[str, int]:
    """Spends from the shared buckets, and says in how long each is full again. Units: microseconds.

    Where one process writes, there is nobody to share with, and the answer is empty.

    Args:
        micros: how long it takes to regain what was spent here, by key.
    """

    def work(tx: Tx) -> Mapping[str, int]:
        return buckets.spend(tx, micros) if tx.shared else {}

    return await tools.store.write(work)


async def forget(tools: Tools) -> int:
    """Removes buckets that are full again; says how many."""
    return await tools.store.write(buckets.forget)
