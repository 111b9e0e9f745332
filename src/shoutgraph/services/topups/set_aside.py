"""Coins that a refund of ours has set aside: how they return, and the one way in which a refund changes."""

from collections.abc import Sequence
from typing import Final

from shoutgraph.domain import accounts, ids, journal, postings
from shoutgraph.domain.ledger import Lot, LotMove
from shoutgraph.domain.topups import booking, refund as rules
from shoutgraph.domain.topups.refund import WAITING, Refund
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.services.topups.desk import Desk
from shoutgraph.storage import journal as journal_rows, ledger as ledger_rows, refunds, wallets, withholding
from shoutgraph.storage.tx import Tx

MOVED: Final = "refund.status_changed"
CHANGED: Final = "refund.changed"


def keep(desk: Desk, before: Refund, after: Refund) -> Refund:
    """Stores a refund that changed, and tells of it."""
    if after == before:
        return before
    refunds.save(desk.tx, after)
    tell(desk, after, before)
    return after


def tell(desk: Desk, refund: Refund, before: Refund | None) -> None:
    """Writes a line of the refund's story; `before` is None for a new one."""
    moved = before is None or before.state is not refund.state
    body: journal.Body = {
        "status": refund.state.value,
        "previous": None if before is None else before.state.value,
        "topup": refund.topup_id,
        "user": refund.user_id,
        "minor": refund.part.minor,
        "currency": refund.currency,
        "coins": refund.part.coins,
        "revision": refund.revision,
    }
    kind = MOVED if moved else CHANGED
    event = journal.NewEvent(id=desk.tools.new_id(ids.EVENT), topic=refund.id, type=kind, body=body)
    journal_rows.append(desk.tx, event)


def end_unsent(desk: Desk, topup: Topup, asked: Sequence[Refund]) -> None:
    """Ends refunds that no provider was asked for, because the money goes back by another way."""
    for refund in asked:
        if refund.state in WAITING:
            give_back(desk, topup, refund)
            keep(desk, refund, rules.denied(refund, code=rules.OVERTAKEN, now=desk.tx.now))


def give_back(desk: Desk, topup: Topup, refund: Refund) -> None:
    """Row 7: the coins return to their lots, as far as those have room, and pay what the user owes by now."""
    if not refund.part.coins:
        return  # and so no bonus coins
    tx = desk.tx
    ledger_rows.hold_wallets(tx, accounts.paid(topup.user_id).code, accounts.promo(topup.user_id).code)
    holding = accounts.holding("refund", refund.id).code
    room = wallets.rooms(tx, [lot.id for lot in all_own_lots(tx, topup)], ending=holding)
    home = booking.way_home(refund.taken, room)
    fresh = None
    if home.fresh_coins:
        fresh = booking.fresh_lot(topup, desk.tools.new_id(ids.LOT), home.fresh_coins, now=tx.now)
    bonus = tuple(LotMove(move.lot_id, -move.coins) for move in refund.bonus)
    transfer = postings.refund_failed(user_id=topup.user_id, ref=refund.id, given=home.given, fresh=fresh, bonus=bonus)
    ledger_rows.post(tx, transfer)
    close(tx, refund)
    body: journal.Body = {"topup": topup.id, "refund": refund.id, "coins": refund.part.coins}
    desk.tell_wallet(topup.user_id, "wallet.refund_undone", body)
    repay_debt(desk, topup, ref=refund.id)


def repay_debt(desk: Desk, topup: Topup, *, ref: str) -> None:
    """New coins pay what the user owes, before they can be spent."""
    coins = withholding.repay(desk.tx, topup.user_id, desk.books, ref=ref)
    if coins:
        desk.tell_wallet(topup.user_id, "wallet.debt_repaid", {"topup": topup.id, "coins": coins})


def own_lots(tx: Tx, topup: Topup) -> tuple[Lot, ...]:
    """The top-up's lots of paid coins with something left."""
    return tuple(lot for lot in all_own_lots(tx, topup) if lot.remaining)


def all_own_lots(tx: Tx, topup: Topup) -> tuple[Lot, ...]:
    """The top-up's lots of paid coins."""
    paid = accounts.paid(topup.user_id).code
    return tuple(lot for lot in ledger_rows.list_of_lots_of_topup(tx, topup.id) if lot.account == paid)


def close(tx: Tx, refund: Refund) -> None:
    """Closes what a refund had set aside, once it is empty."""
    close_if_open(tx, accounts.holding("refund", refund.id).code)
    if refund.bonus:
        close_if_open(tx, accounts.promo_holding("refund", refund.id).code)


def close_if_open(tx: Tx, account: str) -> None:
    """Closes an account that moved; one that never did was never opened."""
    if wallets.account_version(tx, account):
        ledger_rows.close(tx, account)
