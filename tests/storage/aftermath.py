"""What somebody finds who opens a database after a fault, with the real store."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pysqlite3 as dbapi
import sqlalchemy as sa
from tests.storage import databases, outage
from tests.storage.databases import Clock
from tests.storage.outage import NAME, Life

from shoutgraph.storage import ledger_proof
from shoutgraph.storage.engine import Tx
from shoutgraph.storage.statements import Statement

_TRANSFERS = Statement[tuple[str]](lambda: sa.text("SELECT ref FROM transfer"))
_EVENTS = Statement[tuple[str, str]](
    lambda: sa.text(
        "SELECT substr(e.id, 7), t.ref FROM event e LEFT JOIN transfer t ON t.id = e.transfer_id ORDER BY e.seq"
    )
)
_ANSWERS = Statement[tuple[str, int]](lambda: sa.text('SELECT "key", refusal IS NOT NULL FROM request'))


@dataclass(frozen=True)
class Found:
    """What is in a database: transfers, events with the transfers that they name, answers, broken laws."""

    transfers: set[str]
    events: list[tuple[str, str]]
    answers: dict[str, int]
    broken: list[object]


def put_down(files: Mapping[str, bytes], folder: Path) -> Path:
    """Writes what a disk holds to plain files in an emptied folder; gives the database's."""
    for path in folder.iterdir():
        path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder / NAME


def reopened(path: Path, clock: Clock) -> Found:
    """What the store finds when it is opened again; it works, and the file is sound."""
    store = databases.opened(path, clock, readers=1)
    try:
        found = store.read_now(_find)
        store.write_now(lambda tx: outage.topup(tx, "after", outage.FANS[0]))
    finally:
        store.close()
    connection = dbapi.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()
    return found


def lost(found: Found, told: Mapping[str, bool]) -> int:
    """How many commands were acknowledged and are not there."""
    return sum(ref not in found.answers for ref in told)


def check_whole(found: Found, life: Life) -> None:
    """Each command is there with all it did, or not at all, in the order in which it was done.

    Commands whose batch failed may be there too, as the last ones: their clients were told that nobody knows.
    """
    carried_out = {ref for ref, refused in found.answers.items() if not refused}
    assert found.transfers == carried_out, "a transfer and its stored answer are there together"
    events = [ref for ref, _ in found.events]
    assert events == [ref for _, ref in found.events], "events name their transfers"
    assert len(events) == len(found.transfers) == len(found.transfers & set(events)), "an event for each transfer"
    known = [ref for ref in events if ref not in life.unknown]
    assert events[: len(known)] == life.history[: len(known)], "history is a prefix"
    assert found.broken == []


def _find(tx: Tx) -> Found:
    return Found(
        transfers={ref for (ref,) in tx.all(_TRANSFERS)},
        events=tx.all(_EVENTS),
        answers=dict(tx.all(_ANSWERS)),
        broken=[*ledger_proof.verify(tx)],
    )
