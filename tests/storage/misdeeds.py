"""What wrong code might try: each must bounce for its own reason, and leave nothing behind."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from tests.storage import order_verbs
from tests.storage.auditor import Auditor
from tests.storage.auditor_coins import LIVE
from tests.storage.books import Books
from tests.storage.facts import Outcome, Wish

from shoutgraph.domain import accounts, ids
from shoutgraph.domain.ledger import COIN, Account, Floor, Lot, LotMove, Posting, Transfer
from shoutgraph.domain.orders.states import State
from shoutgraph.storage import ledger as rows, orders
from shoutgraph.storage.tx import Tx

BOOKED = "wrong"


@dataclass(frozen=True, slots=True)
class Misdeed:
    """Something wrong, whom it may befall, and why it bounces."""

    do: Callable[[Books, Tx, Any], object]
    targets: Callable[[Auditor], list[Any]]
    bounces: Outcome


def _live(auditor: Auditor) -> list[str]:
    return [order_id for order_id, order in auditor.orders.items() if order.state in LIVE]


def _ended(auditor: Auditor) -> list[str]:
    return [order_id for order_id, order in auditor.orders.items() if order.state not in LIVE]


def _filmed(auditor: Auditor) -> list[str]:
    return [order_id for order_id, order in auditor.orders.items() if order.parts]


def _users(auditor: Auditor) -> list[str]:
    return [code.split(":")[1] for code, balance in auditor.balances.items() if code.endswith(":paid") and balance]


def _full_lots(auditor: Auditor) -> list[str]:
    return [lot.id for lot in auditor.lots.values() if lot.left]


def _lapsing_lots(auditor: Auditor) -> list[str]:
    return [lot.id for lot in auditor.lots.values() if lot.until is not None]


def _strange_lots(auditor: Auditor) -> list[tuple[str, str]]:
    pairs = ((order_id, lot_id) for order_id in auditor.orders for lot_id in auditor.lots)
    return [(order_id, lot_id) for order_id, lot_id in pairs if lot_id not in auditor.orders[order_id].touched]


def _closed_holdings(auditor: Auditor) -> list[str]:
    return sorted(code for code in auditor.closed if not code.startswith("disp:") and not code.endswith(":promo"))


def _full_accounts(auditor: Auditor) -> list[str]:
    return sorted(code for code, balance in auditor.balances.items() if balance)


def _post(tx: Tx, debit: Account, credit: Account, coins: int, *lots: LotMove, grants: tuple[Lot, ...] = ()) -> None:
    rows.post(tx, Transfer(BOOKED, BOOKED, (Posting(debit, credit, coins, BOOKED),), lots, grants))


def _fan_of(tx: Tx, order_id: str) -> Account:
    return accounts.paid(orders.get(tx, order_id).fan_id)


def _wallet_of(tx: Tx, lot_id: str) -> tuple[Lot, Account, Account]:
    """A lot, its wallet, and the mint of its coins."""
    lot = rows.find_lot(tx, lot_id)
    assert lot is not None, "the auditor knows its lots"
    paid = accounts.paid(lot.user_id)
    if lot.account == paid.code:
        return lot, paid, accounts.MINT
    return lot, accounts.promo(lot.user_id), accounts.PROMO_MINT


def pay_an_ended_order_again(_books: Books, tx: Tx, order_id: str) -> None:
    _post(tx, accounts.escrow(ids.OrderId(order_id)), accounts.fee_stripe(0), 1)


def end_an_ended_order_otherwise(_books: Books, tx: Tx, order_id: str) -> None:
    fan = _fan_of(tx, order_id)
    moved = Posting(accounts.MINT, fan, 1, "once more")
    rows.post(tx, Transfer("order.closed", order_id, (moved,)))


def revive(_books: Books, tx: Tx, order_id: str) -> None:
    order_verbs.save(tx, orders.get(tx, order_id), state=State.IN_PRODUCTION)


def change_the_price_of_an_ended_order(_books: Books, tx: Tx, order_id: str) -> None:
    order = orders.get(tx, order_id)
    order_verbs.save(tx, order, price_coins=order.price_coins + 1)


def end_and_forget_the_coins(_books: Books, tx: Tx, order_id: str) -> None:
    order_verbs.save(tx, orders.get(tx, order_id), state=State.CANCELLED)


def change_the_price_of_a_live_order(_books: Books, tx: Tx, order_id: str) -> None:
    order = orders.get(tx, order_id)
    order_verbs.save(tx, order, price_coins=order.price_coins + 1)


def empty_the_escrow_of_a_live_order(_books: Books, tx: Tx, order_id: str) -> None:
    held = order_verbs.held_by(tx, orders.get(tx, order_id))
    if held.paid_coins:
        _post(tx, accounts.escrow(held.order_id), accounts.fee_stripe(0), held.paid_coins)
    else:
        _post(tx, accounts.promo_escrow(held.order_id), accounts.PROMO_MINT, held.promo_coins)


def pay_too_much_into_an_escrow(_books: Books, tx: Tx, order_id: str) -> None:
    _post(tx, accounts.MINT, accounts.escrow(ids.OrderId(order_id)), 1)


def order_without_paying(_books: Books, tx: Tx, user: str) -> None:
    order = order_verbs.draft_of(tx, Wish("order_unpaid", user, "star", 5, 0, 3_000))
    orders.insert(tx, replace(order, state=State.SCREENING), order_verbs.BRIEF)


def save_an_old_revision(_books: Books, tx: Tx, order_id: str) -> None:
    orders.save(tx, orders.get(tx, order_id))


def mint_without_a_lot(_books: Books, tx: Tx, user: str) -> None:
    _post(tx, accounts.MINT, accounts.paid(ids.UserId(user)), 5)


def open_a_lot_without_coins(_books: Books, tx: Tx, lot_id: str) -> None:
    lot, _, _ = _wallet_of(tx, lot_id)
    fresh = replace(lot, id="lot_wrong", granted=5, remaining=5)
    _post(tx, accounts.MINT, accounts.fee_stripe(0), 5, grants=(fresh,))


def open_a_lot_again(_books: Books, tx: Tx, lot_id: str) -> None:
    lot, wallet, mint = _wallet_of(tx, lot_id)
    _post(tx, mint, wallet, lot.granted, grants=(replace(lot, remaining=lot.granted),))


def open_a_lot_for_nobody(_books: Books, tx: Tx, lot_id: str) -> None:
    lot, _, _ = _wallet_of(tx, lot_id)
    fresh = replace(lot, id="lot_wrong", account="user:nobody:paid", granted=5, remaining=5)
    _post(tx, accounts.MINT, accounts.fee_stripe(0), 5, grants=(fresh,))


def overdraw_a_lot(_books: Books, tx: Tx, lot_id: str) -> None:
    lot, wallet, mint = _wallet_of(tx, lot_id)
    _post(tx, wallet, mint, 1, LotMove(lot.id, -lot.remaining - 1))


def overfill_a_lot(_books: Books, tx: Tx, lot_id: str) -> None:
    lot, wallet, mint = _wallet_of(tx, lot_id)
    coins = lot.granted - lot.remaining + 1
    _post(tx, mint, wallet, coins, LotMove(lot.id, coins))


def take_from_a_lot_and_not_from_its_wallet(_books: Books, tx: Tx, lot_id: str) -> None:
    _post(tx, accounts.MINT, accounts.fee_stripe(0), 1, LotMove(lot_id, -1))


def let_a_lot_lapse_earlier(_books: Books, tx: Tx, lot_id: str) -> None:
    lot, _, _ = _wallet_of(tx, lot_id)
    assert lot.expires_at is not None, "a lapsing lot lapses"
    rows.extend_lot(tx, lot_id, lot.expires_at - timedelta(days=1))


def give_back_what_was_not_taken(_books: Books, tx: Tx, pair: tuple[str, str]) -> None:
    order_id, lot_id = pair
    _, wallet, mint = _wallet_of(tx, lot_id)
    _post(tx, mint, wallet, 1, LotMove(lot_id, 1, ids.OrderId(order_id)))


def refund_beyond_the_price(_books: Books, tx: Tx, order_id: str) -> None:
    cap = accounts.refund_cap(ids.OrderId(order_id))
    _post(tx, cap, accounts.cap_mint_stripe(1), rows.balance_coins(tx, cap.code) + 1)


def overdraw_a_wallet(_books: Books, tx: Tx, user: str) -> None:
    wallet = accounts.paid(ids.UserId(user))
    _post(tx, wallet, accounts.MINT, rows.balance_coins(tx, wallet.code) + 1)


def repay_more_than_is_owed(_books: Books, tx: Tx, user: str) -> None:
    debt = accounts.debt(ids.UserId(user))
    _post(tx, accounts.MINT, debt, 1 - rows.balance_coins(tx, debt.code))


def use_a_closed_account(_books: Books, tx: Tx, code: str) -> None:
    kind, object_id = code.split(":", 1)
    _post(tx, accounts.MINT, accounts.holding(kind, object_id), 1)


def close_a_full_account(_books: Books, tx: Tx, code: str) -> None:
    rows.close(tx, code)


def close_an_account_twice(_books: Books, tx: Tx, code: str) -> None:
    rows.close(tx, code)


def use_an_account_as_another(_books: Books, tx: Tx, user: str) -> None:
    _post(tx, accounts.MINT, Account(f"user:{user}:paid", COIN, Floor.FREE), 5)


def post_under_a_used_name(books: Books, tx: Tx, name: tuple[str, str]) -> None:
    posted = books.posted[name]
    first, *rest = posted.postings
    rows.post(tx, replace(posted, postings=(replace(first, amount=first.amount + 1), *rest)))


MISDEEDS = (
    Misdeed(pay_an_ended_order_again, _ended, Outcome.OVERDRAFT),
    Misdeed(end_an_ended_order_otherwise, _ended, Outcome.CONFLICT),
    Misdeed(revive, _ended, Outcome.OVER),
    Misdeed(change_the_price_of_an_ended_order, _ended, Outcome.OVER),
    Misdeed(end_and_forget_the_coins, _live, Outcome.UNTIED),
    Misdeed(change_the_price_of_a_live_order, _live, Outcome.UNTIED),
    Misdeed(empty_the_escrow_of_a_live_order, _live, Outcome.UNTIED),
    Misdeed(pay_too_much_into_an_escrow, _live, Outcome.UNTIED),
    Misdeed(order_without_paying, _users, Outcome.UNTIED),
    Misdeed(save_an_old_revision, _live, Outcome.STALE),
    Misdeed(mint_without_a_lot, _users, Outcome.UNTIED),
    Misdeed(open_a_lot_without_coins, _full_lots, Outcome.UNTIED),
    Misdeed(open_a_lot_again, _full_lots, Outcome.SECOND_LOT),
    Misdeed(open_a_lot_for_nobody, _full_lots, Outcome.NO_ACCOUNT),
    Misdeed(overdraw_a_lot, _full_lots, Outcome.EMPTY_LOT),
    Misdeed(overfill_a_lot, _full_lots, Outcome.EMPTY_LOT),
    Misdeed(take_from_a_lot_and_not_from_its_wallet, _full_lots, Outcome.UNTIED),
    Misdeed(let_a_lot_lapse_earlier, _lapsing_lots, Outcome.EARLIER),
    Misdeed(give_back_what_was_not_taken, _strange_lots, Outcome.FOREIGN_COINS),
    Misdeed(refund_beyond_the_price, _filmed, Outcome.OVERDRAFT),
    Misdeed(overdraw_a_wallet, _users, Outcome.OVERDRAFT),
    Misdeed(repay_more_than_is_owed, _users, Outcome.OVERCREDIT),
    Misdeed(use_a_closed_account, _closed_holdings, Outcome.NOT_ZERO),
    Misdeed(close_a_full_account, _full_accounts, Outcome.NOT_ZERO),
    Misdeed(close_an_account_twice, _closed_holdings, Outcome.NO_ACCOUNT),
    Misdeed(use_an_account_as_another, _users, Outcome.OTHER_ACCOUNT),
    Misdeed(post_under_a_used_name, lambda auditor: sorted(auditor.transfers), Outcome.CONFLICT),
)
