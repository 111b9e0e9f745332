"""A database that was moved is the same database: every row, the chain, the books, and whatever comes next."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import SQLModel
from tests.soak import Extent
from tests.storage import bulk, databases
from tests.storage.databases import Clock, Kind, Place, Where

from shoutgraph.domain import errors
from shoutgraph.storage import epochs, journal, ledger_proof, moving
from shoutgraph.storage.engine import Options, Store, open_store
from shoutgraph.storage.moving import Moved, replay, sides, tables
from shoutgraph.storage.tx import Tx

ORDERS = 40
OPEN_FROM = 30
"""Orders from this one on are still open."""
UNFINISHED = "unfinished-move"


class Cut(Exception):  # noqa: N818 - not an error of ours
    """The machine went away."""


def prove(tx: Tx) -> None:
    assert ledger_proof.verify(tx, books=bulk.BOOKS) == []


def move(source: Where, target: Where, clock: Clock, tell: Callable[[str, int], None] = lambda _, __: None) -> Moved:
    return moving.move(source, target, clock, prove=prove, tell=tell)


def fill(where: Where) -> None:
    store = databases.opened(where, Clock())
    bulk.fill(store, ORDERS, open_from=OPEN_FROM)
    store.write_now(epochs.begin)
    store.close()


@pytest.fixture
def source(place: Place) -> Where:
    """Finished orders, open ones, and a restore."""
    return place.filled("moved", fill)


@pytest.fixture(params=list(Kind), ids=lambda kind: f"to {kind}")
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Where]:
    (tmp_path / "target").mkdir()
    with databases.placed(request.param, tmp_path / "target") as place:
        yield place.database("target")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders begin in one part and end in another, and chunks have an end."""
    monkeypatch.setattr(replay, "PART_POSTINGS", 7)
    monkeypatch.setattr(tables, "CHUNK_ROWS", 9)


def rows_of(where: Where) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, as another program sees them."""
    found = {}
    with databases.outside(where) as raw:
        for table in SQLModel.metadata.sorted_tables:
            if table.name not in tables.ONLY_EMBEDDED:
                names = ", ".join(tables.kept(table))
                rows = raw.execute(f"SELECT {names} FROM {table.name}").fetchall()  # noqa: S608
                found[table.name] = sorted(rows, key=repr)
    return found


def opened(where: Where, clock: Clock) -> Store:
    return databases.opened(where, clock)


def test_everything_is_there_and_goes_on(source: Where, target: Where, clock: Clock) -> None:
    told: list[tuple[str, int]] = []
    moved = move(source, target, clock, lambda table, rows: told.append((table, rows)))
    expected = rows_of(source)
    assert rows_of(target) == expected
    assert moved.rows.items() >= {name: len(rows) for name, rows in expected.items()}.items()
    assert sum(rows for table, rows in told if table == "posting") == len(expected["posting"])
    assert [table for table, _ in told].count("posting") > 3
    with ExitStack() as parts:
        old, new = (opened(where, clock) for where in (source, target))
        for store in (old, new):
            parts.callback(store.close)
        assert new.read_now(journal.head) == old.read_now(journal.head)
        assert (moved.seq, moved.hash) == (old.read_now(journal.head).seq, old.read_now(journal.head).hash)
        for store in (old, new):
            bulk.complete(store, range(OPEN_FROM, ORDERS))
            bulk.place(store, range(ORDERS, ORDERS + 5))
        assert new.read_now(bulk.balance) == old.read_now(bulk.balance) > 0
        for store in (old, new):
            prove_now(store)
        assert [line.topic_seq for line in new.read_now(lines)] == [line.topic_seq for line in old.read_now(lines)]


def prove_now(store: Store) -> None:
    store.settle_journal_now()
    store.read_now(prove)


def lines(tx: Tx) -> list[Any]:
    return sorted(journal.each(tx), key=lambda line: (line.topic, line.topic_seq))


def test_moving_there_and_back_again_gives_the_same(source: Where, target: Where, clock: Clock, place: Place) -> None:
    move(source, target, clock)
    back = place.database("back")
    move(target, back, clock)
    assert rows_of(back) == rows_of(source)


@pytest.mark.parametrize("part", [1, 4])
def test_a_move_that_was_cut_is_served_by_nobody_and_gone_on_with(
    source: Where, target: Where, clock: Clock, part: int
) -> None:
    seen = []

    def cut(table: str, _: int) -> None:
        seen.append(table)
        if seen.count("posting") == part:
            raise Cut

    with pytest.raises(Cut):
        move(source, target, clock, cut)
    for options in (Options(), Options(writing=False, any_schema=True)):
        with pytest.raises(errors.StoreUnavailableError, match=UNFINISHED):
            open_store(target, clock, options)
    before = len(rows_of(target)["posting"])
    assert 0 < before < len(rows_of(source)["posting"])
    move(source, target, clock)
    assert rows_of(target) == rows_of(source)
    opened(target, clock).close()


def test_a_move_whose_proof_fails_is_served_by_nobody(source: Where, target: Where, clock: Clock) -> None:
    def refuse(_: Tx) -> None:
        raise errors.InvariantError("the books do not balance")

    with pytest.raises(errors.InvariantError, match="do not balance"):
        moving.move(source, target, clock, prove=refuse, tell=lambda _, __: None)
    with pytest.raises(errors.StoreUnavailableError, match=UNFINISHED):
        open_store(target, clock)


def test_a_target_with_anything_in_it_is_refused(source: Where, target: Where, clock: Clock) -> None:
    store = opened(target, clock)
    bulk.fill(store, 1)
    store.close()
    before = rows_of(target)
    with pytest.raises(errors.StoreUnavailableError, match="is not empty"):
        move(source, target, clock)
    assert rows_of(target) == before


@pytest.mark.parametrize("which", ["source", "target"])
def test_a_database_that_is_in_use_is_refused(
    source: Where, target: Where, clock: Clock, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sides, "QUIET_S", 0.2)
    with ExitStack() as parts:
        parts.callback(opened(source if which == "source" else target, clock).close)
        with pytest.raises(errors.StoreUnavailableError, match=r"another process writes|a process uses"):
            move(source, target, clock)


def test_a_database_is_not_moved_into_itself(source: Where, clock: Clock) -> None:
    with pytest.raises(errors.StoreUnavailableError, match=r"another process writes|is not empty"):
        move(source, source, clock)


@pytest.mark.parametrize("which", ["source", "target"])
def test_a_database_of_another_release_is_refused(source: Where, target: Where, clock: Clock, which: str) -> None:
    wrong = source if which == "source" else target
    with databases.outside(wrong) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(errors.StoreUnavailableError, match="of a newer release"):
        move(source, target, clock)


def test_a_target_that_was_not_migrated_is_refused(source: Where, place: Place, clock: Clock) -> None:
    with pytest.raises(errors.StoreUnavailableError, match="run `shoutgraph migrate`"):
        move(source, place.empty(), clock)


@pytest.mark.sqlite_only
@pytest.mark.parametrize(
    ("guard", "tampering", "named"),
    [
        (
            "account_balance",
            "UPDATE account SET credits = credits + 5, debits = debits + 5 WHERE code = 'mint'",
            "account",
        ),
        ("lot_balance", "UPDATE lot SET last_move = last_move + 1", "lot"),
        ("entry_update", "UPDATE entry SET posting_id = posting_id + 1 WHERE version = 1", "entry"),
        ("posting_update", "UPDATE posting SET amount = amount + 1 WHERE id = 60", "forbade it|other rows in"),
        ("event_update", "UPDATE event SET body = '{}' WHERE seq = 3", "verify"),
        ("event_delete", "DELETE FROM event WHERE seq = 3", "forbade it"),
    ],
)
def test_books_that_were_changed_are_not_moved(
    source: Path, target: Where, clock: Clock, guard: str, tampering: str, named: str
) -> None:
    with databases.outside(source) as raw:
        raw.execute("PRAGMA foreign_keys = OFF")
        (text,) = raw.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (guard,)).fetchall()[0]
        raw.execute(f"DROP TRIGGER {guard}")
        raw.execute(tampering)
        raw.execute(text)
    expected: type[Exception] = AssertionError if named == "verify" else errors.InvariantError
    with pytest.raises(expected, match=None if named == "verify" else named):
        move(source, target, clock)
    with pytest.raises(errors.StoreUnavailableError, match=UNFINISHED):
        open_store(target, clock)


@pytest.mark.postgresql_only
def test_a_journal_with_a_gap_is_not_moved(source: str, target: Where, clock: Clock) -> None:
    with databases.outside(source) as raw:
        raw.execute(
            "INSERT INTO outbox_dead (id, event_id, topic, topic_seq, type, body, at, reason)"
            " VALUES (1, 'event_x', 'order_x', 1, 't', '{}', 0, 'poison')"
        )
    with pytest.raises(errors.StoreUnavailableError, match="1 lines were set aside"):
        move(source, target, clock)


@pytest.mark.postgresql_only
def test_numbers_with_gaps_stay_what_they_are(source: str, target: Where, clock: Clock) -> None:
    with databases.outside(source) as raw:
        for table in ("posting", "lot_move", "transfer", "account"):
            raw.execute(f"SELECT setval('{table}_id_seq', 1000 + (SELECT max(id) FROM {table}))")  # noqa: S608
    store = opened(source, clock)
    bulk.place(store, range(ORDERS, ORDERS + 3))
    store.close()
    move(source, target, clock)
    assert rows_of(target) == rows_of(source)


def test_every_table_is_moved(source: Where) -> None:
    with databases.outside(source) as raw:
        engine = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
        if isinstance(source, str):
            engine = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        found = {row[0] for row in raw.execute(engine).fetchall()}
    beside = {"alembic_version", "topic", "outbox", "outbox_dead", "sequencer", "writer"}
    hidden = {name for name in found if name.startswith(("creator_fts", "sqlite_"))}
    assert found - beside - hidden == {table.name for table in SQLModel.metadata.sorted_tables} - (
        tables.ONLY_EMBEDDED if isinstance(source, str) else frozenset()
    )


def test_very_many_postings_are_moved(
    place: Place, target: Where, clock: Clock, extent: Extent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    where = place.database("many")
    store = opened(where, clock)
    postings = bulk.fill(store, extent.count("orders", suite=120, soak=25_000))
    store.close()
    moved = move(where, target, clock)
    assert moved.rows["posting"] == postings
    rows = sum(moved.rows.values())
    extent.tell(
        f"{rows:,} rows, {postings:,} postings of them, in {moved.seconds:.1f} s: {rows / moved.seconds:,.0f}/s"
    )
