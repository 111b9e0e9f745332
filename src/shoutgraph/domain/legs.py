"""What transfers are made of: moves of coins and their worth in the cash books, and money for coins.

A discount or premium goes to `rev:packs`, so that a coin is always carried at par. Units: coins; book units for money.
Source: docs/adr/0003-ledger.md.
"""

from dataclasses import dataclass

from shoutgraph.domain import accounts
from shoutgraph.domain.ledger import Account, Posting

Moves = list[Posting]


@dataclass(frozen=True, slots=True)
class Books:
    """How coins stand in the cash books: the book currency and a coin's par value in book units."""

    currency: str
    par_units: int


@dataclass(frozen=True, slots=True)
class Cash:
    """Money at a provider: `units` in its own currency, `book_units` in the book currency."""

    instance: str
    currency: str
    units: int
    book_units: int


def move(debit: Account, credit: Account, amount: int, reason: str) -> Moves:
    """One posting, or none where nothing moves."""
    return [Posting(debit, credit, amount, reason)] if amount else []


def of_coins(books: Books, debit: str, credit: str, coins: int, reason: str) -> Moves:
    """A move of the cash books at par between two accounts named in the chart."""
    return move(_book(books, debit), _book(books, credit), coins * books.par_units, reason)


def _book(books: Books, name: str) -> Account:
    if name == "liab:coins":
        return accounts.coin_liability(books.currency)
    if name == "recv:users":
        return accounts.receivable(books.currency)
    if name == "liab:unclaimed":
        return accounts.unclaimed(books.currency)
    return accounts.money_account(name, books.currency)


def cash_in(books: Books, cash: Cash, *, coins: int, reason: str = "sale") -> Moves:
    """Money for coins: the liability is booked at par, the difference is the pack's discount or premium."""
    _check_worth(books, cash)
    at_provider = accounts.provider_cash(cash.instance, cash.currency)
    source, moves = at_provider, Moves()
    if cash.currency != books.currency:
        moves += move(at_provider, accounts.money_account("fx", cash.currency), cash.units, "fx")
        source = accounts.money_account("fx", books.currency)
    par = coins * books.par_units
    packs, liability = _book(books, "rev:packs"), _book(books, "liab:coins")
    moves += move(source, liability, min(cash.book_units, par), reason)
    moves += move(packs, liability, max(par - cash.book_units, 0), "discount")
    moves += move(source, packs, max(cash.book_units - par, 0), "premium")
    return moves


def cash_out(books: Books, cash: Cash, *, coins: int, reason: str, dispute: str | None = None) -> Moves:
    """Undoes `cash_in`: out of the money at the provider, or out of what a dispute withdrew."""
    _check_worth(books, cash)
    if dispute is None:
        end = accounts.provider_cash(cash.instance, cash.currency)
    else:
        end = accounts.disputed_money(dispute, cash.currency)
    moves = Moves()
    if cash.currency != books.currency:
        moves += move(accounts.money_account("fx", cash.currency), end, cash.units, "fx")
        end = accounts.money_account("fx", books.currency)
    par = coins * books.par_units
    packs, liability = _book(books, "rev:packs"), _book(books, "liab:coins")
    moves += move(liability, end, min(cash.book_units, par), reason)
    moves += move(liability, packs, max(par - cash.book_units, 0), f"{reason}: undo discount")
    moves += move(packs, end, max(cash.book_units - par, 0), f"{reason}: undo premium")
    return moves


def _check_worth(books: Books, cash: Cash) -> None:
    same = cash.currency == books.currency
    assert not same or cash.units == cash.book_units, "money in the book currency is worth itself"
