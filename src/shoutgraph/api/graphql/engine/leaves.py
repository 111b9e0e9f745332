"""How scalars and enums are written: by their own functions, except where the exact type says that nothing is to do."""

from enum import Enum
from typing import Final

from graphql import GraphQLEnumType, GraphQLError, GraphQLLeafType, GraphQLScalarType, specified_scalar_types
from strawberry.types.enum import StrawberryEnumDefinition

INT_MAX: Final = 2**31 - 1
AS_THEY_ARE: Final = {
    "String": "{v}.__class__ is not str",
    "ID": "{v}.__class__ is not str",
    "Boolean": "{v}.__class__ is not bool",
    "Int": f"({{v}}.__class__ is not int or not {-INT_MAX - 1} <= {{v}} <= {INT_MAX})",
    "Float": "({v}.__class__ is not float or {v} - {v} != 0.0)",
}
"""When a value of a built-in scalar still has to be written by the scalar's own function."""


def condition_of(kind: GraphQLLeafType) -> str | None:
    """The condition under which a value has to be written, with `{v}` for the value; None for always."""
    if isinstance(kind, GraphQLScalarType) and specified_scalar_types.get(kind.name) is kind:
        return AS_THEY_ARE.get(kind.name)
    return None


def members_of(kind: GraphQLLeafType) -> tuple[type, dict[object, str]] | None:
    """The class of an enum and the name of each of its members; None where the leaf is no enum of ours."""
    if not isinstance(kind, GraphQLEnumType):
        return None
    definition = kind.extensions.get("strawberry-definition")
    members = definition.wrapped_cls if isinstance(definition, StrawberryEnumDefinition) else None
    if members is None or not issubclass(members, Enum):
        return None
    names: dict[object, str] = {}
    for member in members:
        try:
            names[member] = kind.coerce_output_value(member)
        except (GraphQLError, ValueError):
            continue
    return members, names
