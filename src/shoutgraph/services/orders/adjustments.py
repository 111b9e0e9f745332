"""Reading what was given back of orders: each side sees what is done, and finance what is proposed, too."""

from collections.abc import Sequence

from shoutgraph.domain import pages
from shoutgraph.domain.adjustments import Adjustment, AdjustmentState
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import adjustments, orders
from shoutgraph.tools import Tools


async def page(tools: Tools, viewer: Viewer, args: PageArgs, state: AdjustmentState | None) -> Page[Adjustment]:
    """A page of what was given back or is proposed to be, newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)
    found = await tools.store.read(lambda tx: adjustments.list_of_page(tx, args, state))
    return pages.cut(found, args, scope=scope_of(state), key_of=lambda each: (each.id,))


async def list_of_orders(tools: Tools, viewer: Viewer, of: Sequence[Order]) -> list[tuple[Adjustment, ...]]:
    """What was given back of orders, of each the oldest first, as far as this viewer may see it."""
    shown = [order.id for order in of if orders.visible(order, viewer)]
    found = await tools.store.read(lambda tx: adjustments.list_of_orders(tx, shown))
    return [tuple(each for each in found.get(order.id, ()) if visible(each, viewer)) for order in of]


def visible(adjustment: Adjustment, viewer: Viewer) -> bool:
    """Whether this viewer may see it: who reads finances all, the two sides what is done."""
    if viewer.has(Scope.FINANCE_READ):
        return True
    fan = viewer.user_id is not None and adjustment.fan_id == viewer.user_id
    creator = viewer.creator_id is not None and adjustment.creator_id == viewer.creator_id
    return adjustment.state is AdjustmentState.DONE and (fan or creator or viewer.has(Scope.ORDERS_READ))


def scope_of(state: AdjustmentState | None) -> str:
    """Names a listing, so that a cursor of another one is refused."""
    return pages.scope_of("order adjustments", state)
