"""The two ways to answer, and tests that run all of their documents both ways: `pytest --engine both tests/api`.

What the compiled engine answers has to be, byte by byte, what graphql-core answers at the same time.
"""

import os
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import orjson
import pytest
from graphql import ExecutionResult, FieldNode, GraphQLObjectType, Undefined, execute_root_selection_set
from graphql.execution.collect_fields import FieldDetails
from graphql.execution.values import VariableValues
from graphql.pyutils import Path
from strawberry.schema.schema import Schema

from shoutgraph.api.failures import RequestErrors
from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.documents import Operation
from shoutgraph.api.graphql.engine.engine import CompiledEngine
from shoutgraph.api.graphql.execution import Request, Runner

CHOICE: Final = "TEST_ENGINE"
CORE: Final = "core"
PLANS: Final = "plans"
BOTH: Final = "both"
COUNTS: Final[Counter[str]] = Counter()
"""How many answers were compiled, how many have errors, and how many graphql-core had to give for want of a plan."""

ATTEMPTS: Final = 3

Data = Mapping[str, object]


class Compared:
    """The compiled engine beside graphql-core: each answer is given by both, and they must be the same."""

    def __init__(self, schema: Schema, statements: list[str]) -> None:
        self._engine = CompiledEngine(schema, patient=False)
        self._core = Runner(schema)
        self._statements = statements

    async def run(self, operation: Operation, variables: dict[str, Any], context: Context) -> Data | None:
        async def compiled() -> Data | None:
            return await self._engine.run(operation, variables, context)

        async def by_core() -> ExecutionResult:
            try:
                executor = self._core._executor(operation, Request("", variables), context)
            except RequestErrors as refused:
                return ExecutionResult(None, list(refused.found))
            done = execute_root_selection_set(executor)
            return await done if executor.is_awaitable(done) else done

        return await self._compare("queries", operation, context, compiled, by_core)

    async def complete(
        self,
        operation: Operation,
        part: tuple[GraphQLObjectType, Sequence[FieldNode]],
        value: object,
        context: Context,
        values: VariableValues,
    ) -> Data | None:
        async def compiled() -> Data | None:
            return await self._engine.complete(operation, part, value, context, values)

        async def by_core() -> ExecutionResult:
            return await self._complete_by_core(operation, part, value, context, values)

        return await self._compare("results", operation, context, compiled, by_core)

    async def _compare(
        self,
        what: str,
        operation: Operation,
        context: Context,
        compiled: Callable[[], Awaitable[Data | None]],
        by_core: Callable[[], Awaitable[ExecutionResult]],
    ) -> Data | None:
        """Compares both answers; where something was written between the two, they are asked for again."""
        now = context.tools.clock()
        data, found = None, ExecutionResult()
        with context.acting(replace(context.tools, clock=lambda: now)):
            for attempt in range(ATTEMPTS):
                before = len(self._statements)
                data = await compiled()
                before = len(self._statements) if attempt == 0 else before
                context.forget_loaded()
                found = await by_core()
                context.forget_loaded()
                del self._statements[before:]
                if attempt == 0:
                    of = "compiled" if data is not None else "refused" if found.errors else "without a plan"
                    COUNTS[f"{what} {of}"] += 1
                if data is None:
                    return None
                if not found.errors and orjson.dumps(data) == orjson.dumps(found.data):
                    return data
        COUNTS["answers that differ"] += 1
        source = operation.document.loc.source.body if operation.document.loc else operation.name
        raise AssertionError(f"{source}\ncompiled: {data}\ngraphql-core: {found}")

    async def _complete_by_core(
        self,
        operation: Operation,
        part: tuple[GraphQLObjectType, Sequence[FieldNode]],
        value: object,
        context: Context,
        values: VariableValues,
    ) -> ExecutionResult:
        kind, nodes = part
        given = {name: each.value for name, each in values.sources.items() if each.value is not Undefined}
        executor = self._core._executor(operation, Request("", given), context)
        no_info: Any = None
        details = [FieldDetails(node, None) for node in nodes]
        place = Path(None, "result", None)
        done = executor.complete_object_value(kind, details, no_info, place, value, None)
        data: Any = await done if executor.is_awaitable(done) else done
        return ExecutionResult(data, executor.collected_errors.errors or None)


def choose(runner: Runner, statements: list[str]) -> None:
    """Makes a deployment answer the way that `--engine` says."""
    choice = os.environ.get(CHOICE)
    schema = runner.schema._strawberry_schema  # type: ignore[attr-defined]
    if choice == CORE:
        runner.engine = None
    elif choice == PLANS:
        runner.engine = CompiledEngine(schema, patient=False)
    elif choice == BOTH:
        runner.engine = Compared(schema, statements)


class Tally:
    """What pytest is told of the engine."""

    def __init__(self) -> None:
        self._total: Counter[str] = Counter()

    @staticmethod
    def add_option(parser: pytest.Parser) -> None:
        text = "how deployments answer: by graphql-core, by plans, or both, which are compared"
        parser.addoption("--engine", choices=(CORE, PLANS, BOTH), help=text)

    def pytest_configure(self, config: pytest.Config) -> None:
        choice = config.getoption("engine", None)
        if choice:
            os.environ[CHOICE] = choice  # workers inherit it

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["engine"] = dict(COUNTS)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self._total.update(getattr(node, "workeroutput", {}).get("engine", {}))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        found = self._total + COUNTS
        if found:
            terminalreporter.section("answers")
            for what, count in sorted(found.items()):
                terminalreporter.write_line(f"{count:8,} {what}")
