"""What is counted and timed, for Prometheus; docs/OBSERVING.md lists it for operators.

Labels take few values: kinds, codes, names of instances and jobs. No id and no text of a client is ever a label.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

REGISTRY: Final = CollectorRegistry()
"""Everything of this process."""

FAST_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
SLOW_S: Final = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

OPERATIONS: Final = Histogram(
    "shoutgraph_operation_seconds",
    "Time of GraphQL operations that ran; of a subscription each event is one.",
    ["kind", "outcome"],
    buckets=FAST_S,
    registry=REGISTRY,
)
ERRORS: Final = Counter(
    "shoutgraph_errors", "Errors told to clients in errors[], by extensions.code.", ["code"], registry=REGISTRY
)
LOADED: Final = Histogram(
    "shoutgraph_loader_batch_size",
    "Parents for which a relation was read at once.",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
    registry=REGISTRY,
)
LOADS: Final = Histogram(
    "shoutgraph_loader_seconds", "Time of reading a relation.", ["outcome"], buckets=FAST_S, registry=REGISTRY
)
WORK: Final = Histogram(
    "shoutgraph_work_seconds",
    "Time of units of work of the database, waiting included.",
    ["way", "outcome"],
    buckets=FAST_S,
    registry=REGISTRY,
)
PROVIDERS: Final = Histogram(
    "shoutgraph_provider_seconds",
    "Time of calls of payment plugins, by instance, kind of call and type of answer.",
    ["instance", "kind", "outcome"],
    buckets=SLOW_S,
    registry=REGISTRY,
)
JOBS: Final = Histogram(
    "shoutgraph_job_seconds",
    "Time of rounds of a job.",
    ["job", "outcome"],
    buckets=SLOW_S,
    registry=REGISTRY,
)
SOCKETS: Final = Gauge("shoutgraph_sockets", "WebSocket connections that are open.", registry=REGISTRY)
SUSPENSE_LINES: Final = Gauge(
    "shoutgraph_suspense_lines", "Lines of providers that no transfer explains.", registry=REGISTRY
)
SUSPENSE_OLDEST: Final = Gauge(
    "shoutgraph_suspense_oldest_seconds", "How long the oldest of them has waited.", registry=REGISTRY
)

ProcessCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)


@contextmanager
def registered(collector: Collector) -> Iterator[None]:
    """Has Prometheus ask a collector too, meanwhile."""
    REGISTRY.register(collector)
    try:
        yield
    finally:
        REGISTRY.unregister(collector)


@contextmanager
def served(port: int | None, host: str) -> Iterator[None]:
    """Answers `/metrics` on a port of its own meanwhile, if one is given.

    Raises:
        OSError: the port is taken, or not ours to take.
    """
    if port is None:
        yield
        return
    server, thread = start_http_server(port, addr=host, registry=REGISTRY)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
