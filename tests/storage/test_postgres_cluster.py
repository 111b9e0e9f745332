"""The PostgreSQL that tests run on: it is there, it is shared, it can be killed, and it leaves nothing behind."""

import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests import postgres
from tests.postgres import Cluster

ROOT = Path(__file__).parent.parent.parent


def ask(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def is_lost(connection: psycopg.Connection) -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster(durable=True) as cluster:
        yield cluster


def test_the_session_has_one_cluster() -> None:
    cluster = postgres.shared()
    assert postgres.shared() is cluster
    assert ask(cluster.url(), "SHOW server_encoding") == [("UTF8",)]
    assert postgres.is_running(cluster.pid)


def test_a_copy_of_a_template_is_alike_and_apart() -> None:
    cluster = postgres.shared()
    template = cluster.template("template_of_two", lambda url: ask(url, "CREATE TABLE two AS SELECT 2 AS n"))
    assert cluster.template("template_of_two", lambda _: pytest.fail("it was there")) == template
    one, other = cluster.create(template), cluster.create(template)
    ask(cluster.url(one), "INSERT INTO two VALUES (3)")
    assert ask(cluster.url(one), "SELECT n FROM two ORDER BY n") == [(2,), (3,)]
    assert ask(cluster.url(other), "SELECT n FROM two ORDER BY n") == [(2,)]
    for name in (one, other):
        cluster.drop(name)


def test_nobody_connects_to_a_template() -> None:
    cluster = postgres.shared()
    template = cluster.template("template_of_one", lambda url: ask(url, "SELECT 1"))
    with pytest.raises(psycopg.OperationalError, match="not currently accepting connections"):
        ask(cluster.url(template), "SELECT 1")


def test_a_database_is_dropped_under_whoever_uses_it() -> None:
    cluster = postgres.shared()
    name = cluster.create()
    with psycopg.connect(cluster.url(name)) as connection:
        cluster.drop(name)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_what_cannot_be_filled_is_no_template() -> None:
    cluster = postgres.shared()
    with pytest.raises(psycopg.errors.UndefinedTable):
        cluster.template("template_of_none", lambda url: ask(url, "SELECT * FROM nothing"))
    assert ask(cluster.url(), "SELECT FROM pg_database WHERE datname = 'template_of_none'") == []


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "with-its-backends"])
def test_a_killed_cluster_comes_back_with_what_it_acknowledged(cluster: Cluster, alone: bool) -> None:  # noqa: FBT001
    ask(cluster.url(), "CREATE TABLE kept AS SELECT 1 AS n")
    before = cluster.start()
    with psycopg.connect(cluster.url()) as connection:
        cluster.kill(alone=alone)
        postgres.wait_until(lambda: is_lost(connection))
    assert not postgres.is_running(before)
    assert cluster.start() != before
    assert ask(cluster.url(), "SELECT n FROM kept") == [(1,)]
    assert ask(cluster.url(), "SHOW fsync") == [("on",)]


def test_a_stopped_cluster_starts_again(cluster: Cluster) -> None:
    cluster.stop()
    with pytest.raises(psycopg.OperationalError):
        ask(cluster.url(), "SELECT 1")
    cluster.start()
    assert ask(cluster.url(), "SELECT 1") == [(1,)]


def test_a_closed_cluster_leaves_nothing() -> None:
    with Cluster() as cluster:
        pid = cluster.start()
    assert not postgres.is_running(pid)
    assert not cluster.data.exists()
    assert not cluster.home.exists()


def test_a_cluster_that_never_started_leaves_nothing() -> None:
    cluster = Cluster()
    cluster.close()
    assert not cluster.data.exists()
    assert not cluster.home.exists()


def test_a_cluster_that_cannot_start_says_why(cluster: Cluster) -> None:
    cluster.stop()
    (cluster.data / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(RuntimeError, match="no_such_setting"):
        cluster.start()


def test_a_cluster_starts_from_where_only_its_owner_may_look(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = postgres.installed().parent
    for source in package.parent.glob(f"{package.name}*"):
        if source.is_dir():
            shutil.copytree(source, closed / source.name, symlinks=True)
    with Cluster(programs=closed / package.name / postgres.installed().name) as cluster:
        assert ask(cluster.url(), "SELECT 1") == [(1,)]


def test_a_cluster_ends_with_a_process_that_is_killed() -> None:
    program = textwrap.dedent("""\
        import time
        from tests.postgres import Cluster
        cluster = Cluster()
        print(cluster.start(), cluster.home, cluster.data, flush=True)
        time.sleep(600)
    """)
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid, *folders = process.stdout.readline().split()
        process.kill()
    postgres.wait_until_gone(int(pid))
    for folder in folders:
        postgres.wait_until(lambda folder=folder: not Path(folder).exists())
