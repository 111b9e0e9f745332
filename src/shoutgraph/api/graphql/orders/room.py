"""The room of orders: what it gives to the schema."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import fields, pages as graph_pages
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import PAGED, requires
from shoutgraph.api.graphql.orders import moves, words
from shoutgraph.api.graphql.orders.attachments import AttachmentMutation, fetch_attachments
from shoutgraph.api.graphql.orders.events import OrderEventQuery, OrderEventSubscription, OrderStatusChangedEventType
from shoutgraph.api.graphql.orders.order import OrderType, fetch_orders
from shoutgraph.api.graphql.orders.place import OrderPlaceMutation
from shoutgraph.api.graphql.orders.showing import ShowingMutation
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.samples import fetch_samples
from shoutgraph.api.graphql.sorting import SortDirection
from shoutgraph.domain import ids, pages
from shoutgraph.domain.orders.order import OrderFilter
from shoutgraph.domain.orders.states import State
from shoutgraph.domain.users import Scope
from shoutgraph.services.orders import read
from shoutgraph.services.orders.read import Listing, Queue, Role, Sort

__all__ = ["ROOM", "words"]


@strawberry.input(name="OrderFilterInput", description="Keeps the orders that match all the given fields.")
class OrderFilterInput:
    status: list[State] | None = strawberry.field(default=None, description="Any of these states.")
    updated_since: datetime | None = strawberry.field(
        default=None, description="Changed at or after this instant; the way to re-synchronise."
    )


@strawberry.input(name="OrderSortInput", description="How to sort orders; the id breaks ties.")
class OrderSortInput:
    field: Sort = strawberry.field(description="Sort key.")
    direction: SortDirection = strawberry.field(default=SortDirection.DESC, description="Direction.")


@strawberry.type
class OrderQuery:
    @fields.resolver(description="One order.")
    async def order(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Global id.")]
    ) -> OrderType | None:
        order_id = ids.parse(ids.ORDER, id, path=("id",))
        return OrderType.of(await read.get(info.context.tools, info.context.viewer, order_id))

    @fields.resolver(description="Orders that the caller placed, received, or may read.", directives=[PAGED])
    async def orders(
        self,
        info: Info,
        role: Annotated[Role, strawberry.argument(description="Whose orders.")] = Role.FAN,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[OrderFilterInput | None, strawberry.argument(description="Which orders.")] = None,
        sort: Annotated[OrderSortInput | None, strawberry.argument(description="In which order.")] = None,
    ) -> Connection[OrderType] | None:
        only = OrderFilter()
        if filter is not None:
            only = OrderFilter(states=tuple(filter.status or ()), updated_since=filter.updated_since)
        listing = Listing(role=role, only=only)
        if sort is not None:
            listing = Listing(role, only, sort.field, descending=sort.direction is SortDirection.DESC)
        args = pages.read_args(
            scope=listing.scope, first=first, after=after, last=last, before=before, kinds=read.KINDS[listing.sort]
        )
        page = await read.page(info.context.tools, info.context.viewer, listing, args)
        return graph_pages.connect(page, OrderType.of)

    @fields.resolver(
        description="What waits for a moderator, the longest waiting first.",
        directives=[PAGED, requires(Scope.MODERATION)],
    )
    async def moderation_queue(
        self,
        info: Info,
        queue: Annotated[Queue, strawberry.argument(description="Which queue.")],
        first: First = None,
        after: After = None,
    ) -> Connection[OrderType] | None:
        args = pages.read_args(scope=read.queue_scope(queue), first=first, after=after, kinds=(int, str))
        page = await read.queue(info.context.tools, info.context.viewer, queue, args)
        return graph_pages.connect(page, OrderType.of)


@strawberry.type
class OrderRoomQuery(OrderQuery, OrderEventQuery):
    pass


OrderRoomMutation = strawberry.type(
    type("OrderRoomMutation", (OrderPlaceMutation, AttachmentMutation, ShowingMutation, moves.build()), {})
)

ROOM: Final = Room(
    query=OrderRoomQuery,
    mutation=OrderRoomMutation,
    subscription=OrderEventSubscription,
    nodes={ids.ORDER: fetch_orders, ids.ATTACHMENT: fetch_attachments, ids.SAMPLE: fetch_samples},
    types=(OrderStatusChangedEventType,),
)
