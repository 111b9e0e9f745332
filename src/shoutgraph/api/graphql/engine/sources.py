"""Where the value of a field comes from: an attribute, a function, or a batch resolver for the whole list."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from keyword import iskeyword
from typing import Any, Final, get_origin

from graphql import GraphQLField
from strawberry.types.field import StrawberryField

from shoutgraph.api.graphql.directives import Cost, ListSize, RateLimited, RequiresScope
from shoutgraph.api.graphql.engine.unsupported import UnsupportedError
from shoutgraph.domain.users import Scope

OF_STRAWBERRY: Final = "GraphQLCoreConverter.from_resolver.<locals>."
"""The functions that Strawberry resolves fields by; a field with any other is left to graphql-core."""
KNOWN_DIRECTIVES: Final = (Cost, ListSize, RateLimited, RequiresScope)
"""Directives whose work is done before an operation runs, or by its plan."""


class Way(StrEnum):
    """How a value is got."""

    ATTRIBUTE = "attribute"
    CALL = "call"
    AWAIT = "await"
    BATCH = "batch"


@dataclass(frozen=True, slots=True)
class Source:
    """Where the value of one field comes from.

    `parents` are the names of the arguments that take the parent, None being the first; `info` takes the context.
    """

    way: Way
    field: GraphQLField
    definition: StrawberryField
    function: Callable[..., Any] | None = None  # resolvers are of any type
    parents: tuple[str | None, ...] = ()
    info: str | None = None
    scopes: tuple[tuple[Scope, ...], ...] = ()

    @property
    def waits(self) -> bool:
        """Whether getting the value takes an `await`."""
        return self.way in {Way.AWAIT, Way.BATCH}


def source_of(field: GraphQLField) -> Source:
    """Where a field's value comes from, as its Strawberry definition says.

    Raises:
        UnsupportedError: the field has something that a plan does not know, such as an extension.
    """
    definition = field.extensions.get("strawberry-definition")
    if not isinstance(definition, StrawberryField) or definition.extensions:
        raise UnsupportedError
    if not all(isinstance(each, KNOWN_DIRECTIVES) for each in definition.directives):
        raise UnsupportedError
    scopes = tuple(tuple(each.any_of) for each in definition.directives if isinstance(each, RequiresScope))
    resolve = field.resolve
    for _ in scopes:
        resolve = getattr(resolve, "__wrapped__", None)
    if not getattr(resolve, "__qualname__", "").startswith(OF_STRAWBERRY):
        raise UnsupportedError
    if definition.base_resolver is None:
        name = definition.python_name
        if not name.isidentifier() or iskeyword(name):
            raise UnsupportedError
        return Source(Way.ATTRIBUTE, field, definition, scopes=scopes)
    return _of_resolver(field, definition, scopes)


def _of_resolver(field: GraphQLField, definition: StrawberryField, scopes: tuple[tuple[Scope, ...], ...]) -> Source:
    resolver = definition.base_resolver
    assert resolver is not None, "the caller has looked"
    function = resolver.wrapped_func
    batch = getattr(function, "__batch__", None)
    if batch is not None:
        return Source(Way.BATCH, field, definition, batch, scopes=scopes)
    if not callable(function) or _gives_awaitable(resolver.signature.return_annotation):
        raise UnsupportedError
    named = {each.name for each in (resolver.parent_parameter, resolver.root_parameter) if each is not None}
    parents: tuple[str | None, ...] = (*((None,) if resolver.self_parameter else ()), *sorted(named))
    info = resolver.info_parameter
    way = Way.AWAIT if resolver.is_async else Way.CALL
    return Source(way, field, definition, function, parents, info.name if info else None, scopes)


def _gives_awaitable(annotation: object) -> bool:
    kind = get_origin(annotation) or annotation
    return inspect.isclass(kind) and issubclass(kind, Awaitable)
