"""What happens to orders when time passes, and when a provider takes a payment back."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Final

from shoutgraph.domain import errors, ids, postings
from shoutgraph.domain.deadlines import Deadline
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import BY_NAME, Actor
from shoutgraph.services.orders import advance
from shoutgraph.storage import deadlines, ledger as ledger_rows, orders
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools, side_by_side

TOGETHER: Final = 25
"""Deadlines that share a unit of work."""

DEADLINE: Final = "deadline"
"""What it is that is told of, and rests, where one breaks."""

KINDS: Final = frozenset(name for name, transition in BY_NAME.items() if Actor.TIMER in transition.actors)
"""The deadlines that belong to orders: the transitions that time takes."""


async def fire_due(tools: Tools, *, limit: int) -> int:
    """Takes the transitions whose deadlines have passed, about `limit` at most; says how many were taken.

    They run some at a time in the unit of work that takes their rows, so that a crash gives them back and each is done
    once, however many workers there are: what one holds, the others leave out. Where one of them fails, those beside it
    run one by one, and it rests, longer each time.
    """
    resting = tools.rests.of(DEADLINE, tools.clock())
    found = await tools.store.read(lambda tx: deadlines.list_due(tx, kinds=KINDS, limit=limit + len(resting)))
    due = [each for each in found if _name(each) not in resting][:limit]
    if len(due) < len(found):
        return await _fire_each(tools, due)  # together, they would take those that rest as well
    shares = -(-len(due) // TOGETHER)
    taken = await asyncio.gather(*(_fire_some(tools) for _ in range(shares)), return_exceptions=True)
    broken = [result for result in taken if isinstance(result, BaseException)]
    for each in broken:
        if isinstance(each, errors.OverloadedError | errors.StoreUnavailableError):
            raise each  # it lies with none of them
    done = sum(result for result in taken if not isinstance(result, BaseException))
    return done + await _fire_each(tools, due) if broken else done


async def _fire_some(tools: Tools) -> int:
    def work(tx: Tx) -> int:
        taken = deadlines.claim_due(tx, kinds=KINDS, limit=TOGETHER)
        for deadline in taken:
            _fire(tools, tx, deadline)
        return len(taken)

    return await tools.store.write(work)


async def _fire_each(tools: Tools, due: Sequence[Deadline]) -> int:
    def fire(deadline: Deadline) -> Awaitable[tuple[str, bool]]:
        def work(tx: Tx) -> tuple[str, bool]:
            orders.get(tx, deadline.subject_id)  # before its deadlines, as everybody takes them
            if not deadlines.delete_due(tx, deadline):
                return _name(deadline), False
            _fire(tools, tx, deadline)
            return _name(deadline), True

        return tools.store.write(work)

    taken = dict(await side_by_side(DEADLINE, due, fire, name=_name))
    broken = [_name(each) for each in due if _name(each) not in taken]
    if broken:
        tools.rests.begin(DEADLINE, broken, tools.clock())
    return sum(taken.values())


def _name(deadline: Deadline) -> str:
    return f"{deadline.kind} of {deadline.subject_id}"


def _fire(tools: Tools, tx: Tx, deadline: Deadline) -> None:
    order = orders.get(tx, deadline.subject_id)
    if order.revision == deadline.revision:
        advance.advance(tools, tx, order, Command(deadline.kind, Actor.TIMER))


def reverse_orders(
    tools: Tools, tx: Tx, order_ids: Sequence[ids.OrderId], *, topup_id: ids.TopupId, dispute_id: str
) -> int:
    """Cancels open orders that hold coins of a charged-back top-up; gives the coins that went to the dispute.

    The part of the escrow that came from the top-up goes to the dispute, the rest back to its own lots.
    """
    total = 0
    for order_id in order_ids:
        order = orders.get(tx, order_id)
        if order.live:
            total += _reverse(tools, tx, order, topup_id=topup_id, dispute_id=dispute_id)
    return total


def _reverse(tools: Tools, tx: Tx, order: Order, *, topup_id: ids.TopupId, dispute_id: str) -> int:
    held = advance.held_by(tx, order)
    from_topup = {lot.id for lot in ledger_rows.list_of_lots_of_topup(tx, topup_id) if lot.account.endswith(":paid")}
    reversed_coins = sum(move.coins for move in held.paid_lots if move.lot_id in from_topup)
    given = tuple(move for move in held.promo_lots + held.paid_lots if move.lot_id not in from_topup)
    advance.advance(tools, tx, order, Command("payment_reversed", Actor.PROVIDER, reason="PAYMENT_REVERSED"))
    transfer = postings.order_reversed(held, dispute_ref=dispute_id, reversed_coins=reversed_coins, given=given)
    ledger_rows.post(tx, transfer)
    return reversed_coins
