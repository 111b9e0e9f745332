"""One operation, seen from outside: its time, its span, its name in the log, and a line where it was slow."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry.trace import SpanKind

from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.documents import Operation
from shoutgraph.telemetry import logs, metrics
from shoutgraph.telemetry.spans import observed

logger = logging.getLogger("shoutgraph.api")

SLOW_S: Final = 1.0
"""An operation that takes longer is written to the log."""
NAME_CHARS_MAX: Final = 64
"""Characters of a client's name of an operation that are written anywhere."""


@contextmanager
def observed_operation(operation: Operation, context: Context, variables: dict[str, object]) -> Iterator[observed]:
    """Observes one operation, or one event of a subscription.

    Source: the semantic conventions of OpenTelemetry for GraphQL; without the document, which carries people's words.
    """
    kind, name = operation.kind.value, (operation.name or "")[:NAME_CHARS_MAX]
    attributes = {
        "graphql.operation.type": kind,
        "graphql.operation.name": name,
        "shoutgraph.request_id": context.request_id,
    }
    with (
        logs.within(context.request_id, name),
        observed(kind, metrics.OPERATIONS, kind, kind=SpanKind.SERVER, attributes=attributes) as entry,
    ):
        yield entry
        if entry.seconds > SLOW_S:
            cost = operation.cost.of(variables).cost
            told = {"seconds": round(entry.seconds, 3), "cost": cost, "outcome": entry.outcome}
            logger.warning("a slow %s", kind, extra=told)
