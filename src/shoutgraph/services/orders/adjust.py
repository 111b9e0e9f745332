"""Giving back of orders that have ended: finance refunds from who earned it, and two people give goodwill.

The order stays as it ended; each adjustment is a revision of it, so that its feed tells of it, and a transfer of its
own. Coins that come back pay what the fan owes before they can be spent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from shoutgraph.domain import (
    accounts,
    adjustments as rules,
    earnings as earning_rules,
    errors,
    fees,
    ids,
    maturing,
    postings,
)
from shoutgraph.domain.adjustments import Adjustment, AdjustmentKind, AdjustmentReason, AdjustmentState
from shoutgraph.domain.earnings import Earning, EarningKind, EarningState
from shoutgraph.domain.maturing import TakenBack
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.postings import Books
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.services.orders import advance, moves, take_back
from shoutgraph.services.orders.advance import Did
from shoutgraph.services.orders.moves import Turn
from shoutgraph.storage import adjustments, earnings, ledger as ledger_rows, orders, policies, withholding
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

FILMED: Final = frozenset({State.COMPLETED, State.SPLIT})
"""The ends at which a creator earned something."""
EARNING_PATH: Final = ("input", "orderId")


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be given back of an order, and why: all that is left where no coins are named. Units: coins.

    `after_hold` says that a refund takes back what has matured too, and that a creator who was paid owes it.
    """

    reason: AdjustmentReason
    coins: int | None = None
    note: str | None = None
    after_hold: bool = False


async def refund(tools: Tools, viewer: Viewer, asked: Request, turn: Turn, wish: Wish) -> Done[Adjustment]:
    """Gives coins of a completed order back: each side loses its share, after the hold only where the wish says so.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or is a side of the order.
        NotFoundError: there is no such order.
        StaleRevisionError: the order changed since the viewer read it.
        OrderStateError: the order did not end with a video.
        ValidationError: the coins or the note break a rule, the earning is not pending and the wish does not say
            that it may have matured, or more is asked for than is left (an `ExceptionGroup` where several fields
            break rules).
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    rules.check(1 if wish.coins is None else wish.coins, wish.note)

    def work(tx: Tx) -> Adjustment:
        order, _ = _find(tx, viewer, turn)
        earning = _pending(tx, order, after_hold=wish.after_hold)
        left = _left(tx, order)
        coins = left if wish.coins is None else wish.coins
        rules.check_left(max(coins, 1), left)
        return _refund(tools, tx, order, earning, _new(tools, tx, viewer, order, replace(wish, coins=coins)))

    return await once(tools, asked, work, adjustments.get)


async def propose(tools: Tools, viewer: Viewer, asked: Request, turn: Turn, wish: Wish) -> Done[Adjustment]:
    """Proposes goodwill at the platform's cost, once the creator's earning is not pending any more; nothing moves yet.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or is a side of the order.
        NotFoundError: there is no such order.
        StaleRevisionError: the order changed since the viewer read it.
        OrderStateError: the order did not end with a video.
        ValidationError: the coins or the note break a rule, the earning is pending still, something is proposed
            already, or more is asked for than is left (an `ExceptionGroup` where several fields break rules).
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    rules.check(1 if wish.coins is None else wish.coins, wish.note)

    def work(tx: Tx) -> Adjustment:
        order, before = _find(tx, viewer, turn)
        if any(each.state is AdjustmentState.PROPOSED for each in before):
            msg = "Somebody has proposed goodwill already: approve or deny that first."
            raise errors.ValidationError(msg, code="ADJUSTMENT_STATE", path=EARNING_PATH)
        _check_matured(tx, order)
        left = _left(tx, order)
        coins = left if wish.coins is None else wish.coins
        rules.check_left(max(coins, 1), left)
        proposed = _new(tools, tx, viewer, order, replace(wish, coins=coins))
        adjustments.insert(tx, proposed)
        _tell(tools, tx, order, "goodwill_propose")
        return proposed

    return await once(tools, asked, work, adjustments.get)


async def approve(tools: Tools, viewer: Viewer, asked: Request, adjustment_id: str) -> Done[Adjustment]:
    """Lets goodwill go that another person proposed; the coins are the fan's at once.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, proposed it, or is a side of the order.
        NotFoundError: there is no such adjustment.
        ValidationError: the text is no adjustment's id, it is decided already, or less is left by now.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    known = await _known(tools, viewer, adjustment_id)

    def work(tx: Tx) -> Adjustment:
        order = orders.get(tx, known.order_id)  # whoever decides about an adjustment holds its order first
        proposed = _to_decide(tx, viewer, order, adjustment_id)
        rules.check_second(proposed, by=viewer.principal)
        rules.check_left(proposed.coins, _left(tx, order))
        parts = _parts(tx, order, proposed.coins)
        done = rules.approved(proposed, parts, by=viewer.principal, now=tx.now)
        _give(tx, order, done, parts)
        adjustments.decide(tx, done)
        _tell(tools, tx, order, "goodwill", given=done)
        return done

    return await once(tools, asked, work, adjustments.get)


async def deny(tools: Tools, viewer: Viewer, asked: Request, adjustment_id: str) -> Done[Adjustment]:
    """Denies goodwill that was proposed, or takes it back; nothing moves.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, or is a side of the order.
        NotFoundError: there is no such adjustment.
        ValidationError: the text is no adjustment's id, or it is decided already.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    known = await _known(tools, viewer, adjustment_id)

    def work(tx: Tx) -> Adjustment:
        order = orders.get(tx, known.order_id)
        proposed = _to_decide(tx, viewer, order, adjustment_id)
        denied = rules.denied(proposed, by=viewer.principal, now=tx.now)
        adjustments.decide(tx, denied)
        _tell(tools, tx, order, "goodwill_deny")
        return denied

    return await once(tools, asked, work, adjustments.get)


def _find(tx: Tx, viewer: Viewer, turn: Turn) -> tuple[Order, Sequence[Adjustment]]:
    """The order, held, and what was given back of it."""
    order = orders.get(tx, turn.order_id)
    if turn.expected_revision not in {None, order.revision}:
        raise errors.StaleRevisionError(current_revision=order.revision)
    moves.check_actor(order, viewer, Actor.STAFF)
    if order.state not in FILMED:
        raise errors.OrderStateError("Only an order that ended with a video is adjusted.", state=order.state)
    before = adjustments.list_of_order(tx, order.id)
    if len(before) >= rules.OF_ORDER_MAX:
        msg = f"An order has at most {rules.OF_ORDER_MAX} adjustments."
        raise errors.ValidationError(msg, code="TOO_MANY", path=EARNING_PATH)
    return order, before


def _new(tools: Tools, tx: Tx, viewer: Viewer, order: Order, wish: Wish) -> Adjustment:
    assert wish.coins is not None, "how much was decided"
    return Adjustment(
        id=rules.AdjustmentId(tools.new_id(ids.ADJUSTMENT)),
        order_id=order.id,
        fan_id=order.fan_id,
        creator_id=order.creator_id,
        kind=AdjustmentKind.GOODWILL,
        state=AdjustmentState.PROPOSED,
        reason=wish.reason,
        note=wish.note,
        coins=wish.coins,
        proposed_by=viewer.principal,
        proposed_at=tx.now,
    )


def _to_decide(tx: Tx, viewer: Viewer, order: Order, adjustment_id: str) -> Adjustment:
    moves.check_actor(order, viewer, Actor.STAFF)
    proposed = adjustments.get(tx, adjustment_id)
    rules.check_open(proposed)
    return proposed


def _left(tx: Tx, order: Order) -> int:
    """What of the price may still be given back: the database counts it down, and refuses less than nothing."""
    return ledger_rows.balance_coins(tx, accounts.refund_cap(order.id).code)


def _parts(tx: Tx, order: Order, coins: int) -> fees.Refund:
    """What giving back so many coins takes: the next part of all that was given back since the order ended."""
    held = advance.held_by(tx, order)
    done = [each for each in adjustments.list_of_order(tx, order.id) if each.state is AdjustmentState.DONE]
    return fees.refund(
        coins=coins,
        refunded_coins=sum(each.coins for each in done),
        paid_coins=held.paid_coins + sum(each.paid_coins for each in done),
        promo_coins=held.promo_coins + sum(each.promo_coins for each in done),
        fee_bps=order.terms.fee_bps,
    )


def _refund(tools: Tools, tx: Tx, order: Order, earning: Earning | None, asked: Adjustment) -> Adjustment:
    """Row 17, or 17b where nothing is pending: from the creator and the fee, each its share of the running total."""
    parts = _parts(tx, order, asked.coins)
    done = rules.refunded(replace(asked, kind=AdjustmentKind.REFUND), parts)
    taken = None if earning is not None else take_back.draw(tx, order, done.creator_coins)
    _give(tx, order, done, parts, taken)
    if earning is not None and done.creator_coins:
        earnings.save(tx, [earning_rules.taken_back(earning, done.creator_coins)])
    adjustments.insert(tx, done)
    _tell(tools, tx, order, "refund", given=done)
    return done


def _give(tx: Tx, order: Order, done: Adjustment, parts: fees.Refund, taken: TakenBack | None = None) -> None:
    """Posts it to the lots that paid, the last taken first, and lets what came back pay what the fan owes."""
    ledger_rows.hold_wallets(tx, accounts.paid(order.fan_id).code, accounts.promo(order.fan_id).code)
    policy = policies.get(tx, order.terms.policy_version)
    books, held = Books(policy.book_currency, policy.par_units), advance.held_by(tx, order)
    given = postings.returned_lots(held, promo_coins=parts.promo_coins, paid_coins=parts.paid_coins)
    if taken is not None:
        transfer = maturing.order_taken_back(books, held, ref=done.id, taken=taken, parts=parts, given=given)
    elif done.kind is AdjustmentKind.REFUND:
        transfer = postings.order_refunded(
            books, held, ref=done.id, creator_id=order.creator_id, parts=parts, given=given
        )
    else:
        transfer = postings.goodwill(
            books, held, ref=done.id, paid_coins=parts.paid_coins, promo_coins=parts.promo_coins, given=given
        )
    ledger_rows.post(tx, transfer)
    withholding.repay(tx, order.fan_id, books, ref=done.id)


def _tell(tools: Tools, tx: Tx, before: Order, name: str, given: Adjustment | None = None) -> None:
    """A revision of the order that tells of it; what was given back counts as refunded."""
    coins, posted, ref = 0, None, None
    if given is not None:
        coins, ref = given.coins, given.id
        posted = "goodwill" if given.kind is AdjustmentKind.GOODWILL else "order.refunded"
    after = replace(
        before, revision=before.revision + 1, updated_at=tx.now, refunded_coins=before.refunded_coins + coins
    )
    policy = policies.get(tx, before.terms.policy_version)
    advance.keep(tools, tx, after, policy, did=Did(name, Actor.STAFF, before, posted, ref))


def _pending(tx: Tx, order: Order, *, after_hold: bool) -> Earning | None:
    """The order's earning, held, inside its hold; None where it has matured and may have."""
    found = earnings.find_of_subject(tx, EarningKind.ORDER, order.id)
    earning = None if found is None else earnings.list_of(tx, [found.id])[0]
    if earning is not None and earning.matured_at is None:
        return earning
    if not after_hold:
        msg = "What the creator earned with it is available already: refund it after the hold, or propose goodwill."
        raise errors.ValidationError(msg, code="EARNING_MATURED", path=EARNING_PATH)
    return None


def _check_matured(tx: Tx, order: Order) -> None:
    earning = earnings.find_of_subject(tx, EarningKind.ORDER, order.id)
    if earning is not None and earning.state is EarningState.PENDING:
        msg = "What the creator earned with it is pending still: refund the order."
        raise errors.ValidationError(msg, code="EARNING_PENDING", path=EARNING_PATH)


async def _known(tools: Tools, viewer: Viewer, adjustment_id: str) -> Adjustment:
    viewer.require(Scope.FINANCE_MANAGE)
    ids.parse(ids.ADJUSTMENT, adjustment_id, path=("input", "adjustmentId"))
    return await tools.store.read(lambda tx: adjustments.get(tx, adjustment_id))
