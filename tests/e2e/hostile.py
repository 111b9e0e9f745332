"""Hostile requests: documents, bodies, heads and messages made to break a server, or to keep it busy.

Everything comes from one source of chance, so that a seed repeats it.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)

JSON: Final = "application/json"
GRAPHQL: Final = "application/graphql-response+json"
DEPTH: Final = 6
TEXTS: Final = (
    *("", " ", "\x00", "a\x00b", "\ud800", "\U0001f3c3", "e\u0301", "\u202e", "%s%n", "' OR 1=1 --", "../../etc"),
    *("order_01m817w1sve7s8q03q2a7qhqpy", "ORDER_01M817W1SVE7S8Q03Q2A7QHQPY", "order_" + "z" * 26, "djE6", "=" * 40),
    *("x" * 5_000, "9" * 400, "-1", "NaN", "1e309", "2026-02-30T25:61:61Z", "2026-01-31T12:00:00Z", "DE", "EUR"),
    "0001-01-01T00:00:00+23:59",
)
NUMBERS: Final = (0, -1, 1, 7, 100, 101, 2**31 - 1, 2**31, 2**53 + 1, 2**63, -(2**63) - 1, 10**60, 0.5, -0.0, 1e308)
ODD: Final = (None, True, [], {}, [[]], {"": None}, [None] * 50, {"a": {"a": {"a": 1}}})
HEADERS: Final[tuple[tuple[str, str], ...]] = (
    ("accept", "text/event-stream"),
    ("accept", "text/html"),
    ("accept", "*/*;q=0"),
    ("accept", "x" * 3_000),
    ("accept", ",".join(["a/b;q=x"] * 100)),
    ("content-encoding", "gzip"),
    ("content-type", "text/plain"),
    ("content-type", f"{JSON}; charset=utf-16"),
    ("content-type", f"{JSON};;;=;charset"),
    ("last-event-id", "9" * 99),
    ("last-event-id", "\u00ff"),
    ("x-request-id", "x" * 64),
    ("authorization", "Bearer x.y.z"),
    ("authorization", "Basic eA=="),
    ("authorization", "Bearer sk_" + "a" * 60),
    ("x-forwarded-for", "rubbish, 1.2.3.4"),
    ("content-length", "-5"),
    ("origin", "null"),
)


@dataclass(frozen=True)
class Hostile:
    """One request as it goes out."""

    method: str
    query: bytes
    headers: Mapping[str, str]
    content: bytes


@dataclass
class Maker:
    """Makes requests for a schema."""

    schema: GraphQLSchema
    chance: random.Random
    left_out: frozenset[str] = frozenset()
    _budget: int = field(default=0, init=False)

    def request(self) -> Hostile:
        """The next request."""
        chance = self.chance
        headers = {"content-type": JSON, "accept": GRAPHQL} | dict(
            [chance.choice(HEADERS)] if chance.random() < 0.2 else []
        )
        body = self._payload()
        content = json.dumps(body).encode()
        if chance.random() < 0.1:
            content = self._damaged(content)
        if chance.random() < 0.1 and isinstance(body, dict):
            named = {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}
            pairs = "&".join(f"{name}={_quoted(text[:1_000])}" for name, text in named.items())
            return Hostile("GET", pairs.encode(), headers, b"")
        method = chance.choice(("PUT", "DELETE", "HEAD", "OPTIONS", "BREW")) if chance.random() < 0.02 else "POST"
        return Hostile(method, b"", headers, content)

    def message(self, number: int) -> str:
        """The next message of a socket; most of them are operations."""
        chance = self.chance
        kind = chance.choice(("subscribe",) * 8 + ("ping", "pong", "complete"))
        return json.dumps(
            {"type": kind, "id": f"o{number}", "payload": self._payload() if kind == "subscribe" else None}
        )

    def _payload(self) -> Any:
        chance = self.chance
        if chance.random() < 0.04:
            return chance.choice(ODD + TEXTS + NUMBERS)
        document, variables = self._document()
        body: dict[str, Any] = {"query": document, "variables": variables}
        if chance.random() < 0.06:
            body[chance.choice(("query", "variables", "operationName", "extensions", "documentId"))] = self._anything()
        return body

    def _document(self) -> tuple[str, dict[str, Any]]:
        roll = self.chance.random()
        if roll < 0.25:
            return self.chance.choice(BOMBS)(self.chance), {}
        document, variables = self._walk()
        if roll < 0.5:
            document = self._torn(document)
        return document, variables

    def _walk(self) -> tuple[str, dict[str, Any]]:
        """A document that fits the schema, with arguments that need not."""
        kinds = {"query": self.schema.query_type, "mutation": self.schema.mutation_type}
        kinds |= {"subscription": self.schema.subscription_type} if self.chance.random() < 0.1 else {}
        kind = self.chance.choice([each for each, root in kinds.items() if root is not None])
        root = kinds[kind]
        assert root is not None, "it was chosen for that"
        names = [name for name in root.fields if name not in self.left_out]
        declared: list[str] = []
        variables: dict[str, Any] = {}
        self._budget = 60
        count = 1 if kind == "subscription" else self.chance.choice((1, 1, 2, 4))
        parts = []
        for at in range(count):
            name = self.chance.choice(names)
            args = []
            for arg, of in root.fields[name].args.items():
                if self.chance.random() < 0.7 or isinstance(of.type, GraphQLNonNull):
                    declared.append(f"$v{len(declared)}: {of.type}")
                    variables[f"v{len(variables)}"] = self._value(of.type, 0)
                    args.append(f"{arg}: $v{len(declared) - 1}")
            given = f"({', '.join(args)})" if args else ""
            parts.append(f"a{at}: {name}{given}{self._selection(root.fields[name], 1)}")
        head = f"({', '.join(declared)})" if declared else ""
        return f"{kind} Q{head} {{ {' '.join(parts)} }}", variables

    def _selection(self, of: GraphQLField, depth: int) -> str:
        kind = get_named_type(of.type)
        if is_leaf_type(kind):
            return ""
        return f" {{ __typename {' '.join(self._fields(kind, depth))} }}"

    def _fields(self, kind: Any, depth: int) -> Iterator[str]:
        if isinstance(kind, GraphQLUnionType):
            for each in kind.types:
                if self.chance.random() < 0.5:
                    yield f"... on {each.name} {{ __typename {' '.join(self._fields(each, depth + 1))} }}"
            return
        assert isinstance(kind, GraphQLObjectType | GraphQLInterfaceType), "it has fields"
        for name, of in kind.fields.items():
            leaf = is_leaf_type(get_named_type(of.type))
            required = any(isinstance(arg.type, GraphQLNonNull) for arg in of.args.values())
            if required or self._budget <= 0 or self.chance.random() > (0.3 if leaf else 0.3 / depth):
                continue
            if leaf or depth < DEPTH:
                self._budget -= 1
                first = f"(first: {self.chance.choice((0, 1, 3, 100, 101, -1))})" if "first" in of.args else ""
                yield f"{name}{first}{self._selection(of, depth + 1)}"

    def _value(self, kind: Any, depth: int) -> Any:
        chance = self.chance
        if chance.random() < 0.08:
            return self._anything()
        if isinstance(kind, GraphQLNonNull):
            return self._value(kind.of_type, depth)
        return None if chance.random() < 0.1 else self._full_value(kind, depth)

    def _full_value(self, kind: Any, depth: int) -> Any:
        chance = self.chance
        if isinstance(kind, GraphQLList):
            return [
                self._value(kind.of_type, depth + 1) for _ in range(chance.choice((0, 1, 3, 30 if depth < 2 else 1)))
            ]
        if isinstance(kind, GraphQLInputObjectType):
            return {name: self._value(of.type, depth + 1) for name, of in kind.fields.items() if chance.random() < 0.9}
        if isinstance(kind, GraphQLEnumType):
            return chance.choice(list(kind.values))
        assert isinstance(kind, GraphQLScalarType), "there are no other inputs"
        return chance.choice(
            {"Int": NUMBERS, "Float": NUMBERS, "Boolean": (True, False)}.get(kind.name, TEXTS + NUMBERS)
        )

    def _anything(self) -> Any:
        return self.chance.choice(TEXTS + NUMBERS + ODD)

    def _torn(self, document: str) -> str:
        """The document with some of its words lost, repeated or swapped, and rubbish between them."""
        words = document.split(" ")
        for _ in range(self.chance.randrange(1, 4)):
            at, other = self.chance.randrange(len(words)), self.chance.randrange(len(words))
            change = self.chance.randrange(4)
            if change == 0 and len(words) > 1:
                del words[at]
            elif change == 1:
                words[at:at] = [words[at]] * self.chance.choice((1, 60))
            elif change == 2:
                words[at], words[other % len(words)] = words[other % len(words)], words[at]
            else:
                words.insert(at, self.chance.choice((*RUBBISH, str(self._anything())[:200])))
        return " ".join(words)

    def _damaged(self, content: bytes) -> bytes:
        spoilt = bytearray(content)
        for _ in range(self.chance.randrange(1, 5)):
            spoilt[self.chance.randrange(len(spoilt))] = self.chance.randrange(256)
        whole = bytes(spoilt)
        cut, doubled, wide = whole[: self.chance.randrange(len(whole))], whole * 2, content.decode().encode("utf-16")
        return self.chance.choice(
            (whole, cut, doubled, wide, b"[" * 60_000, b'{"a":' * 9_000, b"\xff" * 100, b"x" * 70_000)
        )


RUBBISH: Final = (
    *(
        "}",
        "{",
        "(",
        ")",
        "$",
        "@include(if: true)",
        "@skip(if: $x)",
        "@deprecated",
        "...",
        '"',
        '"""',
        "#",
        "\ufeff",
        "&",
    ),
    *("... on Query { __typename }", "\x00", "on", "null", "fragment F on Query { ...F }", "query", "subscription"),
    "__schema { types { name } }",
)


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "surrogatepass"))


def _depth(chance: random.Random) -> str:
    count = chance.choice((13, 100, 700))
    return "{ creators { nodes " + "{ offers { creator " * count + "{ id }" + " } }" * count + " } }"


def _aliases(chance: random.Random) -> str:
    return "{ " + " ".join(f"a{at}: __typename" for at in range(chance.choice((31, 400, 900)))) + " }"


def _spreads(chance: random.Random) -> str:
    count = chance.choice((5, 40, 120))
    made = " ".join(f"fragment F{at} on Query {{ ...F{at + 1} ... {{ ...F{at + 1} }} }}" for at in range(count))
    end = chance.choice(("viewer { __typename }", "...F0", "...Gone"))
    return f"{{ ...F0 ...F0 }} {made} fragment F{count} on Query {{ {end} }}"


def _unknown(chance: random.Random) -> str:
    return "{ " + " ".join(f"nothing{at}" for at in range(chance.choice((50, 900, 1_900)))) + " }"


def _repeated(chance: random.Random) -> str:
    return "{ " + "creators { nodes { id handle } } " * chance.choice((40, 60, 200)) + "}"


def _literals(chance: random.Random) -> str:
    deep = ("[" * 300 + "]" * 300, "{a: " * 200 + "1" + "}" * 200)
    inner = chance.choice((*deep, '"' + "\\u0000" * 500 + '"', "9" * 3_000, "$x", "1.5e999"))
    return f"{{ creators(first: {inner}) {{ nodes {{ id }} }} node(id: {inner}) {{ id }} }}"


def _operations(chance: random.Random) -> str:
    return " ".join(f"query Q{at % 7} {{ __typename }}" for at in range(chance.choice((2, 100, 300))))


def _looks(_chance: random.Random) -> str:
    return "{ __schema { types { fields { type { ofType { ofType { ofType { fields { name } } } } } } } } }"


def _dear(chance: random.Random) -> str:
    size = chance.choice((1, 100, 2_147_483_647))
    return (
        f"{{ creators(first: {size}) {{ nodes {{ offers {{ creator {{ offers {{ creator {{ handle }} }} }} }} }} }} }}"
    )


def _mutations(_chance: random.Random) -> str:
    return (
        "mutation { "
        + " ".join(f'm{at}: orderCancel(input: {{orderId: "x"}}) {{ replayed }}' for at in range(6))
        + " }"
    )


def _text(chance: random.Random) -> str:
    ends = (range(32, 127), range(0xD7FF))
    return "".join(chr(chance.choice(chance.choice(ends))) for _ in range(chance.randrange(600)))


def _comments(_chance: random.Random) -> str:
    return "#\n" * 3_000 + "{ __typename }"


BOMBS: Final[tuple[Callable[[random.Random], str], ...]] = (
    _depth, _aliases, _spreads, _unknown, _repeated, _literals, _operations, _looks, _dear, _mutations, _text, _comments
)  # fmt: skip
