"""What happens to the real books when money comes, goes back, or is disputed."""

from dataclasses import replace
from datetime import timedelta

from tests.storage import card_verbs, lapse_verbs, order_verbs, suspense_verbs
from tests.storage.books import EUR, Books
from tests.storage.facts import Outcome, Part, Topup

from shoutgraph.domain import accounts, errors, ids, ledger, pages, postings
from shoutgraph.domain.corrections import Correction, CorrectionId, CorrectionState, Leg, decided
from shoutgraph.domain.ledger import Account, Lot, LotMove, Posting
from shoutgraph.domain.orders.order import OrderFilter
from shoutgraph.domain.orders.states import LIVE, State
from shoutgraph.domain.postings import Back, Cash
from shoutgraph.domain.topups import booking
from shoutgraph.domain.topups.booking import Dispute, Escrowed
from shoutgraph.domain.topups.parts import Slice
from shoutgraph.storage import corrections, ledger as rows, orders, wallets
from shoutgraph.storage.tx import Tx


def grant(books: Books, tx: Tx, user: str, lot_id: str, coins: int, days: int) -> Outcome:
    lot = _lot(tx, lot_id, accounts.promo(ids.UserId(user)), ids.UserId(user), coins)
    lot = replace(lot, expires_at=books.clock.now + timedelta(days=days))
    return books.post(tx, postings.promo_granted(ref=lot_id, lot=lot))


def lapse(books: Books, tx: Tx) -> Outcome:
    expired = rows.list_of_expired_lots(tx, limit=rows.LOTS_MAX)
    for lot in expired:
        take = LotMove(lot.id, -lot.remaining)
        books.post(tx, postings.promo_expired(user_id=lot.user_id, ref=f"{lot.id}:{lot.expires_at}", take=take))
    return Outcome.DONE if expired else Outcome.NOTHING


def credit(books: Books, tx: Tx, topup: Topup) -> Outcome:
    user_id, topup_id, bonus = ids.UserId(topup.user), ids.TopupId(topup.id), None
    lot = replace(_lot(tx, topup.lot, accounts.paid(user_id), user_id, topup.whole.coins), topup_id=topup_id)
    if topup.bonus_coins:
        bonus = _lot(tx, topup.bonus_lot, accounts.promo(user_id), user_id, topup.bonus_coins)
        bonus = replace(bonus, topup_id=topup_id, expires_at=topup.bonus_until)
    cash = _cash(topup, topup.whole)
    said = books.post(tx, postings.topup_succeeded(EUR, ref=topup.id, cash=cash, lot=lot, bonus=bonus))
    if said is Outcome.DONE:
        suspense_verbs.clear(books, tx, topup.instance, topup.id)
        books.repay(tx, topup.user, f"credit:{topup.id}")
    return said


def fee(books: Books, tx: Tx, ref: str, instance: str, currency: str, units: int) -> Outcome:
    return books.post(tx, postings.provider_fee(ref=ref, instance=instance, currency=currency, units=units))


def settle(books: Books, tx: Tx, ref: str, instance: str, currency: str, units: int) -> Outcome:
    return books.post(tx, postings.provider_settled(ref=ref, instance=instance, currency=currency, units=units))


def ask_refund(books: Books, tx: Tx, ref: str, topup: Topup, part: Part) -> Outcome:
    taken = books.taken[ref] = _take_own(books, tx, topup, part.coins)
    return books.post(tx, postings.refund_requested(user_id=ids.UserId(topup.user), ref=ref, taken=taken))


def withdraw(books: Books, tx: Tx, ref: str, topup: Topup, part: Part, bonus: int) -> Outcome:
    user_id, taken = ids.UserId(topup.user), _take_own(books, tx, topup, part.coins)
    books.taken[ref] = taken
    granted = books.bonuses[ref] = (LotMove(topup.bonus_lot, -bonus),) if bonus else ()
    return books.post(tx, postings.refund_requested(user_id=user_id, ref=ref, taken=taken, bonus=granted))


def refund_done(books: Books, tx: Tx, ref: str, topup: Topup, part: Part) -> Outcome:
    cash, bonus = _cash(topup, part), -sum(move.coins for move in books.bonuses.get(ref, ()))
    done = postings.refund_succeeded(EUR, ref=ref, coins=part.coins, cash=cash, bonus_coins=bonus)
    said = books.post(tx, done)
    if said is Outcome.DONE:
        _close_refund(books, tx, ref)
    return said


def bring_back(books: Books, tx: Tx, ref: str, topup: Topup, part: Part) -> Outcome:
    if rows.find_transfer(tx, "topup.refund_succeeded", ref) is None:
        return Outcome.NOT_YET
    if rows.find_transfer(tx, "topup.refund_reversed", ref) is not None:
        return Outcome.AGAIN
    user_id, lot_ids = ids.UserId(topup.user), [move.lot_id for move in books.taken[ref]]
    given = booking.fill(lot_ids, part.coins, room=wallets.rooms(tx, lot_ids))
    fresh, missing = None, part.coins - sum(move.coins for move in given)
    if missing:
        fresh = _lot(tx, f"home_{ref}", accounts.paid(user_id), user_id, missing)
        fresh = replace(fresh, topup_id=ids.TopupId(topup.id))
    back, cash = Back(0, given, fresh), _cash(topup, part)
    said = books.post(tx, postings.refund_reversed(EUR, user_id=user_id, ref=ref, back=back, cash=cash))
    books.repay(tx, topup.user, f"home:{ref}")
    return said


def adjust(books: Books, tx: Tx, ref: str, user: str, forgiven: int, units: int) -> Outcome:
    """What two people agreed on: a row with its legs, and the transfer that it names."""
    debt, owed = accounts.debt(ids.UserId(user)), accounts.receivable(EUR.currency)
    legs = [("exp:psp:EUR", "cash:bank:EUR", units)]
    if forgiven:
        pair = (accounts.MINT.code, debt.code, abs(forgiven))
        carried = ("exp:chargeback:EUR", owed.code, abs(forgiven) * EUR.par_units)
        legs += [each if forgiven > 0 else (each[1], each[0], each[2]) for each in (pair, carried)]
    proposed = Correction(
        id=CorrectionId(ref),
        state=CorrectionState.PROPOSED,
        reason="A letter",
        case_reference="CASE-1",
        par_units=EUR.par_units,
        leg_count=len(legs),
        proposed_by="one",
        proposed_at=tx.now,
        legs=tuple(Leg(*each) for each in legs),
    )
    known = {debt.code: debt, owed.code: owed, accounts.MINT.code: accounts.MINT}
    known |= {code: accounts.money_account(*code.rsplit(":", 1)) for leg in legs for code in leg[:2] if "EUR" in code}
    known[owed.code] = owed
    moves = tuple(Posting(known[one], known[other], amount, "correction") for one, other, amount in legs)
    corrections.insert(tx, proposed)
    corrections.decide(tx, decided(proposed, CorrectionState.DONE, by="other", now=tx.now))
    return books.post(tx, postings.ledger_adjusted(ref=ref, moves=moves))


def refund_failed(books: Books, tx: Tx, ref: str, topup: Topup, _part: Part) -> Outcome:
    given, bonus = (
        tuple(replace(move, coins=-move.coins) for move in kept.get(ref, ())) for kept in (books.taken, books.bonuses)
    )
    said = books.post(tx, postings.refund_failed(user_id=ids.UserId(topup.user), ref=ref, given=given, bonus=bonus))
    if said is Outcome.DONE:
        _close_refund(books, tx, ref)
        books.live_on(tx, bonus)
        books.repay(tx, topup.user, f"refund_failed:{ref}")
    return said


def dispute(books: Books, tx: Tx, ref: str, topup: Topup, part: Part) -> Outcome:
    if rows.find_transfer(tx, "topup.succeeded", topup.id) is None:
        return Outcome.NOT_YET
    if rows.find_transfer(tx, "dispute.opened", ref) is not None:
        return Outcome.AGAIN
    user_id = ids.UserId(topup.user)
    lapse_verbs.undo(books, tx, _own(tx, topup))
    card_verbs.revoke(books, tx, topup.user, _own(tx, topup))
    own = _own(tx, topup)
    reversals, _ = booking.orders_to_reverse(part.coins, own, _escrowed(tx, user_id, own))
    order_coins = sum(_reverse(books, tx, each.order_id, ref, own) for each in reversals)
    others = rows.list_of_spendable_lots(tx, accounts.paid(user_id).code)
    taken, owed = booking.claw(max(part.coins - order_coins, 0), own, others)
    own_ids = [lot.id for lot in own]
    taken += booking.fill(own_ids, max(order_coins - part.coins, 0), room=wallets.rooms(tx, own_ids))
    cash = _cash(topup, part)
    opened = postings.dispute_opened(EUR, user_id=user_id, ref=ref, taken=taken, owed_coins=owed, cash=cash)
    said = books.post(tx, opened)
    books.disputes[ref] = Dispute(
        ref=ref,
        topup_id=ids.TopupId(topup.id),
        part=Slice(part.units, part.coins, part.book_units),
        until_minor=0,
        taken=taken,
        order_coins=min(order_coins, part.coins),
        owed_coins=owed,
        opened_at=tx.now,
    )
    return said


def decide(books: Books, tx: Tx, ref: str, topup: Topup, lost: Part, won: Part) -> Outcome:
    if rows.find_transfer(tx, "dispute.opened", ref) is None:
        return Outcome.NOT_YET
    if any(rows.find_transfer(tx, kind, ref) for kind in ("dispute.lost", "dispute.won")):
        return Outcome.AGAIN
    if lost.units:
        books.post(tx, postings.dispute_lost(EUR, ref=ref, coins=lost.coins, cash=_cash(topup, lost)))
    if won.units:
        user_id = ids.UserId(topup.user)
        back = _back(books, tx, ref, topup, won)
        cash = _cash(topup, won)
        books.post(tx, postings.dispute_won(EUR, user_id=user_id, ref=ref, back=back, cash=cash))
    if lost.coins + won.coins:
        rows.close(tx, accounts.holding("dispute", ref).code)
    rows.close(tx, accounts.disputed_money(ref, topup.currency).code)
    books.repay(tx, topup.user, f"decide:{ref}")
    return Outcome.DONE


def write_off(books: Books, tx: Tx, user: str, ref: str) -> Outcome:
    user_id = ids.UserId(user)
    owed = -rows.balance_coins(tx, accounts.debt(user_id).code)
    if not owed:
        return Outcome.NOTHING
    return books.post(tx, postings.debt_written_off(EUR, user_id=user_id, ref=ref, coins=owed))


def _close_refund(books: Books, tx: Tx, ref: str) -> None:
    rows.close(tx, accounts.holding("refund", ref).code)
    if books.bonuses.get(ref):
        rows.close(tx, accounts.promo_holding("refund", ref).code)


def _lot(tx: Tx, lot_id: str, wallet: Account, user_id: ids.UserId, coins: int) -> Lot:
    return Lot(
        id=lot_id,
        account=wallet.code,
        user_id=user_id,
        topup_id=None,
        granted=coins,
        remaining=coins,
        price_minor=0,
        currency=None,
        country=None,
        granted_at=tx.now,
    )


def _cash(topup: Topup, part: Part) -> Cash:
    return Cash(topup.instance, topup.currency, part.units, part.book_units)


def _own(tx: Tx, topup: Topup) -> list[Lot]:
    wallet = accounts.paid(ids.UserId(topup.user)).code
    return [lot for lot in rows.list_of_lots_of_topup(tx, ids.TopupId(topup.id)) if lot.account == wallet]


def _take_own(books: Books, tx: Tx, topup: Topup, coins: int) -> tuple[LotMove, ...]:
    """Coins of this purchase; what lapsed of it comes back first where it is needed."""
    own = _own(tx, topup)
    if sum(lot.remaining for lot in own) < coins:
        lapse_verbs.undo(books, tx, own)
        own = _own(tx, topup)
    there = sum(lot.remaining for lot in own)
    if there < coins:
        raise errors.InsufficientCoinsError(required_coins=coins, available_coins=there)
    return ledger.take(own, coins)


def _escrowed(tx: Tx, user_id: ids.UserId, own: list[Lot]) -> list[Escrowed]:
    """What open orders hold of these lots, the oldest order first."""
    every = pages.PageArgs(size=pages.PAGE_MAX, key=None, backward=False)
    of_fan = OrderFilter(states=LIVE, fan_id=user_id)
    found = orders.list_of_page(tx, every, of_fan, sort="created_at", descending=False)
    own_ids = {lot.id for lot in own}
    held = [
        Escrowed(order.id, sum(move.coins for move in rows.list_of_held_lots(tx, order.id) if move.lot_id in own_ids))
        for order in found
    ]
    return [each for each in held if each.coins]


def _reverse(books: Books, tx: Tx, order_id: ids.OrderId, ref: str, own: list[Lot]) -> int:
    order = orders.get(tx, order_id)
    held = order_verbs.held_by(tx, order)
    own_ids = {lot.id for lot in own}
    coins = sum(move.coins for move in held.paid_lots if move.lot_id in own_ids)
    given = tuple(move for move in held.promo_lots + held.paid_lots if move.lot_id not in own_ids)
    books.post(tx, postings.order_reversed(held, dispute_ref=ref, reversed_coins=coins, given=given))
    books.live_on(tx, given)
    order_verbs.save(tx, order, state=State.CANCELLED)
    return coins


def _back(books: Books, tx: Tx, ref: str, topup: Topup, won: Part) -> Back:
    user_id = ids.UserId(topup.user)
    debt = -rows.balance_coins(tx, accounts.debt(user_id).code)
    dispute, own = books.disputes[ref], _own(tx, topup)
    lot_ids = dict.fromkeys([*(lot.id for lot in own), *(move.lot_id for move in dispute.taken)])
    room = wallets.rooms(tx, list(lot_ids), ending=accounts.holding("dispute", ref).code)
    way = booking.way_back(dispute, own, won_coins=won.coins, debt_coins=debt, room=room)
    fresh = None
    if way.fresh_coins:
        fresh = _lot(tx, f"fresh_{ref}", accounts.paid(user_id), user_id, way.fresh_coins)
        fresh = replace(fresh, topup_id=ids.TopupId(topup.id))
    return Back(way.undone_coins, way.given, fresh)
