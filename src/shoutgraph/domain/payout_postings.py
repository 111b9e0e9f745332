"""The transfers of payouts: rows 22 to 25 of the ledger's table, also where another currency is sent.

What is sent in another currency goes through `fx`; the spread is revenue. Units: coins, and book units for money.
Source: docs/adr/0003-ledger.md (the table of postings).
"""

from shoutgraph.domain import accounts, ids, legs, money
from shoutgraph.domain.exchanges import Exchange
from shoutgraph.domain.ledger import Posting, Transfer
from shoutgraph.domain.legs import Books, Moves


def requested(*, payout_id: ids.PayoutId, creator_id: ids.CreatorId, coins: int) -> Transfer:
    """Row 22: earnings are set aside until the provider says paid."""
    holding = accounts.holding("payout", payout_id)
    moves = legs.move(accounts.available(creator_id), holding, coins, "payout")
    return Transfer("payout.requested", payout_id, tuple(moves))


def paid(
    books: Books, *, payout_id: ids.PayoutId, coins: int, instance: str, exchange: Exchange | None = None
) -> Transfer:
    """Row 23: the money left; the coins end."""
    moves = legs.move(accounts.holding("payout", payout_id), accounts.MINT, coins, "paid out")
    moves += _left(books, coins, instance, exchange)
    return Transfer("payout.paid", payout_id, tuple(moves))


def failed(*, payout_id: ids.PayoutId, creator_id: ids.CreatorId, coins: int) -> Transfer:
    """Row 24: the money never left; the earnings are available again."""
    holding = accounts.holding("payout", payout_id)
    moves = legs.move(holding, accounts.available(creator_id), coins, "payout failed")
    return Transfer("payout.failed", payout_id, tuple(moves))


def returned(
    books: Books,
    *,
    payout_id: ids.PayoutId,
    creator_id: ids.CreatorId,
    coins: int,
    instance: str,
    exchange: Exchange | None = None,
) -> Transfer:
    """Row 25: paid money came back; so do all of the coins, at the rate that they left at."""
    moves = legs.move(accounts.MINT, accounts.available(creator_id), coins, "payout returned")
    left = _left(books, coins, instance, exchange)
    moves += [Posting(each.credit, each.debit, each.amount, "payout returned") for each in left]
    return Transfer("payout.returned", payout_id, tuple(moves))


def _left(books: Books, coins: int, instance: str, exchange: Exchange | None) -> Moves:
    if exchange is None:
        return legs.of_coins(books, "liab:coins", f"cash:psp:{instance}", coins, "paid out")
    units, currency = money.BOOK_UNITS_PER_MINOR, exchange.rate.currency
    gross, kept = exchange.gross_minor * units, exchange.spread_minor * units
    assert gross == coins * books.par_units, "coins are exchanged at par"
    liability, own = accounts.coin_liability(books.currency), accounts.money_account("fx", books.currency)
    revenue, other = accounts.money_account("rev:payout", books.currency), accounts.money_account("fx", currency)
    moves = legs.move(liability, own, gross - kept, "paid out")
    moves += legs.move(liability, revenue, kept, "exchange spread")
    cash = accounts.provider_cash(instance, currency)
    return moves + legs.move(other, cash, exchange.amount_minor * units, "exchanged")
