"""Transfers of what has matured: it is available, pays what is owed, is kept in reserve, or is taken back.

As `postings`, from values alone. Units: coins, and book units for money. Source: docs/adr/0003-ledger.md.
"""

from dataclasses import dataclass

from shoutgraph.domain import accounts, fees, ids
from shoutgraph.domain.earnings import Drawn
from shoutgraph.domain.ledger import LotMove, Transfer
from shoutgraph.domain.legs import Books, move as _move, of_coins as _money
from shoutgraph.domain.postings import Held


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Coins that come from a creator after the hold, and the person who owes what is missing."""

    creator_id: ids.CreatorId
    user_id: ids.UserId
    drawn: Drawn


def earnings_matured(*, ref: str, creator_id: ids.CreatorId, coins: int) -> Transfer:
    """Row 19: the hold is over."""
    moves = _move(accounts.pending(creator_id), accounts.available(creator_id), coins, "matured")
    return Transfer("earnings.matured", ref, tuple(moves))


def debt_withheld(books: Books, *, ref: str, creator_id: ids.CreatorId, user_id: ids.UserId, coins: int) -> Transfer:
    """Row 2c: what a creator earned pays what they owe, as it becomes available."""
    moves = _move(accounts.available(creator_id), accounts.debt(user_id), coins, "withheld")
    moves += _money(books, "liab:coins", "recv:users", coins, "withheld")
    return Transfer("debt.withheld", ref, tuple(moves))


def earnings_reserved(*, ref: str, creator_id: ids.CreatorId, coins: int) -> Transfer:
    """Row 37: a share of what has matured is kept back."""
    moves = _move(accounts.available(creator_id), accounts.reserve(creator_id), coins, "reserved")
    return Transfer("earnings.reserved", ref, tuple(moves))


def earnings_released(*, ref: str, creator_id: ids.CreatorId, coins: int) -> Transfer:
    """Row 38: it has aged, and may be paid out."""
    moves = _move(accounts.reserve(creator_id), accounts.available(creator_id), coins, "released")
    return Transfer("earnings.released", ref, tuple(moves))


def order_taken_back(
    books: Books,
    held: Held,
    *,
    ref: str,
    taken: TakenBack,
    parts: fees.Refund,
    given: tuple[LotMove, ...],
) -> Transfer:
    """Row 17b: part of an order goes back after its earning matured: what is available, then the reserve, then a debt.

    The fee's share is revenue by then, or will be with the next sweep: the platform gives it from there.
    """
    creator_id, user_id, drawn = taken.creator_id, taken.user_id, taken.drawn
    moves = _move(accounts.available(creator_id), accounts.MINT, drawn.available_coins, "taken back")
    moves += _move(accounts.reserve(creator_id), accounts.MINT, drawn.reserve_coins, "taken back of the reserve")
    moves += _move(accounts.debt(user_id), accounts.MINT, drawn.owed_coins, "taken back of what was paid out")
    moves += _move(accounts.MINT, accounts.paid(held.fan_id), parts.paid_coins, "refund")
    moves += _move(accounts.PROMO_MINT, accounts.promo(held.fan_id), parts.promo_coins, "refund of promo")
    moves += _money(books, "recv:users", "liab:coins", drawn.owed_coins, "debt")
    moves += _money(books, "rev:fees", "liab:coins", parts.fee_paid_coins, "refund of fee")
    unfunded = parts.promo_coins - parts.fee_promo_coins
    moves += _money(books, "liab:coins", "exp:marketing", unfunded, "undo promo-funded earning")
    cap = accounts.refund_cap(held.order_id)
    moves += _move(cap, accounts.cap_mint(held.order_id), parts.paid_coins + parts.promo_coins, "refund cap")
    return Transfer("order.refunded", ref, tuple(moves), given)
