"""Two processes change offers of one creator at once: the price they start at is that of the cheapest in the end."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from tests import postgres

from shoutgraph.storage import migrations, postgresql

PATIENCE_S = 60
SETTING = (
    "INSERT INTO users (id, revision, display_name, country, locked, created_at) VALUES ('u', 1, 'x', 'DE', 0, 0)",
    """INSERT INTO creator (id, revision, user_id, handle, name, country, categories, languages, bio, open, featured,
       rating_sum, rating_count, created_at, name_sort, facets)
       VALUES ('c', 1, 'u', 'x', 'x', 'DE', '|', '|', '', 1, 0, 0, 0, 0, 'x', 'k0de')""",
)
NEW = """INSERT INTO offer (id, revision, creator_id, occasion, title, price_coins, duration_max_s, delivery_days,
         active, created_at) VALUES (%s, 1, 'c', 'BIRTHDAY', 'x', %s, 60, 7, 1, 0)"""
WAITS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def url() -> Iterator[str]:
    cluster = postgres.shared()
    name = cluster.create(cluster.template("shoutgraph", migrations.upgrade))
    yield cluster.url(name)
    cluster.drop(name)


def connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    raw = psycopg.connect(url, autocommit=True)
    raw.execute(f"SET ROLE {postgresql.APP}")
    return raw


@pytest.mark.parametrize("prices", [(300, 200), (200, 300)])
def test_the_second_process_sees_the_offers_of_the_first(url: str, prices: tuple[int, int]) -> None:
    with connect(url) as first, connect(url) as second, psycopg.connect(url, autocommit=True) as looking:
        for statement in SETTING:
            first.execute(statement)
        first.execute("BEGIN")
        first.execute(NEW, ("one", prices[0]))
        other = threading.Thread(target=lambda: second.execute(NEW, ("two", prices[1])))
        other.start()
        postgres.wait_until(lambda: looking.execute(WAITS).fetchall() == [(1,)])
        first.execute("COMMIT")
        other.join(PATIENCE_S)
        assert not other.is_alive()
        assert looking.execute("SELECT id FROM offer ORDER BY id").fetchall() == [("one",), ("two",)]
        assert looking.execute("SELECT price_from_coins FROM creator").fetchall() == [(200,)]
