"""What happens to the real books when orders are placed, end, and are paid for."""

from dataclasses import replace
from typing import Any, Final

from tests.storage.books import EUR, Books
from tests.storage.facts import Ending, Outcome, Wish

from shoutgraph.domain import (
    accounts,
    earnings as earning_rules,
    errors,
    fees,
    ids,
    ledger,
    maturing,
    postings,
)
from shoutgraph.domain.earnings import Earning, EarningKind
from shoutgraph.domain.orders.order import Brief, Occasion, Order, Terms
from shoutgraph.domain.orders.states import State
from shoutgraph.domain.postings import Held
from shoutgraph.storage import earnings, ledger as rows, orders
from shoutgraph.storage.tx import Tx

BRIEF: Final = Brief(Occasion.BIRTHDAY, "Kim", "Say hello.", "en")


def place(books: Books, tx: Tx, wish: Wish) -> Outcome:
    order = draft_of(tx, wish)
    promo_lots = rows.list_of_spendable_lots(tx, accounts.promo(order.fan_id).code)
    paid_lots = rows.list_of_spendable_lots(tx, accounts.paid(order.fan_id).code)
    promo_free, paid_free = (sum(lot.remaining for lot in lots) for lots in (promo_lots, paid_lots))
    promo = min(promo_free, order.price_coins)
    paid = order.price_coins - promo
    if paid > paid_free:
        raise errors.InsufficientCoinsError(required_coins=order.price_coins, available_coins=promo_free + paid_free)
    held = Held(
        order.id,
        order.fan_id,
        paid,
        promo,
        ledger.hold(paid_lots, paid, order_id=order.id),
        ledger.hold(promo_lots, promo, order_id=order.id),
    )
    orders.insert(tx, order, BRIEF)
    said = books.post(tx, postings.order_placed(held))
    save(tx, order, state=State.SCREENING, promo_coins=promo, submitted_at=tx.now)
    return said


def advance(_books: Books, tx: Tx, order_id: str, state: str) -> Outcome:
    save(tx, orders.get(tx, order_id), state=State(state))
    return Outcome.DONE


def late(books: Books, tx: Tx, order_id: str) -> Outcome:
    order = orders.get(tx, order_id)
    held = held_by(tx, order)
    back = order.terms.express_coins
    promo, paid = fees.share_back(coins=back, paid_coins=held.paid_coins, promo_coins=held.promo_coins)
    given = postings.returned_lots(held, promo_coins=promo, paid_coins=paid)
    said = books.post(tx, postings.surcharge_returned(held, given=given, promo_coins=promo))
    books.live_on(tx, given)
    price, left = order.price_coins - back, order.promo_coins - promo
    save(tx, order, state=State.DELIVERED, price_coins=price, promo_coins=left)
    books.repay(tx, order.fan_id, f"late:{order_id}")
    return said


def end(books: Books, tx: Tx, order_id: str, ending: Ending) -> Outcome:
    order = orders.get(tx, order_id)
    if order.terminal:
        return Outcome.ENDED
    return end_as_seen(books, tx, (order, held_by(tx, order)), ending)


def see(tx: Tx, order_id: str) -> tuple[Order, Held]:
    """An order as it stands, for two who will both end it."""
    order = orders.get(tx, order_id)
    return order, held_by(tx, order)


def end_as_seen(books: Books, tx: Tx, seen: tuple[Order, Held], ending: Ending) -> Outcome:
    """Ends an order that was read before, without another look."""
    order, held = seen
    back, promo = held.promo_lots + held.paid_lots, held.promo_coins
    transfer = postings.order_returned(held, reason=ending.state)
    if ending.video:
        promo, paid = fees.share_back(coins=ending.back, paid_coins=held.paid_coins, promo_coins=held.promo_coins)
        back = postings.returned_lots(held, promo_coins=promo, paid_coins=paid)
        transfer = postings.order_completed(
            EUR, held, creator_id=order.creator_id, fee_bps=order.terms.fee_bps, given=back
        )
    books.post(tx, transfer)
    books.live_on(tx, back)
    save(
        tx,
        order,
        state=State(ending.state),
        promo_coins=held.promo_coins - promo,
        refunded_coins=ending.back,
    )
    if ending.compensated:
        parts = fees.split(paid_coins=order.price_coins, promo_coins=0, fee_bps=order.terms.fee_bps)
        if parts.earning_coins:
            coins = parts.earning_coins
            books.post(
                tx,
                postings.creator_compensated(EUR, order_id=order.id, creator_id=order.creator_id, coins=coins),
            )
    books.repay(tx, order.fan_id, f"end:{order.id}")
    return Outcome.DONE


def refund_order(books: Books, tx: Tx, order_id: str, ref: str, coins: int) -> Outcome:
    order = orders.get(tx, order_id)
    left = rows.balance_coins(tx, accounts.refund_cap(order.id).code)
    if rows.find_transfer(tx, "earnings.matured", order_id) is not None:
        return Outcome.MATURED
    if coins > left:
        return Outcome.TOO_MUCH
    parts, held = _parts(order, coins, left), held_by(tx, order)
    given = postings.returned_lots(held, promo_coins=parts.promo_coins, paid_coins=parts.paid_coins)
    said = books.post(
        tx,
        postings.order_refunded(EUR, held, ref=ref, creator_id=order.creator_id, parts=parts, given=given),
    )
    books.live_on(tx, given)
    books.repay(tx, order.fan_id, f"refund_order:{ref}")
    return said


def goodwill(books: Books, tx: Tx, order_id: str, ref: str, coins: int) -> Outcome:
    order = orders.get(tx, order_id)
    left = rows.balance_coins(tx, accounts.refund_cap(order.id).code)
    if rows.find_transfer(tx, "earnings.matured", order_id) is None:
        return Outcome.PENDING
    if coins > left:
        return Outcome.TOO_MUCH
    parts, held = _parts(order, coins, left), held_by(tx, order)
    promo, paid = parts.promo_coins, parts.paid_coins
    given = postings.returned_lots(held, promo_coins=promo, paid_coins=paid)
    said = books.post(tx, postings.goodwill(EUR, held, ref=ref, paid_coins=paid, promo_coins=promo, given=given))
    books.live_on(tx, given)
    books.repay(tx, order.fan_id, f"goodwill:{ref}")
    return said


def _parts(order: Order, coins: int, left: int) -> fees.Refund:
    """What the next coins that are given back are made of."""
    price = order.price_coins - order.refunded_coins
    return fees.refund(
        coins=coins,
        refunded_coins=price - left,
        paid_coins=price - order.promo_coins,
        promo_coins=order.promo_coins,
        fee_bps=order.terms.fee_bps,
    )


def mature(books: Books, tx: Tx, ref: str, creator: str, coins: int) -> Outcome:
    return books.post(tx, maturing.earnings_matured(ref=ref, creator_id=ids.CreatorId(creator), coins=coins))


def reserve(books: Books, tx: Tx, ref: str, creator: str, coins: int) -> Outcome:
    """What is kept is an earning's; the books alone know of what is free."""
    creator_id = ids.CreatorId(creator)
    said = books.post(tx, maturing.earnings_reserved(ref=ref, creator_id=creator_id, coins=coins))
    if said is Outcome.DONE:
        earned = Earning(ref, creator_id, EarningKind.GIFT, ref, coins, 0, tx.now, tx.now)
        earnings.insert(tx, earned)
        kept = earning_rules.reserved(earning_rules.matured(earned, now=tx.now), bps=10_000, until=tx.now)
        earnings.save(tx, [kept])
    return said


def release(books: Books, tx: Tx, ref: str) -> Outcome:
    (earned,) = earnings.list_of(tx, [ref])
    assert earned is not None
    released = maturing.earnings_released(ref=ref, creator_id=earned.creator_id, coins=earned.reserved_coins)
    earnings.save(tx, [earning_rules.released(earned)])
    return books.post(tx, released)


def take_back(books: Books, tx: Tx, order_id: str, ref: str, coins: int) -> Outcome:
    """After the hold: of what is free by the books, then of the rows in reserve, and the creator owes the rest."""
    order = orders.get(tx, order_id)
    left = rows.balance_coins(tx, accounts.refund_cap(order.id).code)
    if coins > left:
        return Outcome.TOO_MUCH
    held, parts = held_by(tx, order), _parts(order, coins, left)
    wanted = coins - parts.fee_paid_coins - parts.fee_promo_coins
    free = min(wanted, rows.balance_coins(tx, accounts.available(order.creator_id).code))
    changed, drawn = earning_rules.draw(earnings.list_of_reserved(tx, order.creator_id), wanted - free)
    earnings.save(tx, changed)
    taken = maturing.TakenBack(order.creator_id, ids.UserId(order.creator_id), replace(drawn, available_coins=free))
    given = postings.returned_lots(held, promo_coins=parts.promo_coins, paid_coins=parts.paid_coins)
    back = maturing.order_taken_back(EUR, held, ref=ref, taken=taken, parts=parts, given=given)
    said = books.post(tx, back)
    books.live_on(tx, given)
    books.repay(tx, order.fan_id, f"take_back:{ref}")
    return said


def withhold(books: Books, tx: Tx, ref: str, creator: str, coins: int) -> Outcome:
    creator_id, user_id = ids.CreatorId(creator), ids.UserId(creator)
    return books.post(tx, maturing.debt_withheld(EUR, ref=ref, creator_id=creator_id, user_id=user_id, coins=coins))


def sweep(books: Books, tx: Tx, ref: str, stripe: int, coins: int) -> Outcome:
    return books.post(tx, postings.fee_swept(EUR, stripe=stripe, ref=ref, coins=coins))


def gift(books: Books, tx: Tx, ref: str, wish: Wish) -> Outcome:
    user_id = ids.UserId(wish.fan)
    lots = rows.list_of_spendable_lots(tx, accounts.paid(user_id).code)
    there = sum(lot.remaining for lot in lots)
    if there < wish.base:
        raise errors.InsufficientCoinsError(required_coins=wish.base, available_coins=there)
    parts = fees.split(paid_coins=wish.base, promo_coins=0, fee_bps=wish.fee_bps)
    taken = ledger.take(lots, wish.base)
    sent = postings.gift_sent(
        ref=ref,
        user_id=user_id,
        creator_id=ids.CreatorId(wish.creator),
        fee_coins=parts.fee_coins,
        taken=taken,
    )
    return books.post(tx, sent)


def repeat(books: Books, tx: Tx, kind: str, ref: str) -> Outcome:
    return books.post(tx, books.posted[kind, ref])


def draft_of(tx: Tx, wish: Wish) -> Order:
    return Order(
        id=ids.OrderId(wish.id),
        revision=1,
        state=State.DRAFT,
        fan_id=ids.UserId(wish.fan),
        creator_id=ids.CreatorId(wish.creator),
        offer_id=ids.OfferId("offer"),
        terms=Terms(1, wish.fee_bps, wish.base, wish.express, duration_max_s=60, delivery_s=60),
        price_coins=wish.base + wish.express,
        promo_coins=0,
        created_at=tx.now,
        updated_at=tx.now,
        state_at=tx.now,
    )


def save(tx: Tx, order: Order, **changes: Any) -> None:
    orders.save(tx, replace(order, revision=order.revision + 1, updated_at=tx.now, **changes))


def held_by(tx: Tx, order: Order) -> Held:
    """What an order took and has not given back, by kind of coin."""
    promo = rows.list_of_held_lots(tx, order.id, account=accounts.promo(order.fan_id).code)
    paid = rows.list_of_held_lots(tx, order.id, account=accounts.paid(order.fan_id).code)
    paid_coins, promo_coins = (sum(move.coins for move in moves) for moves in (paid, promo))
    return Held(order.id, order.fan_id, paid_coins, promo_coins, paid, promo)
