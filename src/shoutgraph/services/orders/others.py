"""What changes an order without a transition: an extension offered, a freeze."""

from collections.abc import Callable

from shoutgraph.domain.orders import machine
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Viewer
from shoutgraph.services.orders import advance, moves
from shoutgraph.services.orders.advance import Did
from shoutgraph.services.orders.moves import Turn
from shoutgraph.storage import orders, policies
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

Change = Callable[[Tx, Order, Policy], Order]


async def offer_extension(tools: Tools, viewer: Viewer, request: Request, turn: Turn, seconds: int) -> Done[Order]:
    """The creator offers to deliver later; the fan may agree.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not this order's creator.
        NotFoundError: there is no such order for this viewer.
        StaleRevisionError: the order changed since the viewer read it.
        OrderStateError: the video is not in production, or was extended before.
        ValidationError: the extension is too short or too long.
        IdempotencyKeyReusedError: the key was used before with other input.
    """

    def change(tx: Tx, order: Order, policy: Policy) -> Order:
        return machine.offer_extension(order, seconds, policy=policy, now=tx.now)

    return await _change(tools, viewer, request, turn, (Actor.CREATOR, "offer_extension", change))


async def freeze(tools: Tools, viewer: Viewer, request: Request, turn: Turn) -> Done[Order]:
    """Stops an order for a legal or fraud reason: its timers and its coins stand still.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not an admin.
        NotFoundError: there is no such order.
        StaleRevisionError: the order changed since the viewer read it.
        OrderStateError: the order is not open, or is frozen already.
        IdempotencyKeyReusedError: the key was used before with other input.
    """

    def change(tx: Tx, order: Order, _policy: Policy) -> Order:
        return machine.freeze(order, now=tx.now)

    return await _change(tools, viewer, request, turn, (Actor.STAFF, "freeze", change))


async def unfreeze(tools: Tools, viewer: Viewer, request: Request, turn: Turn) -> Done[Order]:
    """Lets a frozen order go on, with the time it stood still added to its windows.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not an admin.
        NotFoundError: there is no such order.
        StaleRevisionError: the order changed since the viewer read it.
        OrderStateError: the order is not frozen.
        IdempotencyKeyReusedError: the key was used before with other input.
    """

    def change(tx: Tx, order: Order, _policy: Policy) -> Order:
        return machine.unfreeze(order, now=tx.now)

    return await _change(tools, viewer, request, turn, (Actor.STAFF, "unfreeze", change))


async def _change(
    tools: Tools, viewer: Viewer, request: Request, turn: Turn, how: tuple[Actor, str, Change]
) -> Done[Order]:
    """Does something as this actor."""
    actor, name, change = how
    moves.check_signed_in(viewer, actor)

    def work(tx: Tx) -> Order:
        order = moves.find(tx, viewer, turn)
        moves.check_actor(order, viewer, actor)
        policy = policies.get(tx, order.terms.policy_version)
        after = change(tx, order, policy)
        advance.keep(tools, tx, after, policy, did=Did(name, actor, before=order))
        return after

    return await once(tools, request, work, orders.get)
