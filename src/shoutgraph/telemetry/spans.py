"""Traces, by the API of OpenTelemetry: they cost next to nothing until an exporter is set up.

One span for an operation, a batch of a loader, a unit of work and a call of a provider; none for a field. No span has
a document, a variable or an id of a person: documents carry what people write.
"""

import functools
import os
import time
from collections.abc import Mapping
from typing import Final, Self

from opentelemetry import context, trace
from opentelemetry.environment_variables import OTEL_PYTHON_TRACER_PROVIDER
from opentelemetry.propagate import extract
from opentelemetry.trace import SpanKind, StatusCode
from prometheus_client import Histogram

from shoutgraph.domain.errors import ShoutgraphError
from shoutgraph.telemetry.choices import Traces
from shoutgraph.telemetry.names import ERROR, OK, REFUSED

_tracer: Final = trace.get_tracer("shoutgraph")

_NAMED: Final = OTEL_PYTHON_TRACER_PROVIDER in os.environ
"""Whether the environment names who takes the spans. OpenTelemetry looks there each time that it is asked."""

SERIES_KEPT: Final = 1_024
"""Labels take few values."""
PARENTS: Final = ("traceparent", "tracestate")
"""The headers by which a caller says of which trace it is part. Source: W3C Trace Context."""


class MissingExporterError(Exception):
    """Spans are to be exported, and what does that is not installed."""


class observed:  # noqa: N801 - it reads as the verb that it is
    """Times what is done meanwhile, and puts a span around it.

    `outcome` is the last label of the histogram and an attribute of the span: "ok" unless it is set, "refused" or
    "error" where something is raised. The words of what is raised stay out.
    """

    __slots__ = ("_began", "_histogram", "_labels", "_manager", "outcome")

    def __init__(
        self,
        name: str,
        histogram: Histogram,
        *labels: str,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, str | int] | None = None,
    ) -> None:
        self._histogram = histogram
        self._labels = labels
        self._manager = (
            _tracer.start_as_current_span(
                name, kind=kind, attributes=attributes, record_exception=False, set_status_on_exception=False
            )
            if _somebody_traces()
            else None
        )
        self.outcome = OK
        self._began = 0.0

    def __enter__(self) -> Self:
        if self._manager is not None:
            self._manager.__enter__()
        self._began = time.perf_counter()
        return self

    def __exit__(self, raised: type[BaseException] | None, *_: object) -> None:
        if raised is not None:
            self.outcome = REFUSED if issubclass(raised, ShoutgraphError) else ERROR
        _series(self._histogram, *self._labels, self.outcome).observe(self.seconds)
        if self._manager is None:
            return
        begun = trace.get_current_span()
        if begun.is_recording():
            begun.set_attribute("shoutgraph.outcome", self.outcome)
            if self.outcome == ERROR:
                begun.set_status(StatusCode.ERROR)
        self._manager.__exit__(None, None, None)

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.perf_counter() - self._began


@functools.lru_cache(SERIES_KEPT)
def _series(histogram: Histogram, *labels: str) -> Histogram:
    """One series of a histogram, which takes five times as long to find by its labels."""
    return histogram.labels(*labels)


def _somebody_traces() -> bool:
    """Whether spans go anywhere: a span that goes nowhere costs more than the rest of an `observed`."""
    return _NAMED or trace._TRACER_PROVIDER is not None  # noqa: SLF001 - asking for it costs ten times as much


class continued:  # noqa: N801 - it reads as the verb that it is
    """Makes what is done meanwhile part of the caller's trace, if the headers name one."""

    __slots__ = ("_headers", "_token")

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __enter__(self) -> None:
        self._token = context.attach(extract(self._headers)) if self._headers else None

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            context.detach(self._token)


def configure(traces: Traces) -> None:
    """Sets up where the spans of this process go; an OTLP exporter reads the usual `OTEL_*` variables.

    Raises:
        MissingExporterError: the extra `shoutgraph[traces]` is not installed.
    """
    if traces is Traces.NONE:
        return
    try:
        from shoutgraph.telemetry import exporters  # noqa: PLC0415 - the extra may not be there
    except ImportError as error:
        raise MissingExporterError("Traces need: pip install 'shoutgraph[traces]'") from error
    exporters.install(console=traces is Traces.CONSOLE)
