"""Explaining orders: where their coins go, and when something is due."""

from datetime import datetime

from shoutgraph.domain import errors
from shoutgraph.domain.adjustments import AdjustmentState
from shoutgraph.domain.explanations import orders as words
from shoutgraph.domain.explanations.explanation import Explanation
from shoutgraph.domain.explanations.orders import Later
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.users import Viewer
from shoutgraph.storage import adjustments, orders, policies
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


async def refund(
    tools: Tools, viewer: Viewer, order_id: str, *, transition: str | None, back_coins: int | None
) -> Explanation:
    """What the end of an order did with its coins; of an open one, what a transition would do, or the next deadline.

    Raises:
        NotFoundError: there is no such order for this viewer.
        ValidationError: there is no such transition, or it is not possible for this order now.
    """

    def query(tx: Tx) -> Explanation:
        order, policy = _visible(tx, order_id, viewer)
        made = adjustments.list_of_order(tx, order_id) if order.terminal else ()
        later = [Later(each.kind.value, each.coins) for each in made if each.state is AdjustmentState.DONE]
        command = words.next_of(order, policy) if transition is None else words.thought_of(transition, back_coins)
        return _thought(order, policy, command, later, now=tx.now)

    return await tools.store.read(query)


async def deadline(tools: Tools, viewer: Viewer, order_id: str, *, kind: str | None) -> Explanation:
    """Why a deadline of an order is when it is, and what happens then.

    Raises:
        NotFoundError: there is no such order for this viewer, or nothing of this kind is due for it.
    """

    def query(tx: Tx) -> Explanation:
        order, policy = _visible(tx, order_id, viewer)
        return words.deadline(order, policy, kind, now=tx.now)

    return await tools.store.read(query)


def _visible(tx: Tx, order_id: str, viewer: Viewer) -> tuple[Order, Policy]:
    (order,) = orders.list_visible(tx, [order_id], viewer)
    if order is None:
        raise errors.NotFoundError("There is no such order.", path=("orderId",))
    return order, policies.get(tx, order.terms.policy_version)


def _thought(
    order: Order, policy: Policy, command: Command | None, later: list[Later], *, now: datetime
) -> Explanation:
    try:
        return words.refund(order, policy, command=command, later=later, now=now)
    except errors.OrderStateError as refused:
        raise errors.ValidationError(refused.message, code="NOT_POSSIBLE", path=("transition",)) from None
