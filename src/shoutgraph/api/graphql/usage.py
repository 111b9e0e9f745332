"""Which parts of the schema clients use, by schema coordinate such as `Order.price`.

An operation is taken apart when somebody looks, or when its document is forgotten, and not when it runs: running it
counts one. A field may go when nobody has used it for 30 days; see docs/GRAPHQL.md, "Change".
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol

from graphql import (
    ArgumentNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    GraphQLNamedType,
    GraphQLSchema,
    ObjectFieldNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    separate_operations,
    visit,
)
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

NAME: Final = "shoutgraph_field_uses"


class Operation(Protocol):
    """An operation of a valid document, and how often it ran."""

    @property
    def document(self) -> DocumentNode:
        """The document that it is part of."""

    @property
    def name(self) -> str | None:
        """Its name, if it has one."""

    @property
    def uses(self) -> int:
        """How often it ran."""


class Usage(Collector):
    """How often each element of the schema was asked for by operations that ran, since the process began.

    What a client puts into variables is not seen; the arguments that take them are.
    """

    def __init__(self, schema: GraphQLSchema, kept: Callable[[], Iterable[Operation]]) -> None:
        self._schema = schema
        self._kept = kept
        self._forgotten: Counter[str] = Counter()

    def forget(self, operations: Iterable[Operation]) -> None:
        """Takes note of operations whose document is not kept, or not any longer."""
        self._add(operations, self._forgotten)

    def counted(self) -> Counter[str]:
        """The uses of each coordinate."""
        total = Counter(self._forgotten)
        self._add(self._kept(), total)
        return total

    def collect(self) -> Iterator[Metric]:
        """The uses as a metric with the label `coordinate`."""
        family = CounterMetricFamily(NAME, "Uses of elements of the schema by operations.", labels=["coordinate"])
        for coordinate, uses in sorted(self.counted().items()):
            family.add_metric([coordinate], uses)
        yield family

    def _add(self, operations: Iterable[Operation], total: Counter[str]) -> None:
        for operation in operations:
            if operation.uses:
                for coordinate in coordinates_of(operation, self._schema):
                    total[coordinate] += operation.uses


def coordinates_of(operation: Operation, schema: GraphQLSchema) -> frozenset[str]:
    """The fields, arguments, input fields and enum values that a valid operation names, its fragments' too."""
    name = operation.name or ""
    seen = _Seen(TypeInfo(schema))
    visit(separate_operations(operation.document)[name], TypeInfoVisitor(seen.info, seen))
    return frozenset(seen.found)


class _Seen(Visitor):
    """Writes down what it comes by."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info: Final = info
        self.found: Final[set[str]] = set()
        self._field = ""

    def enter_field(self, node: FieldNode, *_: object) -> None:
        """A field of an object or an interface."""
        parent = self.info.get_parent_type()
        self._field = f"{parent.name if parent else ''}.{node.name.value}"
        self._add(parent, node.name.value)

    def enter_argument(self, node: ArgumentNode, *_: object) -> None:
        """An argument of a field; those of directives are not of the schema's types."""
        if self.info.get_directive() is None:
            self.found.add(f"{self._field}({node.name.value}:)")

    def enter_object_field(self, node: ObjectFieldNode, *_: object) -> None:
        """A field of an input that is written out."""
        self._add(get_named_type(self.info.get_parent_input_type()), node.name.value)

    def enter_enum_value(self, node: EnumValueNode, *_: object) -> None:
        """A value of an enum that is written out."""
        self._add(get_named_type(self.info.get_input_type()), node.value)

    def _add(self, kind: GraphQLNamedType | None, name: str) -> None:
        if kind is not None and not name.startswith("__"):
            self.found.add(f"{kind.name}.{name}")
