"""The limit on PostgreSQL: the same work by hand through psycopg, one commit for each order."""

import threading
import time

import psycopg

from benchmarks import raw

OWN = "-c search_path=by_hand"
"""The work by hand has a schema of its own beside shoutgraph's tables."""
OFFERS = """SELECT creator_id, id, title, price_coins FROM offer WHERE active = 1 AND creator_id = ANY(%s)
 ORDER BY creator_id, id"""
TABLES = """
DROP SCHEMA IF EXISTS by_hand CASCADE;
CREATE SCHEMA by_hand;
CREATE TABLE request (principal text, key text, result text, PRIMARY KEY (principal, key));
CREATE TABLE orders (id text PRIMARY KEY, state text, fan text, creator text, price bigint);
CREATE TABLE transfer (id bigserial PRIMARY KEY, kind text, ref text, UNIQUE (kind, ref));
CREATE TABLE entry (id bigserial PRIMARY KEY, transfer bigint, account text, amount bigint);
CREATE TABLE balance (account text PRIMARY KEY, coins bigint CHECK (coins >= 0));
CREATE TABLE event (seq bigserial PRIMARY KEY, topic text, body text);
"""


def orders_per_second(url: str, seconds: float, *, connections: int) -> float:
    """Places orders by eight prepared statements, committed one by one, each connection for its own fan."""
    with psycopg.connect(url, autocommit=True, options=OWN) as database:
        database.execute(TABLES)
        for fan in range(connections):
            database.execute("INSERT INTO balance VALUES (%s, 1000000000000)", (f"fan{fan}",))
    placed = [0] * connections

    def place(fan: int) -> None:
        with psycopg.connect(url, prepare_threshold=0, options=OWN) as database:
            run, end = database.execute, time.perf_counter() + seconds
            while time.perf_counter() < end:
                order = f"order_{fan}_{placed[fan]:026d}"
                key = (f"fan{fan}", order)
                run("SELECT result FROM request WHERE principal = %s AND key = %s", key).fetchall()
                run("INSERT INTO orders VALUES (%s, 'SCREENING', 'fan', 'creator', 1000)", (order,))
                run("INSERT INTO transfer (kind, ref) VALUES ('order.placed', %s)", (order,))
                run("UPDATE balance SET coins = coins - 1000 WHERE account = %s", key[:1])
                run("INSERT INTO balance VALUES (%s, 1000)", (order,))
                run("INSERT INTO entry (transfer, account, amount) VALUES (1, %s, -1000), (1, %s, 1000)", key)
                run("INSERT INTO event (topic, body) VALUES (%s, '{}')", (order,))
                run("INSERT INTO request VALUES (%s, %s, %s)", (*key, order))
                database.commit()
                placed[fan] += 1

    start = time.perf_counter()
    threads = [threading.Thread(target=place, args=(fan,)) for fan in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = sum(placed) / (time.perf_counter() - start)
    with psycopg.connect(url, autocommit=True, options=OWN) as database:
        database.execute("DROP SCHEMA by_hand CASCADE")
    return rate


def pages_per_second(url: str, seconds: float) -> float:
    """Reads the catalogue page from shoutgraph's own tables by two prepared statements and encodes the same JSON."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=0) as database:
        return raw.repeated(
            seconds,
            lambda: database.execute(raw.CREATORS).fetchall(),
            lambda ids: database.execute(OFFERS, (ids,)).fetchall(),
        )
