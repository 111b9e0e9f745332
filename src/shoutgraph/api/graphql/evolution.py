"""What a change of the schema means for the clients of the last release.

Source: the categories of `find_schema_changes` in graphql-core; those of deprecation are of docs/GRAPHQL.md, "Change".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from graphql import (
    BreakingChange,
    DangerousChange,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    find_schema_changes,
)

NOTICE: Final = timedelta(days=180)
"""How long a field is at least deprecated before it may go."""

_COORDINATE: Final = re.compile(r"@?\w+(?:\.\w+)?(?:\(\w+:\))?")
_REMOVAL: Final = re.compile(r"Removal on or after (\d{4}-\d{2}-\d{2})\.")


class Weight(StrEnum):
    """What a change does to clients that nobody changed."""

    BREAKING = "breaking"
    DANGEROUS = "dangerous"
    ANNOUNCED = "announced"
    """It breaks whoever did not mind a deprecation whose day has come."""
    SAFE = "safe"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two schemas.

    Args:
        coordinate: what changed, as the GraphQL specification names elements of a schema, such as `Order.price`.
    """

    weight: Weight
    coordinate: str
    words: str


def changes_between(before: str, after: str, *, today: date) -> list[Change]:
    """What changed from one schema to a later one, in the order of the later one.

    Raises:
        GraphQLSyntaxError: one of the two is no schema.
        TypeError: one of the two contradicts itself.
    """
    old, new = build_schema(before), build_schema(after)
    names = set(_coordinates(old)) | set(_coordinates(new))
    due = {name for name, reason in _deprecations(old).items() if _is_due(reason, today)}
    found = [_weighed(each, names, due) for each in find_schema_changes(old, new)]
    return found + list(_hasty(old, new, today))


def _weighed(change: object, names: set[str], due: set[str]) -> Change:
    words = str(getattr(change, "description", change))
    found = (each.removesuffix(".") for each in _COORDINATE.findall(words))
    coordinate = next((each for each in found if each in names), words)
    if isinstance(change, BreakingChange):
        weight = Weight.ANNOUNCED if "removed" in words and coordinate in due else Weight.BREAKING
    else:
        weight = Weight.DANGEROUS if isinstance(change, DangerousChange) else Weight.SAFE
    return Change(weight, coordinate, words)


def _hasty(old: GraphQLSchema, new: GraphQLSchema, today: date) -> Iterator[Change]:
    known = _deprecations(old)
    for name, reason in _deprecations(new).items():
        if known.get(name) == reason:
            continue
        named = _REMOVAL.search(reason)
        if named is None or date.fromisoformat(named[1]) < today + NOTICE:
            words = f"{name} is deprecated for less than {NOTICE.days} days."
            yield Change(Weight.BREAKING, name, words)


def _is_due(reason: str, today: date) -> bool:
    named = _REMOVAL.search(reason)
    return named is not None and date.fromisoformat(named[1]) <= today


def _coordinates(schema: GraphQLSchema) -> Iterator[str]:
    yield from schema.type_map
    yield from (f"@{each.name}" for each in schema.directives)
    yield from (name for name, _ in _elements(schema))


def _deprecations(schema: GraphQLSchema) -> dict[str, str]:
    return {name: reason for name, reason in _elements(schema) if reason is not None}


def _elements(schema: GraphQLSchema) -> Iterator[tuple[str, str | None]]:
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLEnumType):
            yield from ((f"{kind.name}.{name}", each.deprecation_reason) for name, each in kind.values.items())
        if isinstance(kind, GraphQLInputObjectType | GraphQLObjectType | GraphQLInterfaceType):
            yield from ((f"{kind.name}.{name}", each.deprecation_reason) for name, each in kind.fields.items())
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            yield from _arguments(kind)


def _arguments(kind: GraphQLObjectType | GraphQLInterfaceType) -> Iterator[tuple[str, str | None]]:
    for name, field in kind.fields.items():
        yield from ((f"{kind.name}.{name}({arg}:)", each.deprecation_reason) for arg, each in field.args.items())
