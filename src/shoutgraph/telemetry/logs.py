"""Logs: lines for people in a terminal, JSON for machines; either way each line names its request.

Rooms write by `logging` as libraries do, and never a secret, a text of a person or an amount with a name. What is
common to all lines of a request is bound once, at its door.
"""

import logging
import sys
from contextvars import ContextVar
from typing import Final

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor

from shoutgraph.telemetry.choices import LogFormat, LogLevel

_REQUEST: Final[ContextVar[tuple[str, str] | None]] = ContextVar("request", default=None)


def _named(_logger: object, _method: str, line: EventDict) -> EventDict:
    """Adds the request that is under way, and the trace that a collector knows it by."""
    request = _REQUEST.get()
    if request is not None:
        line["request_id"], operation = request
        if operation:
            line["operation"] = operation
    span = trace.get_current_span().get_span_context()
    if span.is_valid:
        line["trace_id"], line["span_id"] = f"{span.trace_id:032x}", f"{span.span_id:016x}"
    return line


_SHARED: Final[tuple[Processor, ...]] = (
    _named,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
)


def configure(form: LogFormat, level: LogLevel) -> None:
    """Sends every line of this process to its standard error, one form for ours and the libraries'."""
    renderer: Processor = structlog.processors.JSONRenderer()
    if form is LogFormat.CONSOLE:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("shoutgraph").setLevel(level.upper())


class within:  # noqa: N801 - it reads as a sentence: `with logs.within(request_id):`
    """Names the request, and the operation once it is known, in every line that is written meanwhile."""

    __slots__ = ("_named", "_token")

    def __init__(self, request_id: str, operation: str = "") -> None:
        self._named = (request_id, operation)

    def __enter__(self) -> None:
        self._token = _REQUEST.set(self._named)

    def __exit__(self, *_: object) -> None:
        _REQUEST.reset(self._token)
