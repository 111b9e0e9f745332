"""Gives a domain enumeration its GraphQL name and descriptions, without copying its values."""

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from strawberry.types.enum import EnumValue, StrawberryEnumDefinition

E = TypeVar("E", bound=Enum)


def describe(enum: type[E], *, name: str, description: str, values: Mapping[E, str]) -> type[E]:
    """Publishes every member of `enum` under its Python name, each with its description."""
    missing = [member.name for member in enum if member not in values]
    if missing:
        msg = f"{name} lacks a description of {', '.join(missing)}"
        raise TypeError(msg)
    definition = StrawberryEnumDefinition(
        wrapped_cls=enum,
        name=name,
        values=[EnumValue(member.name, member.value, description=values[member]) for member in enum],
        description=description,
    )
    enum.__strawberry_definition__ = definition  # type: ignore[attr-defined]
    return enum
