"""Runs operations: picks the document, holds the deadline, and writes the answer with its errors masked.

The compiled engine answers what it can; graphql-core answers everything else, and everything that raises.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import orjson
import strawberry
from graphql import (
    ExecutionResult,
    GraphQLError,
    OperationType,
    create_source_event_stream,
    execute_root_selection_set,
    execute_subscription_event,
)
from strawberry.execution import optimized_is_awaitable

from shoutgraph.api import failures, limits
from shoutgraph.api.deadline import within
from shoutgraph.api.failures import Code, FailureError, RequestErrors
from shoutgraph.api.graphql.answers import Answer
from shoutgraph.api.graphql.context import Context, rights_of
from shoutgraph.api.graphql.documents import Documents, Operation
from shoutgraph.api.graphql.executors import EffectExecutor, Engine, Executor
from shoutgraph.api.graphql.observing import observed_operation
from shoutgraph.api.graphql.sharing import SharedStreams, Take
from shoutgraph.api.metering import Charge
from shoutgraph.telemetry.names import ERROR, OK

Variables = dict[str, Any]
EFFECTS_S: Final = 8.0
"""How long a drain waits for mutations whose client has gone."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for, over any transport.

    A document is its text, or the id that it was stored under; `automatic` says that the client would send the text.
    """

    query: str
    variables: Variables
    operation_name: str | None = None
    document_id: str | None = None
    automatic: bool = False


class Runner:
    """Everything between a request and its answer that is not transport."""

    def __init__(self, schema: strawberry.Schema, *, engine: Engine | None = None, production: bool = True) -> None:
        self.schema: Final = schema._schema  # noqa: SLF001 - Strawberry has no public way
        self.documents: Final = Documents(self.schema, hide_suggestions=production)
        self.engine = engine
        self._production = production
        self._effects: set[asyncio.Task[Answer]] = set()
        self._streams = SharedStreams()

    async def answer(self, request: Request, context: Context, *, read_only: bool = False) -> Answer:
        """Answers a query or a mutation once.

        Raises:
            FailureError: a mutation where only reading is allowed, a subscription, or too much for now.
        """
        try:
            operation, cost = self._prepare(request, context)
        except (RequestErrors, FailureError) as refused:
            return refusal_of(refused, context)
        if operation.kind is OperationType.SUBSCRIPTION:
            raise FailureError(Code.BAD_REQUEST, "A subscription needs a WebSocket or Accept: text/event-stream.")
        _check_method(operation, read_only=read_only)
        return await self._run(operation, request, context, _reserve(operation, cost, context))

    def answers(
        self, request: Request, context: Context, *, read_only: bool = False, take: Take | None = None
    ) -> AsyncGenerator[Answer, None]:
        """Answers any operation as a stream: one answer, or one for each event of a subscription.

        Args:
            take: sends an event's answer at once where many are answered alike; the stream has only what it does not.

        Raises:
            FailureError: too much for now, which is known before there is a stream.
        """
        try:
            operation, cost = self._prepare(request, context)
            _check_method(operation, read_only=read_only)
        except (RequestErrors, FailureError) as refused:
            return _refused(refused, context)
        charge = _reserve(operation, cost, context)
        if operation.kind is not OperationType.SUBSCRIPTION:
            return self._once(operation, request, context, charge)
        return self._subscribe(operation, request, context, take)

    async def _once(
        self, operation: Operation, request: Request, context: Context, charge: Charge | None
    ) -> AsyncGenerator[Answer, None]:
        yield await self._run(operation, request, context, charge)

    def _prepare(self, request: Request, context: Context) -> tuple[Operation, int]:
        """The operation that is asked for, and what it may cost.

        Raises:
            RequestErrors, FailureError: there is none that may run; the caller is charged for the look.
        """
        try:
            operation = self.documents.get(request.query).pick(request.operation_name)
            weight = operation.cost.check(request.variables)
        except (RequestErrors, FailureError):
            if context.account is not None:
                context.account.punish()
            raise
        return operation, weight.cost

    def _subscribe(
        self, operation: Operation, request: Request, context: Context, take: Take | None
    ) -> AsyncGenerator[Answer, None]:
        """A subscription's answers, shared by all who ask the same with the same rights."""

        def own() -> AsyncGenerator[Answer, None]:
            return self._stream(operation, request, context)

        if not operation.shareable:
            return own()
        variables = dict(request.variables)
        after = variables.pop(operation.resume_variable, None) if operation.resume_variable else None
        now_on = replace(request, variables=variables)

        def live() -> AsyncGenerator[Answer, None]:
            return self._stream(operation, now_on, context.fork())

        resumes = after is not None or context.last_event_id is not None
        # as bytes, each would keep a whole buffer of orjson's
        asked = orjson.dumps(variables, option=orjson.OPT_SORT_KEYS).decode()
        key = (request.query, operation.name, asked, rights_of(context.viewer))
        return self._streams.follow(key, live, own if resumes else None, take)

    async def _run(self, operation: Operation, request: Request, context: Context, charge: Charge | None) -> Answer:
        """Runs a query or a mutation, and charges what it did cost: all that was set aside, where it was late."""
        self.documents.note(operation)
        with observed_operation(operation, context, request.variables) as entry:
            answer = await self._run_in_time(operation, request, context)
            entry.outcome = ERROR if answer.errors else OK
        if charge is not None:
            answer.cost = charge.settle(operation.actual.of(answer.data) if answer.data else charge.requested)
        return answer

    async def _run_in_time(self, operation: Operation, request: Request, context: Context) -> Answer:
        """Runs a query or a mutation within the deadline.

        A query that is late is cancelled. A mutation is not: its effect ends in its own time, and the client asks
        again with the same idempotency key.
        """
        if operation.kind is OperationType.MUTATION:
            return await self._run_effect(operation, request, context)
        try:
            with within(limits.OPERATION_S):
                return await self._execute(operation, request, context)
        except TimeoutError:
            return late(context, "The query took too long.")

    async def settle(self) -> None:
        """Waits for mutations whose client has gone, so that a drain does not cut them."""
        if self._effects:
            await asyncio.wait(self._effects, timeout=EFFECTS_S)

    async def _stream(self, operation: Operation, request: Request, context: Context) -> AsyncGenerator[Answer, None]:
        """Runs a subscription: one answer for each event, until its source ends."""
        try:
            executor = self._executor(operation, request, context)
            source = await _source_of(executor)
        except RequestErrors as refused:
            yield refusal_of(refused, context)
            return
        async with aclosing(_errors_located(source)) as payloads:
            async for payload in payloads:
                if isinstance(payload, GraphQLError):
                    yield Answer(None, failures.present([payload], request_id=context.request_id))
                    return
                with observed_operation(operation, context, request.variables) as entry:
                    answer = await _answer_of_event(executor, payload, context)
                    entry.outcome = ERROR if answer.errors else OK
                yield answer
                await asyncio.sleep(0)  # a source that never waits must not starve the others

    async def _run_effect(self, operation: Operation, request: Request, context: Context) -> Answer:
        task = asyncio.create_task(self._execute(operation, request, context))
        self._effects.add(task)
        task.add_done_callback(self._effects.discard)
        done, _ = await asyncio.wait({task}, timeout=limits.OPERATION_S)
        if not done:
            return late(context, "This takes long and may still be carried out: ask again with the same key.")
        return task.result()

    async def _execute(self, operation: Operation, request: Request, context: Context) -> Answer:
        if self.engine is not None and operation.kind is OperationType.QUERY:
            data = await self.engine.run(operation, request.variables, context)
            if data is not None:
                return Answer(data)
        try:
            executor = self._executor(operation, request, context)
        except RequestErrors as refused:
            return refusal_of(refused, context)
        result = execute_root_selection_set(executor)
        if executor.is_awaitable(result):
            result = await result
        return _answer(cast("ExecutionResult", result), context, None)

    def _executor(self, operation: Operation, request: Request, context: Context) -> Executor:
        kind = Executor if self.engine is None or operation.kind is OperationType.QUERY else EffectExecutor
        executor = kind.build(
            self.schema,
            operation.document,
            context_value=context,
            raw_variable_values=request.variables,
            operation_name=operation.name,
            is_awaitable=cast("Any", optimized_is_awaitable),
            hide_suggestions=self._production,
        )
        if isinstance(executor, list):
            raise RequestErrors(executor, Code.BAD_USER_INPUT)
        if isinstance(executor, EffectExecutor) and self.engine is not None:
            executor.engine, executor.kept = self.engine, operation
        return cast("Executor", executor)


def _reserve(operation: Operation, cost: int, context: Context) -> Charge | None:
    """Sets the cost of an operation aside, where anybody counts."""
    if context.account is None:
        return None
    return context.account.reserve(cost, operation.doors)


async def _refused(refused: RequestErrors | FailureError, context: Context) -> AsyncGenerator[Answer, None]:
    yield refusal_of(refused, context)


def _check_method(operation: Operation, *, read_only: bool) -> None:
    if read_only and operation.kind is OperationType.MUTATION:
        raise FailureError(Code.METHOD_NOT_ALLOWED, "A mutation is sent by POST.", allow="POST")


def refusal_of(refused: RequestErrors | FailureError, context: Context) -> Answer:
    """The answer to a request of which nothing ran."""
    found, code = (refused.found, refused.code) if isinstance(refused, RequestErrors) else ((refused,), refused.code)
    return Answer(None, failures.present(found, request_id=context.request_id, otherwise=code), ran=False)


def late(context: Context, message: str) -> Answer:
    """The answer to an operation that did not end within its deadline."""
    failure = FailureError(Code.DEADLINE_EXCEEDED, message, limitSeconds=limits.OPERATION_S)
    return Answer(None, failures.present([failure], request_id=context.request_id))


async def _source_of(executor: Executor) -> AsyncIterable[object]:
    source = create_source_event_stream(executor)
    if executor.is_awaitable(source):
        source = await source
    if isinstance(source, ExecutionResult):
        raise RequestErrors(source.errors or (), Code.BAD_USER_INPUT)
    return cast("AsyncIterable[object]", source)


async def _errors_located(source: AsyncIterable[object]) -> AsyncGenerator[object, None]:
    """The payloads of a source; what it raises comes last, as an error to be masked like any other."""
    try:
        async for payload in source:
            yield payload
    except GraphQLError as error:
        yield error
    except Exception as error:  # noqa: BLE001 - a room's stream may raise anything, and clients see only codes
        yield GraphQLError(str(error), original_error=error)
    finally:
        close = getattr(source, "aclose", None)
        if close is not None:
            await close()


async def _answer_of_event(executor: Executor, payload: object, context: Context) -> Answer:
    result = execute_subscription_event(executor.build_per_event_executor(payload))
    if executor.is_awaitable(result):
        result = await result
    return _answer(cast("ExecutionResult", result), context, getattr(payload, "cursor", None))


def _answer(result: ExecutionResult, context: Context, cursor: str | None) -> Answer:
    found = result.errors or ()
    errors = failures.present(found, request_id=context.request_id) if found else []
    return Answer(result.data, errors, cursor=cursor)
