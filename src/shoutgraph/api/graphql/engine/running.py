"""What plans call while they run."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, TypeVar

from graphql import GraphQLLeafType, GraphQLObjectType, Undefined
from graphql.execution.values import VariableValues

from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.engine.unsupported import UnexpectedValueError
from shoutgraph.api.graphql.loaders import BATCH_MAX

T = TypeVar("T")
V = TypeVar("V")


class PlanInfo:
    """The `info` of a resolver that a plan calls: the context, which is all that resolvers read of it."""

    __slots__ = ("context",)

    def __init__(self, context: Context) -> None:
        self.context = context


Plan = Callable[[Sequence[object], Context, PlanInfo, VariableValues], Coroutine[Any, Any, list[Any]]]
"""Makes the answers of some values of one type, in order."""


async def together(*works: Coroutine[Any, Any, T]) -> list[T]:
    """Awaits several things at once; if one fails, the others have ended before its error is raised."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        raise


async def each(works: Sequence[Coroutine[Any, Any, T]]) -> Sequence[T]:
    """Awaits the works of a list at once."""
    return [await works[0]] if len(works) == 1 else await together(*works)


async def batched(
    fetch: Callable[..., Awaitable[Sequence[V]]],
    parents: Sequence[object],
    context: Context,
    arguments: Mapping[str, object],
) -> Sequence[V]:
    """The values of a batch resolver for a whole list, by calls of at most `BATCH_MAX`."""
    if len(parents) <= BATCH_MAX:
        return await fetch(parents, context, **arguments)
    found: list[V] = []
    for start in range(0, len(parents), BATCH_MAX):
        found.extend(await fetch(parents[start : start + BATCH_MAX], context, **arguments))
    return found


class Family:
    """The plans of the types that an interface or union stands for, each written when a value of the type comes."""

    def __init__(self, kinds: Mapping[type, GraphQLObjectType], write: Callable[[GraphQLObjectType], Plan]) -> None:
        self._kinds = kinds
        self._write = write
        self._plans: dict[type, Plan | None] = {}

    async def complete(
        self, values: Sequence[object], context: Context, info: PlanInfo, variables: VariableValues
    ) -> list[Any]:
        """The answers of some values, those of each type made together.

        Raises:
            UnexpectedValueError: a value is of none of the types, or its type has something that a plan does not know.
        """
        by_class: dict[type, list[object]] = {}
        for value in values:
            by_class.setdefault(value.__class__, []).append(value)
        plans = [self._plan(kind) for kind in by_class]
        lists = zip(plans, by_class.values(), strict=True)
        found = await each([plan(of_kind, context, info, variables) for plan, of_kind in lists])
        done = {kind: iter(answers) for kind, answers in zip(by_class, found, strict=True)}
        return [next(done[value.__class__]) for value in values]

    def _plan(self, of: type) -> Plan:
        if of not in self._plans and of in self._kinds:
            self._plans[of] = None
            self._plans[of] = self._write(self._kinds[of])
        plan = self._plans.get(of)
        if plan is None:
            raise UnexpectedValueError
        return plan


def check_list(value: object) -> None:
    """Refuses what is no plain list.

    Raises:
        UnexpectedValueError: it is none.
    """
    if not isinstance(value, (list, tuple)):
        raise UnexpectedValueError


def checker_of(kind: GraphQLObjectType) -> Callable[[object], None]:
    """What looks at a value that is not of the very class of an object type."""
    is_type_of = kind.is_type_of
    no_info: Any = None  # Strawberry's own check reads none

    def check(value: object) -> None:
        odd = value is None or value is Undefined or isinstance(value, Exception) or hasattr(value, "__await__")
        if odd or (is_type_of is not None and not is_type_of(value, no_info)):
            raise UnexpectedValueError

    return check


def writer_of(kind: GraphQLLeafType) -> Callable[[object], object]:
    """What writes a value of a scalar or an enum."""
    coerce = kind.coerce_output_value

    def write(value: object) -> object:
        written: object = coerce(value)
        if written is None or written is Undefined:
            raise UnexpectedValueError
        return written

    return write
