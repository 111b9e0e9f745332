"""Events as the API shows them, whatever they are of: one interface, one kind of page."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.pages import PageInfoType
from shoutgraph.domain import errors
from shoutgraph.services.events import Told

PAGE_MAX: Final = 500
PAGE_DEFAULT: Final = 50

After = Annotated[str | None, strawberry.argument(description="Resume after this cursor; null means from now on.")]


@strawberry.interface(
    name="Event",
    description="Something that happened; the same types serve subscriptions, the events query and webhooks.",
)
class EventType(NodeType):
    cursor: str = strawberry.field(
        description="Opaque position in the log: store it, send it back as after, never parse it."
    )
    occurred_at: datetime = strawberry.field(description="When it happened.")


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


def size_of(first: int | None) -> int:
    """The size of a page of events.

    Raises:
        ValidationError: it is out of range.
    """
    size = PAGE_DEFAULT if first is None else first
    if not 1 <= size <= PAGE_MAX:
        raise errors.ValidationError(f"first is between 1 and {PAGE_MAX}.", code="PAGE_SIZE", path=("first",))
    return size


def connect(
    page: tuple[Sequence[Told], str, bool], of: Callable[[Told], EventType], *, after: str | None
) -> EventConnectionType:
    """A page of the log, its events as their types show them."""
    found, cursor, more = page
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
