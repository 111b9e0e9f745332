"""Connections: pages by keyset with cursors, nodes beside edges, and a count that says how exact it is."""

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from typing import Annotated, Final, Generic, TypeVar

import strawberry

from shoutgraph.api.graphql import enums, fields
from shoutgraph.api.graphql.directives import Cost
from shoutgraph.domain import pages

N = TypeVar("N")
T = TypeVar("T")

COUNT_MAX: Final = 10_000
"""Counting stops here: storage counts at most one more."""

First = Annotated[int | None, strawberry.argument(description="Page size, at most 100; 20 if not given.")]
After = Annotated[str | None, strawberry.argument(description="Page after this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="Page size from the end, at most 100.")]
Before = Annotated[str | None, strawberry.argument(description="Page before this cursor.")]


class CountPrecision(StrEnum):
    """How exact a count is."""

    EXACT = "exact"
    AT_LEAST = "at_least"


enums.describe(
    CountPrecision,
    name="CountPrecision",
    description="How exact a count is.",
    values={
        CountPrecision.EXACT: "Exactly value.",
        CountPrecision.AT_LEAST: f"At least value: the cap of {COUNT_MAX:,} was reached.",
    },
)


@strawberry.type(name="Count", description="A count that says how exact it is.")
class CountType:
    value: int = strawberry.field(description="The number counted.")
    precision: CountPrecision = strawberry.field(description="Whether a cap stopped the count.")


@strawberry.type(name="PageInfo", description="Where a page sits in its connection.")
class PageInfoType:
    has_next_page: bool = strawberry.field(description="Whether there is a page after this one.")
    has_previous_page: bool = strawberry.field(description="Whether there is a page before this one.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first edge.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last edge.")


@strawberry.type(description="An item and its place in a page.")
class Edge(Generic[N]):
    cursor: str = strawberry.field(description="Keyset cursor, tied to this filter and sort.")
    node: N = strawberry.field(description="The item.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[N]):
    """Annotate a field with `Connection[OrderType] | None` and answer `connect(page, OrderType.of)`."""

    nodes: list[N] = strawberry.field(description="The edges' nodes.")
    cursors: strawberry.Private[Sequence[str]]
    has_next: strawberry.Private[bool]
    has_previous: strawberry.Private[bool]
    count: strawberry.Private[Callable[[], Awaitable[int]] | None] = None

    @fields.resolver(description="Edges in order.")
    def edges(self) -> list[Edge[N]]:
        return [Edge(cursor=cursor, node=node) for cursor, node in zip(self.cursors, self.nodes, strict=True)]

    @fields.resolver(description="Paging state.")
    def page_info(self) -> PageInfoType:
        return PageInfoType(
            has_next_page=self.has_next,
            has_previous_page=self.has_previous,
            start_cursor=self.cursors[0] if self.cursors else None,
            end_cursor=self.cursors[-1] if self.cursors else None,
        )

    @fields.resolver(
        description="How many items there are; counted only if selected, null where it never is.",
        directives=[Cost(weight="10")],
    )
    async def total_count(self) -> CountType | None:
        return None if self.count is None else counted(await self.count())


def connect(
    page: pages.Page[T], node_of: Callable[[T], N], *, count: Callable[[], Awaitable[int]] | None = None
) -> Connection[N]:
    """A page as a connection.

    Args:
        node_of: makes the graph type's value of an item.
        count: counts the list up to `COUNT_MAX + 1`; called only where the client asks.
    """
    return Connection(
        nodes=[node_of(item) for item in page.items],
        cursors=page.cursors,
        has_next=page.has_next,
        has_previous=page.has_previous,
        count=count,
    )


def counted(number: int) -> CountType:
    """A count with its precision: above `COUNT_MAX` it is only a lower bound."""
    if number > COUNT_MAX:
        return CountType(value=COUNT_MAX, precision=CountPrecision.AT_LEAST)
    return CountType(value=number, precision=CountPrecision.EXACT)
