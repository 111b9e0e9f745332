"""What happens to payouts. Every function is one step of a transaction; times are kept microseconds."""

import hashlib
import secrets
import sqlite3
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shoutgraph_sandbox.simulator import magic, notices, rules, store
from shoutgraph_sandbox.simulator.magic import Magic
from shoutgraph_sandbox.simulator.payments import Currency, Text
from shoutgraph_sandbox.simulator.rules import RefusedError, Rules

BATCH_MAX: Final = 100
CLOSED_RECIPIENT: Final = "closed"
"""Payouts to a recipient whose ref ends so are rejected."""

LOOKUP_MAX: Final = 100


class _Wanted(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class NewPayout(_Wanted):
    """One item that a caller wants to be paid."""

    item_id: Text
    amount: Annotated[int, Field(gt=0)]
    currency: Currency
    recipient_ref: Text
    descriptor: Text


class NewBatch(_Wanted):
    """A batch that a caller hands over."""

    instance: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    items: Annotated[list[NewPayout], Field(min_length=1, max_length=BATCH_MAX)]


class Wanted(_Wanted):
    """Which payout a caller asks about."""

    ref: str | None
    batch_key: Text
    item_id: Text


class Lookup(_Wanted):
    """Which payouts a caller asks about."""

    instance: Text
    targets: Annotated[list[Wanted], Field(max_length=LOOKUP_MAX)]


def submit(
    db: sqlite3.Connection, wanted: NewBatch, key: str, rule: Rules, now: int
) -> tuple[str, list[sqlite3.Row], bool]:
    """Takes a batch in, or gives the one that this key made before; says whether it is new.

    Raises:
        RefusedError: the key was used for another batch, or an item comes twice.
    """
    digest = hashlib.sha256(wanted.model_dump_json().encode()).hexdigest()
    query = "SELECT * FROM batch WHERE instance = ? AND key = ?"
    known = db.execute(query, (wanted.instance, key)).fetchone()
    if known is not None:
        if known["digest"] != digest:
            raise RefusedError(*rules.KEY_REUSED)
        return known["id"], _of_batch(db, known["id"]), False
    if len({item.item_id for item in wanted.items}) != len(wanted.items):
        raise RefusedError(*rules.INVALID)
    batch_id = "batch_" + secrets.token_hex(12)
    values = (batch_id, wanted.instance, key, digest, now)
    db.execute("INSERT INTO batch (id, instance, key, digest, created_at) VALUES (?, ?, ?, ?, ?)", values)
    for item in wanted.items:
        _insert(db, item, (batch_id, wanted.instance, key), rule, now)
    return batch_id, _of_batch(db, batch_id), True


def found(db: sqlite3.Connection, lookup: Lookup) -> list[sqlite3.Row]:
    """The payouts that are there of those asked about."""
    query = "SELECT * FROM payout WHERE instance = ? AND batch_key = ? AND item_id = ? AND (?4 IS NULL OR id = ?4)"
    rows = [
        db.execute(query, (lookup.instance, each.batch_key, each.item_id, each.ref)).fetchone()
        for each in lookup.targets
    ]
    return [row for row in rows if row is not None]


def get(db: sqlite3.Connection, ref: str) -> sqlite3.Row:
    """The payout with this id, or made for this item of the caller.

    Raises:
        RefusedError: there is none.
    """
    query = "SELECT * FROM payout WHERE id = ? OR item_id = ? ORDER BY seq DESC LIMIT 1"
    row: sqlite3.Row | None = db.execute(query, (ref, ref)).fetchone()
    if row is None:
        raise RefusedError(*rules.NOT_FOUND)
    return row


def listed(db: sqlite3.Connection, instance: str | None, since: int) -> list[sqlite3.Row]:
    """The payouts since a time, oldest first."""
    query = "SELECT * FROM payout WHERE (?1 IS NULL OR instance = ?1) AND created_at >= ?2 ORDER BY seq LIMIT ?3"
    return db.execute(query, (instance, since, rules.LISTED_MAX)).fetchall()


def pay(db: sqlite3.Connection, row: sqlite3.Row, rule: Rules, now: int) -> sqlite3.Row:
    """The money reaches the recipient; as the magic says, it comes back later.

    Raises:
        RefusedError: the payout is not under way.
    """
    _require(row, "processing")
    returns = magic.of(row["amount"]) is Magic.PAYOUT_RETURN
    db.execute(
        "UPDATE payout SET status = 'paid', paid_at = ?, due_at = ?, due_action = ? WHERE id = ?",
        (
            now,
            now + store.span(rule.delay) if returns else None,
            "give_back" if returns else None,
            row["id"],
        ),
    )
    return _told(db, row["id"], now)


def give_back(db: sqlite3.Connection, row: sqlite3.Row, rule: Rules, now: int) -> sqlite3.Row:
    """The recipient's bank sends the money back.

    Raises:
        RefusedError: the payout is not paid.
    """
    del rule
    _require(row, "paid")
    db.execute(
        "UPDATE payout SET status = 'returned', code = 'account_closed', returned_at = ?,"
        " due_at = NULL, due_action = NULL WHERE id = ?",
        (now, row["id"]),
    )
    return _told(db, row["id"], now)


def reject(db: sqlite3.Connection, row: sqlite3.Row, rule: Rules, now: int) -> sqlite3.Row:
    """The payout is refused after it was taken in.

    Raises:
        RefusedError: the payout is not under way.
    """
    del rule
    _require(row, "processing")
    return _end(db, row, "rejected", "rejected_by_bank", now)


def cancel(db: sqlite3.Connection, row: sqlite3.Row, rule: Rules, now: int) -> sqlite3.Row:
    """The caller stops the payout; one that is not under way any more stays what it is."""
    del rule
    return _end(db, row, "cancelled", "cancelled", now) if row["status"] == "processing" else row


def view(row: sqlite3.Row) -> dict[str, object]:
    """A payout as the API shows it."""
    same = ("id", "batch_key", "item_id", "amount", "currency", "status", "code")
    times = ("created_at", "paid_at", "returned_at")
    return {
        **{name: row[name] for name in same},
        **{name: store.text_of(row[name]) for name in times},
    }


def _insert(db: sqlite3.Connection, item: NewPayout, batch: tuple[str, str, str], rule: Rules, now: int) -> None:
    meaning = magic.of(item.amount)
    rejected = meaning is Magic.PAYOUT_REJECT or item.recipient_ref.endswith(CLOSED_RECIPIENT)
    by_itself = not rejected and meaning is not Magic.PAYOUT_SILENT
    db.execute(
        "INSERT INTO payout (id, batch_id, instance, batch_key, item_id, amount, currency, recipient_ref,"
        " descriptor, status, code, created_at, due_at, due_action)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            "payout_" + secrets.token_hex(12),
            *batch,
            item.item_id,
            item.amount,
            item.currency,
            item.recipient_ref,
            item.descriptor,
            "rejected" if rejected else "processing",
            "invalid_account" if rejected else None,
            now,
            now + store.span(rule.delay) if by_itself else None,
            "pay" if by_itself else None,
        ),
    )


def _of_batch(db: sqlite3.Connection, batch_id: str) -> list[sqlite3.Row]:
    return db.execute("SELECT * FROM payout WHERE batch_id = ? ORDER BY seq", (batch_id,)).fetchall()


def _require(row: sqlite3.Row, *states: str) -> None:
    if row["status"] not in states:
        raise RefusedError(*rules.WRONG_STATE)


def _end(db: sqlite3.Connection, row: sqlite3.Row, status: str, code: str, now: int) -> sqlite3.Row:
    db.execute(
        "UPDATE payout SET status = ?, code = ?, due_at = NULL, due_action = NULL WHERE id = ?",
        (status, code, row["id"]),
    )
    return _told(db, row["id"], now)


def _told(db: sqlite3.Connection, payout_id: str, now: int) -> sqlite3.Row:
    row = get(db, payout_id)
    notices.tell(db, row, "payout", view(row), now=now)
    return row
