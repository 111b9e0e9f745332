"""Which fields are selected, once fragments are spread and `@skip` and `@include` are decided."""

from collections.abc import Mapping, Sequence
from typing import Final

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    is_abstract_type,
    visit,
)

from shoutgraph.api.graphql.engine.unsupported import UnsupportedError

CONDITIONAL: Final = {"skip": True, "include": False}
"""The two directives that a plan knows, and the value with which each leaves a field out."""

Nodes = Sequence[FieldNode | OperationDefinitionNode]
Selected = Mapping[str, Sequence[FieldNode]]
"""The nodes of each field by the key that it has in the answer, in the order of the answer."""


class Selections:
    """The selections of one document, for one choice of its conditions."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, conditions: Mapping[str, object]) -> None:
        self._schema = schema
        self._conditions = conditions
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        self._kept: dict[tuple[object, ...], Selected] = {}

    def of(self, kind: GraphQLObjectType, nodes: Nodes) -> Selected:
        """What these nodes select together from an object of this type.

        Raises:
            UnsupportedError: a directive that a plan does not know.
        """
        key = (kind.name, *map(id, nodes))
        if key not in self._kept:
            found: dict[str, list[FieldNode]] = {}
            spread: set[str] = set()
            for node in nodes:
                if node.selection_set is not None:
                    self._collect(kind, node.selection_set, found, spread)
            self._kept[key] = found
        return self._kept[key]

    def _collect(
        self, kind: GraphQLObjectType, selections: SelectionSetNode, found: dict[str, list[FieldNode]], spread: set[str]
    ) -> None:
        for each in selections.selections:
            if not self._included(each):
                continue
            if isinstance(each, FieldNode):
                found.setdefault((each.alias or each.name).value, []).append(each)
                continue
            fragment = each if isinstance(each, InlineFragmentNode) else self._fragment(each, spread)
            if fragment is not None and self._fits(fragment.type_condition, kind):
                self._collect(kind, fragment.selection_set, found, spread)

    def _fragment(self, spread_node: SelectionNode, spread: set[str]) -> FragmentDefinitionNode | None:
        name: str = spread_node.name.value  # type: ignore[attr-defined]  # it is a spread
        if name in spread:
            return None
        spread.add(name)
        fragment = self._fragments[name]
        if fragment.directives or fragment.variable_definitions:
            raise UnsupportedError
        return fragment

    def _fits(self, condition: NamedTypeNode | None, kind: GraphQLObjectType) -> bool:
        if condition is None:
            return True
        wanted = self._schema.type_map[condition.name.value]
        return wanted is kind or (is_abstract_type(wanted) and self._schema.is_sub_type(wanted, kind))

    def _included(self, node: SelectionNode) -> bool:
        return all(self._keeps(each) for each in node.directives or ())

    def _keeps(self, directive: DirectiveNode) -> bool:
        name = directive.name.value
        if name not in CONDITIONAL:
            raise UnsupportedError
        value = (directive.arguments or ())[0].value
        if isinstance(value, VariableNode):
            given = self._conditions[value.name.value]
        else:
            given = isinstance(value, BooleanValueNode) and value.value
        return given is not CONDITIONAL[name]


class _Conditions(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_place: object) -> None:
        if node.name.value in CONDITIONAL:
            values = (each.value for each in node.arguments or ())
            self.names.update(value.name.value for value in values if isinstance(value, VariableNode))


def conditions_of(document: DocumentNode) -> tuple[str, ...]:
    """The variables that decide which fields of a document are selected."""
    found = _Conditions()
    visit(document, found)
    return tuple(sorted(found.names))
