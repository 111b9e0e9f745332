"""What an operation may cost at most, by the weights and list sizes that the schema shows.

An object costs 1 and a scalar nothing, unless `@cost` says otherwise; a list multiplies what is inside it by its
slicing argument, or else by the size that `@listSize` assumes. Of several types at one place the dearest counts.
Source: the IBM GraphQL cost specification.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import strawberry
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
)

from shoutgraph.api.failures import Code, FailureError
from shoutgraph.api.graphql.directives import Cost, ListSize

COST_MAX: Final = 3_000
"""Enough for the largest page of any list with two objects and a short list in each item."""
PRODUCT_MAX: Final = 10_000
"""How many items nested lists may come to, multiplied along one path."""
LIST_ASSUMED: Final = 10
"""The size of a list of objects that says nothing of its size."""
PAGE_ASSUMED: Final = 20
"""The size of a list whose slicing argument is left out, where `@listSize` assumes none: the default page."""
INTROSPECTION: Final = 100
"""What `__schema` and `__type` cost."""
KEPT_MAX: Final = 64
"""Different page sizes of one operation whose cost is kept."""
BIG: Final = 10**9
"""Where costs stop growing."""

Variables = Mapping[str, Any]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Weight:
    """The cost of a part of an operation, and the largest product of list sizes inside it.

    `dearest` and `widest` are the paths that bring these about.
    """

    cost: int = 0
    product: int = 1
    dearest: Path = ()
    widest: Path = ()


NOTHING: Final = Weight()


class Run:
    """One weighing: the variables, and what fragments were found to cost."""

    __slots__ = ("fragments", "variables")

    def __init__(self, variables: Variables) -> None:
        self.variables: Final = variables
        self.fragments: Final[dict[object, Weight]] = {}


Weigh = Callable[[Run], Weight]
Size = Callable[[Run], int]
Sizes = Mapping[str, Size]
"""The sizes that a field gives to the lists inside it, by their names."""
NONE_GIVEN: Final[Sizes] = {}


class OperationCost:
    """The cost of one operation for the page sizes that its variables give."""

    __slots__ = ("_kept", "_names", "_weigh")

    def __init__(
        self, schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        root = schema.get_root_type(operation.operation)
        assert root is not None, "the operation is valid"
        compiler = _Compiler(schema, operation, fragments)
        self._weigh = compiler.of(operation.selection_set, root, NONE_GIVEN)
        self._names = tuple(sorted(compiler.slicing))
        self._kept: dict[tuple[object, ...], Weight] = {}

    def of(self, variables: Variables) -> Weight:
        """The cost with these variables.

        Raises:
            FailureError: the document is nested too deeply to be weighed.
        """
        key = tuple([_plain(variables.get(name, _ABSENT)) for name in self._names])
        found = self._kept.get(key)
        if found is None:
            try:
                found = self._weigh(Run(variables))
            except RecursionError:
                raise FailureError(Code.DOCUMENT_LIMIT, "The document is nested too deeply.") from None
            if len(self._kept) < KEPT_MAX:
                self._kept[key] = found
        return found

    def check(self, variables: Variables) -> Weight:
        """The cost with these variables, unless it is too much.

        Raises:
            FailureError: its cost, or the product of its lists, is above the limit.
        """
        weight = self.of(variables)
        if weight.product > PRODUCT_MAX:
            message = f"Nested lists come to {weight.product} items, and may come to {PRODUCT_MAX}."
            where = list(weight.widest)
            raise FailureError(Code.COST_EXCEEDED, message, product=weight.product, limit=PRODUCT_MAX, selection=where)
        if weight.cost > COST_MAX:
            message = f"This costs {weight.cost}, and an operation may cost {COST_MAX}."
            where = list(weight.dearest)
            raise FailureError(Code.COST_EXCEEDED, message, cost=weight.cost, limit=COST_MAX, selection=where)
        return weight


_ABSENT: Final = object()


def _plain(value: object) -> object:
    return len(value) if isinstance(value, (list, dict, str)) else value


class _Compiler:
    def __init__(
        self, schema: GraphQLSchema, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._compiled: dict[object, Weigh] = {}
        self._defaults = {
            each.variable.name.value: _size_of_literal(each.default_value)
            for each in operation.variable_definitions or ()
        }
        self.slicing: set[str] = set()
        self._alive: list[Sizes] = []
        """Keeps the ids of sizes from being used twice."""

    def of(self, selections: SelectionSetNode | None, parent: GraphQLNamedType, sizes: Sizes) -> Weigh:
        """The cost of a selection set: what every type costs, and the dearest of what only some do."""
        common: list[Weigh] = []
        by_type: dict[str, list[Weigh]] = {}
        for each in selections.selections if selections else ():
            if isinstance(each, FieldNode):
                common.append(self._of_field(each, parent, sizes))
            elif isinstance(each, (InlineFragmentNode, FragmentSpreadNode)):
                kind, weigh = self._of_fragment(each, parent, sizes)
                only_some = isinstance(kind, GraphQLObjectType) and kind is not parent
                (by_type.setdefault(kind.name, []) if only_some else common).append(weigh)
        return _together(common, list(by_type.values()))

    def _of_fragment(
        self, node: InlineFragmentNode | FragmentSpreadNode, parent: GraphQLNamedType, sizes: Sizes
    ) -> tuple[GraphQLNamedType, Weigh]:
        if isinstance(node, InlineFragmentNode):
            kind = self._schema.type_map[node.type_condition.name.value] if node.type_condition else parent
            return kind, self.of(node.selection_set, kind, sizes)
        name = node.name.value
        fragment = self._fragments[name]
        kind = self._schema.type_map[fragment.type_condition.name.value]
        key = (name, id(sizes))
        if key not in self._compiled:
            self._compiled[key] = _once(key, self.of(fragment.selection_set, kind, sizes))
        return kind, self._compiled[key]

    def _of_field(self, node: FieldNode, parent: GraphQLNamedType, sizes: Sizes) -> Weigh:
        name = node.name.value
        if name.startswith("__"):
            weight = Weight(INTROSPECTION, dearest=(name,)) if node.selection_set else Weight()
            return lambda _run: weight
        field: GraphQLField = parent.fields[name]  # type: ignore[attr-defined]
        kind = get_named_type(field.type)
        listed = directive_of(field, ListSize)
        size = self._size_of(node, field, listed) if listed else None
        sized = set(listed.sized_fields or ()) if listed else set()
        inside_sizes: Sizes = dict.fromkeys(sized, size) if size and sized else NONE_GIVEN
        self._alive.append(inside_sizes)
        inside = self.of(node.selection_set, kind, inside_sizes)
        own, each = weights_of(field, [arg.name.value for arg in node.arguments or ()])
        key = (node.alias or node.name).value
        if not is_list(field):
            return _of_one(key, own, inside)
        if name in sizes:
            size = sizes[name]
        elif size is None:
            size = _fixed(LIST_ASSUMED if node.selection_set else 1)
        return _of_list(key, (own, each), size, inside)

    def _size_of(self, node: FieldNode, field: GraphQLField, listed: ListSize) -> Size:
        """The size by the slicing argument that is given, else by what is assumed."""
        assumed = listed.assumed_size if isinstance(listed.assumed_size, int) else PAGE_ASSUMED
        names = set(listed.slicing_arguments or ()) if listed.slicing_arguments is not strawberry.UNSET else set()
        given = [each for each in node.arguments or () if each.name.value in names]
        readers = [
            self._size_of_argument(each.value, 1 if _takes_list(field, each.name.value) else assumed) for each in given
        ]
        if not readers:
            return _fixed(assumed)
        return lambda run: max(reader(run) for reader in readers)

    def _size_of_argument(self, value: ValueNode, otherwise: int) -> Size:
        """The size that an argument gives, as GraphQL coerces it: one value for a list is a list of one.

        Args:
            otherwise: where it is null, or no number.
        """
        if not isinstance(value, VariableNode):
            size = _size_of_literal(value)
            return _fixed(otherwise if size is None else size)
        name = value.name.value
        self.slicing.add(name)
        default = self._defaults.get(name)
        absent = otherwise if default is None else default

        def read(run: Run) -> int:
            if name not in run.variables:
                return absent
            given = run.variables[name]
            if isinstance(given, list):
                return len(given)
            if type(given) is float and given.is_integer():
                given = int(given)
            return min(max(given, 0), BIG) if type(given) is int else otherwise

        return read


def _weight(key: str, cost: int, product: int, within: Weight) -> Weight:
    dearest = (key, *within.dearest) if cost else ()
    widest = (key, *within.widest) if product > 1 else ()
    return Weight(min(cost, BIG), min(product, BIG), dearest, widest)


def _of_one(key: str, own: int, inside: Weigh) -> Weigh:
    def weigh(run: Run) -> Weight:
        within = inside(run)
        return _weight(key, own + within.cost, within.product, within)

    return weigh


def _of_list(key: str, weights: tuple[int, int], size: Size, inside: Weigh) -> Weigh:
    own, each = weights

    def weigh(run: Run) -> Weight:
        within, count = inside(run), size(run)
        return _weight(key, own + count * (each + within.cost), count * within.product, within)

    return weigh


def _together(common: Sequence[Weigh], dearest_of: Sequence[Sequence[Weigh]]) -> Weigh:
    def weigh(run: Run) -> Weight:
        weights = [weigh_one(run) for weigh_one in common]
        dearest: list[Weight] = []
        for group in dearest_of:
            of_type = [weigh_one(run) for weigh_one in group]
            if sum(weight.cost for weight in of_type) > sum(weight.cost for weight in dearest) or not dearest:
                dearest = of_type
            weights += [Weight(0, weight.product, (), weight.widest) for weight in of_type]
        weights += [Weight(weight.cost, 1, weight.dearest) for weight in dearest]
        if not weights:
            return NOTHING
        widest = max(weights, key=lambda weight: weight.product)
        return Weight(
            sum(weight.cost for weight in weights),
            widest.product,
            max(weights, key=lambda weight: weight.cost).dearest,
            widest.widest,
        )

    return weigh


def _once(key: object, weigh: Weigh) -> Weigh:
    def weigh_once(run: Run) -> Weight:
        found = run.fragments.get(key)
        if found is None:
            found = run.fragments[key] = weigh(run)
        return found

    return weigh_once


def _fixed(size: int) -> Size:
    return lambda _run: size


def _size_of_literal(value: ValueNode | None) -> int | None:
    if isinstance(value, IntValueNode):
        return min(max(int(value.value[:10]), 0), BIG)
    return len(value.values) if isinstance(value, ListValueNode) else None


def _takes_list(field: GraphQLField, argument: str) -> bool:
    return isinstance(_nullable(field.args[argument].type), GraphQLList)


def is_list(field: GraphQLField) -> bool:
    """Whether a field answers a list."""
    return isinstance(_nullable(field.type), GraphQLList)


def _nullable(kind: Any) -> Any:  # noqa: ANN401 - any GraphQL type
    return kind.of_type if isinstance(kind, GraphQLNonNull) else kind


def weights_of(field: GraphQLField, arguments: Iterable[str]) -> tuple[int, int]:
    """What a field costs by itself, and what each item costs where it is a list.

    Args:
        arguments: those that are given.
    """
    kind = get_named_type(field.type)
    cost = directive_of(kind, Cost)
    each = int(cost.weight) if cost else int(not is_leaf_type(kind))
    cost = directive_of(field, Cost)
    own = int(cost.weight) if cost else 0 if is_list(field) else each
    found = (directive_of(field.args[name], Cost) for name in arguments)
    return own + sum(int(cost.weight) for cost in found if cost), each


D = TypeVar("D")


def directive_of(where: GraphQLField | GraphQLArgument | GraphQLNamedType, kind: type[D]) -> D | None:
    """The directive of this kind that the SDL shows there."""
    definition = where.extensions.get("strawberry-definition")
    found: Iterable[object] = getattr(definition, "directives", None) or ()
    return next((each for each in found if isinstance(each, kind)), None)
