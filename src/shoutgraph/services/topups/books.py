"""Books what was seen of a top-up: one step after the other, until the books say what was seen.

Every step posts a transfer with a name of its own and is marked on the top-up in the same unit of work, so that
neither a repeat nor a crash can do it twice. Source: docs/adr/0003-ledger.md, rows 2 to 10.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from shoutgraph.domain import accounts, ids, journal, ledger, money, postings
from shoutgraph.domain.cards import Card, CardState
from shoutgraph.domain.ledger import Lot, LotMove
from shoutgraph.domain.topups import booking, refund as refund_rules
from shoutgraph.domain.topups.booking import Dispute, Step, StepKind
from shoutgraph.domain.topups.parts import Slice
from shoutgraph.domain.topups.refund import Refund
from shoutgraph.domain.topups.taken import TakenBack
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.domain.wallets import LockReason
from shoutgraph.services.topups import bought_cards, cards, come_back, lapsed, set_aside
from shoutgraph.services.topups.desk import Desk
from shoutgraph.services.topups.set_aside import all_own_lots, close_if_open, own_lots, repay_debt
from shoutgraph.storage import (
    closures,
    ledger as ledger_rows,
    orders,
    refunds,
    reversals,
    suspending,
    taken_back,
    wallets,
)
from shoutgraph.storage.tx import Tx

STEPS_MAX: Final = 100
"""The most steps that one unit of work books; the rest is booked at the next look."""


def settle(desk: Desk, topup: Topup) -> Topup:
    """Books everything that was seen and is not booked yet."""
    for _ in range(STEPS_MAX):
        disputes = reversals.list_of_topup(desk.tx, topup.id) if topup.totals.disputed_minor else ()
        gone = topup.totals.refunded_minor or topup.totals.disputed_minor
        asked = refunds.list_of_topup(desk.tx, topup.id) if gone else ()
        came_back = topup.totals.refunds_failed_minor > topup.booked.refunds_failed_minor
        taken = taken_back.list_of_topup(desk.tx, topup.id) if came_back else ()
        step = booking.next_step(topup, disputes, asked, taken)
        if step is None:
            break
        revoked = _hold(desk, topup, step)
        if step.kind in {StepKind.DISPUTE, StepKind.REFUND}:
            set_aside.end_unsent(desk, topup, asked)
        _BOOK[step.kind](desk, topup, step)
        topup, before = booking.booked(topup, step), topup
        if step.kind is StepKind.REFUND_FAILED:
            come_back.return_bonus(desk, before, topup)
        elif step.kind in {StepKind.REFUND, StepKind.OWN_REFUND, StepKind.DECISION}:
            _retire_bonus(desk, topup)
        if revoked:
            repay_debt(desk, topup, ref=revoked[0].id)
    return topup


def succeed(desk: Desk, topup: Topup, refund: Refund) -> Topup:
    """Books that the money of a refund of ours went back, as people found out; totals that say so later agree."""
    step = booking.own_refund(topup, refund)
    _hold(desk, topup, step)
    _own_refund(desk, topup, step)
    after = booking.booked(topup, step)
    seen = max(after.totals.refunded_minor, topup.booked.refunded_minor + refund.part.minor)
    after = replace(after, totals=replace(after.totals, refunded_minor=seen))
    _retire_bonus(desk, after)
    return after


def _hold(desk: Desk, topup: Topup, step: Step) -> list[Card]:
    """Holds what a step may move: open orders, gift cards and then the wallet, as everybody takes them.

    Money that goes back takes open gift cards with it: their coins are in their lots again, for the step to find.
    Gives those cards.
    """
    tx, going_back = desk.tx, step.kind in {StepKind.DISPUTE, StepKind.REFUND}
    if going_back:
        orders.hold(tx, [order.order_id for order in wallets.list_of_escrowed(tx, topup.id)])
        cards.held_of(tx, topup)
    ledger_rows.hold_wallets(tx, accounts.paid(topup.user_id).code, accounts.promo(topup.user_id).code)
    if going_back:
        lapsed.bring_back(desk, topup)
    open_cards = cards.held_of(tx, topup) if going_back else []  # again: what was bought since is known now
    for card in open_cards:
        cards.give_back(desk.tools, tx, card, CardState.REVOKED)
    return open_cards


def _credit(desk: Desk, topup: Topup, _step: Step) -> None:
    new_id = desk.tools.new_id
    _explain(desk, topup)
    transfer = booking.credit(desk.books, topup, lot_id=new_id(ids.LOT), bonus_lot_id=new_id(ids.LOT), now=desk.tx.now)
    ledger_rows.post(desk.tx, transfer)
    number = ledger_rows.number_of(desk.tx, transfer.kind, transfer.ref)
    body: journal.Body = {"topup": topup.id, "coins": topup.terms.coins, "promo": topup.terms.bonus_coins}
    desk.tell_wallet(topup.user_id, "wallet.credited", body, transfer_id=number)
    bought_cards.issue(desk, topup, transfer.lot_grants[0])
    repay_debt(desk, topup, ref=topup.id)
    closures.wake(desk.tx, topup.user_id)  # what comes after the end goes back


def _explain(desk: Desk, topup: Topup) -> None:
    """What was in suspense for want of this top-up leaves it as the top-up is booked."""
    suspending.explain(desk.tx, desk.tools.new_id, instance=topup.instance, operation_id=topup.id, ref=topup.ref)


def _fee(desk: Desk, topup: Topup, step: Step) -> None:
    totals = topup.totals
    transfer = postings.provider_fee(
        ref=f"{topup.id}:{totals.fee_minor}",
        instance=topup.instance,
        currency=totals.fee_currency,
        units=step.part.minor * money.BOOK_UNITS_PER_MINOR,
    )
    ledger_rows.post(desk.tx, transfer)


def _refund(desk: Desk, topup: Topup, step: Step) -> None:
    """The provider gave money back by itself: rows 5 and 6 at once while the coins are unspent, else a lost dispute."""
    part, ref = step.part, f"{topup.id}:{topup.totals.refunded_minor}"
    if part.minor == 0:
        return
    own = own_lots(desk.tx, topup)
    if sum(lot.remaining for lot in own) < part.coins:
        spent = _open(desk, topup, part, ref, LockReason.REFUND_OF_SPENT_COINS)
        _lose(desk, topup, part, ref)
        owed = spent.owed_coins
        record = TakenBack(ref, topup.id, part, spent.taken, desk.tx.now, spent.order_coins, owed)
        taken_back.insert(desk.tx, record)
        return
    taken = ledger.take(own, part.coins) if part.coins else ()
    if taken:
        ledger_rows.post(desk.tx, postings.refund_requested(user_id=topup.user_id, ref=ref, taken=taken))
    cash = booking.books_cash(topup, part)
    ledger_rows.post(desk.tx, postings.refund_succeeded(desk.books, ref=ref, coins=part.coins, cash=cash))
    close_if_open(desk.tx, accounts.holding("refund", ref).code)
    taken_back.insert(desk.tx, TakenBack(ref, topup.id, part, taken, desk.tx.now))
    desk.tell_wallet(topup.user_id, "wallet.refunded", {"topup": topup.id, "coins": part.coins})


def _own_refund(desk: Desk, topup: Topup, step: Step) -> None:
    """Row 6 for a refund of ours; where a dispute took its place, row 7, and the rest is booked as the provider's."""
    refund = step.refund
    assert refund is not None, "a refund of ours is named"
    if step.part.minor:
        cash = booking.books_cash(topup, step.part)
        bonus_coins = refund.bonus_coins
        transfer = postings.refund_succeeded(
            desk.books, ref=refund.id, coins=step.part.coins, cash=cash, bonus_coins=bonus_coins
        )
        ledger_rows.post(desk.tx, transfer)
        set_aside.close(desk.tx, refund)
        record = TakenBack(refund.id, topup.id, step.part, refund.taken, desk.tx.now, bonus_coins=bonus_coins)
        taken_back.insert(desk.tx, record)
        desk.tell_wallet(topup.user_id, "wallet.refunded", {"topup": topup.id, "coins": step.part.coins})
    else:
        set_aside.give_back(desk, topup, refund)
    set_aside.keep(desk, refund, refund_rules.succeeded(refund, now=desk.tx.now))


def _dispute(desk: Desk, topup: Topup, step: Step) -> None:
    until = topup.totals.disputed_minor
    ref = f"{topup.id}:disputed:{until}"
    dispute = Dispute(ref, topup.id, step.part, until, (), 0, 0, desk.tx.now)
    if step.part.minor:
        dispute = _open(desk, topup, step.part, ref, LockReason.DISPUTE, until_minor=until)
    reversals.insert(desk.tx, dispute)


def _open(desk: Desk, topup: Topup, part: Slice, ref: str, reason: LockReason, *, until_minor: int = 0) -> Dispute:
    """Row 8: the coins follow the money: of the top-up, of open orders, of the wallet; the rest is owed."""
    tx, user_id = desk.tx, topup.user_id
    escrowed = wallets.list_of_escrowed(tx, topup.id)  # again: what was placed since is known now
    reversed_orders, _ = booking.orders_to_reverse(part.coins, own_lots(tx, topup), escrowed)
    order_coins = 0
    if reversed_orders:
        order_ids = [order.order_id for order in reversed_orders]
        order_coins = desk.reverse_orders(desk.tools, tx, order_ids, topup_id=topup.id, dispute_id=ref)
    own = all_own_lots(tx, topup)
    others = ledger_rows.list_of_spendable_lots(tx, accounts.paid(user_id).code)
    taken, owed = booking.claw(max(part.coins - order_coins, 0), own, others)
    surplus = _surplus(tx, own, max(order_coins - part.coins, 0))
    assert sum(move.coins for move in surplus) == max(order_coins - part.coins, 0), "lots take back what they gave"
    taken += surplus
    cash = booking.books_cash(topup, part)
    ledger_rows.post(
        tx,
        postings.dispute_opened(desk.books, user_id=user_id, ref=ref, taken=taken, owed_coins=owed, cash=cash),
    )
    body: journal.Body = {"topup": topup.id, "coins": part.coins, "owed": owed}
    desk.tell_wallet(user_id, "wallet.charged_back", body)
    if wallets.lock(tx, user_id, reason=reason, topup_id=topup.id):
        desk.tell_wallet(user_id, "wallet.locked", {"reason": reason.value, "topup": topup.id})
    return Dispute(
        ref=ref,
        topup_id=topup.id,
        part=part,
        until_minor=until_minor,
        taken=taken,
        order_coins=min(order_coins, part.coins),
        owed_coins=owed,
        opened_at=tx.now,
    )


def _surplus(tx: Tx, own: Sequence[Lot], coins: int) -> tuple[LotMove, ...]:
    """What ended orders held beyond the dispute goes back to the top-up's lots."""
    own_ids = [lot.id for lot in own]
    return booking.fill(own_ids, coins, room=wallets.rooms(tx, own_ids)) if coins else ()


def _decision(desk: Desk, topup: Topup, step: Step) -> None:
    """Rows 9 and 10: what is lost ends, what is won goes back."""
    dispute = step.dispute
    assert dispute is not None, "a decision is about a dispute"
    lost = booking.lost_part(dispute, step.lost_minor)
    won = dispute.part.less(lost)
    if lost.minor:
        _lose(desk, topup, lost, dispute.ref, last=won.minor == 0)
    if won.minor:
        _win(desk, topup, dispute, won)
    reversals.decide(desk.tx, dispute.ref, lost_minor=step.lost_minor)


def _lose(desk: Desk, topup: Topup, part: Slice, ref: str, *, last: bool = True) -> None:
    cash = booking.books_cash(topup, part)
    ledger_rows.post(desk.tx, postings.dispute_lost(desk.books, ref=ref, coins=part.coins, cash=cash))
    if last:
        _close_dispute(desk, topup, ref)


def _win(desk: Desk, topup: Topup, dispute: Dispute, won: Slice) -> None:
    tx, user_id = desk.tx, topup.user_id
    debt = wallets.balances(tx, user_id).debt_coins
    own = all_own_lots(tx, topup)
    lot_ids = dict.fromkeys([*(lot.id for lot in own), *(move.lot_id for move in dispute.taken)])
    room = wallets.rooms(tx, list(lot_ids), ending=accounts.holding("dispute", dispute.ref).code)
    way = booking.way_back(dispute, own, won_coins=won.coins, debt_coins=debt, room=room)
    fresh = None
    if way.fresh_coins:
        fresh = booking.fresh_lot(topup, desk.tools.new_id(ids.LOT), way.fresh_coins, now=tx.now)
    back = postings.Back(way.undone_coins, way.given, fresh)
    cash = booking.books_cash(topup, won)
    ledger_rows.post(tx, postings.dispute_won(desk.books, user_id=user_id, ref=dispute.ref, back=back, cash=cash))
    _close_dispute(desk, topup, dispute.ref)
    desk.tell_wallet(user_id, "wallet.dispute_won", {"topup": topup.id, "coins": won.coins})


def _close_dispute(desk: Desk, topup: Topup, ref: str) -> None:
    close_if_open(desk.tx, accounts.holding("dispute", ref).code)
    close_if_open(desk.tx, accounts.disputed_money(ref, topup.terms.currency).code)


def _retire_bonus(desk: Desk, topup: Topup) -> None:
    """Coins that came free with a purchase go when all of its money went."""
    if topup.booked.reversed_minor < topup.terms.price_minor:
        return
    promo, coins = accounts.promo(topup.user_id).code, 0
    for lot in ledger_rows.list_of_lots_of_topup(desk.tx, topup.id):
        if lot.account == promo and lot.remaining:
            take = ledger.LotMove(lot.id, -lot.remaining)
            number, _ = wallets.last_given(desk.tx, lot.id)
            expired = postings.promo_expired(user_id=topup.user_id, ref=f"{lot.id}:{number}", take=take)
            assert ledger_rows.post(desk.tx, expired), "coins that are in a lot were not taken back yet"
            coins += lot.remaining
    come_back.note_bonus(desk.tx, topup, coins=coins)


_BOOK: Final = {
    StepKind.CREDIT: _credit,
    StepKind.FEE: _fee,
    StepKind.DISPUTE: _dispute,
    StepKind.DECISION: _decision,
    StepKind.REFUND: _refund,
    StepKind.OWN_REFUND: _own_refund,
    StepKind.REFUND_FAILED: come_back.give_back,
}
