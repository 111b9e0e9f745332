"""A COMMIT whose answer never came: the server that took it is believed, and one that crashed since is not."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from tests import postgres
from tests.storage.databases import Clock, outside

from shoutgraph.storage import engine, migrations, requests
from shoutgraph.storage.engine import Options, Store
from shoutgraph.storage.tx import Tx

PATIENCE_S: Final = 120.0
SLOW_COMMITS: Final = """
    CREATE TABLE slow ();
    GRANT SELECT ON slow TO shoutgraph_app;
    CREATE FUNCTION wait_a_while() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_sleep(60) FROM slow; RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON request
      DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_a_while();
"""
COMMITTING: Final = "SELECT pid, backend_xid::text FROM pg_stat_activity WHERE wait_event = 'PgSleep'"


@pytest.fixture(scope="module")
def cluster() -> Iterator[postgres.Cluster]:
    with postgres.Cluster(durable=True) as cluster:
        migrations.upgrade(cluster.url())
        yield cluster


@pytest.fixture
def store(cluster: postgres.Cluster) -> Iterator[Store]:
    with outside(cluster.url()) as raw:
        raw.execute("TRUNCATE request")
    store = engine.open_store(cluster.url(), Clock(), Options(readers=1))
    with outside(cluster.url()) as raw:
        raw.execute(SLOW_COMMITS)
        raw.execute("INSERT INTO slow DEFAULT VALUES")
    yield store
    store.close()
    with outside(cluster.url()) as raw:
        raw.execute("DROP TABLE slow; DROP FUNCTION wait_a_while CASCADE")


def answer(tx: Tx) -> str:
    requests.insert(tx, ("fan", "orderPlace", "key"), bytes(32), result="order")
    return "order"


def committing(raw: Any) -> tuple[int, str]:
    """The process that commits, and the number of its transaction."""
    found: list[tuple[int, str]] = []
    postgres.wait_until(lambda: bool(found.extend(raw.execute(COMMITTING).fetchall()) or found))
    return found[0]


def kept(url: str) -> int:
    with outside(url) as raw:
        count: int = raw.execute("SELECT count(*) FROM request").fetchone()[0]
    return count


def test_a_commit_that_a_crash_took_is_not_mistaken_for_one_of_the_same_number(
    cluster: postgres.Cluster, store: Store
) -> None:
    with ThreadPoolExecutor(1) as threads:
        told = threads.submit(store.write_now, answer)
        with outside(cluster.url()) as raw:
            number = committing(raw)[1]
        cluster.kill()
        cluster.start()
        with outside(cluster.url()) as raw:
            raw.execute("TRUNCATE slow")  # which takes a number, the next that the log does not know
            assert told.result(PATIENCE_S) == "order", "the crash took it, so it was run again"
            assert raw.execute("SELECT pg_xact_status(%s::text::xid8)", (number,)).fetchone() != ("in progress",)
    assert kept(cluster.url()) == 1


def test_a_commit_that_the_server_broke_off_is_run_again(cluster: postgres.Cluster, store: Store) -> None:
    with ThreadPoolExecutor(1) as threads, outside(cluster.url()) as raw:
        told = threads.submit(store.write_now, answer)
        pid = committing(raw)[0]
        raw.execute("DELETE FROM slow")
        raw.execute("SELECT pg_terminate_backend(%s)", (pid,))
        assert told.result(PATIENCE_S) == "order"
    assert kept(cluster.url()) == 1
