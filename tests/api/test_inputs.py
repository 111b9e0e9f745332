"""Inputs are made as Strawberry makes them: each input of the schema, with fields left out, null, empty and full."""

import random
from typing import Any, Final

import pytest
import strawberry
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLList, GraphQLNonNull
from strawberry.relay import GlobalID
from strawberry.schema.config import StrawberryConfig
from strawberry.types.arguments import convert_argument
from strawberry.types.base import StrawberryObjectDefinition

from shoutgraph.api.graphql import inputs
from shoutgraph.api.graphql.orders.brief import BriefInput
from shoutgraph.api.graphql.schema import build_schema

SCHEMA: Final = build_schema()
INPUTS: Final = {
    name: kind for name, kind in SCHEMA._schema.type_map.items() if isinstance(kind, GraphQLInputObjectType)
}
VARIANTS: Final = 25


def values(kind: Any, chance: random.Random) -> Any:
    """Something that graphql-core may give for a type; a scalar is whatever the scalar made of it."""
    if isinstance(kind, GraphQLNonNull):
        kind = kind.of_type
    elif chance.random() < 0.2:
        return None
    if isinstance(kind, GraphQLList):
        return [values(kind.of_type, chance) for _ in range(chance.randint(0, 3))]
    if isinstance(kind, GraphQLEnumType):
        return chance.choice([each.value for each in kind.values.values()])
    if isinstance(kind, GraphQLInputObjectType):
        return {
            name: values(field.type, chance)
            for name, field in kind.fields.items()
            if isinstance(field.type, GraphQLNonNull) or chance.random() < 0.7
        }
    return f"{kind.name} {chance.random()}"


def made(schema: strawberry.Schema, kind: type, value: Any) -> Any:
    return convert_argument(value, kind, schema.schema_converter.scalar_registry, schema.config)


def definition_of(kind: GraphQLInputObjectType) -> StrawberryObjectDefinition:
    found = kind.extensions["strawberry-definition"]
    assert isinstance(found, StrawberryObjectDefinition)
    return found


@pytest.mark.parametrize("name", INPUTS)
def test_an_input_is_what_strawberry_makes_of_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kind, definition = INPUTS[name], definition_of(INPUTS[name])
    chance = random.Random(name)  # noqa: S311 - the same each time
    given = [values(GraphQLNonNull(kind), chance) for _ in range(VARIANTS)]
    assert definition.from_input is not None
    ours = [made(SCHEMA, definition.origin, each) for each in given]
    with monkeypatch.context() as patch:
        for each in INPUTS.values():
            patch.setattr(definition_of(each), "from_input", None)
        theirs = [made(SCHEMA, definition.origin, each) for each in given]
    assert ours == theirs
    assert {type(each) for each in ours} == {definition.origin}


def test_a_list_is_copied_so_that_a_default_stays_what_it_is() -> None:
    words = ["Hello"]
    given = {"recipientName": "Ada", "instructions": "", "language": "en", "occasion": "OTHER", "mustSay": words}
    brief = made(SCHEMA, BriefInput, given)
    assert brief.must_say == words
    assert brief.must_say is not words


@strawberry.input
class Odd:
    maybe: strawberry.Maybe[int]
    kept: int = 3


@strawberry.input
class Even:
    node: GlobalID
    nodes: list[GlobalID | None]
    odd: Odd | None = strawberry.UNSET
    left: str | None = strawberry.UNSET


@strawberry.type
class Query:
    @strawberry.field
    def ask(self, even: Even) -> str:
        return repr(even)


def test_what_strawberry_checks_itself_stays_with_it() -> None:
    schema = strawberry.Schema(Query, config=StrawberryConfig(relay_max_results=1))
    asked = '{ ask(even: {node: "VXNlcjox", nodes: ["VXNlcjoy", null], odd: {maybe: 1}}) }'
    theirs = schema.execute_sync(asked)
    inputs.read_once(schema)
    assert Odd.__strawberry_definition__.from_input is None  # type: ignore[attr-defined]
    assert Even.__strawberry_definition__.from_input is not None  # type: ignore[attr-defined]
    assert theirs.errors is None
    assert schema.execute_sync(asked).data == theirs.data
    refused = schema.execute_sync('{ ask(even: {node: "VXNlcjox", nodes: [], odd: {maybe: null}}) }')
    assert refused.errors
