"""Gives back what lapsed, in the unit of work of whoever needs it: its owner, or money that goes back."""

from collections.abc import Sequence
from dataclasses import replace

from shoutgraph.domain import accounts, dormancy as rules, ids
from shoutgraph.domain.dormancy import Lapse
from shoutgraph.domain.ids import NewId
from shoutgraph.domain.lapse_rules import LapseOutcome
from shoutgraph.domain.legs import Books
from shoutgraph.storage import lapses as rows, ledger
from shoutgraph.storage.tx import Tx


def give_back(tx: Tx, new_id: NewId, books: Books, lapses: Sequence[Lapse]) -> int:
    """Makes new lots of what lapsed; says how many coins. Whoever does holds the wallet."""
    for lapse in lapses:
        lot = ledger.find_lot(tx, lapse.lot_id)
        assert lot is not None, "what lapsed was of a lot"
        fresh = rules.fresh_lot(lot, lapse, new_id(ids.LOT), now=tx.now)
        ledger.post(tx, rules.returned(books, lapse, fresh))
        rows.give_back(tx, replace(lapse, returned_at=tx.now, fresh_lot_id=fresh.id))
    return sum(lapse.coins for lapse in lapses)


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
