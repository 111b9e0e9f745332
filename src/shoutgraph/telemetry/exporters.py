"""Where spans go: to a collector, or as lines of JSON to the standard error."""

import sys
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SimpleSpanProcessor

from shoutgraph.telemetry.names import IDLE, JOB

KEPT_MAX: Final = 100
"""Spans of one round of a job that wait for its end; a round of more did something."""


class WithoutIdleRounds(SpanProcessor):
    """Hands spans on, but not those of jobs that found nothing to do: they would be nearly all there are.

    What a round does ends before the round, so its spans wait for the outcome.
    """

    def __init__(self, following: SpanProcessor) -> None:
        self._following = following
        self._rounds: dict[int, list[ReadableSpan]] = {}

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """A job's round begins: its spans wait."""
        if span.name == JOB and span.parent is None and span.context is not None:
            self._rounds[span.context.trace_id] = []
        self._following.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Hands a span on, now or at the end of its round."""
        key = 0 if span.context is None else span.context.trace_id
        waiting = self._rounds.get(key)
        if waiting is None:
            self._following.on_end(span)
            return
        waiting.append(span)
        ended = span.parent is None
        if not ended and len(waiting) < KEPT_MAX:
            return
        self._rounds.pop(key, None)
        if not ended or (span.attributes or {}).get("shoutgraph.outcome") != IDLE:
            for each in waiting:
                self._following.on_end(each)

    def shutdown(self) -> None:
        """Ends what follows."""
        self._following.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Has what follows send what it has."""
        return self._following.force_flush(timeout_millis)


def install(*, console: bool) -> None:
    """Takes the spans of this process, from now to its end."""
    provider = TracerProvider(resource=resource())
    following = (
        SimpleSpanProcessor(ConsoleSpanExporter(out=sys.stderr, formatter=_line))
        if console
        else BatchSpanProcessor(OTLPSpanExporter())
    )
    provider.add_span_processor(WithoutIdleRounds(following))
    trace.set_tracer_provider(provider)


def resource() -> Resource:
    """Who the spans are of, as the environment says; by default shoutgraph."""
    found = Resource.create()
    named = not str(found.attributes[SERVICE_NAME]).startswith("unknown_service")
    return found if named else found.merge(Resource({SERVICE_NAME: "shoutgraph"}))


def _line(span: ReadableSpan) -> str:
    return f"{span.to_json(indent=None)}\n"
