"""The conventions of the graph as a linter over its SDL: every rule gives the places that break it."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from graphql import (
    DirectiveNode,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLType,
    GraphQLUnionType,
    NullValueNode,
    get_named_type,
    is_introspection_type,
    is_leaf_type,
    is_specified_directive,
    is_specified_scalar_type,
)
from tests.api.exemptions import LONE_IDS, NO_KEY, NO_REVISION

SUBJECTS: Final = (
    *("apiKey", "campaign", "creator", "debt", "feature", "gift", "money", "offer", "order", "payout", "policy"),
    *(
        "price",
        "promo",
        "rating",
        "sample",
        "spending",
        "suspense",
        "tax",
        "testClock",
        "webhook",
        "topUp",
        "user",
        "video",
        "waitlist",
        "wallet",
    ),
    *("dataExport", "erasure", "report", "appeal", "closure", "ledger"),
)
"""What the names of mutations begin with."""

NEVER: Final = ("talent", "product", "booking", "gateway", "payment", "transaction", "account", "offset", "listing")
"""Words that the glossary has another word for."""

WHOLE_NUMBERS: Final = re.compile(
    r"(first|last|count|value|days|minimumAge|exponent|version|width|height|expectedVersion|policyVersion|seconds|\w*(Seconds|Milliseconds|Days|BasisPoints"
    r"|Hundredths|Revision|OrdersMax|Count)|revision|ratingMin|stars|sum|assumedSize|quantity(Max)?|rank|\w+CharsMax|position|ordersMax|number|year|open|max|kept|waiting|free)"
)
"""Names that say a unit which 32 bits are enough for."""

INSTANTS: Final = re.compile(r"at|since|until|now|serverTime|\w+(At|Until|Since)")
_PASCAL: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
_CAMEL: Final = re.compile(r"[a-z][A-Za-z0-9]*")
_UPPER: Final = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_AFFIX: Final = re.compile(r"(Enum|Type|Interface).*|.*(Enum|Type|Interface|Object|Union|Scalar)")
_PAST: Final = re.compile(r"\w+(ed|Sent|Paid)Event")
_DATED: Final = re.compile(r".+\. Removal on or after \d{4}-\d{2}-\d{2}\.")
_URL: Final = re.compile(r"https://\S+")

Finding = str
Rule = Callable[[GraphQLSchema], Iterator[Finding]]


def types_of(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    """The types that are ours."""
    every = schema.type_map.values()
    return [each for each in every if not is_introspection_type(each) and not is_specified_scalar_type(each)]


def roots_of(schema: GraphQLSchema) -> list[GraphQLObjectType]:
    return [root for root in (schema.query_type, schema.mutation_type, schema.subscription_type) if root]


def fields_of(schema: GraphQLSchema) -> Iterator[tuple[str, str, GraphQLField]]:
    """Each output field with its type and name."""
    for kind in types_of(schema):
        if isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)):
            for name, field in kind.fields.items():
                yield kind.name, name, field


def inputs_of(schema: GraphQLSchema) -> Iterator[tuple[str, str, Any]]:
    """Each input field and each argument with where it is and its name."""
    for kind in types_of(schema):
        if isinstance(kind, GraphQLInputObjectType):
            for name, each in kind.fields.items():
                yield kind.name, name, each
    for of, name, field in fields_of(schema):
        for argument, each in field.args.items():
            yield f"{of}.{name}", argument, each


def values_of(schema: GraphQLSchema) -> Iterator[tuple[str, str, GraphQLEnumValue]]:
    """Each value of an enumeration with its type and name."""
    for kind in types_of(schema):
        if isinstance(kind, GraphQLEnumType):
            for name, value in kind.values.items():
                yield kind.name, name, value


def mutations_of(schema: GraphQLSchema) -> Iterator[tuple[str, GraphQLField, GraphQLObjectType, dict[str, Any]]]:
    """Each mutation that is shaped well enough: its name, field, payload, and the fields of its input."""
    for name, field in (schema.mutation_type.fields if schema.mutation_type else {}).items():
        payload, takes = field.type, schema.type_map.get(f"{titled(name)}Input")
        if isinstance(payload, GraphQLObjectType) and isinstance(takes, GraphQLInputObjectType):
            yield name, field, payload, takes.fields


def names(schema: GraphQLSchema) -> Iterator[Finding]:
    for kind in types_of(schema):
        if not _PASCAL.fullmatch(kind.name):
            yield f"{kind.name} is not PascalCase"
        if _AFFIX.fullmatch(kind.name):
            yield f"{kind.name} says what kind of type it is"
    for of, name, _ in values_of(schema):
        if not _UPPER.fullmatch(name):
            yield f"{of}.{name} is not UPPER_CASE"
    for of, name, _ in (*fields_of(schema), *inputs_of(schema)):
        if not _CAMEL.fullmatch(name):
            yield f"{of}.{name} is not camelCase"


def words(schema: GraphQLSchema) -> Iterator[Finding]:
    found = [kind.name for kind in types_of(schema)]
    found += [f"{of}.{name}" for of, name, _ in (*fields_of(schema), *inputs_of(schema))]
    for name in found:
        parts = {part.lower() for part in re.findall(r"[A-Z]?[a-z0-9]+", name)}
        yield from (f"{name}: {word} is not our word" for word in NEVER if word in parts)


def suffixes(schema: GraphQLSchema) -> Iterator[Finding]:
    given = schema.mutation_type.fields.values() if schema.mutation_type else ()
    payloads = {get_named_type(field.type).name for field in given}
    for kind in types_of(schema):
        if isinstance(kind, GraphQLInputObjectType) != kind.name.endswith("Input"):
            yield f"{kind.name}: inputs, and only they, end in Input"
        if (kind.name in payloads) != kind.name.endswith("Payload"):
            yield f"{kind.name}: what mutations give, and only that, ends in Payload"


def families(schema: GraphQLSchema) -> Iterator[Finding]:
    """Errors, events and pages are named after what they are."""
    for kind in types_of(schema):
        if not isinstance(kind, GraphQLObjectType):
            continue
        implements = {each.name for each in kind.interfaces}
        if ("UserError" in implements) != kind.name.endswith("Error"):
            yield f"{kind.name}: errors, and only they, end in Error and implement UserError"
        if ("Event" in implements) != kind.name.endswith("Event"):
            yield f"{kind.name}: events, and only they, end in Event"
        if "Event" in implements and not _PAST.fullmatch(kind.name):
            yield f"{kind.name}: an event is in the past tense"
        if ({"edges", "pageInfo"} <= set(kind.fields)) != kind.name.endswith("Connection"):
            yield f"{kind.name}: pages, and only they, end in Connection"


def described(schema: GraphQLSchema) -> Iterator[Finding]:
    """Everything says what it is; of directives' arguments, Strawberry prints no description."""
    said = [(kind.name, kind.description) for kind in types_of(schema)]
    said += [(f"{of}.{name}", each.description) for of, name, each in (*fields_of(schema), *inputs_of(schema))]
    said += [(f"{of}.{name}", value.description) for of, name, value in values_of(schema)]
    ours = [each for each in schema.directives if not is_specified_directive(each)]
    said += [(f"@{directive.name}", directive.description) for directive in ours]
    yield from (f"{place} is not described" for place, description in said if not description)


def mutations(schema: GraphQLSchema) -> Iterator[Finding]:
    """One argument `input: <Name>Input!`, a nullable payload, and a name that begins with its subject."""
    for name, field in (schema.mutation_type.fields if schema.mutation_type else {}).items():
        title = titled(name)
        if {argument: str(each.type) for argument, each in field.args.items()} != {"input": f"{title}Input!"}:
            yield f"{name} takes something else than input: {title}Input!"
        if str(field.type) != f"{title}Payload":
            yield f"{name} gives something else than a nullable {title}Payload"
        if not name.startswith(SUBJECTS) or name in SUBJECTS:
            yield f"{name} does not begin with what it is about"
        if not _directive(field, "cost"):
            yield f"{name} does not say what it costs"


def refusals(schema: GraphQLSchema) -> Iterator[Finding]:
    """Payloads list the members of a union of their own, each a UserError; their other fields are nullable."""
    for name, _field, payload, _takes in mutations_of(schema):
        union = f"{titled(name)}Error"
        errors = payload.fields.get("errors")
        if errors is None or str(errors.type) != f"[{union}!]!":
            yield f"{payload.name} has no errors: [{union}!]!"
        elif not isinstance(schema.type_map[union], GraphQLUnionType):
            yield f"{union} is no union"
        for other, field in payload.fields.items():
            if other not in {"errors", "replayed"} and isinstance(field.type, GraphQLNonNull):
                yield f"{payload.name}.{other} is not nullable"


def user_errors(schema: GraphQLSchema) -> Iterator[Finding]:
    """Whatever a mutation may refuse with has a code, a message and a path."""
    shape = {"code": "String!", "message": "String!", "path": "[String!]"}
    found = schema.type_map.get("UserError")
    if isinstance(found, GraphQLInterfaceType) and _types(found.fields) != shape:
        yield "UserError has something else than code, message and path"
    unions = [kind for kind in types_of(schema) if isinstance(kind, GraphQLUnionType) and kind.name.endswith("Error")]
    for union in unions:
        for member in union.types:
            if "UserError" not in {each.name for each in member.interfaces}:
                yield f"{union.name}: {member.name} is no UserError"


def repeats(schema: GraphQLSchema) -> Iterator[Finding]:
    """What moves coins or money, or calls a provider, takes a key and says whether it was a repeat."""
    for name, _field, payload, takes in mutations_of(schema):
        key = takes.get("idempotencyKey")
        if name in NO_KEY:
            if key is not None:
                yield f"{name} has a key, and NO_KEY says that it has none"
        elif key is None or str(key.type) != "IdempotencyKey!":
            yield f"{name} has no idempotencyKey: IdempotencyKey!"
        said = payload.fields.get("replayed")
        if (key is not None) != (said is not None and str(said.type) == "Boolean!"):
            yield f"{payload.name}: replayed: Boolean! stands beside a key, and only there"


def revisions(schema: GraphQLSchema) -> Iterator[Finding]:
    """What changes an object with a revision takes the one that the caller read."""
    for name, _field, payload, takes in mutations_of(schema):
        expected = takes.get("expectedRevision")
        if expected is not None and str(expected.type) != "Int":
            yield f"{name}: expectedRevision is a nullable Int"
        changed = [get_named_type(field.type) for of, field in payload.fields.items() if f"{of}Id" in takes]
        revised = any(isinstance(each, GraphQLObjectType) and "revision" in each.fields for each in changed)
        made = name.endswith(("Create", "Draft", "Place"))
        if revised and not made and (expected is None) != (name in NO_REVISION):
            yield f"{name}: takes an expectedRevision, or NO_REVISION says why not"


def nullability(schema: GraphQLSchema) -> Iterator[Finding]:
    """A failure at a root, or of a scope, must not take its neighbours along."""
    for root in (schema.query_type, schema.mutation_type):
        for name, field in (root.fields if root else {}).items():
            if isinstance(field.type, GraphQLNonNull) and not is_leaf_type(field.type.of_type):
                yield f"{name} is a root field and not nullable"
    for of, name, field in fields_of(schema):
        if _directive(field, "requiresScope") and isinstance(field.type, GraphQLNonNull):
            yield f"{of}.{name} may be denied and is not nullable"


def lists(schema: GraphQLSchema) -> Iterator[Finding]:
    """Lists are pages, or say how long they can be; their items are never null, but for nodes."""
    for of, name, field in fields_of(schema):
        listed = _list_of(field.type)
        if listed is None:
            continue
        if not isinstance(listed.of_type, GraphQLNonNull) and (of, name) != ("Query", "nodes"):
            yield f"{of}.{name} can hold null"
        bounded = of.endswith("Connection") or (of.endswith("Payload") and name == "errors") or name == "path"
        if not bounded and not _sized(field):
            yield f"{of}.{name} does not say how long it can be"


def connections(schema: GraphQLSchema) -> Iterator[Finding]:
    """Connections are Relay's, with nodes beside edges."""
    for kind in types_of(schema):
        if isinstance(kind, GraphQLObjectType) and kind.name.endswith("Connection"):
            stem = kind.name.removesuffix("Connection")
            edge = schema.type_map.get(f"{stem}Edge")
            inside = _types(edge.fields) if isinstance(edge, GraphQLObjectType) else {}
            shape = {"nodes": f"[{stem}!]!", "edges": f"[{stem}Edge!]!", "pageInfo": "PageInfo!"}
            if not shape.items() <= _types(kind.fields).items() or inside != {"cursor": "String!", "node": f"{stem}!"}:
                yield f"{kind.name} is not a connection"


def pages(schema: GraphQLSchema) -> Iterator[Finding]:
    """What gives a connection takes first and after, and last and before together, and says its size."""
    for of, name, field in fields_of(schema):
        if not get_named_type(field.type).name.endswith("Connection"):
            continue
        taken = _types(field.args)
        pairs = [taken.get("first") == "Int", taken.get("after") == "String"]
        back = [taken.get("last") == "Int", taken.get("before") == "String"]
        if not all(pairs) or any(back) != all(back):
            yield f"{of}.{name} is not paged by first and after, or last and before"
        if not _sized(field):
            yield f"{of}.{name} does not say how long it can be"


def numbers(schema: GraphQLSchema) -> Iterator[Finding]:
    """No Float; no Int where 32 bits could be too few; instants are instants."""
    for of, name, each in (*fields_of(schema), *inputs_of(schema)):
        kind = get_named_type(each.type).name
        if kind == "Float":
            yield f"{of}.{name} is a Float"
        if kind == "Int" and not WHOLE_NUMBERS.fullmatch(name):
            yield f"{of}.{name} is an Int, and its name says no unit that fits"
        if (kind == "DateTime") != bool(INSTANTS.fullmatch(name)):
            yield f"{of}.{name}: instants, and only they, are named as such"


def identity(schema: GraphQLSchema) -> Iterator[Finding]:
    """Ids are ID, and nodes have one."""
    for of, name, each in (*fields_of(schema), *inputs_of(schema)):
        kind = get_named_type(each.type).name
        if (kind == "ID") != (name in {"id", "ids"} or name.endswith(("Id", "Ids"))):
            yield f"{of}.{name}: ids, and only they, are ID"
        if name == "id" and kind == "ID" and str(each.type) != "ID!" and not of.endswith("Input"):
            yield f"{of}.id is not ID!"


def references(schema: GraphQLSchema) -> Iterator[Finding]:
    """An id stands beside the object that it names."""
    for of, name, _ in fields_of(schema):
        beside = getattr(schema.type_map[of], "fields", {})
        if name.endswith("Id") and name.removesuffix("Id") not in beside and f"{of}.{name}" not in LONE_IDS:
            yield f"{of}.{name} stands without what it names"


def actions(schema: GraphQLSchema) -> Iterator[Finding]:
    """One mutation per thing that people do: none takes the state to put something into."""
    for name, _field, _payload, takes in mutations_of(schema):
        for taken, each in takes.items():
            if get_named_type(each.type).name.endswith(("Status", "State")):
                yield f"{name}.{taken} chooses a state"


def evolution(schema: GraphQLSchema) -> Iterator[Finding]:
    """Deprecations say what to use and until when; scalars say where they are specified."""
    for of, name, each in (*fields_of(schema), *inputs_of(schema), *values_of(schema)):
        if each.deprecation_reason is not None and not _DATED.fullmatch(each.deprecation_reason):
            yield f"{of}.{name} is deprecated without a date"
    for kind in types_of(schema):
        if isinstance(kind, GraphQLScalarType) and not _URL.fullmatch(kind.specified_by_url or ""):
            yield f"{kind.name} does not say where it is specified"


def defaults(schema: GraphQLSchema) -> Iterator[Finding]:
    """An input that may be left out is nullable, or has a default that is not null."""
    for of, name, each in inputs_of(schema):
        if isinstance(each.ast_node.default_value, NullValueNode):
            yield f"{of}.{name} has a default of null"


RULES: Final[tuple[Rule, ...]] = (
    names,
    words,
    suffixes,
    families,
    described,
    mutations,
    refusals,
    user_errors,
    repeats,
    revisions,
    nullability,
    lists,
    connections,
    pages,
    numbers,
    identity,
    references,
    actions,
    evolution,
    defaults,
)


def stale_exemptions(schema: GraphQLSchema) -> list[Finding]:
    """Exemptions of what is no longer there."""
    mutations = set(schema.mutation_type.fields) if schema.mutation_type else set()
    fields = {f"{of}.{name}" for of, name, _ in fields_of(schema)}
    return sorted((set(NO_KEY) | set(NO_REVISION)) - mutations) + sorted(set(LONE_IDS) - fields)


def titled(name: str) -> str:
    """A mutation's name as its types begin."""
    return name[0].upper() + name[1:]


def _directive(field: GraphQLField, name: str) -> DirectiveNode | None:
    found = field.ast_node.directives if field.ast_node else ()
    return next((each for each in found or () if each.name.value == name), None)


def _sized(field: GraphQLField) -> bool:
    """Whether the SDL says how long a list can be."""
    sizes = _directive(field, "listSize")
    return sizes is not None and bool(
        {each.name.value for each in sizes.arguments} & {"assumedSize", "slicingArguments"}
    )


def _types(fields: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(field.type) for name, field in fields.items()}


def _list_of(kind: GraphQLType) -> GraphQLList[Any] | None:
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    return inner if isinstance(inner, GraphQLList) else None
