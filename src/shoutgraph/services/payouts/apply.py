"""The one way a payout changes: book what follows, store it, tell of it. All in the caller's unit of work."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from shoutgraph.domain import accounts, earnings as earning_values, errors, ids, journal, payout_looks, payout_postings
from shoutgraph.domain.batches import Batch
from shoutgraph.domain.earnings import Earning
from shoutgraph.domain.exchanges import Exchange
from shoutgraph.domain.ledger import Transfer
from shoutgraph.domain.legs import Books
from shoutgraph.domain.payouts import Effect, Payout, Seen
from shoutgraph.storage import (
    earnings,
    exchanges,
    journal as journal_rows,
    ledger as ledger_rows,
    payouts,
    policies,
    suspending,
    withholding,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

MOVED: Final = "payout.status_changed"
CHANGED: Final = "payout.changed"

Step = Callable[[Earning, int], Earning]
"""How so many coins of an earning move."""


def keep(tools: Tools, tx: Tx, before: Payout, seen: Seen) -> Payout:
    """Stores a payout after something was decided or seen, with everything that follows from it."""
    after = seen.payout
    if after == before:
        return before
    for effect in seen.effects:
        if effect is Effect.PAID:
            suspending.explain(tx, tools.new_id, instance=after.instance, operation_id=after.key, ref=after.ref)
        _BOOK[effect](tx, after)
    payouts.save(tx, after)
    tell(tools, tx, after, before)
    return after


def look_again(tx: Tx, payout: Payout, batch: Batch, *, looks: int, return_window: timedelta) -> None:
    """Says when to look next."""
    due = payout_looks.next_look(
        payout, answer_due_at=batch.answer_due_at, return_window=return_window, looks=looks, now=tx.now
    )
    payouts.schedule(tx, payout.id, look_at=due, looks=looks)


def tell(tools: Tools, tx: Tx, payout: Payout, before: Payout | None) -> None:
    """Writes a line of the payout's story; `before` is None for a new one."""
    moved = before is None or before.state is not payout.state
    body = {
        "status": payout.state.value,
        "previous": None if before is None else before.state.value,
        "creator": payout.creator_id,
        "coins": payout.coins,
        "revision": payout.revision,
    }
    event = journal.NewEvent(id=tools.new_id(ids.EVENT), topic=payout.id, type=MOVED if moved else CHANGED, body=body)
    journal_rows.append(tx, event)


def note(tools: Tools, tx: Tx, topic: str, kind: str, body: journal.Body) -> None:
    """Writes a line of the story of a batch, a file or a recipient."""
    journal_rows.append(tx, journal.NewEvent(id=tools.new_id(ids.EVENT), topic=topic, type=kind, body=body))


def books_of(tx: Tx) -> Books:
    """The book currency and par value in force."""
    policy = policies.current(tx)
    return Books(policy.book_currency, policy.par_units)


def _paid(tx: Tx, payout: Payout) -> None:
    books = books_of(tx)
    transfer = payout_postings.paid(
        books,
        payout_id=payout.id,
        coins=payout.coins,
        instance=payout.instance,
        exchange=_exchange(tx, payout, books),
    )
    earnings.save(tx, [each for each, _ in _moved(tx, payout, earning_values.paid)])
    ledger_rows.post(tx, transfer)
    _close(tx, payout)


def _failed(tx: Tx, payout: Payout) -> None:
    transfer = payout_postings.failed(payout_id=payout.id, creator_id=payout.creator_id, coins=payout.coins)
    _come_back(tx, payout, transfer, earning_values.given_back)
    _close(tx, payout)


def _returned(tx: Tx, payout: Payout) -> None:
    books = books_of(tx)
    transfer = payout_postings.returned(
        books,
        payout_id=payout.id,
        creator_id=payout.creator_id,
        coins=payout.coins,
        instance=payout.instance,
        exchange=_exchange(tx, payout, books),
    )
    _come_back(tx, payout, transfer, earning_values.returned)


def _come_back(tx: Tx, payout: Payout, transfer: Transfer, step: Step) -> None:
    """The earnings are available again, less what their creator owes by now."""
    moved = _moved(tx, payout, step)
    debt = withholding.debts_of(tx, [payout.creator_id]).get(payout.creator_id)
    ledger_rows.post(tx, transfer)
    earnings.save(tx, withholding.withhold(tx, debt, moved, policies.current(tx), ref=payout.id))


def _exchange(tx: Tx, payout: Payout, books: Books) -> Exchange | None:
    """At what it was exchanged when it was asked for, whatever the rate is now."""
    if payout.currency == books.currency:
        return None
    agreed = exchanges.find(tx, payout.id)
    if agreed is None:
        raise errors.InvariantError("a payout in another currency has an exchange")
    return agreed


def _moved(tx: Tx, payout: Payout, step: Step) -> list[tuple[Earning, int]]:
    """Its earnings after their coins moved, held before the books, as everybody takes them; and those coins."""
    parts = payouts.list_of_parts(tx, payout.id)
    return [(step(earning, coins), coins) for earning, coins in earnings.list_of_parts(tx, parts)]


def _close(tx: Tx, payout: Payout) -> None:
    ledger_rows.close(tx, accounts.holding("payout", payout.id).code)


_BOOK: Final = {Effect.PAID: _paid, Effect.FAILED: _failed, Effect.RETURNED: _returned}
