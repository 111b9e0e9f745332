"""A store serves only what keeps its promises."""

import subprocess
import sys
from pathlib import Path

import pysqlite3 as dbapi
import pytest
from tests import postgres
from tests.storage import databases
from tests.storage.databases import START, Clock, Kind, Place, Where

from shoutgraph.domain import errors
from shoutgraph.storage import engine, migrations, requests, sqlite
from shoutgraph.storage.engine import Options, Store
from shoutgraph.storage.statements import Statement

TAMPERINGS = {
    "a guard is gone": {
        Kind.SQLITE: "DROP TRIGGER posting_update",
        Kind.POSTGRESQL: "DROP TRIGGER posting_fixed ON posting",
    },
    "an index is gone": dict.fromkeys(Kind, "DROP INDEX posting_transfer"),
    "a trigger more": {
        Kind.SQLITE: "CREATE TRIGGER helpful AFTER INSERT ON posting BEGIN SELECT 1; END",
        Kind.POSTGRESQL: "CREATE TRIGGER helpful AFTER UPDATE ON posting EXECUTE FUNCTION tsvector_update_trigger()",
    },
    "a table more": dict.fromkeys(Kind, "CREATE TABLE other (id INTEGER)"),
}

OPEN_ELSEWHERE = """
import sys
from datetime import UTC, datetime
from shoutgraph.domain import errors
from shoutgraph.storage import engine
try:
    engine.open_store(sys.argv[1], lambda: datetime(2026, 3, 1, tzinfo=UTC))
except errors.StoreUnavailableError as error:
    print(error)
"""


def test_a_database_that_is_not_there_is_not_made(database: Kind, tmp_path: Path, clock: Clock) -> None:
    none: dict[Kind, Where] = {Kind.SQLITE: tmp_path / "none.db", Kind.POSTGRESQL: postgres.shared().url("none")}
    with pytest.raises(errors.StoreUnavailableError, match="cannot open none"):
        engine.open_store(none[database], clock)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.sqlite_only
def test_a_url_and_a_path_name_the_same_file(path: Path, clock: Clock) -> None:
    store = engine.open_store(f"sqlite:///{path}", clock)
    assert store.read_now(lambda tx: tx.now) == START
    store.close()


@pytest.mark.sqlite_only
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "other.db").write_bytes(b"something else" * 100)
    with pytest.raises(errors.StoreUnavailableError, match="not a database"):
        engine.open_store(tmp_path / "other.db", clock)


def test_a_database_that_is_not_migrated_is_refused(place: Place, clock: Clock) -> None:
    empty = place.empty()
    with pytest.raises(errors.StoreUnavailableError, match="run `shoutgraph migrate`"):
        engine.open_store(empty, clock)


@pytest.mark.parametrize("tampering", TAMPERINGS)
def test_a_database_that_someone_changed_is_refused(where: Where, clock: Clock, database: Kind, tampering: str) -> None:
    with databases.outside(where) as raw:
        raw.execute(TAMPERINGS[tampering][database])
    with pytest.raises(errors.StoreUnavailableError, match="not of this release"):
        engine.open_store(where, clock)


@pytest.mark.sqlite_only
def test_an_older_sqlite_is_refused(path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbapi, "sqlite_version_info", (3, 51, 2))
    with pytest.raises(errors.StoreUnavailableError, match=r"3\.51\.3 or later is needed"):
        engine.open_store(path, clock)


@pytest.mark.sqlite_only
def test_a_setting_that_does_not_take_is_refused(path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sqlite.WRITER_SETTINGS, "no_such_setting", 1)
    with pytest.raises(errors.StoreUnavailableError, match="did not take"):
        engine.open_store(path, clock)


@pytest.mark.sqlite_only
def test_every_setting_of_the_writer_is_in_force(path: Path) -> None:
    raw = sqlite.connect_owner(path).raw
    found = {name: raw.execute(f"PRAGMA {name}").fetchall() for name in ("journal_mode", "synchronous", "foreign_keys")}
    assert found == {"journal_mode": [("wal",)], "synchronous": [(2,)], "foreign_keys": [(1,)]}


@pytest.mark.sqlite_only
def test_a_second_writer_in_another_process_is_refused(store: Store, path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OPEN_ELSEWHERE, str(path)], capture_output=True, text=True, check=True, timeout=30
    )
    assert "another process writes to books.db" in done.stdout
    assert store.read_now(lambda tx: tx.now) == START


@pytest.mark.sqlite_only
def test_a_second_writer_in_the_same_process_is_refused(store: Store, path: Path, clock: Clock) -> None:
    with pytest.raises(errors.StoreUnavailableError, match="another process writes"):
        engine.open_store(path, clock)
    store.close()
    engine.open_store(path, clock).close()


def test_a_store_that_failed_to_open_holds_nothing(where: Where, clock: Clock) -> None:
    with databases.outside(where) as raw:
        raw.execute("CREATE TABLE other (id INTEGER)")
        with pytest.raises(errors.StoreUnavailableError):
            engine.open_store(where, clock)
        raw.execute("DROP TABLE other")
    engine.open_store(where, clock).close()


def test_a_tool_reads_beside_a_running_server_and_cannot_write(store: Store, where: Where, clock: Clock) -> None:
    tool = engine.open_store(where, clock, Options(writing=False, readers=1))
    assert tool.read_now(lambda tx: tx.head.seq) == 0
    with pytest.raises(errors.StoreUnavailableError, match="reading only"):
        tool.write_now(lambda tx: tx.now)
    tool.close()
    assert store.write_now(lambda tx: tx.now) >= START


def test_a_tool_reads_a_database_that_nobody_serves(where: Where, clock: Clock) -> None:
    engine.open_store(where, clock).close()
    tool = engine.open_store(where, clock, Options(writing=False, readers=1))
    assert tool.read_now(lambda tx: tx.head.seq) == 0
    tool.close()


def test_all_statements_of_a_query_see_one_state(store: Store) -> None:
    count = Statement[tuple[int]](lambda: databases.sql("SELECT count(*) FROM request"))

    def query(tx: engine.Tx) -> list[tuple[int] | None]:
        before = tx.one(count)
        store.write_now(lambda other: requests.insert(other, ("p", "m", "k"), bytes(32), result=1))
        return [before, tx.one(count)]

    assert store.read_now(query) == [(0,), (0,)]
    assert store.read_now(lambda tx: tx.one(count)) == (1,)


def test_a_query_that_writes_is_refused_and_the_reader_goes_on(store: Store) -> None:
    delete = Statement(lambda: databases.sql("DELETE FROM request"))
    for _ in range(5):
        with pytest.raises(errors.FaultError, match=r"readonly|read-only"):
            store.read_now(lambda tx: tx.run(delete))
    assert store.read_now(lambda tx: tx.head.seq) == 0


def test_a_refusal_of_a_query_reaches_its_caller(store: Store) -> None:
    def refuse(_: engine.Tx) -> None:
        raise errors.NotFoundError("There is no such thing.")

    with pytest.raises(errors.NotFoundError):
        store.read_now(refuse)


@pytest.mark.sqlite_only
def test_the_whole_migration_of_a_served_database_is_refused(store: Store, path: Path) -> None:
    with pytest.raises(errors.StoreUnavailableError, match="another process writes"):
        migrations.upgrade(path)
    assert store.read_now(lambda tx: tx.head.seq) == 0
