"""Keeping the answers to idempotent requests as long as promised, and no longer."""

from shoutgraph.storage import requests, turns
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


async def prune(tools: Tools) -> int:
    """Removes answers that are past their time; says how many."""

    def work(tx: Tx) -> int:
        return requests.prune(tx) if turns.take(tx, "requests") else 0

    return await tools.store.write(work)
