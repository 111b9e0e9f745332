"""Money that comes back to us after a refund: what the refund took is kept, and returns. Source: ledger row 6b."""

from dataclasses import replace
from datetime import datetime

from shoutgraph.domain import accounts, ids, ledger, postings
from shoutgraph.domain.topups import booking, refund as rules, taken as taken_rules
from shoutgraph.domain.topups.booking import Step
from shoutgraph.domain.topups.taken import TakenBack
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.domain.wallets import RETURNED_LIFE
from shoutgraph.services.topups import set_aside
from shoutgraph.services.topups.desk import Desk
from shoutgraph.storage import ledger as ledger_rows, taken_back, wallets
from shoutgraph.storage.tx import Tx


def give_back(desk: Desk, topup: Topup, step: Step) -> None:
    """Row 6b: coins follow their money home; a refund of ours of which all came back ends as reversed."""
    record = step.taken
    if record is None or not step.part.minor:
        return
    tx, user_id, coins = desk.tx, topup.user_id, step.part.coins
    debt = wallets.balances(tx, user_id).debt_coins
    room = wallets.rooms(tx, [move.lot_id for move in taken_rules.merged(record.taken)])
    way = taken_rules.way_again(record, room, coins=coins, debt_coins=debt)
    fresh = None
    if way.fresh_coins:
        fresh = booking.fresh_lot(topup, desk.tools.new_id(ids.LOT), way.fresh_coins, now=tx.now)
    after = replace(record, back=record.back.plus(step.part))
    ref = f"{record.ref}:{after.back.minor}"
    back, cash = postings.Back(way.undone_coins, way.given, fresh), booking.books_cash(topup, step.part)
    ledger_rows.post(tx, postings.refund_reversed(desk.books, user_id=user_id, ref=ref, back=back, cash=cash))
    taken_back.save(tx, after)
    desk.tell_wallet(user_id, "wallet.refund_reversed", {"topup": topup.id, "coins": coins})
    set_aside.repay_debt(desk, topup, ref=ref)
    refund = step.refund
    if after.bonus_coins and not after.left.minor and refund is not None and refund.bonus:
        _grant_again(desk, topup, after, ref)
    if refund is not None and refund.state is rules.RefundState.SUCCEEDED and not after.left.minor:
        set_aside.keep(desk, refund, rules.reversed_later(refund, now=tx.now))


def note_bonus(tx: Tx, topup: Topup, *, coins: int) -> None:
    """Keeps with the newest refund how many granted coins went, because all of the money had gone."""
    records = taken_back.list_of_topup(tx, topup.id)
    if coins and records:
        newest = records[-1]
        taken_back.save(tx, replace(newest, bonus_coins=newest.bonus_coins + coins))


def return_bonus(desk: Desk, before: Topup, after: Topup) -> None:
    """Grants the coins again that came free with a purchase, once not all of its money is gone any more."""
    price = before.terms.price_minor
    if before.booked.reversed_minor < price or after.booked.reversed_minor >= price:
        return
    tx = desk.tx
    records = [record for record in taken_back.list_of_topup(tx, after.id) if record.bonus_coins]
    for record in records:
        _grant_again(desk, after, record, f"{record.ref}:{after.booked.refunds_failed_minor}")


def _grant_again(desk: Desk, topup: Topup, record: TakenBack, ref: str) -> None:
    lot = _bonus_lot(desk, topup, record.bonus_coins)
    ledger_rows.post(desk.tx, postings.promo_granted(ref=f"{ref}:bonus", lot=lot))
    taken_back.save(desk.tx, replace(record, bonus_coins=0))
    desk.tell_wallet(topup.user_id, "wallet.bonus_returned", {"topup": topup.id, "promo": record.bonus_coins})


def _bonus_lot(desk: Desk, topup: Topup, coins: int) -> ledger.Lot:
    """Granted coins that lapse when the first ones would have, and live for a week at least."""
    promo, tx = accounts.promo(topup.user_id).code, desk.tx
    first = [lot for lot in ledger_rows.list_of_lots_of_topup(tx, topup.id) if lot.account == promo]
    soonest = tx.now + RETURNED_LIFE
    ends: list[datetime] = [lot.expires_at for lot in first if lot.expires_at is not None]
    lot = booking.fresh_lot(topup, desk.tools.new_id(ids.LOT), coins, now=tx.now)
    return replace(lot, account=promo, price_minor=0, expires_at=max([soonest, *ends]))
