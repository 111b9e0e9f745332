"""What a real server says of itself: one request is found again in the log, the metrics and the trace."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from prometheus_client.parser import text_string_to_metric_families
from tests.e2e.market import Market
from tests.e2e.processes import PATIENCE_S, ROOT, Nursery, Server

from shoutgraph.api.graphql import usage
from shoutgraph.cli.demo.server import free_port
from shoutgraph.telemetry import metrics
from shoutgraph.telemetry.exporters import KEPT_MAX, WithoutIdleRounds
from shoutgraph.telemetry.names import IDLE, JOB, OK

TRACE = "0af7651916cd43dd8448eb211c80319c"
CREATORS = """query Shop($first: Int) {
  creators(first: $first, sort: {field: RATING}) { nodes { bio ...Sold } }
}
fragment Sold on Creator { offers { price } }
"""
DOCUMENTED = re.compile(r"^\| `(shoutgraph_\w+)` \| (\w+) \| ([^|]*) \|", re.MULTILINE)


@pytest.fixture
def seen(nursery: Nursery, market: Market) -> Iterator[Server]:
    server = Server(nursery, market.folder)
    server.env.update(
        SHOUTGRAPH_LOG_FORMAT="json",
        SHOUTGRAPH_LOG_LEVEL="info",
        SHOUTGRAPH_METRICS_PORT=str(free_port()),
        SHOUTGRAPH_TRACES="console",
    )
    server.start()
    yield server
    if server.pid is not None:
        server.stop()


def test_a_request_is_found_in_log_metrics_and_trace(seen: Server):
    headers = {"x-request-id": "shop-0001", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
    with httpx.Client(base_url=seen.url, headers=headers, timeout=PATIENCE_S) as client:
        asked = [{"query": CREATORS, "variables": {"first": first}} for first in (1, 2, "many")]
        pages = [client.post("/graphql", json=body).json() for body in asked]
        assert client.post("/graphql", json={"query": "{ nothing }"}).headers["x-request-id"] == "shop-0001"
    told = httpx.get(f"http://127.0.0.1:{seen.env['SHOUTGRAPH_METRICS_PORT']}/metrics").text
    assert seen.stop() == 0
    lines = [json.loads(line) for line in seen.log.read_text().splitlines() if line.startswith("{")]

    refused = [line for line in lines if line.get("event", "").startswith("request shop-0001")]
    assert {line["event"].rsplit(" ", 1)[1] for line in refused} == {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}
    assert {(line["request_id"], line.get("operation")) for line in refused} == {
        ("shop-0001", "Shop"),
        ("shop-0001", None),
    }
    spans = [line for line in lines if line.get("context", {}).get("trace_id") == f"0x{TRACE}"]
    assert {"query", "read", "load"} <= {span["name"] for span in spans}
    assert len([span for span in spans if span["name"] == "load"]) == 2  # once for each page, not for each creator
    assert not [span for span in spans if "bio" in json.dumps(span)]
    assert spans[0]["resource"]["attributes"]["service.name"] == "shoutgraph"
    idle = [line for line in lines if line.get("attributes", {}).get("shoutgraph.outcome") == "idle"]
    assert idle == [], "rounds of jobs that found nothing to do are no news"

    values = {(each.name, *sorted(each.labels.items())): each.value for each in samples(told)}
    ran = ("outcome", "ok")
    assert values["shoutgraph_operation_seconds_count", ("kind", "query"), ran] == 2
    shown = sum(len(page["data"]["creators"]["nodes"]) for page in pages[:2])
    assert values["shoutgraph_loader_batch_size_sum",] == shown > 0
    assert values["shoutgraph_errors_total", ("code", "BAD_USER_INPUT")] == 1
    assert values["shoutgraph_work_seconds_count", ran, ("way", "read")] >= 4
    assert any(("outcome", "idle") in key for key in values if key[0] == "shoutgraph_job_seconds_count")
    used = {
        dict(key[1:])["coordinate"]: value for key, value in values.items() if key[0].startswith("shoutgraph_field")
    }
    assert used["Query.creators(first:)"] == used["Offer.price"] == len(asked)


@pytest.mark.parametrize(
    ("outcome", "reads", "told"),
    [(IDLE, 3, 0), (OK, 3, 4), (IDLE, KEPT_MAX + 1, KEPT_MAX + 2)],
    ids=["idle", "busy", "long"],
)
def test_a_round_of_a_job_is_told_of_whole_or_not_at_all(outcome: str, reads: int, told: int):
    kept = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(WithoutIdleRounds(SimpleSpanProcessor(kept)))
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span(JOB) as entry:
        for _ in range(reads):
            tracer.start_span("read").end()
        entry.set_attribute("shoutgraph.outcome", outcome)
    assert len(kept.get_finished_spans()) == told
    tracer.start_span("query").end()
    assert kept.get_finished_spans()[-1].name == "query"


def test_each_worker_has_a_port_of_its_own_for_its_metrics(tmp_path: Path):
    port = free_port()
    worker = f"""
import httpx
from shoutgraph.serving import process
from shoutgraph.settings import Settings
with process.observed(Settings(data_dir={str(tmp_path)!r}, metrics_port={port - 2}), 2):
    print(httpx.get("http://127.0.0.1:{port}/metrics").status_code)
"""
    done = subprocess.run(
        [sys.executable, "-c", worker], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=True
    )
    assert done.stdout == "200\n"


def samples(told: str) -> Any:
    return [sample for family in text_string_to_metric_families(told) for sample in family.samples]


def test_every_metric_is_documented_and_every_documented_one_exists():
    made = {(family.name, family.type) for family in metrics.REGISTRY.collect()} | {(usage.NAME, "counter")}
    text = (ROOT / "docs" / "OBSERVING.md").read_text(encoding="utf-8")
    found = {(name.removesuffix("_total"), kind) for name, kind, _ in DOCUMENTED.findall(text)}
    assert found == {each for each in made if each[0].startswith("shoutgraph_")}
