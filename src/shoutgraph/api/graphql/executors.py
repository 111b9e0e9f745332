"""graphql-core's executor as this API uses it, and where the compiled engine takes over from it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from graphql import FieldNode, GraphQLObjectType, GraphQLResolveInfo
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.values import VariableValues
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.documents import Operation

Data = Mapping[str, object]


class Engine(Protocol):
    """Answers by compiled plans what it can."""

    async def run(self, operation: Operation, variables: dict[str, Any], context: Context) -> Data | None:
        """The data of a query, or None where graphql-core must answer: unsupported, wrong variables, or an error."""

    async def complete(
        self,
        operation: Operation,
        part: tuple[GraphQLObjectType, Sequence[FieldNode]],
        value: object,
        context: Context,
        values: VariableValues,
    ) -> Data | None:
        """What is selected from a value of a type by some nodes, or None where graphql-core must complete it."""


class Executor(StrawberryGraphQLCoreExecutionContext):
    """graphql-core's executor, which runs each event of a subscription with nothing loaded."""

    def build_per_event_executor(self, payload: object) -> "Executor":
        """The executor of one event."""
        executor = cast("Executor", super().build_per_event_executor(payload))
        executor.context_value = cast("Context", self.context_value).fork()
        return executor


class EffectExecutor(Executor):
    """The executor of mutations and subscriptions: the engine completes what their root fields gave.

    An effect is carried out by graphql-core, once. Where the engine steps back, the same value is completed again.
    """

    engine: Engine
    kept: Operation

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: list[FieldDetails],
        info: GraphQLResolveInfo[Context],
        path: Path,
        result: object,
        position_context: Any,  # noqa: ANN401 - graphql-core's own
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Completes an object, at the root by a plan."""
        if path.prev is not None:
            return super().complete_object_value(return_type, field_details_list, info, path, result, position_context)
        return self._complete_root(return_type, field_details_list, info, path, result)

    async def _complete_root(
        self,
        kind: GraphQLObjectType,
        details: list[FieldDetails],
        info: GraphQLResolveInfo[Context],
        path: Path,
        result: object,
    ) -> dict[str, Any]:
        part = (kind, [each.node for each in details])
        data = await self.engine.complete(self.kept, part, result, self.context_value, self.variable_values)
        if data is not None:
            return cast("dict[str, Any]", data)
        completed = super().complete_object_value(kind, details, info, path, result, None)
        return await completed if self.is_awaitable(completed) else cast("dict[str, Any]", completed)
