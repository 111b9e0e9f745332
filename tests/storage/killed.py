"""A server to be killed: `python -m tests.storage.killed <database> <acknowledgements>`.

Imports once, then forks a real process for every line on its input; the line names the run. The process opens the
store, says so, and keeps 64 transfers in flight, writing each one's name to a file only after its answer. The parent
tells the process's number and, when it is gone, that it is gone.
"""

import asyncio
import os
import sys
from datetime import UTC, datetime
from functools import partial

from shoutgraph.domain import accounts, ids, journal as lines
from shoutgraph.domain.ledger import Posting, Transfer
from shoutgraph.domain.money import Money
from shoutgraph.domain.suspense import Told
from shoutgraph.storage import engine, journal, ledger, migrations, suspending
from shoutgraph.storage.engine import Store, Tx

IN_FLIGHT = 64
KIND = "gift"
SUSPENSE_EACH = 8
"""Beside one of so many, something goes to suspense, and what went there before may leave it."""
GIVERS = [accounts.available(ids.CreatorId(f"creator_{number}")) for number in range(50)]


def given(ref: str, number: int) -> Transfer:
    """A gift and its fee, between accounts that many transfers share."""
    giver, taker = GIVERS[number % 50], GIVERS[(number * 7 + 1) % 50]
    taker = taker if taker is not giver else GIVERS[(number + 1) % 50]
    moved = (Posting(giver, taker, 2, "gift"), Posting(giver, accounts.fee_stripe(number % 16), 1, "fee"))
    return Transfer(KIND, ref, moved)


def seed(tx: Tx) -> None:
    for giver in GIVERS:
        ledger.post(tx, Transfer("seed", giver.code, (Posting(accounts.MINT, giver, 10**9, "seed"),)))


def give(tx: Tx, ref: str, number: int) -> None:
    ledger.post(tx, given(ref, number))
    event = lines.NewEvent(f"event_{ref}", f"topic_{number % 10}", "gift.sent", {"n": number})
    journal.append(tx, lines.NewEvent(event.id, event.topic, event.type, event.body, ledger.number_of(tx, KIND, ref)))


def serve_one(tx: Tx, run: str, number: int) -> None:
    """A gift; now and then with it a line that no transfer explains, or what explains an earlier one."""
    give(tx, f"{run}-{number}", number)
    if number % SUSPENSE_EACH == 0:
        told = Told("sandbox", f"{run}-{number}", None, Money(number + 1, "EUR"), tx.now)
        suspending.take_in(tx, partial("{1}_{0}".format, f"{run}-{number}-found"), told)
    elif number % SUSPENSE_EACH == SUSPENSE_EACH - 1 and number % 3:
        name = f"{run}-{number - SUSPENSE_EACH + 1}"
        new_id = partial("{1}_{0}".format, f"{name}-explained")
        suspending.explain(tx, new_id, instance="sandbox", operation_id=name, ref=None)


async def serve(store: Store, run: str, acknowledged: int) -> None:
    numbers = iter(range(10**9))

    async def client() -> None:
        for number in numbers:
            ref = f"{run}-{number}"
            await store.write(partial(serve_one, run=run, number=number))
            os.write(acknowledged, f"{ref}\n".encode())

    await asyncio.gather(*(client() for _ in range(IN_FLIGHT)))


def say(word: str) -> None:
    os.write(1, f"{word}\n".encode())


def child(database: str, acknowledgements: str, run: str) -> None:
    acknowledged = os.open(acknowledgements, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    store = engine.open_store(database, lambda: datetime.now(UTC))  # noqa: TID251 - this is a server
    store.write_now(seed)
    say("serving")
    asyncio.run(serve(store, run, acknowledged))


def main(database: str, acknowledgements: str) -> None:
    migrations.head()  # reads the revisions once, not in every child
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            child(database, acknowledgements, line.strip())
            os._exit(1)
        say(str(pid))
        os.waitpid(pid, 0)
        say("gone")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
