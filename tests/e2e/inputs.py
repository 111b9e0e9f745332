"""Inputs by the schema: strategies for values of the right type that are mostly wrong in every other way."""

import string
from collections.abc import Callable, Mapping
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
        "after": (None,),
        "before": (None,),
        "cancelUrl": ("https://shop.example/back",),
        "coins": ("1000", 70, "350"),
        "country": ("DE",),
        "currency": ("EUR",),
        "expectedRevision": (None,),
        "expectedPrice": ("1000", 1000),
        "first": (None, 3),
        "handle": ("ada.l", "grace_h", "seller0"),
        "language": ("en",),
        "last": (None, None, None, 3),
        "languages": ("en", "de", "pt-BR"),
        "locale": ("en",),
        "mediaType": ("video/mp4",),
        "price": ("1000", "250"),
        "providerCode": ("sandbox", "sandbox-payouts"),
        "returnUrl": ("https://shop.example/back",),
        "sizeBytes": ("1000", 100_000),
    }
)
"""What a field of this name takes for good."""

Ids = Callable[[int, str], str]
"""An id by a number and the name of the field that wants it."""


def declared(argument: GraphQLArgument) -> str:
    """The type of a variable that may be left out where the argument may."""
    text = str(argument.type)
    return text if is_required_argument(argument) else text.removesuffix("!")


def of_arguments(root: str, given: Mapping[str, GraphQLArgument], ids: Ids) -> st.SearchStrategy[dict[str, object]]:
    """Values of all the arguments of a root field."""

    def values(name: str, argument: GraphQLArgument) -> st.SearchStrategy[object]:
        return of_field(argument.type, f"{root}Id" if name == "id" else name, ids)

    needed = {name: values(name, each) for name, each in given.items() if is_required_argument(each)}
    rest = {name: values(name, each) for name, each in given.items() if name not in needed}
    return st.fixed_dictionaries(needed, optional=rest)


def of_field(field: GraphQLInputField | GraphQLInputType, name: str, ids: Ids) -> st.SearchStrategy[object]:
    """Values of a field's type."""
    of = field.type if isinstance(field, GraphQLInputField) else field
    if isinstance(of, GraphQLNonNull):
        return _present(of.of_type, name, ids)
    return st.none() | _present(of, name, ids)


def _present(of: GraphQLInputType, name: str, ids: Ids) -> st.SearchStrategy[object]:
    match of:
        case GraphQLList():
            return st.lists(of_field(of.of_type, name, ids), max_size=7)
        case GraphQLEnumType():
            return st.sampled_from(sorted(of.values))
        case GraphQLInputObjectType() if of.is_one_of:
            return st.one_of(
                [
                    _present(field.type, key, ids).map(lambda value, key=key: {key: value})
                    for key, field in of.fields.items()
                ]
            )
        case GraphQLInputObjectType():
            return _object(of, ids)
    if of.name == "ID":
        return st.integers(0, 999).map(lambda at: ids(at, name))
    good = GOOD.get(name, ("Because.",) if of.name == "String" else ())
    return st.one_of(*[st.sampled_from(good)] * 4, SCALARS[of.name]) if good else SCALARS[of.name]


def _object(of: GraphQLInputObjectType, ids: Ids) -> st.SearchStrategy[object]:
    given = {name: of_field(field, name, ids) for name, field in of.fields.items()}
    needed = {name: each for name, each in given.items() if is_required_input_field(of.fields[name])}
    optional = {name: each for name, each in given.items() if name not in needed}
    return st.fixed_dictionaries(needed, optional=optional)


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
