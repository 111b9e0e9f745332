"""What an operation did cost, counted in its answer by the weights of `cost`.

Only what has a weight is looked at, and a shape is compiled when an answer first has it, so that no document costs more
to count than its answer is large.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
)

from shoutgraph.api.graphql import cost
from shoutgraph.api.graphql.directives import RateLimited

Scoped = tuple[SelectionSetNode, GraphQLNamedType]
"""A selection set, and the type that it selects from."""


class Counter:
    """Counts the answers of one operation."""

    __slots__ = ("_fragments", "_root", "_schema")

    def __init__(
        self, schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        root = schema.get_root_type(operation.operation)
        assert root is not None, "the operation is valid"
        self._schema = schema
        self._fragments = fragments
        self._root = _Shape(self, [(operation.selection_set, root)])

    def of(self, data: Mapping[str, Any]) -> int:
        """What this answer costs."""
        return self._root.count(data)

    @property
    def doors(self) -> dict[str, tuple[int, int]]:
        """The root fields with a rate of their own: how often they are asked, and how often they may be in a minute."""
        found: dict[str, tuple[int, int]] = {}
        for fields in self.fields_of(self._root.sets).values():
            node, parent = fields[0]
            field = getattr(parent, "fields", {}).get(node.name.value)
            limited = None if field is None else cost.directive_of(field, RateLimited)
            if limited is not None:
                name = node.name.value
                found[name] = (found.get(name, (0, 0))[0] + 1, limited.per_minute)
        return found

    def fields_of(self, sets: Sequence[Scoped]) -> dict[str, list[tuple[FieldNode, GraphQLNamedType]]]:
        """The fields of some selection sets by the names under which they answer, with fragments written out."""
        found: dict[str, list[tuple[FieldNode, GraphQLNamedType]]] = {}
        seen: set[str] = set()
        left: list[tuple[SelectionNode, GraphQLNamedType]] = [
            (each, kind) for selection, kind in reversed(sets) for each in reversed(selection.selections)
        ]
        while left:
            node, kind = left.pop()
            if isinstance(node, FieldNode):
                found.setdefault((node.alias or node.name).value, []).append((node, kind))
                continue
            inner: InlineFragmentNode | FragmentDefinitionNode
            if isinstance(node, FragmentSpreadNode):
                if node.name.value in seen:
                    continue
                seen.add(node.name.value)
                inner = self._fragments[node.name.value]
            else:
                assert isinstance(node, InlineFragmentNode), "there are three kinds of selections"
                inner = node
            inside = self._schema.type_map[inner.type_condition.name.value] if inner.type_condition else kind
            left += [(each, inside) for each in reversed(inner.selection_set.selections)]
        return found


class _Shape:
    """The weighty fields of an object in the answer."""

    __slots__ = ("_counter", "_parts", "sets")

    def __init__(self, counter: Counter, sets: Sequence[Scoped]) -> None:
        self._counter = counter
        self._parts: list[_Part] | None = None
        self.sets: Final = sets

    @property
    def parts(self) -> "list[_Part]":
        if self._parts is None:
            made = [_part(self._counter, key, fields) for key, fields in self._counter.fields_of(self.sets).items()]
            self._parts = [each for each in made if each is not None]
        return self._parts

    def count(self, data: Mapping[str, Any]) -> int:
        total = 0
        for part in self.parts:
            value = data.get(part.key)
            if isinstance(value, list):
                total += part.own + part.count(value)
            elif value is not None:
                total += part.own
                if part.inner is not None and part.inner.parts:
                    total += part.inner.count(value)
        return total


class _Part:
    """One field: its own weight, that of each item, and what is inside."""

    __slots__ = ("each", "inner", "key", "own")

    def __init__(self, key: str, own: int, each: int, inner: _Shape | None) -> None:
        self.key: Final = key
        self.own: Final = own
        self.each: Final = each
        self.inner: Final = inner

    def count(self, items: Sequence[Any]) -> int:
        total = self.each * len(items)
        if self.inner is not None and self.inner.parts:
            for item in items:
                if isinstance(item, Mapping):
                    total += self.inner.count(item)
        return total


def _part(counter: Counter, key: str, fields: Sequence[tuple[FieldNode, GraphQLNamedType]]) -> _Part | None:
    node, _ = fields[0]
    if node.name.value.startswith("__"):
        return _Part(key, cost.INTROSPECTION, 0, None) if node.selection_set else None
    own = each = 0
    inside: list[Scoped] = []
    for node, parent in fields:
        field = parent.fields[node.name.value]  # type: ignore[attr-defined]
        weights = cost.weights_of(field, [arg.name.value for arg in node.arguments or ()])
        own, each = max(own, weights[0]), max(each, weights[1])
        if node.selection_set is not None:
            inside.append((node.selection_set, get_named_type(field.type)))
    if not (own or each or inside):
        return None
    return _Part(key, own, each, _Shape(counter, inside) if inside else None)
