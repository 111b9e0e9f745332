"""The migrations make exactly the tables that the rooms declare, all at once or not at all."""

import contextlib
import importlib
import pkgutil
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pysqlite3 as dbapi
import pytest
import sqlalchemy as sa
from sqlmodel import SQLModel
from tests.storage import databases
from tests.storage.databases import Clock, Place, Where
from tests.storage.test_creators import creator

from shoutgraph import storage
from shoutgraph.domain import errors, ids
from shoutgraph.domain.orders import states
from shoutgraph.domain.users import User
from shoutgraph.storage import creators, engine, migrations, personal, sqlite, users
from shoutgraph.storage.migrations.versions import r0038_leavers
from shoutgraph.storage.tx import Tx

KILLED_MIDWAY = """
import os, signal, sys
import pysqlite3
steps, opened = int(sys.argv[2]), pysqlite3.connect
def connect(*given, **named):
    raw = opened(*given, **named)
    if given[0] != ":memory:":
        seen = []
        def trace(_):
            seen.append(1)
            if len(seen) > steps:
                os.kill(os.getpid(), signal.SIGKILL)
        raw.set_trace_callback(trace)
    return raw
pysqlite3.connect = connect
from shoutgraph.storage import migrations
migrations.upgrade(sys.argv[1])
"""


def plain(sql: str) -> str:
    """A table's text with its columns and constraints sorted: every statement names its columns."""
    head, _, rest = " ".join(sql.split()).partition("(")
    body, _, tail = rest.rpartition(")")
    depth, parts = 0, [""]
    for char in body:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return f"{head.strip()} ({', '.join(sorted(part.strip() for part in parts))}) {tail.strip()}"


def declared() -> dict[str, str]:
    """Every table and index of every room, as SQLite keeps them."""
    for module in pkgutil.walk_packages(storage.__path__, "shoutgraph.storage."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
    session = sqlite.connect_scratch()
    for table in SQLModel.metadata.tables.values():
        session.raw.execute(str(sa.schema.CreateTable(table).compile(dialect=sqlite.DIALECT)))
        for index in table.indexes:
            session.raw.execute(str(sa.schema.CreateIndex(index).compile(dialect=sqlite.DIALECT)))
    return in_schema(session.raw)


def in_schema(raw: Any) -> dict[str, str]:
    rows = raw.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND type IN ('table', 'index')")
    return {name: plain(sql) for name, sql in rows.fetchall()}


def test_the_migrated_schema_is_the_declared_one() -> None:
    migrated = {
        name: plain(sql)
        for kind, name, _, sql in databases.schema()
        if kind != "trigger" and name != "alembic_version" and "CREATE VIRTUAL TABLE" not in sql
    }
    rows = declared()
    differing = {name: (migrated.get(name), rows.get(name)) for name in migrated | rows}
    assert {name: texts for name, texts in differing.items() if texts[0] != texts[1]} == {}


def test_every_table_is_strict() -> None:
    tables = [sql for kind, name, _, sql in databases.schema() if kind == "table" and name != "alembic_version"]
    assert all("STRICT" in sql or "CREATE VIRTUAL TABLE" in sql for sql in tables)


def test_every_foreign_key_from_a_large_table_finds_its_rows_by_an_index() -> None:
    """Deleting a line of `order_ok` or `wallet_ok` looks for its children on every posting."""
    session = sqlite.connect_scratch()
    for _, _, _, sql in databases.schema():
        session.raw.execute(sql)
    for table, column, index in (
        ("account", "wallet_id", "account_wallet_id"),
        ("account", "order_id", "account_order"),
    ):
        plan = session.raw.execute(f"EXPLAIN QUERY PLAN SELECT 1 FROM {table} WHERE {column} = ?", (1,)).fetchall()  # noqa: S608
        assert index in plan[0][-1]


def test_an_empty_database_is_brought_to_the_newest_revision(place: Place, clock: Clock) -> None:
    where = place.empty()
    assert migrations.current(where) is None
    migrations.upgrade(where)
    assert migrations.current(where) == migrations.head()
    migrations.upgrade(where)
    engine.open_store(where, clock).close()


def test_a_database_is_made_and_brought_to_the_newest_revision(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "folder" / "new.db"
    assert migrations.current(path) is None
    migrations.upgrade(path)
    assert migrations.current(path) == migrations.head()
    migrations.upgrade(path)
    engine.open_store(path, clock).close()


def test_a_server_that_starts_on_the_newest_revision_loads_no_alembic(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    migrations.upgrade(path)
    script = (
        "import sys; from shoutgraph.storage import migrations;"
        " migrations.upgrade(sys.argv[1]); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == 0


def test_a_migrated_database_hashes_to_this_release(where: Where) -> None:
    with contextlib.closing(databases.reader(where)) as session:
        found = databases.schema_digest(session)
        assert found == migrations.schema_digest(session.dialect.name), f"migrations/{session.dialect.name}.digest"


def test_a_restored_copy_is_of_this_release(place: Place, clock: Clock) -> None:
    copy = place.copy("books", place.inside("copy"))
    engine.open_store(copy, clock).close()


def test_every_state_of_an_order_is_live_or_not_in_the_database_too() -> None:
    law = next(sql for _, name, _, sql in databases.schema() if name == "order_ok_law")
    final = next(sql for _, name, _, sql in databases.schema() if name == "orders_final")
    assert set(re.findall(r"'([A-Z_]+)'", law)) == set(states.LIVE)
    assert set(re.findall(r"'([A-Z_]+)'", final)) == set(states.TERMINAL)


@pytest.mark.parametrize("steps", [10, 80, 120, 190])
def test_a_migration_that_is_killed_midway_leaves_nothing(tmp_path: Path, steps: int) -> None:
    path = tmp_path / "killed.db"
    done = subprocess.run([sys.executable, "-c", KILLED_MIDWAY, str(path), str(steps)], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    raw = dbapi.connect(path)
    assert raw.execute("SELECT name FROM sqlite_schema").fetchall() == []
    raw.close()
    migrations.upgrade(path)
    assert migrations.current(path) == migrations.head()


def test_creators_who_were_erased_before_take_no_gifts_any_more(place: Place, clock: Clock) -> None:
    where = place.database()
    people = [User(ids.UserId(f"user_{n:026d}"), 1, "Nova", "DE", locked=False, created_at=clock()) for n in range(2)]

    def fill(tx: Tx) -> None:
        for person, profile in zip(people, (creator(0), creator(1)), strict=True):
            users.insert(tx, person)
            creators.insert(tx, profile)
        personal.finish(tx, people[0].id)

    with contextlib.closing(engine.open_store(where, clock)) as store:
        store.write_now(fill)
    with databases.outside(where) as raw:
        raw.execute(f"UPDATE alembic_version SET version_num = '{r0038_leavers.down_revision}'")  # noqa: S608 - ours
    migrations.upgrade(where, r0038_leavers.revision)
    with databases.outside(where) as raw:
        found = raw.execute("SELECT takes_gifts, revision FROM creator ORDER BY id").fetchall()
    assert found == [(0, 2), (1, 1)]


def test_a_database_of_a_newer_release_is_refused_and_left_as_it_is(where: Where, clock: Clock) -> None:
    with databases.outside(where) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    look = engine.Options(writing=False, any_schema=True)
    for opening in (
        lambda: migrations.upgrade(where),
        lambda: migrations.current(where),
        lambda: engine.open_store(where, clock),
        lambda: engine.open_store(where, clock, look),
    ):
        with pytest.raises(errors.StoreUnavailableError, match=r"of a newer release.* is 9999"):
            opening()
    with databases.outside(where) as raw:
        assert raw.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


@pytest.mark.sqlite_only
def test_a_file_that_ends_too_early_is_refused(path: Path, clock: Clock) -> None:
    dbapi.connect(path).execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
    with path.open("r+b") as file:
        file.truncate(3 * 4096)
    for opening in (lambda: migrations.upgrade(path), lambda: engine.open_store(path, clock)):
        with pytest.raises(errors.StoreUnavailableError, match=r"cannot open books\.db: "):
            opening()
