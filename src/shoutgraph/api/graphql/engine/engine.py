"""Finds the plan of an operation, runs it, and steps back wherever graphql-core has to answer."""

import logging
import weakref
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

import strawberry
from graphql import FieldNode, GraphQLError, GraphQLObjectType, get_variable_values
from graphql.execution.values import VariableValues

from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.documents import Operation
from shoutgraph.api.graphql.engine.arguments import NONE_GIVEN
from shoutgraph.api.graphql.engine.code import Budget, Tally
from shoutgraph.api.graphql.engine.compiler import Compiler
from shoutgraph.api.graphql.engine.running import Plan, PlanInfo
from shoutgraph.api.graphql.engine.selections import Selections, conditions_of
from shoutgraph.api.graphql.engine.unsupported import UnsupportedError
from shoutgraph.api.graphql.executors import Data

logger = logging.getLogger("shoutgraph.api")

PLANS_MAX: Final = 16
"""Plans of one operation: one for each choice of its conditions, and for each type of a result."""
FIELDS_KEPT_MAX: Final = 50_000
"""Fields of all plans together: some 30 MB."""
MADE_MAX: Final = 2_000
"""All plans together."""
CONDITIONS: Final = "conditions"
QUERY: Final = "query"

Write = Callable[[Compiler], Plan]


class CompiledEngine:
    """Answers by plans. It keeps nothing but plans, with the documents: no data, and nothing of who asked."""

    def __init__(self, schema: strawberry.Schema, *, patient: bool = True) -> None:
        """Takes the schema as the only source of truth.

        Args:
            patient: an operation is compiled when it comes for the second time, so that one that never comes again
                costs nothing.
        """
        self._schema = schema
        self._graph = schema._schema  # noqa: SLF001 - Strawberry has no public way
        self._patient = patient
        self._made: deque[tuple[weakref.ref[Operation], Hashable, Budget]] = deque()
        self._tally = Tally()
        self._off = bool(schema.extensions)

    async def run(self, operation: Operation, variables: dict[str, Any], context: Context) -> Data | None:
        """The data of a query, or None where graphql-core must answer: unsupported, wrong variables, or an error."""
        values = self._values(operation, variables)
        if values is None:
            return None
        plan = self._plan(operation, QUERY, values, lambda compiler: compiler.of_query(operation.node))
        return None if plan is None else await _run(plan, None, context, values)

    async def complete(
        self,
        operation: Operation,
        part: tuple[GraphQLObjectType, Sequence[FieldNode]],
        value: object,
        context: Context,
        values: VariableValues,
    ) -> Data | None:
        """What an operation selects from a value that is there already: a mutation's payload, or an event.

        Args:
            part: the type of the value, and the nodes of its field.

        Returns:
            None where graphql-core must complete the value.
        """
        kind, nodes = part
        slot = (kind.name, *map(id, nodes))
        plan = self._plan(operation, slot, values, lambda compiler: compiler.of_object(kind, nodes))
        return None if plan is None else await _run(plan, value, context, values)

    def _values(self, operation: Operation, variables: dict[str, Any]) -> VariableValues | None:
        if not operation.node.variable_definitions:
            return NONE_GIVEN
        values = get_variable_values(self._graph, operation.node.variable_definitions, variables, max_errors=1)
        return None if isinstance(values, list) else values

    def _plan(self, operation: Operation, slot: Hashable, values: VariableValues, write: Write) -> Plan | None:
        plans: dict[object, Any] = operation.plans
        if CONDITIONS not in plans:
            plans[CONDITIONS] = conditions_of(operation.document)
        names = plans[CONDITIONS]
        key = (slot, *[values.coerced.get(name) for name in names]) if names else slot
        if key in plans:
            plan = plans[key]
            if plan is not _SEEN:
                return plan  # type: ignore[no-any-return]  # it is kept beside the conditions
        elif self._patient:
            _keep(plans, key, _SEEN)
            return None
        budget = Budget(self._tally)
        plan = self._compiled(operation, names, values, write, budget)
        _keep(plans, key, plan)
        self._made.append((weakref.ref(operation), key, budget))
        self._forget_old()
        return plan

    def _forget_old(self) -> None:
        """Drops the oldest plans where all of them are too large together; forgotten documents' count until then."""
        while len(self._made) > MADE_MAX or self._tally.fields > FIELDS_KEPT_MAX:
            of, key, budget = self._made.popleft()
            budget.leave()
            operation = of()
            if operation is not None:
                operation.plans.pop(key, None)

    def _compiled(
        self, operation: Operation, names: Sequence[str], values: VariableValues, write: Write, budget: Budget
    ) -> Plan | None:
        if self._off or operation.node.directives:
            return None
        conditions = {name: values.coerced.get(name) for name in names}
        try:
            return write(Compiler(self._schema, Selections(self._graph, operation.document, conditions), budget))
        except UnsupportedError:
            return None
        except GraphQLError:  # a constant argument that graphql-core will refuse where it is met
            return None
        except Exception:
            logger.exception("an operation could not be compiled")
            return None


_SEEN: Final = object()
"""In the place of a plan: the operation came once."""


def _keep(plans: dict[object, Any], key: Hashable, plan: object) -> None:
    while len(plans) > PLANS_MAX and key not in plans:
        del plans[next(each for each in plans if each is not CONDITIONS)]
    plans[key] = plan


async def _run(plan: Plan, value: object, context: Context, values: VariableValues) -> Data | None:
    try:
        found: list[Data] = await plan([value], context, PlanInfo(context), values)
    except Exception:  # noqa: BLE001 - whatever it is, graphql-core says it, at its place and masked
        context.forget_loaded()
        return None
    return found[0]
