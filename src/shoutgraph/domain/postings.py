"""Every transfer that exists, one function a row of the ledger's table; others in `payout_postings` and `maturing`.

Each builds a `Transfer` from values; none reads or writes. `Dr a -> Cr b` is `_move(a, b, amount, reason)`, and
moves of zero are left out. Units: coins, and book units for money.

Nothing calls `provider_settled` in this version: it is proven by the tests of the ledger and waits for its room.
Source: docs/adr/0003-ledger.md (the table of postings).
"""

from dataclasses import dataclass

from shoutgraph.domain import accounts, fees, ids, ledger, legs
from shoutgraph.domain.ledger import Lot, LotMove, Posting, Transfer
from shoutgraph.domain.legs import Moves, move as _move, of_coins as _money

Books = legs.Books
Cash = legs.Cash


@dataclass(frozen=True, slots=True)
class Held:
    """What an order holds in escrow, by kind of coin, with the lots it came from (positive moves)."""

    order_id: ids.OrderId
    fan_id: ids.UserId
    paid_coins: int
    promo_coins: int
    paid_lots: tuple[LotMove, ...] = ()
    promo_lots: tuple[LotMove, ...] = ()


@dataclass(frozen=True, slots=True)
class Back:
    """How coins return: debt undone, coins given back to their lots, and a new lot for what debt had eaten."""

    owed_coins: int
    given: tuple[LotMove, ...]
    fresh: Lot | None = None


def topup_succeeded(books: Books, *, ref: str, cash: Cash, lot: Lot, bonus: Lot | None) -> Transfer:
    """Row 2: a fan's payment arrived; coins are minted and carried at par."""
    moves = _move(accounts.MINT, accounts.paid(lot.user_id), lot.granted, "topup")
    moves += legs.cash_in(books, cash, coins=lot.granted)
    grants = [lot]
    if bonus is not None:
        moves += _move(accounts.PROMO_MINT, accounts.promo(bonus.user_id), bonus.granted, "bonus")
        grants.append(bonus)
    return Transfer("topup.succeeded", ref, tuple(moves), lot_grants=tuple(grants))


def promo_granted(*, ref: str, lot: Lot) -> Transfer:
    """Row 21: granted coins."""
    moves = _move(accounts.PROMO_MINT, accounts.promo(lot.user_id), lot.granted, "grant")
    return Transfer("promo.granted", ref, tuple(moves), lot_grants=(lot,))


def promo_expired(*, user_id: ids.UserId, ref: str, take: LotMove) -> Transfer:
    """Row 21: what is left of a granted lot lapses; the reference is the lot and when it was to lapse.

    Not the lot alone: coins that an order gives back to a lapsed lot lapse once more, later.
    """
    moves = _move(accounts.promo(user_id), accounts.PROMO_MINT, -take.coins, "expire")
    return Transfer("promo.expired", ref, tuple(moves), (take,))


def debt_repaid(books: Books, *, user_id: ids.UserId, ref: str, taken: tuple[LotMove, ...]) -> Transfer:
    """Row 2b: new coins pay what the user owes."""
    coins = -sum(move.coins for move in taken)
    moves = _move(accounts.paid(user_id), accounts.debt(user_id), coins, "repay")
    moves += _money(books, "liab:coins", "recv:users", coins, "repay")
    return Transfer("debt.repaid", ref, tuple(moves), taken)


def provider_fee(*, ref: str, instance: str, currency: str, units: int) -> Transfer:
    """Row 3: what the provider keeps for itself."""
    expense = accounts.money_account("exp:psp", currency)
    moves = _move(expense, accounts.provider_cash(instance, currency), units, "provider fee")
    return Transfer("provider.fee", ref, tuple(moves))


def refund_requested(
    *, user_id: ids.UserId, ref: str, taken: tuple[LotMove, ...], bonus: tuple[LotMove, ...] = ()
) -> Transfer:
    """Row 5: unspent coins are set aside before the provider is asked; with a withdrawal, granted ones go along."""
    coins, granted = -sum(move.coins for move in taken), -sum(move.coins for move in bonus)
    moves = _move(accounts.paid(user_id), accounts.holding("refund", ref), coins, "refund")
    moves += _move(accounts.promo(user_id), accounts.promo_holding("refund", ref), granted, "bonus of a refund")
    return Transfer("topup.refund_requested", ref, tuple(moves), taken + bonus)


def refund_succeeded(books: Books, *, ref: str, coins: int, cash: Cash, bonus_coins: int = 0) -> Transfer:
    """Row 6: the money went back; the coins end."""
    moves = _move(accounts.holding("refund", ref), accounts.MINT, coins, "refund")
    moves += _move(accounts.promo_holding("refund", ref), accounts.PROMO_MINT, bonus_coins, "bonus of a refund")
    moves += legs.cash_out(books, cash, coins=coins, reason="refund")
    return Transfer("topup.refund_succeeded", ref, tuple(moves))


def refund_reversed(books: Books, *, user_id: ids.UserId, ref: str, back: Back, cash: Cash) -> Transfer:
    """Row 6b: the money of a refund came back to us later; debt is undone first, the rest returns to the wallet.

    The same where the refunded coins were spent, and ended by row 9.
    """
    fresh = () if back.fresh is None else (back.fresh,)
    coins = sum(move.coins for move in back.given) + sum(lot.granted for lot in fresh)
    moves = _move(accounts.MINT, accounts.debt(user_id), back.owed_coins, "undo debt")
    moves += _move(accounts.MINT, accounts.paid(user_id), coins, "refund came back")
    moves += legs.cash_in(books, cash, coins=coins + back.owed_coins, reason="refund came back")
    moves += _money(books, "liab:coins", "recv:users", back.owed_coins, "undo debt")
    return Transfer("topup.refund_reversed", ref, tuple(moves), back.given, fresh)


def refund_failed(
    *,
    user_id: ids.UserId,
    ref: str,
    given: tuple[LotMove, ...],
    fresh: Lot | None = None,
    bonus: tuple[LotMove, ...] = (),
) -> Transfer:
    """Row 7: the money did not go back; the coins return to their lots, or to a new one where those have no room."""
    grants = () if fresh is None else (fresh,)
    coins = sum(move.coins for move in given) + sum(lot.granted for lot in grants)
    moves = _move(accounts.holding("refund", ref), accounts.paid(user_id), coins, "refund failed")
    granted = sum(move.coins for move in bonus)
    moves += _move(accounts.promo_holding("refund", ref), accounts.promo(user_id), granted, "refund failed")
    return Transfer("topup.refund_failed", ref, tuple(moves), given + bonus, grants)


def dispute_opened(
    books: Books, *, user_id: ids.UserId, ref: str, taken: tuple[LotMove, ...], owed_coins: int, cash: Cash
) -> Transfer:
    """Row 8: the provider took money back; the coins follow it, and what is spent becomes debt.

    Coins that open orders hold come by `order_reversed`, not by this transfer; where those were more than is taken
    back, the rest returns here, as positive moves.
    """
    dispute = accounts.holding("dispute", ref)
    coins = -sum(move.coins for move in taken)
    moves = _move(accounts.paid(user_id), dispute, max(coins, 0), "charge-back")
    moves += _move(dispute, accounts.paid(user_id), max(-coins, 0), "more than is charged back")
    moves += _move(accounts.debt(user_id), dispute, owed_coins, "charge-back of spent coins")
    moves += _money(books, "recv:users", "liab:coins", owed_coins, "debt")
    at_provider = accounts.provider_cash(cash.instance, cash.currency)
    moves += _move(accounts.disputed_money(ref, cash.currency), at_provider, cash.units, "withdrawn")
    return Transfer("dispute.opened", ref, tuple(moves), taken)


def dispute_lost(books: Books, *, ref: str, coins: int, cash: Cash) -> Transfer:
    """Row 9: the money is gone and the coins end."""
    moves = _move(accounts.holding("dispute", ref), accounts.MINT, coins, "dispute lost")
    moves += legs.cash_out(books, cash, coins=coins, reason="dispute lost", dispute=ref)
    return Transfer("dispute.lost", ref, tuple(moves))


def dispute_won(books: Books, *, user_id: ids.UserId, ref: str, back: Back, cash: Cash) -> Transfer:
    """Row 10: the money came back; debt is undone first, the rest returns to the wallet."""
    dispute = accounts.holding("dispute", ref)
    fresh = () if back.fresh is None else (back.fresh,)
    coins = sum(move.coins for move in back.given) + sum(lot.granted for lot in fresh)
    moves = _move(dispute, accounts.debt(user_id), back.owed_coins, "undo debt")
    moves += _move(dispute, accounts.paid(user_id), coins, "dispute won")
    moves += _money(books, "liab:coins", "recv:users", back.owed_coins, "undo debt")
    at_provider = accounts.provider_cash(cash.instance, cash.currency)
    moves += _move(at_provider, accounts.disputed_money(ref, cash.currency), cash.units, "returned")
    return Transfer("dispute.won", ref, tuple(moves), back.given, fresh)


def debt_written_off(books: Books, *, user_id: ids.UserId, ref: str, coins: int) -> Transfer:
    """Row 11: the platform bears what a user owes."""
    moves = _move(accounts.MINT, accounts.debt(user_id), coins, "write-off")
    moves += _money(books, "exp:chargeback", "recv:users", coins, "write-off")
    return Transfer("debt.written_off", ref, tuple(moves))


def order_placed(held: Held) -> Transfer:
    """Row 12: the price goes to escrow, granted coins first. `held` names the lots as positive moves."""
    moves = _move(accounts.promo(held.fan_id), accounts.promo_escrow(held.order_id), held.promo_coins, "hold")
    moves += _move(accounts.paid(held.fan_id), accounts.escrow(held.order_id), held.paid_coins, "hold")
    lots = tuple(LotMove(m.lot_id, -m.coins, m.order_id) for m in held.promo_lots + held.paid_lots)
    return Transfer("order.placed", held.order_id, tuple(moves), lots)


def order_returned(held: Held, *, reason: str) -> Transfer:
    """Row 14: an order ends without a video; every coin goes back to its lot."""
    moves = _return(held, held.promo_coins, held.paid_coins, reason)
    return Transfer("order.closed", held.order_id, tuple(moves), held.promo_lots + held.paid_lots)


def order_reversed(held: Held, *, dispute_ref: str, reversed_coins: int, given: tuple[LotMove, ...]) -> Transfer:
    """Transition 31: the charged-back part goes to the dispute, the rest back to its lots."""
    dispute = accounts.holding("dispute", dispute_ref)
    moves = _move(accounts.escrow(held.order_id), dispute, reversed_coins, "payment reversed")
    moves += _return(held, held.promo_coins, held.paid_coins - reversed_coins, "payment reversed")
    return Transfer("order.closed", held.order_id, tuple(moves), given)


def order_completed(
    books: Books, held: Held, *, creator_id: ids.CreatorId, fee_bps: int, given: tuple[LotMove, ...] = ()
) -> Transfer:
    """Rows 15 and 16: the creator earns; `given` returns a share to the fan first when a dispute was split."""
    back_promo = sum(move.coins for move in given if _is_promo(move, held))
    back_paid = sum(m.coins for m in given) - back_promo
    promo_left, paid_left = held.promo_coins - back_promo, held.paid_coins - back_paid
    parts = fees.split(paid_coins=paid_left, promo_coins=promo_left, fee_bps=fee_bps)
    pending = accounts.pending(creator_id)
    moves = _return(held, back_promo, back_paid, "split")
    moves += _move(accounts.escrow(held.order_id), pending, paid_left - parts.fee_paid_coins, "earning")
    moves += _move(accounts.escrow(held.order_id), accounts.fee(held.order_id), parts.fee_paid_coins, "fee")
    moves += _move(accounts.promo_escrow(held.order_id), accounts.PROMO_MINT, promo_left, "redeem")
    funded = promo_left - parts.fee_promo_coins
    moves += _move(accounts.MINT, pending, funded, "promo-funded earning")
    moves += _money(books, "exp:marketing", "liab:coins", funded, "promo-funded earning")
    cap = accounts.refund_cap(held.order_id)
    moves += _move(accounts.cap_mint(held.order_id), cap, promo_left + paid_left, "refund cap")
    return Transfer("order.closed", held.order_id, tuple(moves), given)


def surcharge_returned(held: Held, *, given: tuple[LotMove, ...], promo_coins: int) -> Transfer:
    """Transition 14: an express order came late; its surcharge goes back to the lots."""
    paid_coins = sum(move.coins for move in given) - promo_coins
    moves = _return(held, promo_coins, paid_coins, "express late")
    return Transfer("order.surcharge_returned", held.order_id, tuple(moves), given)


def creator_compensated(books: Books, *, order_id: ids.OrderId, creator_id: ids.CreatorId, coins: int) -> Transfer:
    """Transitions 18 and 27: the platform pays the creator for its own delay."""
    moves = _move(accounts.MINT, accounts.pending(creator_id), coins, "compensation")
    moves += _money(books, "exp:goodwill", "liab:coins", coins, "compensation")
    return Transfer("creator.compensated", order_id, tuple(moves))


def order_refunded(
    books: Books,
    held: Held,
    *,
    ref: str,
    creator_id: ids.CreatorId,
    parts: fees.Refund,
    given: tuple[LotMove, ...],
) -> Transfer:
    """Row 17: part of a completed order goes back while the earning is pending; capped by the order's price.

    `held` is what the order held when it completed, less earlier refunds.
    """
    pending, fan = accounts.pending(creator_id), accounts.paid(held.fan_id)
    moves = _move(pending, fan, parts.paid_coins - parts.fee_paid_coins, "refund")
    moves += _move(accounts.fee(held.order_id), fan, parts.fee_paid_coins, "refund of fee")
    moves += _move(accounts.PROMO_MINT, accounts.promo(held.fan_id), parts.promo_coins, "refund of promo")
    unfunded = parts.promo_coins - parts.fee_promo_coins
    moves += _move(pending, accounts.MINT, unfunded, "undo promo-funded earning")
    moves += _money(books, "liab:coins", "exp:marketing", unfunded, "undo promo-funded earning")
    cap = accounts.refund_cap(held.order_id)
    moves += _move(cap, accounts.cap_mint(held.order_id), parts.paid_coins + parts.promo_coins, "refund cap")
    return Transfer("order.refunded", ref, tuple(moves), given)


def goodwill(
    books: Books, held: Held, *, ref: str, paid_coins: int, promo_coins: int, given: tuple[LotMove, ...]
) -> Transfer:
    """Row 18: the platform gives back, at its own cost, what a creator keeps; capped by the order's price.

    Granted coins come back as granted ones: they cost nothing until somebody earns them.
    """
    moves = _move(accounts.MINT, accounts.paid(held.fan_id), paid_coins, "goodwill")
    moves += _money(books, "exp:goodwill", "liab:coins", paid_coins, "goodwill")
    moves += _move(accounts.PROMO_MINT, accounts.promo(held.fan_id), promo_coins, "goodwill of promo")
    cap = accounts.refund_cap(held.order_id)
    moves += _move(cap, accounts.cap_mint(held.order_id), paid_coins + promo_coins, "refund cap")
    return Transfer("goodwill", ref, tuple(moves), given)


def fx_revalued(*, currency: str, ref: str, gain_units: int) -> Transfer:
    """Row 26b: what the exchange accounts hold is worth more than the books say, or less."""
    exchange, expense = accounts.money_account("fx", currency), accounts.money_account("exp:fx", currency)
    moves = _move(exchange, expense, max(gain_units, 0), "gain") + _move(expense, exchange, max(-gain_units, 0), "loss")
    return Transfer("fx.revalued", ref, tuple(moves))


def fee_swept(books: Books, *, stripe: int, ref: str, coins: int) -> Transfer:
    """Row 27: fees of matured orders become revenue."""
    moves = _move(accounts.fee_stripe(stripe), accounts.MINT, coins, "fee sweep")
    moves += _money(books, "liab:coins", "rev:fees", coins, "fee sweep")
    return Transfer("fee.swept", ref, tuple(moves))


def card_bought(*, user_id: ids.UserId, ref: str, taken: tuple[LotMove, ...]) -> Transfer:
    """Row 32: bought coins are set aside under the code of a gift card."""
    coins = -sum(move.coins for move in taken)
    moves = _move(accounts.paid(user_id), accounts.holding("card", ref), coins, "gift card")
    return Transfer("card.bought", ref, tuple(moves), taken)


def card_redeemed(*, user_id: ids.UserId, ref: str, lots: tuple[Lot, ...]) -> Transfer:
    """Row 33: whoever has the code gets the coins, in lots of the same price."""
    coins = sum(lot.granted for lot in lots)
    moves = _move(accounts.holding("card", ref), accounts.paid(user_id), coins, "gift card redeemed")
    return Transfer("card.redeemed", ref, tuple(moves), lot_grants=lots)


def card_returned(*, user_id: ids.UserId, ref: str, given: tuple[LotMove, ...], fresh: Lot | None = None) -> Transfer:
    """Row 34: a card that nobody redeemed ends; the coins return to their lots, or to a new one without room there."""
    grants = () if fresh is None else (fresh,)
    coins = sum(move.coins for move in given) + sum(lot.granted for lot in grants)
    moves = _move(accounts.holding("card", ref), accounts.paid(user_id), coins, "gift card returned")
    return Transfer("card.returned", ref, tuple(moves), given, grants)


def gift_sent(
    *, ref: str, user_id: ids.UserId, creator_id: ids.CreatorId, fee_coins: int, taken: tuple[LotMove, ...]
) -> Transfer:
    """Row 20: a gift of paid coins; granted coins cannot be given away."""
    coins = -sum(move.coins for move in taken)
    moves = _move(accounts.paid(user_id), accounts.pending(creator_id), coins - fee_coins, "gift")
    moves += _move(accounts.paid(user_id), accounts.fee(ref), fee_coins, "fee")
    return Transfer("gift", ref, tuple(moves), taken)


def breakage(books: Books, *, user_id: ids.UserId, take: LotMove, unclaimed: bool) -> Transfer:
    """Row 28: what is left of a lot lapses, at par; it is income, or owed to its owner as money."""
    moves = _move(accounts.paid(user_id), accounts.MINT, -take.coins, "lapse")
    moves += _money(books, "liab:coins", _lapsed(unclaimed=unclaimed), -take.coins, "lapse")
    return Transfer("breakage", take.lot_id, tuple(moves), (take,))


def breakage_returned(books: Books, *, ref: str, fresh: Lot, unclaimed: bool) -> Transfer:
    """Row 28b: what lapsed of a lot comes back as a lot of the same worth."""
    moves = _move(accounts.MINT, accounts.paid(fresh.user_id), fresh.granted, "lapse undone")
    moves += _money(books, _lapsed(unclaimed=unclaimed), "liab:coins", fresh.granted, "lapse undone")
    return Transfer("breakage.returned", ref, tuple(moves), lot_grants=(fresh,))


def _lapsed(*, unclaimed: bool) -> str:
    return "liab:unclaimed" if unclaimed else "rev:breakage"


def ledger_adjusted(*, ref: str, moves: tuple[Posting, ...]) -> Transfer:
    """Row 31: what two people agreed to correct; `corrections` says what may be."""
    return Transfer("ledger.adjusted", ref, moves)


def provider_settled(*, ref: str, instance: str, currency: str, units: int) -> Transfer:
    """Row 29: the provider sent our money to the bank."""
    transit = accounts.money_account("cash:transit", currency)
    moves = _move(transit, accounts.provider_cash(instance, currency), units, "settled")
    moves += _move(accounts.money_account("cash:bank", currency), transit, units, "in the bank")
    return Transfer("psp.settled", ref, tuple(moves))


def returned_lots(held: Held, *, promo_coins: int, paid_coins: int) -> tuple[LotMove, ...]:
    """The lot moves that give so many coins of each kind back, the last taken first."""
    from_promo = ledger.give_back(held.promo_lots, promo_coins)
    return from_promo + ledger.give_back(held.paid_lots, paid_coins)


def _return(held: Held, promo_coins: int, paid_coins: int, reason: str) -> Moves:
    moves = _move(accounts.promo_escrow(held.order_id), accounts.promo(held.fan_id), promo_coins, reason)
    return moves + _move(accounts.escrow(held.order_id), accounts.paid(held.fan_id), paid_coins, reason)


def _is_promo(move: LotMove, held: Held) -> bool:
    return any(lot.lot_id == move.lot_id for lot in held.promo_lots)
