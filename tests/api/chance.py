"""Documents by chance over a schema: aliases, fragments, conditions, arguments as literals and as variables."""

import json
import random
from collections.abc import Callable
from typing import Any, Final

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    Undefined,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

DEPTH: Final = 6
WORDS: Final = ("DE", "EUR", "en", "creator", "@creator", "a", "", "2026-01-01T00:00:00Z", "CREATOR_", 'é"\\\n')
WHOLE: Final = (1, 2, 3, 5, 20, 0, -1, 2026, 100)
RARE: Final = ("after", "before", "last", "filter", "userId", "creatorId")
"""Arguments with which most fields only refuse."""
FRESH: Final = {"providerHealth"}
"""Asks somebody else, who answers anew each time."""
Made = tuple[Any, str]
"""A value as JSON, and as a literal that may have variables in it."""


class Writer:
    """One document, with its variables."""

    def __init__(self, schema: GraphQLSchema, chance: random.Random, id_of: Callable[[str], str]) -> None:
        self._schema = schema
        self._chance = chance
        self._id_of = id_of
        self._count = 0
        self._declared: list[str] = []
        self._fragments: list[str] = []
        self.variables: dict[str, Any] = {}

    def query(self, root_fields: int) -> str:
        """A query of some root fields."""
        root = self._schema.query_type
        assert root is not None
        names = self._chance.sample(sorted(root.fields.keys() - FRESH), root_fields)
        body = " ".join(self._field(name, root.fields[name], DEPTH) for name in names)
        declared = f"({', '.join(self._declared)})" if self._declared else ""
        return f"query Chance{declared} {{ {body} }} {' '.join(self._fragments)}"

    def _name(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"

    def _likely(self, share: float) -> bool:
        return self._chance.random() < share

    # selections

    def _field(self, name: str, field: GraphQLField, depth: int) -> str:
        given = [self._argument(each, of) for each, of in field.args.items() if self._wanted(each, of)]
        alias = f"{self._name('f')}: " if given or self._likely(0.05) else ""
        arguments = f"({', '.join(given)})" if given else ""
        condition = self._condition() if alias else ""
        return f"{alias}{name}{arguments}{condition}{self._selection(get_named_type(field.type), depth - 1)}"

    def _selection(self, of: GraphQLNamedType, depth: int) -> str:
        if is_leaf_type(of):
            return ""
        parts: list[str] = []
        if isinstance(of, (GraphQLObjectType, GraphQLInterfaceType)):
            parts += self._fields(of, depth)
        if isinstance(of, (GraphQLInterfaceType, GraphQLUnionType)):
            kinds = sorted(self._schema.get_possible_types(of), key=lambda kind: kind.name)
            for kind in self._chance.sample(kinds, min(len(kinds), 4)):
                parts.append(self._fragment(kind.name, self._fields(kind, depth)))
        if self._likely(0.3) or not parts:
            parts.append("__typename")
        if self._likely(0.15):
            parts = [self._fragment(of.name, parts), self._chance.choice(parts)]
        return " { " + " ".join(parts) + " }"

    def _fields(self, of: GraphQLObjectType | GraphQLInterfaceType, depth: int) -> list[str]:
        share = 0.3 if len(of.fields) > 8 else 0.6
        parts = []
        for name, field in of.fields.items():
            kind = get_named_type(field.type)
            if self._likely(share if is_leaf_type(kind) else share * 0.6) and (depth > 0 or is_leaf_type(kind)):
                parts.append(self._field(name, field, depth))
        return parts or ["__typename"]

    def _fragment(self, kind: str, parts: list[str]) -> str:
        body = "{ " + " ".join(parts) + " }"
        if self._likely(0.7):
            return f"... on {kind}{self._condition()} {body}"
        name = self._name("Part")
        self._fragments.append(f"fragment {name} on {kind} {body}")
        return f"...{name}{self._condition()}"

    def _condition(self) -> str:
        if not self._likely(0.15):
            return ""
        word, value = self._chance.choice(("skip", "include")), self._likely(0.5)
        text = json.dumps(value)
        if self._likely(0.5):
            name = self._name("v")
            text = f"${name}"
            if self._likely(0.3):
                self._declared.append(f"{text}: Boolean! = {json.dumps(value)}")
            else:
                self._declared.append(f"{text}: Boolean!")
                self.variables[name] = value
        return f" @{word}(if: {text})"

    # arguments

    def _wanted(self, name: str, of: GraphQLArgument) -> bool:
        return is_required_argument(of) or self._likely(0.05 if name in RARE else 0.4)

    def _argument(self, name: str, of: GraphQLArgument) -> str:
        return f"{name}: {self._value(name, of, of.type)[1]}"

    def _value(self, name: str, place: GraphQLArgument | GraphQLInputField, of: Any) -> Made:
        value, text = self._make(name, of)
        if "$" in text or not self._likely(0.4):
            return value, text
        variable = self._name("v")
        self._declared.append(f"${variable}: {of}")
        required = isinstance(of, GraphQLNonNull)
        if required or self._likely(0.7):
            self.variables[variable] = value
        elif self._likely(0.3):
            default = "" if place.default_value is not Undefined or self._likely(0.5) else f" = {text}"
            self._declared[-1] += default
        return value, f"${variable}"

    def _make(self, name: str, of: Any) -> Made:
        if isinstance(of, GraphQLNonNull):
            return self._make(name, of.of_type)
        if isinstance(of, GraphQLList):
            items = [self._make(name, of.of_type) for _ in range(self._chance.randint(0, 3))]
            return [value for value, _ in items], f"[{', '.join(text for _, text in items)}]"
        if isinstance(of, GraphQLInputObjectType):
            return self._object(of)
        if isinstance(of, GraphQLEnumType):
            member = self._chance.choice(sorted(of.values))
            return member, member
        value = self._scalar(name, of.name)
        return value, json.dumps(value)

    def _object(self, of: GraphQLInputObjectType) -> Made:
        fields = {name: each for name, each in of.fields.items() if is_required_input_field(each) or self._likely(0.3)}
        if of.is_one_of:
            fields = dict([self._chance.choice(sorted(of.fields.items()))])
        made = {
            name: self._make(name, each.type) if of.is_one_of else self._value(name, each, each.type)
            for name, each in fields.items()
        }
        text = ", ".join(f"{name}: {literal}" for name, (_, literal) in made.items())
        return {name: value for name, (value, _) in made.items()}, "{" + text + "}"

    def _scalar(self, name: str, kind: str) -> object:
        match kind:
            case "ID":
                return self._id_of(name)
            case "Boolean":
                return self._likely(0.5)
            case "Int":
                return self._chance.choice(WHOLE if name != "first" else WHOLE[:5])
            case "Coins" | "BigInt":
                return str(self._chance.choice(WHOLE))
            case "CurrencyCode":
                return self._chance.choice(("EUR", "EUR", "USD", "XXX"))  # XXX: the code of no currency
            case _:
                return self._chance.choice(WORDS if name != "country" else WORDS[:1])
