"""What happens by itself: settling, disputing, expiring, paying out, coming back."""

import sqlite3
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from shoutgraph_sandbox.simulator import payments, payouts
from shoutgraph_sandbox.simulator.rules import RefusedError, Rules

STEPS_MAX: Final = 10_000
"""The most things that happen in one go."""

Step: TypeAlias = Callable[[sqlite3.Connection, sqlite3.Row, Rules, int], sqlite3.Row]


def _disputed(db: sqlite3.Connection, row: sqlite3.Row, rule: Rules, now: int) -> sqlite3.Row:
    try:
        return payments.dispute(db, row, "open", rule, now)
    except RefusedError:
        # Everything was refunded meanwhile.
        db.execute("UPDATE payment SET due_at = NULL, due_action = NULL WHERE id = ?", (row["id"],))
        return row


_PAYMENT_STEPS: Final[Mapping[str, Step]] = {
    "settle": payments.settle,
    "expire": payments.expire,
    "dispute": _disputed,
}
_PAYOUT_STEPS: Final[Mapping[str, Step]] = {"pay": payouts.pay, "give_back": payouts.give_back}


def run(db: sqlite3.Connection, rule: Rules, now: int) -> int:
    """Lets everything happen that is due, in the order of time; gives how much that was.

    A step may make another one due. It follows the first by the time between them, not by when we looked.
    """
    for count in range(STEPS_MAX):
        payment = _next(db, "SELECT * FROM payment WHERE due_at <= ? ORDER BY due_at, seq LIMIT 1", now)
        payout = _next(db, "SELECT * FROM payout WHERE due_at <= ? ORDER BY due_at, seq LIMIT 1", now)
        if payment is not None and (payout is None or payment["due_at"] <= payout["due_at"]):
            _PAYMENT_STEPS[payment["due_action"]](db, payment, rule, now)
            late = now - payment["due_at"]
            db.execute("UPDATE payment SET due_at = due_at - ? WHERE id = ?", (late, payment["id"]))
        elif payout is not None:
            _PAYOUT_STEPS[payout["due_action"]](db, payout, rule, now)
            late = now - payout["due_at"]
            db.execute("UPDATE payout SET due_at = due_at - ? WHERE id = ?", (late, payout["id"]))
        else:
            return count
    return STEPS_MAX


def advance(db: sqlite3.Connection, rule: Rules, now: int, by: int) -> int:
    """Lets time pass for everything that is to come; gives how much happened. Units: microseconds."""
    db.execute("UPDATE payment SET due_at = due_at - ? WHERE due_at IS NOT NULL", (by,))
    db.execute("UPDATE payout SET due_at = due_at - ? WHERE due_at IS NOT NULL", (by,))
    db.execute("UPDATE notice SET next_at = next_at - ? WHERE state = 'pending'", (by,))
    return run(db, rule, now)


def is_waiting(db: sqlite3.Connection) -> bool:
    """Whether anything will happen by itself, or is still to be told."""
    query = (
        "SELECT EXISTS (SELECT 1 FROM payment WHERE due_at IS NOT NULL)"
        " OR EXISTS (SELECT 1 FROM payout WHERE due_at IS NOT NULL)"
        " OR EXISTS (SELECT 1 FROM notice WHERE state = 'pending')"
    )
    return bool(db.execute(query).fetchone()[0])


def _next(db: sqlite3.Connection, query: str, horizon: int) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(query, (horizon,)).fetchone()
    return row
