"""Any object by its global id: the prefix of the id says which room loads it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import fields
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.domain import errors, ids

NODES_MAX: Final = 100


@strawberry.interface(
    name="Node",
    description="An object with a global id such as order_01j9z3k5x0e8t9w2v7q4m6n8pa: opaque, type-prefixed, "
    "sortable, URL-safe.",
)
class NodeType:
    id: strawberry.ID = strawberry.field(description="Global id, never reused.")


FetchNodes = Callable[[Context, Sequence[str]], Awaitable[Sequence[NodeType | None]]]
"""Loads the objects of some ids in order, None where one is missing or hidden from the viewer."""

Id = Annotated[strawberry.ID, strawberry.argument(description="Global id.")]
Ids = Annotated[list[strawberry.ID], strawberry.argument(description=f"Global ids, at most {NODES_MAX}.")]


def query_of(registry: Mapping[str, FetchNodes]) -> type:
    """The root fields `node` and `nodes` over the rooms' loaders, by id prefix."""

    def find(context: Context, node_id: str, path: Sequence[str]) -> Awaitable[NodeType | None]:
        fetch = registry.get(ids.prefix_of(node_id) or "")
        if fetch is None:
            msg = "This is not the id of a node."
            raise errors.ValidationError(msg, code="INVALID_ID", path=path)
        return context.load(fetch, node_id)

    @strawberry.type
    class NodeQuery:
        @fields.resolver(description="Any object by its id.")
        async def node(self, info: Info, id: Id) -> NodeType | None:
            return await find(info.context, id, ("id",))

        @fields.resolver(
            description="Objects by id, null where one is missing, in the order asked.",
            directives=[ListSize(slicing_arguments=["ids"])],
        )
        async def nodes(self, info: Info, ids: Ids) -> list[NodeType | None] | None:
            if len(ids) > NODES_MAX:
                msg = f"Ask for at most {NODES_MAX} nodes at once."
                raise errors.ValidationError(msg, code="TOO_MANY_IDS", path=("ids",))
            asked = [find(info.context, each, ("ids", str(at))) for at, each in enumerate(ids)]
            return [await node for node in asked]

    return NodeQuery
