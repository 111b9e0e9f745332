"""Puts rooms together into one schema."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLFieldResolver,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    Undefined,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from shoutgraph.api.graphql import errors, inputs, node, scalars
from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.directives import RequiresScope
from shoutgraph.api.graphql.room import Room

WRITES: Final = "Writes. Each field is nullable, so a crash in one does not erase the results of those before it."
LIVE: Final = "Live streams over graphql-transport-ws and SSE; at least once, in log order."


def assemble(rooms: Sequence[Room]) -> strawberry.Schema:
    """The schema of these rooms.

    Raises:
        ValueError: two rooms claim the same root field or the same id prefix.
    """
    registry: dict[str, node.FetchNodes] = {}
    for room in rooms:
        for prefix, fetch in room.nodes.items():
            if prefix in registry:
                raise ValueError(f"two rooms load the nodes of {prefix}_")
            registry[prefix] = fetch
    queries = [node.query_of(registry), *(room.query for room in rooms if room.query)]
    mutations = [room.mutation for room in rooms if room.mutation]
    subscriptions = [room.subscription for room in rooms if room.subscription]
    schema = strawberry.Schema(
        query=_root("Query", "Reads.", queries),
        mutation=_root("Mutation", WRITES, mutations) if mutations else None,
        subscription=_root("Subscription", LIVE, subscriptions) if subscriptions else None,
        types=[*errors.AS_DATA.values(), *(each for room in rooms for each in room.types)],
        config=StrawberryConfig(scalar_map=scalars.SCALARS),
    )
    for graph_type in schema._schema.type_map.values():  # noqa: SLF001  (Strawberry has no public way)
        if isinstance(graph_type, GraphQLObjectType):
            _enforce_scopes(graph_type.fields)
            for field in graph_type.fields.values():
                _drop_null_defaults(field.args)
        elif isinstance(graph_type, GraphQLInputObjectType):
            _drop_null_defaults(graph_type.fields)
    inputs.read_once(schema)
    return schema


def _root(name: str, description: str, parts: Iterable[type]) -> type:
    bases = tuple(parts)
    seen: set[str] = set()
    for base in bases:
        definition: StrawberryObjectDefinition = base.__strawberry_definition__  # type: ignore[attr-defined]
        for field in definition.fields:
            if field.python_name in seen:
                raise ValueError(f"two rooms claim {name}.{field.python_name}")
            seen.add(field.python_name)
    return strawberry.type(type(name, bases, {}), name=name, description=description)


def _enforce_scopes(fields: Mapping[str, GraphQLField]) -> None:
    """Makes `@requiresScope` hold: whoever reads it in the SDL can rely on it."""
    for field in fields.values():
        definition = field.extensions.get("strawberry-definition")
        directives = definition.directives if isinstance(definition, StrawberryField) else ()
        for needed in directives:
            if isinstance(needed, RequiresScope):
                _guard(field, needed)


def _guard(field: GraphQLField, needed: RequiresScope) -> None:
    assert field.resolve is not None, "Strawberry gives every field a resolver"
    field.resolve = _guarded(field.resolve, needed)
    if field.subscribe is not None:
        field.subscribe = _guarded(field.subscribe, needed)


def _guarded(resolve: GraphQLFieldResolver, needed: RequiresScope) -> GraphQLFieldResolver:
    def guarded(source: object, info: GraphQLResolveInfo[Context], **arguments: object) -> object:
        info.context.viewer.require(*needed.any_of)
        return resolve(source, info, **arguments)

    guarded.__wrapped__ = resolve  # type: ignore[attr-defined]  # the compiled engine knows the guard, and looks behind it
    return guarded


def _drop_null_defaults(inputs: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField]) -> None:
    """Python's `= None` means "may be left out", which in GraphQL a nullable type already says."""
    for each in inputs.values():
        if each.default_value is None:
            each.default_value = Undefined
