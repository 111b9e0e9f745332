"""Inputs made of what graphql-core has coerced: as Strawberry makes them, their names and types looked up once.

Strawberry looks at the annotation of every field of every input each time; of placing an order that was a sixth.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from typing import Any, Final

import strawberry
from graphql import GraphQLInputObjectType
from strawberry.relay import GlobalID
from strawberry.scalars import is_scalar
from strawberry.types.arguments import InputContext
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    StrawberryType,
)
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField

Read = Callable[[Any, InputContext], object]
"""Makes what a resolver takes of a value that is neither null nor left out."""
Kind = StrawberryType | type

NOTHING: Final = (None, strawberry.UNSET)


def read_once(schema: strawberry.Schema) -> None:
    """Has the inputs of a schema made by what is looked up now; Strawberry checks those with a `Maybe` itself."""
    for graph_type in schema._schema.type_map.values():  # noqa: SLF001 - Strawberry has no public way
        definition = graph_type.extensions.get("strawberry-definition")
        if not isinstance(graph_type, GraphQLInputObjectType) or not isinstance(definition, StrawberryObjectDefinition):
            continue
        if not any(isinstance(field.type, StrawberryMaybe) for field in definition.fields):
            definition.from_input = _maker_of(schema, definition)


def _maker_of(
    schema: strawberry.Schema, definition: StrawberryObjectDefinition
) -> Callable[[type, Mapping[str, Any], InputContext], Any]:
    """What makes an input; a field that may be null and has no default is null where it was left out."""
    name_of = schema.config.name_converter.from_field
    left_out = {field.python_name: None for field in definition.fields if _has_no_default(field)}
    reads = [
        (name_of(field), field.python_name, _reader_of(schema, field.resolve_type(type_definition=definition)))
        for field in definition.fields
    ]

    def make(kind: type, value: Mapping[str, Any], context: InputContext) -> object:
        given = dict[str, object](left_out)
        for name, parameter, read in reads:
            if name in value:
                found = value[name]
                given[parameter] = found if read is None or found in NOTHING else read(found, context)
        return kind(**given)

    return make


def _has_no_default(field: StrawberryField) -> bool:
    return field.default_value is MISSING and field.default_factory is MISSING


def _reader_of(schema: strawberry.Schema, kind: Kind) -> Read | None:
    """What reads a value of a type; None where it stays as graphql-core left it."""
    if isinstance(kind, StrawberryOptional):
        return _reader_of(schema, kind.of_type)
    if isinstance(kind, StrawberryList):
        return _list_reader_of(_reader_of(schema, kind.of_type))
    is_leaf = isinstance(kind, StrawberryEnumDefinition) or is_scalar(kind, schema.schema_converter.scalar_registry)
    if is_leaf and kind is not GlobalID:
        return None
    return lambda value, context: context.convert(value, kind)


def _list_reader_of(read: Read | None) -> Read:
    """What reads a list; it is always copied, for a default that graphql-core gives is the same list each time."""
    if read is None:
        return lambda values, _: list(values)
    return lambda values, context: [found if found in NOTHING else read(found, context) for found in values]
