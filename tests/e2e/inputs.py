"""Inputs by the schema: strategies for values of the right type that are mostly wrong in every other way."""

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)
from hypothesis import strategies as st

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
DEPTH = 3
"""How deep a selection goes."""

WORDS = (
    "", " ", "en", "de-AT", "ZZ", "XX", "null", "video/mp4", "javascript:alert(1)", "http://[", "//x", "@seller1",
    "\x00", "a\x00b", "\u202egnp", "\ufeff", "\ud7ff\ue000", "é" * 61, "🎂" * 30, "x" * 301, "x" * 1_001, "%s%n", "{}",
    "'; DROP TABLE orders; --",
)  # fmt: skip
"""Words that few fields take for good."""

GOOD: Mapping[str, tuple[object, ...]] = MappingProxyType(
    {
        "BigInt": ("1000",),
        "Boolean": (False, True),
        "Coins": ("1000", 70, "350"),
        "CurrencyCode": ("EUR",),
        "DateTime": ("2027-01-31T12:00:00Z",),
        "Int": (60, 7),
        "String": ("Because.",),
        "after": (None,),
        "before": (None,),
        "cancelUrl": ("https://shop.example/back",),
        "country": ("DE",),
        "expectedPrice": ("1000", 1000),
        "expectedRevision": (None,),
        "handle": ("ada.l", "grace_h", "seller0"),
        "language": ("en",),
        "languages": ("en", "de", "pt-BR"),
        "last": (None,),
        "locale": ("en",),
        "mediaType": ("video/mp4",),
        "providerCode": ("sandbox", "sandbox-payouts"),
        "returnUrl": ("https://shop.example/back",),
    }
)
"""What a field of this name, or else of this type, takes for good."""

Ids = Callable[[int, str, bool], str]
"""An id by a number and the name of the field that wants it; a wild one may be any text."""

FIELDS_MAX = 12
"""So many fields take turns at being the wrong one."""


@st.composite
def arguments(draw: st.DrawFn, root: str, given: Mapping[str, GraphQLArgument], ids: Ids) -> dict[str, object]:
    """Arguments of a root field: all of them wild, or all of them good except for one, or quite good."""
    maker = _Maker(draw, ids, wild_at=draw(st.integers(0, FIELDS_MAX)), all_wild=draw(st.integers(0, 3)) == 0)
    return maker.fields(given, root)


@dataclass
class _Maker:
    """Draws values; counts the leaves, so that one of them can be the wild one."""

    draw: st.DrawFn
    ids: Ids
    wild_at: int
    all_wild: bool
    leaves: int = 0

    def fields(
        self, given: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField], root: str
    ) -> dict[str, object]:
        """Values of the arguments of a field, or of the fields of an input."""
        made = {}
        for name, each in given.items():
            required = (
                is_required_argument(each) if isinstance(each, GraphQLArgument) else is_required_input_field(each)
            )
            if required or self.draw(st.booleans()):
                made[name] = self.value(each.type, f"{root}Id" if name == "id" else name)
        return made

    def value(self, of: GraphQLInputType, name: str) -> object:
        """A value of this type."""
        match of:
            case GraphQLNonNull():
                return self.value(of.of_type, name)
            case GraphQLList():
                return [
                    self.value(of.of_type, name) for _ in range(self.draw(st.integers(0, 7 if self.all_wild else 2)))
                ]
            case GraphQLEnumType():
                return self.draw(st.sampled_from(sorted(of.values)))
            case GraphQLInputObjectType() if of.is_one_of:
                key = self.draw(st.sampled_from(sorted(of.fields)))
                return {key: self.value(of.fields[key].type, key)}
            case GraphQLInputObjectType():
                return self.fields(of.fields, name)
        return self.leaf(of.name, name)

    def leaf(self, kind: str, name: str) -> object:
        """A scalar."""
        wild = self.all_wild or self.leaves == self.wild_at
        self.leaves += 1
        if kind == "ID":
            return self.ids(self.draw(st.integers(0, 999)), name, wild)
        good = GOOD.get(name) or GOOD.get(kind)
        return self.draw(SCALARS[kind] if wild or good is None else st.sampled_from(good))


def declared(argument: GraphQLArgument) -> str:
    """The type of a variable that may be left out where the argument may."""
    text = str(argument.type)
    return text if is_required_argument(argument) else text.removesuffix("!")


def _as_text(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[object]:
    return st.one_of(numbers.map(str), numbers)


_KEY = string.ascii_letters + string.digits + string.punctuation
_EDGES = (0, 1, 250, 999, 1_000, 1_200, 100_000, 10**15, 10**15 + 1, INT64_MAX)
_TIMES = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive

SCALARS: dict[str, st.SearchStrategy[object]] = {
    "Boolean": st.booleans(),
    "Int": st.sampled_from((0, 1, 2, 3, 60, 3_600, 86_400, 604_800, -1, INT_MIN, INT_MAX))
    | st.integers(INT_MIN, INT_MAX),
    "Coins": _as_text(st.sampled_from(_EDGES) | st.integers(0, INT64_MAX)),
    "BigInt": _as_text(st.sampled_from((*_EDGES, -1, INT64_MIN)) | st.integers(INT64_MIN, INT64_MAX)),
    "String": st.sampled_from(WORDS) | st.text(max_size=40),
    "DateTime": st.one_of(
        _TIMES.map(datetime.isoformat), st.sampled_from(("2027-01-31T12:00:00+23:59", "0001-01-01T00:00:00Z"))
    ),
    "CurrencyCode": st.sampled_from(("EUR", "USD", "JPY", "KWD", "CLF")),
    "IdempotencyKey": st.one_of(st.just("k" * 16), *[st.text(_KEY, min_size=16, max_size=64)] * 5),
}


def selection(of: GraphQLOutputType, depth: int = DEPTH) -> str:
    """Everything that can be selected without arguments, down to a depth."""
    named = get_named_type(of)
    if is_leaf_type(named):
        return ""
    if isinstance(named, GraphQLUnionType) and named.name.endswith("Error"):
        return " { __typename ... on UserError { code message path } }"
    if not isinstance(named, GraphQLObjectType) or depth == 0:
        return " { __typename }"
    plain = {
        name: field for name, field in named.fields.items() if not any(map(is_required_argument, field.args.values()))
    }
    return " { " + " ".join(name + selection(field.type, depth - 1) for name, field in plain.items()) + " }"
