"""The limits: the same work by hand on raw sqlite3, one commit for each order, and JSON built from three statements."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pysqlite3

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON")
TABLES = """
CREATE TABLE request (principal TEXT, key TEXT, result TEXT, PRIMARY KEY (principal, key)) STRICT, WITHOUT ROWID;
CREATE TABLE orders (id TEXT PRIMARY KEY, state TEXT, fan TEXT, creator TEXT, price INTEGER) STRICT;
CREATE TABLE transfer (id INTEGER PRIMARY KEY, kind TEXT, ref TEXT, UNIQUE (kind, ref)) STRICT;
CREATE TABLE entry (id INTEGER PRIMARY KEY, transfer INTEGER, account TEXT, amount INTEGER) STRICT;
CREATE TABLE balance (account TEXT PRIMARY KEY, coins INTEGER CHECK (coins >= 0)) STRICT, WITHOUT ROWID;
CREATE TABLE event (seq INTEGER PRIMARY KEY, topic TEXT, body TEXT) STRICT;
INSERT INTO balance VALUES ('fan', 1000000000);
"""


def orders_per_second(folder: Path, seconds: float) -> float:
    """Places orders by eight hand-written statements, committed one by one with `synchronous=FULL`."""
    for left in folder.glob("raw.db*"):
        left.unlink()
    database = pysqlite3.connect(folder / "raw.db", isolation_level=None)
    for pragma in PRAGMAS:
        database.execute(f"PRAGMA {pragma}")
    database.executescript(TABLES)
    run, placed, start = database.execute, 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        order = f"order_{placed:026d}"
        run("BEGIN IMMEDIATE")
        run("SELECT result FROM request WHERE principal = ? AND key = ?", ("fan", order)).fetchall()
        run("INSERT INTO orders VALUES (?, 'SCREENING', 'fan', 'creator', 1000)", (order,))
        run("INSERT INTO transfer (kind, ref) VALUES ('order.placed', ?)", (order,))
        run("UPDATE balance SET coins = coins - 1000 WHERE account = 'fan'")
        run("INSERT INTO balance VALUES (?, 1000)", (order,))
        run("INSERT INTO entry (transfer, account, amount) VALUES (1, 'fan', -1000), (1, ?, 1000)", (order,))
        run("INSERT INTO event (topic, body) VALUES (?, '{}')", (order,))
        run("INSERT INTO request VALUES ('fan', ?, ?)", (order, order))
        run("COMMIT")
        placed += 1
    database.close()
    return placed / (time.perf_counter() - start)


CREATORS = """SELECT id, handle, name, country, price_from_coins, rating_sum, rating_count FROM creator
 WHERE price_from_coins IS NOT NULL ORDER BY price_from_coins, id LIMIT 21"""
OFFERS = """SELECT creator_id, id, title, price_coins FROM offer WHERE active = 1
 AND creator_id IN (SELECT value FROM json_each(?)) ORDER BY creator_id, id"""
Rows = list[tuple[Any, ...]]


def pages_per_second(database: Path, seconds: float) -> float:
    """Reads the catalogue page from shoutgraph's own tables by two statements and encodes the same JSON."""
    db = pysqlite3.connect(f"file:{database}?mode=ro", uri=True, isolation_level=None)
    return repeated(
        seconds,
        lambda: db.execute(CREATORS).fetchall(),
        lambda ids: db.execute(OFFERS, (json.dumps(ids),)).fetchall(),
    )


def repeated(seconds: float, creators: Callable[[], Rows], offers: Callable[[list[str]], Rows]) -> float:
    """How many pages a second are made of what two statements find."""
    made, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        page(creators, offers)
        made += 1
    return made / (time.perf_counter() - start)


def page(creators: Callable[[], Rows], offers: Callable[[list[str]], Rows]) -> bytes:
    """The answer to the query of the page."""
    rows = creators()[:20]
    sold: dict[str, list[dict[str, object]]] = {}
    for of, offer, title, price in offers([row[0] for row in rows]):
        sold.setdefault(of, []).append({"id": offer, "title": title, "price": str(price)})
    nodes = [
        {
            "id": row[0],
            "handle": row[1],
            "name": row[2],
            "country": row[3],
            "priceFrom": str(row[4]),
            "rating": {"count": row[6], "averageHundredths": None},
            "offers": sold.get(row[0], []),
        }
        for row in rows
    ]
    return json.dumps({"data": {"creators": {"nodes": nodes}}}).encode()
