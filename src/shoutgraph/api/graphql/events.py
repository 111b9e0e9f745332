"""Events as the API shows them, whatever they are of: one interface, one kind of page."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Annotated, Final, TypeVar

import strawberry

from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import Cost, ListSize
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.pages import PageInfoType
from shoutgraph.domain import errors
from shoutgraph.services import events
from shoutgraph.services.events import EventFilter, Told

PAGE_MAX: Final = 500
PAGE_DEFAULT: Final = 50

First = Annotated[int | None, strawberry.argument(description=f"Page size, at most {PAGE_MAX}.")]
PageAfter = Annotated[str | None, strawberry.argument(description="Page after this cursor; null: the start.")]
After = Annotated[str | None, strawberry.argument(description="Resume after this cursor; null means from now on.")]

PAGED: Final = (ListSize(slicing_arguments=["first"], sized_fields=["edges", "nodes"]),)
"""The directives of a field that gives pages of a feed."""
FOLLOWED: Final = (Cost(weight="20"),)
"""The directives of a subscription that follows a feed."""


@strawberry.interface(
    name="Event",
    description="Something that happened; the same types serve subscriptions, the events query and webhooks.",
)
class EventType(NodeType):
    cursor: str = strawberry.field(
        description="Opaque position in the log: store it, send it back as after, never parse it."
    )
    occurred_at: datetime = strawberry.field(description="When it happened.")


E = TypeVar("E", bound=EventType)


@strawberry.type(name="EventEdge", description="An event and its place in the log.")
class EventEdgeType:
    cursor: str = strawberry.field(description="The event's own cursor.")
    node: EventType = strawberry.field(description="The event.")


@strawberry.type(name="EventConnection", description="A page of the event log, oldest first.")
class EventConnectionType:
    edges: list[EventEdgeType] = strawberry.field(description="Edges in log order.")
    nodes: list[EventType] = strawberry.field(description="The edges' nodes.")
    page_info: PageInfoType = strawberry.field(
        description="Paging state; endCursor is where to go on from, even after an empty page."
    )


async def page(
    info: Info, of: Callable[[Told], EventType], only: EventFilter, *, first: int | None, after: str | None
) -> EventConnectionType:
    """A page of a feed, its events as their type shows them.

    Raises:
        ValidationError: the size or the cursor is none.
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the feed is not for the caller.
    """
    context, size = info.context, _size_of(first)
    found, cursor, more = await events.page(context.tools, context.viewer, after=after, size=size, only=only)
    nodes = [of(told) for told in found]
    return EventConnectionType(
        edges=[EventEdgeType(cursor=node.cursor, node=node) for node in nodes],
        nodes=nodes,
        page_info=PageInfoType(
            has_next_page=more,
            has_previous_page=after is not None,
            start_cursor=nodes[0].cursor if nodes else None,
            end_cursor=cursor,
        ),
    )


async def follow(info: Info, of: Callable[[Told], E], only: EventFilter, *, after: str | None) -> AsyncIterator[E]:
    """A feed's events after the cursor, the stored ones first, then live, as their type shows them.

    Raises:
        ValidationError: the cursor is none.
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the feed is not for the caller.
    """
    context = info.context
    async for told in events.follow(context.tools, context.viewer, after=context.last_event_id or after, only=only):
        yield of(told)


def _size_of(first: int | None) -> int:
    size = PAGE_DEFAULT if first is None else first
    if not 1 <= size <= PAGE_MAX:
        raise errors.ValidationError(f"first is between 1 and {PAGE_MAX}.", code="PAGE_SIZE", path=("first",))
    return size
