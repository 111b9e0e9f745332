"""Migrations of a server: from every revision, at once, killed, under load, and by operators with few rights."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from tests import postgres
from tests.soak import Extent
from tests.storage import databases
from tests.storage.databases import Clock, Place
from tests.storage.postgresql.conftest import Login, connect
from tests.storage.postgresql.load import loaded

from shoutgraph.domain import errors
from shoutgraph.storage import guards, migrations
from shoutgraph.storage.engine import Options
from shoutgraph.storage.postgresql import APP, ROLES, SEQUENCER

pytestmark = pytest.mark.postgresql_only

ROOT: Final = Path(__file__).parents[3]
REVISIONS: Final = migrations._known()
LEAP: Final = 6
"""From every sixth revision in one transaction; from each to the next in one of its own."""
UPGRADE: Final = """
import sys
from shoutgraph.storage import migrations
migrations.upgrade(sys.argv[1])
"""
KILLED_MIDWAY: Final = """
import os, signal, sys
import psycopg
steps, execute = [0], psycopg.Cursor.execute
def count(*given, **named):
    steps[0] += 1
    if steps[0] > int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(*given, **named)
psycopg.Cursor.execute = count
from shoutgraph.storage import migrations
migrations.upgrade(sys.argv[1])
"""
TABLES: Final = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"


@pytest.fixture
def url(place: Place) -> str:
    return str(place.empty())


@pytest.fixture
def mine(login: Login) -> Iterator[tuple[str, str]]:
    """A database of an operator who may make no roles, but may be those that are there; and who that is."""
    name = postgres.shared().create()
    url = login(postgres.shared().url(name), *ROLES)
    user = url.partition("//")[2].partition("@")[0]
    with connect(postgres.shared().url()) as raw:
        raw.execute(f"ALTER DATABASE {name} OWNER TO {user}")
        yield url, user
        raw.execute(f"DROP DATABASE {name} WITH (FORCE)")


def digest(url: str) -> str:
    with connect(url) as raw:
        return guards.digest(raw)


def is_whole(url: str) -> bool:
    return migrations.current(url) == migrations.head() and digest(url) == migrations.schema_digest("postgresql")


def started(program: str, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", program, *arguments], cwd=ROOT, env={**os.environ})


def test_a_database_that_took_every_revision_by_itself_is_whole(url: str) -> None:
    for revision in reversed(REVISIONS):
        migrations.upgrade(url, revision)
        assert migrations.current(url) == revision
    assert is_whole(url)


@pytest.mark.parametrize("revision", REVISIONS[1::LEAP])
def test_a_database_of_an_older_revision_is_brought_to_the_newest(url: str, revision: str) -> None:
    migrations.upgrade(url, revision)
    assert migrations.current(url) == revision
    migrations.upgrade(url)
    assert is_whole(url)


def test_migrations_that_run_at_once_make_one_schema(url: str) -> None:
    running = [started(UPGRADE, url) for _ in range(2)]
    assert [process.wait(postgres.PATIENCE_S) for process in running] == [0, 0]
    assert is_whole(url)


def test_a_migration_that_is_killed_midway_changes_nothing(url: str, extent: Extent) -> None:
    kills = 0
    for _ in extent.seeds("kills", suite=1, soak=200):
        steps = extent.chance.randint(10, 200)
        assert started(KILLED_MIDWAY, url, str(steps)).wait(postgres.PATIENCE_S) == -signal.SIGKILL
        with connect(url) as raw:
            assert raw.execute(TABLES).fetchall() == [(0,)], f"killed after {steps} statements"
        kills += 1
    migrations.upgrade(url)  # it waits until the server has noticed
    assert is_whole(url)
    extent.tell(f"{kills} migrations killed: nothing of them is there")


def test_a_database_is_migrated_under_load(url: str) -> None:
    migrations.upgrade(url, REVISIONS[1])
    with loaded(url, stores=2, options=Options(readers=1, any_schema=True)) as load:
        load.wait_for_more(5)
        migrations.upgrade(url)
        load.wait_for_more(5)
        migrations.upgrade(url)
        load.wait_for_more(5)
        assert load.counts["turned away"] == 0
    assert is_whole(url)


def test_an_operator_who_may_make_no_roles_migrates_and_serves(mine: tuple[str, str], clock: Clock) -> None:
    url, _ = mine
    migrations.upgrade(url)
    assert is_whole(url)
    databases.opened(url, clock).close()


@pytest.mark.parametrize("roles", [(), (APP, SEQUENCER)], ids=["none", "those-that-serve"])
def test_an_operator_without_the_right_to_migrate_is_told_so(url: str, login: Login, roles: tuple[str, ...]) -> None:
    with pytest.raises(errors.StoreUnavailableError, match="permission denied") as refusal:
        migrations.upgrade(login(url, *roles))
    assert "\n" not in str(refusal.value), "it is one sentence"
    with connect(url) as raw:
        assert raw.execute(TABLES).fetchall() == [(0,)]


def test_a_migration_gives_up_where_another_does_not_end(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "TURN", "100ms")
    with connect(url) as raw:
        raw.execute("SELECT pg_advisory_lock($1::bigint)", (migrations._ONE_AT_A_TIME,))
        with pytest.raises(errors.StoreUnavailableError, match="lock timeout"):
            migrations.upgrade(url)
        assert raw.execute(TABLES).fetchall() == [(0,)]
    migrations.upgrade(url)
    assert is_whole(url)


def test_a_migration_gives_up_where_a_table_is_in_use_and_changes_nothing(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations.upgrade(url, "0001")
    before = digest(url)
    monkeypatch.setattr(migrations, "_PATIENCE", "100ms")
    with connect(url) as raw:
        raw.execute("BEGIN")
        raw.execute("LOCK TABLE alembic_version IN SHARE MODE")
        with pytest.raises(errors.StoreUnavailableError, match="lock timeout"):
            migrations.upgrade(url)
        raw.execute("ROLLBACK")
    assert digest(url) == before
    assert migrations.current(url) == "0001"


def test_somebody_elses_right_to_add_functions_is_taken(url: str) -> None:
    with connect(url) as raw:
        raw.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
    migrations.upgrade(url)
    assert is_whole(url)
