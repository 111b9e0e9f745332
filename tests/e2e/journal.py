"""The journal as clients page it and as it lies on disk."""

import base64
import json
import sqlite3
import time
from pathlib import Path

from tests.e2e.market import Market
from tests.e2e.wire import Wire

PAGE = """query Page($after: String) { orderEvents(first: 97, after: $after) {
  nodes { id cursor } pageInfo { hasNextPage endCursor } } }"""

Line = tuple[str, str]
"""Cursor and id."""


async def paged(market: Market, port: int) -> list[Line]:
    """All order events by the paged query, oldest first."""
    lines: list[Line] = []
    with Wire(port, market.token("desk", "service")) as wire:
        after, more = None, True
        while more:
            found = (await wire.once(PAGE, after=after))["orderEvents"]
            lines += [(node["cursor"], node["id"]) for node in found["nodes"]]
            after, more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]
    return lines


async def start_of(market: Market, port: int) -> str:
    """The cursor before the first event."""
    with Wire(port, market.token("desk", "service")) as wire:
        cursor: str = (await wire.once(PAGE, after=None))["orderEvents"]["pageInfo"]["endCursor"]
    return cursor


def seq_of(cursor: str) -> int:
    """The number inside a cursor, which only tests may look at."""
    number: int = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))[-1]
    return number


def stored(database: Path) -> list[tuple[int, str, str]]:
    """Number, id and topic of every line on disk."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return connection.execute("SELECT seq, id, topic FROM event ORDER BY seq").fetchall()
    finally:
        connection.close()


def wait_for_commit(database: Path, patience_s: float) -> None:
    """Returns as soon as another line of the journal can be read, which is before its client is answered."""
    deadline = time.monotonic() + patience_s
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        newest = "SELECT max(seq) FROM event"
        before = connection.execute(newest).fetchone()
        while connection.execute(newest).fetchone() == before:
            assert time.monotonic() < deadline, "nothing was committed"
    finally:
        connection.close()
