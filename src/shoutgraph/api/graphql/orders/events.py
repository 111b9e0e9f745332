"""Order events: the same journal as a subscription that resumes and as pages."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import strawberry

from shoutgraph.api.graphql import enums, events, fields, loaders
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.orders.order import OrderType, fetch_orders
from shoutgraph.domain.orders.states import Actor, State
from shoutgraph.services.events import EventFilter, Told

enums.describe(
    Actor,
    name="OrderActor",
    description="Who moved an order.",
    values={
        Actor.FAN: "The fan.",
        Actor.CREATOR: "The creator.",
        Actor.MODERATOR: "A moderator.",
        Actor.STAFF: "An admin.",
        Actor.POLICY: "A rule of the platform.",
        Actor.TIMER: "Time.",
        Actor.PROVIDER: "A payment provider.",
    },
)


@strawberry.type(
    name="OrderStatusChangedEvent",
    description="An order changed; where previousStatus equals status, something else about it did.",
)
class OrderStatusChangedEventType(events.EventType):
    order_id: strawberry.ID = strawberry.field(description="Which order.")
    order_revision: int = strawberry.field(description="The order's revision after it; drop what you have seen.")
    transition: str = strawberry.field(description="What was done, such as accept or accept_timeout.")
    actor: Actor = strawberry.field(description="Who did it.")
    previous_status: State | None = strawberry.field(description="State before; null for a new order.")
    status: State = strawberry.field(description="State after, as of the event.")

    @classmethod
    def of(cls, told: Told) -> "OrderStatusChangedEventType":
        """The graph's view of a line of the journal."""
        event = told.event
        body: Any = event.body
        return cls(
            id=strawberry.ID(event.id),
            cursor=told.cursor,
            occurred_at=event.at,
            order_id=strawberry.ID(event.topic),
            order_revision=body["revision"],
            transition=body["transition"],
            actor=Actor(body["actor"]),
            previous_status=None if body["previous"] is None else State(body["previous"]),
            status=State(body["status"]),
        )

    @loaders.batch(description="The order as of now, which may be newer than the event.")
    @staticmethod
    async def order(parents: "list[OrderStatusChangedEventType]", context: Context) -> list[OrderType | None]:
        return await fetch_orders(context, [parent.order_id for parent in parents])


@strawberry.input(name="OrderEventFilterInput", description="Keeps the events that match all the given fields.")
class OrderEventFilterInput:
    order_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="These orders only.")
    status: list[State] | None = strawberry.field(default=None, description="Changes into these states only.")


Filter = Annotated[OrderEventFilterInput | None, strawberry.argument(description="Which events.")]


@strawberry.type
class OrderEventQuery:
    @fields.resolver(
        description="The event log: catch up by paging here, then subscribe after endCursor.",
        directives=events.PAGED,
    )
    async def order_events(
        self,
        info: Info,
        first: events.First = None,
        after: events.PageAfter = None,
        filter: Filter = None,
    ) -> events.EventConnectionType | None:
        return await events.page(info, OrderStatusChangedEventType.of, _only(filter), first=first, after=after)


@strawberry.type
class OrderEventSubscription:
    @fields.subscription(
        description="Order events after the cursor, the stored ones first, then live. At least once, in log order.",
        directives=events.FOLLOWED,
        shared=True,
    )
    def order_events(
        self, info: Info, after: events.After = None, filter: Filter = None
    ) -> AsyncIterator[OrderStatusChangedEventType]:
        return events.follow(info, OrderStatusChangedEventType.of, _only(filter), after=after)


def _only(given: OrderEventFilterInput | None) -> EventFilter:
    if given is None:
        return EventFilter()
    return EventFilter(
        subject_ids=frozenset(given.order_ids or ()), statuses=frozenset(state.value for state in given.status or ())
    )
