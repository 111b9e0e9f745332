"""The outbox of webhooks: what is to be told, to whom, and how often it was tried."""

import json
import secrets
import sqlite3
from datetime import timedelta
from typing import Final

from shoutgraph_sandbox.simulator import rules, store

ATTEMPTS_MAX: Final = 8
BACKOFF: Final = timedelta(seconds=1)
BACKOFF_MAX: Final = timedelta(minutes=1)
LEASE: Final = timedelta(seconds=10)
"""Longer than one attempt takes; then another process takes up what a dead one left."""

ROUND_MAX: Final = 10
"""The most notices that are under way at once."""


def tell(
    db: sqlite3.Connection,
    row: sqlite3.Row | dict[str, str],
    kind: str,
    view: dict[str, object],
    *,
    now: int,
    at: tuple[int, ...] | None = None,
) -> None:
    """Puts a notice into the outbox: to go now, or once at each of these times under the same id."""
    notice_id = "notice_" + secrets.token_hex(12)
    body = {"id": notice_id, "type": f"{kind}.updated", "created_at": store.text_of(now), kind: view}
    for next_at in at or (now,):
        db.execute(
            "INSERT INTO notice (id, instance, body, created_at, next_at) VALUES (?, ?, ?, ?, ?)",
            (notice_id, row["instance"], json.dumps(body), now, next_at),
        )


def take(db: sqlite3.Connection, now: int) -> list[sqlite3.Row]:
    """Takes the notices whose time has come, oldest first; until the lease is over nobody else gets them."""
    query = "SELECT * FROM notice WHERE state = 'pending' AND next_at <= ? ORDER BY next_at, seq LIMIT ?"
    rows = db.execute(query, (now, ROUND_MAX)).fetchall()
    leased = [(now + store.span(LEASE), row["seq"]) for row in rows]
    db.executemany("UPDATE notice SET next_at = ? WHERE seq = ?", leased)
    return rows


def record(db: sqlite3.Connection, seq: int, status: int | None, now: int) -> None:
    """Takes note of an attempt: delivered, to be tried again, or given up. `status` None says: no answer."""
    row = db.execute("SELECT attempts FROM notice WHERE seq = ?", (seq,)).fetchone()
    attempts = row["attempts"] + 1
    good = status is not None and status // 100 == 2  # noqa: PLR2004 -- HTTP's 2xx
    state = "delivered" if good else "failed" if attempts >= ATTEMPTS_MAX else "pending"
    backoff = min(BACKOFF * 2 ** (attempts - 1), BACKOFF_MAX)
    db.execute(
        "UPDATE notice SET state = ?, attempts = ?, status = ?, next_at = ? WHERE seq = ?",
        (state, attempts, status, now + store.span(backoff), seq),
    )


def listed(db: sqlite3.Connection) -> list[dict[str, object]]:
    """The newest notices with what became of them."""
    query = "SELECT * FROM notice ORDER BY seq DESC LIMIT ?"
    return [
        {
            "id": row["id"],
            "instance": row["instance"],
            "state": row["state"],
            "attempts": row["attempts"],
            "status": row["status"],
            "created_at": store.text_of(row["created_at"]),
            "body": json.loads(row["body"]),
        }
        for row in db.execute(query, (rules.LISTED_MAX,))
    ]


def replay(db: sqlite3.Connection, notice_id: str, now: int) -> None:
    """Sends a notice once more, under the id that it had.

    Raises:
        RefusedError: there is no such notice.
    """
    row = db.execute("SELECT * FROM notice WHERE id = ? LIMIT 1", (notice_id,)).fetchone()
    if row is None:
        raise rules.RefusedError(*rules.NOT_FOUND)
    db.execute(
        "INSERT INTO notice (id, instance, body, created_at, next_at) VALUES (?, ?, ?, ?, ?)",
        (row["id"], row["instance"], row["body"], row["created_at"], now),
    )
