"""What happens to the real books when a provider moved money that no transfer explains."""

from tests.storage.books import EUR, Books
from tests.storage.facts import Outcome
from tests.storage.outside import MINOR

from shoutgraph.domain import ids, suspense as rules
from shoutgraph.domain.ids import NewId
from shoutgraph.domain.money import Money
from shoutgraph.domain.suspense import Line, SuspenseState, Told
from shoutgraph.storage import ledger as rows, suspending, suspense
from shoutgraph.storage.tx import Tx


def take_in(books: Books, tx: Tx, operation: str, instance: str, currency: str, units: int) -> Outcome:
    told = Told(instance, operation, f"ref_{operation}", Money(units // MINOR, currency), tx.now)
    before = _lines(tx, instance, operation)
    suspending.take_in(tx, _names(books, operation, len(before)), told)
    return Outcome.DONE if _note(books, tx, instance, operation, before) else Outcome.NOTHING


def clear(books: Books, tx: Tx, instance: str, operation: str) -> None:
    """The real event is booked; its provider's own name is enough to find what it explains."""
    before = _lines(tx, instance, operation)
    new_id = _names(books, operation, len(before))
    suspending.explain(tx, new_id, instance=instance, operation_id="unheard of", ref=f"ref_{operation}")
    _note(books, tx, instance, operation, before)


def propose_line(_books: Books, tx: Tx, line_id: str, account: str, by: str) -> Outcome:
    after = rules.proposed(suspense.get(tx, line_id), account, "A letter", by=by, now=tx.now)
    rules.account_of(after, account, EUR)
    suspense.save(tx, after)
    return Outcome.DONE


def confirm_line(books: Books, tx: Tx, line_id: str, by: str) -> Outcome:
    after = rules.confirmed(suspense.get(tx, line_id), by=by, now=tx.now)
    assert after.account is not None, "what is placed has a place"
    coins = rules.debt_coins(after, EUR)
    if coins and coins > -rows.balance_coins(tx, after.account):
        return Outcome.TOO_MUCH
    suspense.save(tx, after)
    return books.post(tx, rules.placed(after, EUR))


def reject_line(_books: Books, tx: Tx, line_id: str) -> Outcome:
    suspense.save(tx, rules.rejected(suspense.get(tx, line_id)))
    return Outcome.DONE


def _lines(tx: Tx, instance: str, operation: str) -> list[Line]:
    return suspense.list_of_movement(tx, instance=instance, operation_id=operation, ref=None)


def _names(books: Books, operation: str, known: int) -> NewId:
    """What is opened next has the name that the auditor gives it."""
    return lambda kind: f"{operation}#{known}" if kind == ids.SUSPENSE_LINE else books.event_id()


def _note(books: Books, tx: Tx, instance: str, operation: str, before: list[Line]) -> bool:
    """Keeps what was posted, so that it can be posted again; says whether anything was."""
    changed = [line for line in _lines(tx, instance, operation) if line not in before]
    for line in changed:
        ended = line.state is SuspenseState.CLEARED
        transfer = rules.cleared(line) if ended else rules.opened(line)
        books.posted[transfer.kind, transfer.ref] = transfer
    return bool(changed)
