"""Every path under every method, with headers and bodies that belong elsewhere: no answer is ours to blame."""

from collections.abc import Mapping

import httpx
import hypothesis
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from tests.e2e.shop import Shop
from tests.soak import Extent

VIDEO = "video_01m817w1sve7s8q03q2a7qhqpy"
TOKEN = "1795436253.dXNlcl8wMW04MWsxOTl0ZWN3c3Zuem1lYzFwenF6Mw.FrvkoWDcN4tt3x4U3UwYZSGMw_395QEA0nJ5dTnFn-Q"
PATHS = (
    "/",
    "/graphql",
    "/health",
    "/webhooks/sandbox",
    "/webhooks/nobody",
    f"/uploads/{VIDEO}?token={TOKEN}",
    f"/media/{VIDEO}?token={TOKEN}",
    f"/media/{VIDEO}/poster?token=",
    "/media/%2e%2e/%2e%2e/shoutgraph.db?token=x",
    "/sandbox/v1/charges",
)
SPLINTERS = (
    "",
    "",
    "%00",
    "%ff",
    "..",
    "/",
    "//",
    "%2f",
    "?",
    "&",
    "=",
    "9" * 30,
    "%F0%9F%8E%82",
    "%ED%A0%80",
    "%0d%0a",
)
TUS = {"tus-resumable": "1.0.0", "content-type": "application/offset+octet-stream"}
HEADERS: tuple[Mapping[str, str], ...] = (
    {},
    TUS | {"upload-offset": "0"},
    TUS | {"upload-offset": "-1"},
    TUS | {"upload-offset": "9" * 40},
    TUS | {"upload-offset": "0", "upload-checksum": "sha1 x"},
    {"range": "bytes=0-"},
    {"range": "bytes=9-1"},
    {"range": f"bytes={'9' * 60}-"},
    {"range": "bytes=0-1,5-6"},
    {"webhook-id": "x", "webhook-timestamp": "9" * 30, "webhook-signature": "v1,xx"},
    {"webhook-id": "x" * 5_000, "webhook-timestamp": "now", "webhook-signature": "v1,\u00e9"},
    {"content-type": "application/json", "accept": "text/event-stream", "last-event-id": "\u00e9"},
    {"authorization": "Basic eDp5", "x-request-id": "\u00e9"},
    {"origin": "null", "host": "elsewhere.example"},
)
METHODS = ("GET", "POST", "PUT", "PATCH", "HEAD", "DELETE", "OPTIONS", "TRACE", "SEND")
BODIES = (b"", b"{}", b"[]", b'{"type": "charge.succeeded"}', b"\xff" * 1_001, b"x" * 70_000)
EXAMPLES_OF_A_ROUND = 200


def test_no_request_to_any_path_breaks(shop: Shop, extent: Extent):
    with httpx.Client(base_url=shop.server.url, timeout=20) as http:
        for seed in extent.seeds("examples", suite=EXAMPLES_OF_A_ROUND, soak=20_000, each=EXAMPLES_OF_A_ROUND):
            assert broken_by(http, seed) == []


def broken_by(http: httpx.Client, seed: int) -> list[object]:
    """Requests of one round that broke something."""
    broken: list[object] = []

    @hypothesis.seed(seed)
    @settings(
        max_examples=EXAMPLES_OF_A_ROUND,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        method=st.sampled_from(METHODS),
        path=st.sampled_from(PATHS),
        splinter=st.sampled_from(SPLINTERS),
        at=st.integers(1, 60),
        headers=st.sampled_from(HEADERS),
        body=st.sampled_from(BODIES),
    )
    def run(method: str, path: str, splinter: str, at: int, headers: Mapping[str, str], body: bytes) -> None:
        target = path[:at] + splinter + path[at:]
        raw = {name: value.encode("latin-1") for name, value in headers.items()}
        response = http.request(method, target, headers=raw, content=body)
        if response.status_code >= 500 or b"Traceback" in response.content:
            broken.append((method, target, headers, body[:40], response.status_code, response.text[:200]))

    run()
    return broken
