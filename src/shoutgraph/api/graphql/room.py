"""What a room of the API hands to the schema."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shoutgraph.api.graphql.node import FetchNodes


@dataclass(frozen=True, slots=True)
class Room:
    """The root fields of a room, its nodes by id prefix, and types that no field mentions."""

    query: type | None = None
    mutation: type | None = None
    subscription: type | None = None
    nodes: Mapping[str, FetchNodes] = field(default_factory=dict)
    types: tuple[type, ...] = ()
