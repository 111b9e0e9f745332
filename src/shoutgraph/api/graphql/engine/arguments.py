"""The arguments of fields: constants are read once, what has variables once for each request, and never in a loop."""

from collections.abc import Callable
from typing import Final

import strawberry
from graphql import FieldNode, GraphQLField, Visitor, visit
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField

Given = dict[str, object]
"""Arguments by their Python names, as a resolver takes them."""
Read = Callable[[VariableValues], Given]

NONE_GIVEN: Final = VariableValues({}, {})


class Arguments:
    """Reads arguments as graphql-core and Strawberry do, by their own functions."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self._config = schema.config
        self._scalars = schema.schema_converter.scalar_registry

    def reader(self, field: GraphQLField, definition: StrawberryField, node: FieldNode) -> Read:
        """What gives a field's arguments, from the variables of a request."""

        def read(variables: VariableValues) -> Given:
            values = get_argument_values(field, node, variables)
            return convert_arguments(values, definition.arguments, self._scalars, self._config)

        return read

    @staticmethod
    def vary(node: FieldNode) -> bool:
        """Whether a field's arguments depend on variables."""
        found = _Variables()
        for each in node.arguments or ():
            visit(each, found)
        return found.any


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.any = False

    def enter_variable(self, *_place: object) -> None:
        self.any = True
