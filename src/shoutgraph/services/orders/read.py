"""Reading orders: one, many, pages of one's own, and the queues of moderators.

Every read goes through the viewer: what they may not see does not exist.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from shoutgraph.domain import clock, errors, pages
from shoutgraph.domain.orders import machine
from shoutgraph.domain.orders.order import Brief, Order, OrderFilter, Statement
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import disputes, orders, policies, users
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


class Sort(StrEnum):
    """What orders sort by; the id breaks ties."""

    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"


class Role(StrEnum):
    """Whose orders a list holds."""

    FAN = "FAN"
    CREATOR = "CREATOR"
    ANYONE = "ANYONE"


class Queue(StrEnum):
    """What waits for a moderator."""

    SCREENING = "SCREENING"
    REVIEW = "IN_REVIEW"
    DISPUTES = "DISPUTED"


KINDS: Final[dict[Sort, tuple[type, ...]]] = {Sort.CREATED_AT: (str,), Sort.UPDATED_AT: (int, str)}
"""The types of each sort's key, so that a cursor made by hand is refused."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Which orders, in which order."""

    role: Role
    only: OrderFilter = field(default_factory=OrderFilter)
    sort: Sort = Sort.CREATED_AT
    descending: bool = True

    @property
    def scope(self) -> str:
        """Names this listing, so that a cursor of another one is refused."""
        return pages.scope_of("orders", self.role, self.only, self.sort, self.descending)


async def get(tools: Tools, viewer: Viewer, order_id: str) -> Order:
    """One order.

    Raises:
        NotFoundError: there is no such order for this viewer.
    """
    (found,) = await list_by_id(tools, viewer, [order_id])
    if found is None:
        raise errors.NotFoundError("There is no such order.", path=("id",))
    return found


async def list_by_id(tools: Tools, viewer: Viewer, order_ids: Sequence[str]) -> list[Order | None]:
    """Orders by id, None where there is none for this viewer."""
    return await tools.store.read(lambda tx: orders.list_visible(tx, order_ids, viewer))


async def briefs(tools: Tools, viewer: Viewer, of: Sequence[Order]) -> list[Brief | None]:
    """The briefs of orders, None where erased, hidden by moderators, or where the viewer is not part of the order."""
    shown = [order for order in of if orders.visible(order, viewer)]
    found = await tools.store.read(lambda tx: orders.list_briefs(tx, [order.id for order in shown]))
    by_id = {order.id: brief for order, brief in zip(shown, found, strict=True) if _may_read(order, brief, viewer)}
    return [by_id.get(order.id) for order in of]


async def fan_names(tools: Tools, viewer: Viewer, of: Sequence[Order]) -> list[str | None]:
    """What the fans of orders are called, None where erased or where the viewer is not part of the order."""
    wanted = list({order.fan_id for order in of if orders.visible(order, viewer)})
    found = await tools.store.read(lambda tx: users.list_of(tx, wanted))
    names = {user.id: user.display_name for user in found if user is not None}
    return [names.get(order.fan_id) for order in of]


async def list_statements(tools: Tools, viewer: Viewer, of: Sequence[Order]) -> list[tuple[Statement, ...]]:
    """What the two sides of orders said in a dispute, in order."""
    shown = [order.id for order in of if orders.visible(order, viewer)]
    found = await tools.store.read(lambda tx: disputes.list_of_orders(tx, shown))
    return [found.get(order.id, ()) for order in of]


async def list_policies(tools: Tools, versions: Sequence[int]) -> list[Policy]:
    """The policies of these versions, for batches of orders."""
    return await tools.store.read(lambda tx: policies.list_of(tx, versions))


async def page(tools: Tools, viewer: Viewer, listing: Listing, args: PageArgs) -> Page[Order]:
    """A page of the viewer's orders as fan or creator, or of anyone's for those who read all.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer reads only their own orders, or has no creator profile.
    """
    only = listing.only
    match listing.role:
        case Role.FAN:
            only = replace(only, fan_id=viewer.require_user())
        case Role.CREATOR:
            only = replace(only, creator_id=viewer.require_creator())
        case Role.ANYONE:
            viewer.require(Scope.ORDERS_READ)

    def query(tx: Tx) -> list[Order]:
        return orders.list_of_page(tx, args, only, sort=listing.sort, descending=listing.descending)

    found = await tools.store.read(query)
    return pages.cut(found, args, scope=listing.scope, key_of=_KEYS[listing.sort])


async def queue(tools: Tools, viewer: Viewer, which: Queue, args: PageArgs) -> Page[Order]:
    """A page of what waits for a moderator, the longest waiting first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not moderate.
    """
    viewer.require(Scope.MODERATION)
    only = OrderFilter(states=(State(which),))

    def query(tx: Tx) -> list[Order]:
        return orders.list_of_page(tx, args, only, sort="state_at", descending=False)

    found = await tools.store.read(query)
    return pages.cut(found, args, scope=queue_scope(which), key_of=_by_state_at)


def queue_scope(which: Queue) -> str:
    """Names a queue, so that a cursor of another one is refused."""
    return pages.scope_of("queue", which)


def available(order: Order, viewer: Viewer) -> tuple[str, ...]:
    """The transitions this viewer could take now, windows aside."""
    actors: list[Actor] = []
    if order.fan_id == viewer.user_id:
        actors.append(Actor.FAN)
    if order.creator_id == viewer.creator_id:
        actors.append(Actor.CREATOR)
    if viewer.has(Scope.MODERATION):
        actors.append(Actor.MODERATOR)
    if viewer.has(Scope.ADMIN):
        actors.append(Actor.STAFF)
    names = dict.fromkeys(name for actor in actors for name in machine.allowed(order, actor))
    return tuple(names)


def _by_created_at(order: Order) -> pages.Key:
    return (order.id,)


def _by_updated_at(order: Order) -> pages.Key:
    return (clock.to_micros(order.updated_at), order.id)


def _by_state_at(order: Order) -> pages.Key:
    return (clock.to_micros(order.state_at), order.id)


_KEYS: Final = {Sort.CREATED_AT: _by_created_at, Sort.UPDATED_AT: _by_updated_at}


def _may_read(order: Order, brief: Brief | None, viewer: Viewer) -> bool:
    """A brief that moderators hid is read by whoever wrote it, and by them."""
    mine = viewer.user_id is not None and viewer.user_id == order.fan_id
    return brief is not None and (not brief.hidden or mine or viewer.has(Scope.MODERATION))
