"""Fees become revenue once nobody can ask for them back: once a day, each stripe in a posting of its own."""

from typing import Final

from shoutgraph.domain import ids, journal, postings
from shoutgraph.domain.postings import Books
from shoutgraph.storage import fees, journal as journal_rows, ledger as ledger_rows, policies, sweeps, turns
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

SWEPT: Final = "fees.swept"
TOPIC: Final = "fees"


async def sweep_today(tools: Tools) -> int:
    """Sweeps once a day, at the day's turn before its totals are kept; gives the coins that became revenue."""
    day = f"{tools.clock():%Y-%m-%d}"
    if await tools.store.read(lambda tx: sweeps.has_totals(tx, day)):
        return 0
    return await sweep(tools)


async def sweep(tools: Tools) -> int:
    """Makes revenue of all fees that no refund can ask for any more; gives the coins.

    A stripe is swept at most once a day, under that name in the books, however often and wherever this runs. What a
    stripe keeps is at least what may be refunded: whatever happens between the look and the posting moves both alike,
    or frees more.
    """

    def work(tx: Tx) -> int:
        if not turns.take(tx, "fees"):
            return 0
        day, policy = tx.now.date().isoformat(), policies.current(tx)
        books, done = Books(policy.book_currency, policy.par_units), fees.swept_on(tx, day)
        free = {stripe: coins for stripe, coins in fees.free_coins(tx).items() if coins > 0 and stripe not in done}
        for stripe, coins in free.items():
            ledger_rows.post(tx, postings.fee_swept(books, stripe=stripe, ref=fees.ref(stripe, day), coins=coins))
        total = sum(free.values())
        if total:
            body: journal.Body = {"day": day, "coins": total, "stripes": len(free)}
            event = journal.NewEvent(id=tools.new_id(ids.EVENT), topic=TOPIC, type=SWEPT, body=body)
            journal_rows.append(tx, event)
        return total

    return await tools.store.write(work)
