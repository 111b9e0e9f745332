"""A process that writes to the journal when it is told to: `python -m tests.storage.postgresql.teller <url>`.

For every number on its input it tells of so many events, one commit each, and says when each was acknowledged.
"""

import os
import sys
import time
from datetime import UTC, datetime
from functools import partial

from shoutgraph.domain.journal import NewEvent
from shoutgraph.storage import engine, journal
from shoutgraph.storage.engine import Options, Tx


def tell(tx: Tx, number: int) -> None:
    journal.append(tx, NewEvent(f"event_{os.getpid()}_{number}", f"topic_{number % 5}", "told", {"n": number}))


def say(word: str) -> None:
    os.write(1, f"{word}\n".encode())


def main(url: str) -> None:
    wall = lambda: datetime.now(UTC)  # noqa: E731, TID251 - this is a server
    store = engine.open_store(url, wall, Options(readers=1))
    say("open")
    told = 0
    for line in sys.stdin:
        for _ in range(int(line)):
            told += 1
            store.write_now(partial(tell, number=told))
            say(str(time.monotonic()))
    store.close()


if __name__ == "__main__":
    main(sys.argv[1])
