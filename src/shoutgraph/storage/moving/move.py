"""Moves a whole deployment from one database into another, of either kind.

Rows keep their ids, numbers and hashes. What follows from others is not copied: balances and entries arise from the
postings and lots from their moves, each in its order, through the target's own guards. In the end every table is
compared row by row and the books are proven, and only then is the target's revision one that can be served.
Source: docs/adr/0018-moving.md.
"""

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from shoutgraph.domain import clock, errors
from shoutgraph.storage import migrations
from shoutgraph.storage.moving import numbers, sides, steps, tables
from shoutgraph.storage.moving.replay import Replay
from shoutgraph.storage.moving.sides import Side
from shoutgraph.storage.statements import Row
from shoutgraph.storage.tx import Tx

TOPIC_LINES_MAX: Final = 100_000_000

Tell = Callable[[str, int], None]
"""Called with the name of a table and how many rows of it were written, some at a time."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was moved: rows by table, and the journal's head, which is the same in both."""

    rows: Mapping[str, int]
    seq: int
    hash: bytes
    seconds: float


def move(
    source: Path | str, target: Path | str, wall: clock.Clock, *, prove: Callable[[Tx], object], tell: Tell
) -> Moved:
    """Copies a database that nobody writes to into an empty migrated one that nobody uses.

    A move that was cut is gone on with; until it is done, no process serves the target.

    Args:
        prove: looks at the target before it is done, and raises if something is wrong.

    Raises:
        StoreUnavailableError: one of them is not of this release, not there or in use, or the target is not empty.
        InvariantError: the target forbade something, or does not say what the source says.
    """
    began = time.monotonic()
    with contextlib.ExitStack() as parts:
        old = sides.open_source(parts, source, wall)
        new = sides.open_target(parts, target, wall)
        if new.revision != sides.UNFINISHED:
            _begin(old, new)
        for postings in Replay(old, new).parts():
            tell("posting", postings)
        with new.transaction():
            for name, count in _finish(old, new):
                tell(name, count)
            if new.server:
                _finish_server(new)
            rows = dict(_compare(old, new))
            prove(new.tx)
            head = new.tx.head
            new.mark(migrations.head())
    return Moved(rows, head.seq, head.hash, time.monotonic() - began)


def _begin(old: Side, new: Side) -> None:
    """Opens accounts and lots, empty, and what the books' guards look at; nobody takes it for a whole database.

    Raises:
        StoreUnavailableError: the target is not empty.
    """
    for table in tables.of(new):
        if table.name not in tables.SEEDED and new.tx.all(tables.select_one(table)):
            raise errors.StoreUnavailableError(f"{new.name} is not empty: {table.name} has rows", retry_after_s=0)
    with new.transaction():
        new.mark(sides.UNFINISHED)
        codes = {row[0] for row in new.tx.all(tables.select(tables.named("asset"), ["code"]))}
        _insert_all(old, new, "asset", lambda row: row["code"] not in codes)
        _insert_all(old, new, "account", lambda row: row["order_id"] is None)
        for name in ("lot", *tables.FIRST):
            _insert_all(old, new, name, lambda _: True)


def _finish(old: Side, new: Side) -> Iterator[tuple[str, int]]:
    """Writes everything beside the books, and what rows say now that were born with less."""
    orders = {row[0] for row in new.tx.each(tables.select(tables.named("orders"), ["id"]))}
    yield "orders", _insert_all(old, new, "orders", lambda row: row["id"] not in orders)
    done = tables.WRITTEN_BY_GUARDS | tables.REPLAYED | tables.SEEDED | frozenset(tables.FIRST)
    for table in tables.of(new):
        if table.name not in done:
            yield table.name, _insert_all(old, new, table.name, lambda _: True)
    for name, born in tables.BORN.items():
        if name != steps.NAME:
            _grow_up(old, new, name, born)
    steps.walk(old, new)
    _grow_up(old, new, "account", {"closed": 0})


def _insert_all(old: Side, new: Side, name: str, wanted: Callable[[Mapping[str, object]], bool]) -> int:
    table = tables.named(name)
    names, count = tables.written(table), 0
    born = {**tables.BORN.get(name, {}), **tables.COUNTED.get(name, {})}
    statement = tables.insert(table, names)
    for chunk in tables.chunks(old.tx.each(tables.select(table, names))):
        rows = [row | born for row in (dict(zip(names, values, strict=True)) for values in chunk) if wanted(row)]
        if rows:
            new.tx.many(statement, rows)
        count += len(rows)
    return count


def _grow_up(old: Side, new: Side, name: str, born: Mapping[str, object]) -> None:
    table, names, fresh = tables.named(name), [*born], tuple(born.values())
    statement = tables.update(table, names)
    for chunk in tables.chunks(old.tx.each(tables.select(table, [tables.key_of(table), *names]))):
        grown = [(row[0], row[1:]) for row in chunk if tuple(row[1:]) != fresh]
        rows = [{"of": of, **{f"to_{n}": value for n, value in zip(names, now, strict=True)}} for of, now in grown]
        if rows:
            new.tx.many(statement, rows)


def _finish_server(new: Side) -> None:
    """What PostgreSQL keeps beside the rows: counts of lines, where the sequencer stands, and the next numbers."""
    raw = new.session.raw
    told = "SELECT topic, max(topic_seq) AS lines FROM public.event GROUP BY topic"
    raw.execute(f"CREATE TEMP TABLE told ON COMMIT DROP AS {told}")
    raw.execute("CREATE INDEX told_lines ON told (lines)")
    raw.execute("INSERT INTO topic (topic, lines) SELECT topic, 1 FROM told")
    count_on = "UPDATE topic SET lines = $1 FROM told WHERE told.topic = topic.topic AND told.lines >= $1"
    for lines in range(2, TOPIC_LINES_MAX):  # the guard counts them one by one
        if not raw.execute(count_on, (lines,)).rowcount:
            break
    head = new.tx.head
    if head.seq:
        stands = (head.seq, head.hash, clock.to_micros(head.at))
        raw.execute("UPDATE sequencer SET seq = $1, hash = $2, at = $3", stands)
    numbers.go_past(new)
    raw.execute("SET CONSTRAINTS ALL IMMEDIATE")  # what COMMIT would check and count is compared, too
    raw.execute("ANALYZE")  # a proof without it takes very long


def _compare(old: Side, new: Side) -> Iterator[tuple[str, int]]:
    """Every row of every table is the same, those that arose too; gives how many there are.

    Raises:
        InvariantError: one is not.
    """
    for table in tables.of(new):
        if table.name in tables.ONLY_EMBEDDED and old.server:
            continue
        there, here = _digest(old.tx, table), _digest(new.tx, table)
        if there != here:
            raise errors.InvariantError(
                f"{new.name} has other rows in {table.name} than {old.name}: empty it, and move again"
            )
        yield table.name, here[0]
    if old.tx.head != new.tx.head:
        raise errors.InvariantError(f"the journal of {new.name} ends elsewhere: empty it, and move again")


def _digest(tx: Tx, table: sa.Table) -> tuple[int, int]:
    """How many rows there are, and the sum of their hashes, whatever order they come in."""
    count = total = 0
    for row in tx.each(tables.select(table, tables.kept(table))):
        count += 1
        total += int.from_bytes(hashlib.sha256(_canonical(row)).digest())
    return count, total % 2**256


def _canonical(row: Row) -> bytes:
    parts: Sequence[bytes] = [value if isinstance(value, bytes) else repr(value).encode() for value in row]
    return b"".join([len(part).to_bytes(8) + part for part in parts])
