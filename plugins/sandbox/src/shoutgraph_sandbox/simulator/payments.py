"""What happens to payments. Every function is one step of a transaction; times are kept microseconds."""

import hashlib
import secrets
import sqlite3
from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints

from shoutgraph_sandbox.simulator import magic, notices, rules, store
from shoutgraph_sandbox.simulator.magic import Magic
from shoutgraph_sandbox.simulator.rules import RefusedError, Rules

DECLINED: Final = "card_declined"

Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://", max_length=2000)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

_OPEN: Final = frozenset({"action_required", "processing"})

_AT_CREATION: Final[Mapping[Magic | None, str]] = {
    Magic.DECLINE: "declined",
    Magic.LATE_SUCCESS: "declined",
    Magic.PENDING_THEN_PAID: "processing",
    Magic.SLOW: "processing",
    Magic.LOST_RESPONSE: "processing",
}


class NewPayment(BaseModel):
    """What a caller asks for."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    instance: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
    operation_id: Text
    amount: int
    currency: Currency
    customer_ref: Text
    locale: Text
    descriptor: Text
    return_url: Url
    cancel_url: Url


def create(db: sqlite3.Connection, wanted: NewPayment, key: str, rule: Rules, now: int) -> tuple[sqlite3.Row, bool]:
    """Makes a payment, or gives the one that this key made before; says whether it is new.

    Raises:
        RefusedError: the key was used for another payment, or the amount is not positive.
    """
    digest = hashlib.sha256(wanted.model_dump_json().encode()).hexdigest()
    query = "SELECT * FROM payment WHERE instance = ? AND key = ?"
    known = db.execute(query, (wanted.instance, key)).fetchone()
    if known is not None:
        if known["digest"] != digest:
            raise RefusedError(*rules.KEY_REUSED)
        return known, False
    if wanted.amount <= 0:
        raise RefusedError(*rules.INVALID)
    payment_id = "pay_" + secrets.token_hex(12)
    meaning = magic.of(wanted.amount)
    status = _AT_CREATION.get(meaning, "action_required")
    expires_at = now + store.span(rule.page_life)
    due_at, action = _due(status, meaning, rule, now, expires_at)
    db.execute(
        "INSERT INTO payment (id, instance, key, digest, operation_id, amount, currency, customer_ref,"
        " descriptor, return_url, cancel_url, status, decline_code, created_at, expires_at, due_at, due_action)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            payment_id,
            wanted.instance,
            key,
            digest,
            wanted.operation_id,
            wanted.amount,
            wanted.currency,
            wanted.customer_ref,
            wanted.descriptor,
            wanted.return_url,
            wanted.cancel_url,
            status,
            DECLINED if status == "declined" else None,
            now,
            expires_at,
            due_at,
            action,
        ),
    )
    row = get(db, payment_id)
    return (settle(db, row, rule, now) if meaning is Magic.LOST_RESPONSE else row), True


def get(db: sqlite3.Connection, ref: str) -> sqlite3.Row:
    """The payment with this id, or made for this operation of the caller.

    Raises:
        RefusedError: there is none.
    """
    query = "SELECT * FROM payment WHERE id = ? OR operation_id = ? ORDER BY seq DESC LIMIT 1"
    row: sqlite3.Row | None = db.execute(query, (ref, ref)).fetchone()
    if row is None:
        raise RefusedError(*rules.NOT_FOUND)
    return row


def by_key(db: sqlite3.Connection, instance: str, key: str) -> sqlite3.Row:
    """The payment that a key made.

    Raises:
        RefusedError: there is none.
    """
    query = "SELECT * FROM payment WHERE instance = ? AND key = ?"
    row: sqlite3.Row | None = db.execute(query, (instance, key)).fetchone()
    if row is None:
        raise RefusedError(*rules.NOT_FOUND)
    return row


def listed(db: sqlite3.Connection, instance: str | None, since: int) -> list[sqlite3.Row]:
    """The payments since a time, oldest first."""
    query = "SELECT * FROM payment WHERE (?1 IS NULL OR instance = ?1) AND created_at >= ?2 ORDER BY seq LIMIT ?3"
    return db.execute(query, (instance, since, rules.LISTED_MAX)).fetchall()


def settle(
    db: sqlite3.Connection, row: sqlite3.Row, rule: Rules, now: int, *, arriving: int | None = None
) -> sqlite3.Row:
    """The money arrives, whatever the payment was before; for its amount, as the magic says.

    Args:
        arriving: another amount than the one that was asked for. Units: minor units.

    Raises:
        RefusedError: the payment was cancelled.
    """
    if row["status"] == "paid":
        return row
    if row["status"] == "cancelled":
        raise RefusedError(*rules.WRONG_STATE)
    meaning, settled = magic.of(row["amount"]), arriving or row["amount"]
    if meaning is Magic.PARTIAL:
        settled = max(settled // 2, 1)
    if meaning is Magic.WRONG_AMOUNT:
        settled += rules.WRONG_BY
    disputes = meaning is Magic.DISPUTE
    db.execute(
        "UPDATE payment SET status = 'paid', settled = ?, fee = ?, paid_at = ?, decline_code = NULL,"
        " due_at = ?, due_action = ? WHERE id = ?",
        (
            settled,
            settled * rules.FEE_PERCENT // 100,
            now,
            now + store.span(rule.delay) if disputes else None,
            "dispute" if disputes else None,
            row["id"],
        ),
    )
    paid = get(db, row["id"])
    if meaning is Magic.REORDERED_WEBHOOKS:
        notices.tell(db, paid, "payment", view(paid, rule), now=now, at=(now, now))
        notices.tell(db, row, "payment", view(row, rule), now=now, at=(now + store.span(rule.delay) // 4,))
    else:
        notices.tell(db, paid, "payment", view(paid, rule), now=now)
    return paid


def decline(db: sqlite3.Connection, row: sqlite3.Row, rule: Rules, now: int) -> sqlite3.Row:
    """The payment is refused.

    Raises:
        RefusedError: it is not open.
    """
    if row["status"] not in _OPEN:
        raise RefusedError(*rules.WRONG_STATE)
    return _end(db, row, "declined", DECLINED, rule, now)


def expire(db: sqlite3.Connection, row: sqlite3.Row, rule: Rules, now: int) -> sqlite3.Row:
    """The page was left alone for too long."""
    return _end(db, row, "expired", "expired", rule, now) if row["status"] in _OPEN else row


def cancel(db: sqlite3.Connection, row: sqlite3.Row, rule: Rules, now: int) -> sqlite3.Row:
    """The caller ends the payment; one that is not open any more stays what it is."""
    return _end(db, row, "cancelled", "cancelled", rule, now) if row["status"] in _OPEN else row


def postpone(db: sqlite3.Connection, row: sqlite3.Row, rule: Rules, now: int) -> sqlite3.Row:
    """The fan pays by a method that takes a while.

    Raises:
        RefusedError: the page is not open.
    """
    if row["status"] != "action_required":
        raise RefusedError(*rules.WRONG_STATE)
    db.execute(
        "UPDATE payment SET status = 'processing', due_at = ?, due_action = 'settle' WHERE id = ?",
        (now + store.span(rule.delay), row["id"]),
    )
    return get(db, row["id"])


def guess(db: sqlite3.Connection, row: sqlite3.Row, rule: Rules, now: int) -> sqlite3.Row:
    """A wrong code was typed; after several the payment is refused."""
    db.execute("UPDATE payment SET attempts = attempts + 1 WHERE id = ?", (row["id"],))
    if row["attempts"] + 1 < rules.CODE_ATTEMPTS_MAX:
        return get(db, row["id"])
    return _end(db, row, "declined", "authentication_failed", rule, now)


def refund(db: sqlite3.Connection, row: sqlite3.Row, key: str, amount: int, rule: Rules, now: int) -> sqlite3.Row:
    """Gives money back; a repeated key gives it back once.

    Raises:
        RefusedError: more than is left, or the key was used for another amount.
    """
    query = "SELECT amount FROM refund WHERE payment_id = ? AND key = ?"
    known = db.execute(query, (row["id"], key)).fetchone()
    if known is not None:
        if known["amount"] != amount:
            raise RefusedError(*rules.KEY_REUSED)
        return row
    left = left_of(row)
    if not 0 < amount <= left:
        raise RefusedError(*rules.AMOUNT_TOO_LARGE)
    db.execute("INSERT INTO refund VALUES (?, ?, ?, ?, 0)", (row["id"], key, amount, now))
    db.execute("UPDATE payment SET refunded = refunded + ? WHERE id = ?", (amount, row["id"]))
    return _told(db, row["id"], rule, now)


def fail_refund(db: sqlite3.Connection, row: sqlite3.Row, rule: Rules, now: int) -> sqlite3.Row:
    """The newest refund that was done fails after all, such as at a closed account: the money is back with us.

    Raises:
        RefusedError: there is none.
    """
    query = "SELECT key, amount FROM refund WHERE payment_id = ? AND failed = 0 ORDER BY rowid DESC LIMIT 1"
    newest = db.execute(query, (row["id"],)).fetchone()
    if newest is None:
        raise RefusedError(*rules.WRONG_STATE)
    db.execute("UPDATE refund SET failed = 1 WHERE payment_id = ? AND key = ?", (row["id"], newest["key"]))
    db.execute("UPDATE payment SET refunds_failed = refunds_failed + ? WHERE id = ?", (newest["amount"], row["id"]))
    return _told(db, row["id"], rule, now)


def left_of(row: sqlite3.Row) -> int:
    """What is there of a payment. Units: minor units."""
    gone: int = row["refunded"] - row["refunds_failed"] + row["disputed"] - row["disputes_won"]
    settled: int = row["settled"]
    return settled - gone


def dispute(db: sqlite3.Connection, row: sqlite3.Row, outcome: str, rule: Rules, now: int) -> sqlite3.Row:
    """The fan's bank takes all that is left back, or a dispute that is open is won or lost.

    Raises:
        RefusedError: there is nothing to dispute, or no dispute to decide.
    """
    open_amount = row["disputed"] - row["disputes_won"] - row["disputes_lost"]
    left = row["settled"] - row["refunded"] + row["refunds_failed"] - row["disputed"]
    change = left if outcome == "open" else open_amount
    if change <= 0:
        raise RefusedError(*rules.WRONG_STATE)
    statement = {
        "open": "UPDATE payment SET disputed = disputed + ?, due_at = NULL, due_action = NULL WHERE id = ?",
        "won": "UPDATE payment SET disputes_won = disputes_won + ? WHERE id = ?",
        "lost": "UPDATE payment SET disputes_lost = disputes_lost + ? WHERE id = ?",
    }[outcome]
    db.execute(statement, (change, row["id"]))
    return _told(db, row["id"], rule, now)


def view(row: sqlite3.Row, rule: Rules) -> dict[str, object]:
    """A payment as the API shows it."""
    same = (
        "id key operation_id amount currency status settled refunded refunds_failed disputed disputes_won"
        " disputes_lost fee decline_code"
    )
    return {
        **{name: row[name] for name in same.split()},
        "checkout_url": f"{rule.base_url}/checkout/{row['id']}",
        **{name: store.text_of(row[name]) for name in ("created_at", "expires_at", "paid_at")},
    }


def _due(status: str, meaning: Magic | None, rule: Rules, now: int, expires_at: int) -> tuple[int | None, str | None]:
    if status == "action_required":
        return expires_at, "expire"
    if meaning is Magic.DECLINE:
        return None, None
    return now + store.span(rule.delay), "settle"


def _end(db: sqlite3.Connection, row: sqlite3.Row, status: str, code: str, rule: Rules, now: int) -> sqlite3.Row:
    db.execute(
        "UPDATE payment SET status = ?, decline_code = ?, due_at = NULL, due_action = NULL WHERE id = ?",
        (status, code, row["id"]),
    )
    return _told(db, row["id"], rule, now)


def _told(db: sqlite3.Connection, payment_id: str, rule: Rules, now: int) -> sqlite3.Row:
    row = get(db, payment_id)
    notices.tell(db, row, "payment", view(row, rule), now=now)
    return row
