"""Gives back what lapsed, in the unit of work of whoever needs it: its owner, or money that goes back."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from shoutgraph.domain import accounts, dormancy as rules, ids, journal, ledger as rules_of_ledger, postings
from shoutgraph.domain.dormancy import Lapse
from shoutgraph.domain.ids import NewId
from shoutgraph.domain.lapse_rules import LapseOutcome
from shoutgraph.domain.legs import Books
from shoutgraph.domain.wallets import id_of
from shoutgraph.storage import journal as journal_rows, lapses as rows, ledger, wallets
from shoutgraph.storage.tx import Tx

RECLAIMED: Final = "wallet.coins_reclaimed"


def give_back(tx: Tx, new_id: NewId, books: Books, lapses: Sequence[Lapse]) -> int:
    """Makes new lots of what lapsed; says how many coins. Whoever does holds the wallet."""
    for lapse in lapses:
        lot = ledger.find_lot(tx, lapse.lot_id)
        assert lot is not None, "what lapsed was of a lot"
        fresh = rules.fresh_lot(lot, lapse, new_id(ids.LOT), now=tx.now)
        ledger.post(tx, rules.returned(books, lapse, fresh))
        rows.give_back(tx, replace(lapse, returned_at=tx.now, fresh_lot_id=fresh.id))
    return sum(lapse.coins for lapse in lapses)


def claim(tx: Tx, new_id: NewId, books: Books, lapses: Sequence[Lapse]) -> None:
    """Gives an owner back what is kept for them, and pays what they owe first. Whoever does holds the wallet."""
    user_id, coins = lapses[0].user_id, give_back(tx, new_id, books, lapses)
    body: journal.Body = {"user": user_id, "coins": coins}
    journal_rows.append(tx, journal.NewEvent(new_id(ids.EVENT), id_of(user_id), RECLAIMED, body))
    owed = wallets.balances(tx, user_id).debt_coins
    lots = ledger.list_of_spendable_lots(tx, accounts.paid(user_id).code) if owed else ()
    if paid := min(owed, sum(lot.remaining for lot in lots)):
        ref, taken = f"reclaimed:{lapses[0].lot_id}", rules_of_ledger.take(lots, paid)
        ledger.post(tx, postings.debt_repaid(books, user_id=user_id, ref=ref, taken=taken))


def claim_all(tx: Tx, new_id: NewId, books: Books, user_id: ids.UserId) -> None:
    """The same for somebody who leaves, as far as all of it is here still. Whoever does holds the user."""
    if not rows.list_unclaimed(tx, user_id):
        return
    ledger.hold_wallets(tx, accounts.paid(user_id).code)
    found = rows.list_unclaimed(tx, user_id)
    if found and sum(lapse.coins for lapse in found) * books.par_units <= held_units(tx, books):
        claim(tx, new_id, books, found)


def list_returnable(tx: Tx, books: Books, lot_ids: Sequence[str]) -> list[Lapse]:
    """What lapsed of these lots and can come back: not what was handed over to the state."""
    found = rows.list_lapsed_of(tx, lot_ids)
    kept = [each for each in found if each.outcome is LapseOutcome.UNCLAIMED]
    if sum(each.coins for each in kept) * books.par_units > (held_units(tx, books) if kept else 0):
        return [each for each in found if each not in kept]
    return found


def held_units(tx: Tx, books: Books) -> int:
    """What is kept for all owners together; a unit of work that writes holds it. Units: book units."""
    account = accounts.unclaimed(books.currency).code
    ledger.hold_wallets(tx, account)
    return ledger.balance_coins(tx, account)
