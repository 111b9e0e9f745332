"""The scene of the attacks in PostgreSQL's words: the same books, with a journal behind an outbox and a sequencer."""

# ruff: noqa: S608 - attacks are SQL text

import re
from typing import Any, Final

import psycopg
from tests.storage import scene
from tests.storage.scene import HASH

Raw = psycopg.Connection[tuple[Any, ...]]

NUMBERED: Final = ("account", "transfer", "posting", "lot_move", "outbox")
"""Tables whose rows are numbered by a sequence, which goes on behind the scene's numbers."""
NEXT: Final = 100

_ZEROS = re.compile(r"zeroblob\((\d+)\)")
_BYTES = re.compile(r"\bx'([0-9a-f]*)'")


def translate(sql: str) -> str:
    """The same statement for PostgreSQL; only bytes are written otherwise."""
    return _BYTES.sub(r"'\\x\1'::bytea", _ZEROS.sub(lambda zeros: f"x'{'00' * int(zeros[1])}'", sql))


def event(seq: int, topic: str, topic_seq: int, **others: object) -> str:
    return translate(scene.event(seq, topic, topic_seq, **others))


def outbox(event_id: str, topic: str = "topic", **others: object) -> str:
    """Tells of an event, which its trigger numbers."""
    values = {"topic_seq": "NULL", "type": "'x'", "body": "'{}'", "at": 200, **others}
    names, rest = ", ".join(values), ", ".join(map(str, values.values()))
    return f"INSERT INTO outbox (event_id, topic, {names}) VALUES ('{event_id}', '{topic}', {rest})"


def stand(seq: int, *, at: int = 200, digest: str | None = None) -> str:
    """Moves the sequencer to a line."""
    return translate(f"UPDATE sequencer SET seq = {seq}, hash = {digest or HASH[seq]}, at = {at}")


def required_columns(raw: Raw) -> list[tuple[str, str]]:
    """The names and types of the columns that an order needs, in SQLite's words."""
    rows = raw.execute(
        "SELECT attname, CASE format_type(atttypid, NULL) WHEN 'bigint' THEN 'INTEGER' ELSE 'TEXT' END"
        " FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attnum > 0 AND attnotnull ORDER BY attnum"
    ).fetchall()
    return [(name, kind) for name, kind in rows]


def build(raw: Raw) -> None:
    """The scene in an empty, migrated database; in an open transaction, as the owner of the tables."""
    raw.execute("INSERT INTO asset VALUES ('EUR', 'fiat', 4)")
    orders = required_columns(raw)
    raw.execute(scene.ACCOUNTS)
    for order_id, price in scene.PRICES.items():
        raw.execute(scene.order(orders, order_id, "DRAFT", price))
    for step in (*scene.HISTORY, _TOLD, _SEALED, _AND_MORE):
        for statement in step:
            raw.execute(translate(statement))
        check(raw)
    for table in NUMBERED:
        raw.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {NEXT})")


def check(raw: Raw) -> None:
    """What COMMIT would check."""
    raw.execute("SET CONSTRAINTS ALL IMMEDIATE")
    raw.execute("SET CONSTRAINTS ALL DEFERRED")


def facts(raw: Raw) -> list[Any]:
    """What the scene must look like, so that a guard that does not do its work is seen too."""
    return [raw.execute(query).fetchall() for query in (*scene.QUERIES, *_QUERIES)]


_TOLD = (
    outbox("event_1_1", at=100),
    outbox("event_2_2", transfer_id=1),
    outbox("event_3_1", "other"),
    outbox("event_dead", "dead"),
    outbox("event_waiting", id=10**12),
)
_SEALED = (
    "INSERT INTO outbox_dead SELECT *, 'x' FROM outbox WHERE event_id = 'event_dead'",
    "DELETE FROM outbox WHERE event_id <> 'event_waiting'",
    *scene.EVENTS,
    stand(3),
)
_AND_MORE = (
    outbox("event_later", "later"),
    outbox("event_latest", "later", topic_seq=2),
    "SELECT extend_lot('lot_promo', 2000)",
    "SELECT extend_lot('lot_fan', 2000)",
    "SELECT extend_lot('lot_none', 3000)",
    "SELECT close_account('payout:shut')",
)

_QUERIES = (
    "SELECT topic, lines FROM topic ORDER BY topic",
    "SELECT event_id, topic, topic_seq FROM outbox ORDER BY id",
    "SELECT seq FROM sequencer",
    "SELECT seq, topic, topic_seq FROM event ORDER BY seq",
    "SELECT event_id FROM outbox_dead",
    "SELECT id, expires_at FROM lot ORDER BY id",
)

FACTS: Final[list[Any]] = [
    *scene.FACTS[: len(scene.QUERIES)],
    [("dead", 1), ("later", 2), ("other", 1), ("topic", 3)],
    [("event_waiting", "topic", 3), ("event_later", "later", 1), ("event_latest", "later", 2)],
    [(3,)],
    [(1, "topic", 1), (2, "topic", 2), (3, "other", 1)],
    [("event_dead",)],
    [("lot_fan", None), ("lot_other", None), ("lot_promo", 2_000)],
]
