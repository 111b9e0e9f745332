"""One transition of one order by the person whose turn it is.

Fans, creators, moderators and staff all come through `take`: it finds the order as the viewer may see it, checks
that the viewer is the actor they claim to be, and advances the order once per idempotency key.
"""

from dataclasses import dataclass
from typing import Final

from shoutgraph.domain import errors
from shoutgraph.domain.orders import order as order_values
from shoutgraph.domain.orders.machine import Command
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import Actor
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.services.orders import advance
from shoutgraph.storage import orders
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

STAFF_SCOPES: Final = {Actor.MODERATOR: Scope.MODERATION, Actor.STAFF: Scope.ADMIN}


@dataclass(frozen=True, slots=True)
class Turn:
    """Which order is to move, and the revision the viewer read (None gives up the check)."""

    order_id: str
    expected_revision: int | None = None


async def take(tools: Tools, viewer: Viewer, request: Request, turn: Turn, command: Command) -> Done[Order]:
    """Takes one transition.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not the actor of this transition.
        NotFoundError: there is no such order for this viewer.
        StaleRevisionError: the order changed since the viewer read it.
        OrderStateError: the transition is not possible now.
        ValidationError: the reason or the note is empty or too long, or what the command carries does not fit.
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    check_words(command)

    def work(tx: Tx) -> Order:
        order = find(tx, viewer, turn)
        check_actor(order, viewer, command.actor)
        return advance.advance(tools, tx, order, command)

    check_signed_in(viewer, command.actor)
    return await once(tools, request, work, orders.get)


def find(tx: Tx, viewer: Viewer, turn: Turn) -> Order:
    """The order whose turn it is.

    Raises:
        NotFoundError: there is no such order for this viewer.
        StaleRevisionError: the order changed since the viewer read it.
    """
    order = orders.get_visible(tx, turn.order_id, viewer)
    if turn.expected_revision not in {None, order.revision}:
        raise errors.StaleRevisionError(current_revision=order.revision)
    return order


def check_signed_in(viewer: Viewer, actor: Actor) -> None:
    """Refuses a viewer who can be no such actor of any order.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer lacks the scope, or is not a person.
    """
    scope = STAFF_SCOPES.get(actor)
    if scope is not None:
        viewer.require(scope)
    elif actor is Actor.CREATOR:
        viewer.require_creator()
    else:
        viewer.require_user()


def check_actor(order: Order, viewer: Viewer, actor: Actor) -> None:
    """Refuses a viewer who sees the order but is another side of it, and staff who are a side of it themselves.

    Raises:
        ForbiddenError: the viewer is not this order's fan, not its creator, or is either and acts as staff.
    """
    fan = viewer.user_id is not None and order.fan_id == viewer.user_id
    creator = viewer.creator_id is not None and order.creator_id == viewer.creator_id
    if actor in STAFF_SCOPES and (fan or creator):
        raise errors.ForbiddenError("Somebody else decides about your own orders.", code="OWN_ORDER")
    if actor is Actor.FAN and not fan:
        raise errors.ForbiddenError("Only the fan who placed this order can do this.")
    if actor is Actor.CREATOR and not creator:
        raise errors.ForbiddenError("Only the creator of this order can do this.")


def check_words(command: Command) -> None:
    """Refuses a reason or a note that is empty or overlong.

    Raises:
        ValidationError: the reason or the note is empty, too long, or has a control character.
    """
    if command.reason is not None:
        order_values.check_reason(command.reason)
    if command.note is not None:
        order_values.check_note("note", command.note)
