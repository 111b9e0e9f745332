"""The HTTP that a plugin is lent reaches the hosts that it declared, once, and nobody else."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from tests.plugins.upstream import CLOSED_PORT, Upstream, running
from tests.plugins.written import NOW, SECRET, Ticks, topup_of

from shoutgraph.plugins.hosting import CACHED_MAX
from shoutgraph.plugins.providers import Providers
from shoutgraph.sdk import Host, NoAnswer, NotSent

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def server() -> Iterator[Upstream]:
    with running(Upstream()) as server:
        yield server


@pytest.fixture
def upstream(server: Upstream) -> Upstream:
    server.seen.clear()
    return server


def lent(*hosts: str, ticks: Ticks | None = None) -> tuple[Providers, Host]:
    instance = {"plugin": "written", "api_key": {"env": "KEY"}, "hosts": list(hosts)}
    registry = topup_of({}, instances={"one": instance}, monotonic=ticks or Ticks())
    return registry, registry.topup("one").provider.host


async def test_a_request_arrives_once_as_it_was_sent(upstream: Upstream) -> None:
    registry, host = lent(upstream.host)
    answer = await host.http.request(
        "POST", f"{upstream.url}/pay?x=1", headers={"idempotency-key": "k"}, content=b'{"a": 1}'
    )
    await registry.aclose()
    assert (answer.status, answer.json()) == (200, {})
    (method, path, headers, body), *others = upstream.seen
    assert (method, path, headers["idempotency-key"], body) == ("POST", "/pay", "k", b'{"a": 1}')
    assert headers["accept-encoding"] == "identity"
    assert others == []


@pytest.mark.parametrize(
    "url",
    [
        "http://{host}.evil.test/",
        "http://evil.test/",
        "http://127.0.0.1:1/",
        "http://user@{host}@evil.test/",
        "https://{host}/../",
        "ftp://{host}/",
        "file:///etc/passwd",
        "//{host}/",
        "not a url",
        "http://[::1]:{port}/",
    ],
)
async def test_a_host_that_was_not_declared_is_never_spoken_to(upstream: Upstream, url: str) -> None:
    registry, host = lent("api.vendor.test", upstream.host)
    with pytest.raises(NotSent):
        await host.http.request("GET", url.format(host=upstream.host, port=upstream.port))
    await registry.aclose()
    assert upstream.seen == []


async def test_anything_but_loopback_is_spoken_to_over_tls_only() -> None:
    _, host = lent("api.vendor.test:80", "api.vendor.test")
    with pytest.raises(NotSent, match="without TLS"):
        await host.http.request("GET", "http://api.vendor.test/")


async def test_a_redirect_is_an_answer_and_is_not_followed(upstream: Upstream) -> None:
    registry, host = lent(upstream.host)
    assert (await host.http.request("GET", f"{upstream.url}/redirect")).status == 302
    await registry.aclose()
    assert [path for _, path, _, _ in upstream.seen] == ["/redirect"]


async def test_cookies_are_not_kept(upstream: Upstream) -> None:
    registry, host = lent(upstream.host)
    await host.http.request("GET", f"{upstream.url}/cookie")
    await host.http.request("GET", f"{upstream.url}/again")
    await registry.aclose()
    assert "cookie" not in upstream.seen[1][2]


async def test_a_refused_connection_proves_that_nothing_was_sent() -> None:
    registry, host = lent(f"127.0.0.1:{CLOSED_PORT}")
    with pytest.raises(NotSent):
        await host.http.request("POST", f"http://127.0.0.1:{CLOSED_PORT}/", content=b"{}")
    await registry.aclose()


@pytest.mark.parametrize("path", ["large", "packed", "truncated"])
async def test_an_answer_that_is_not_whole_is_no_answer(upstream: Upstream, path: str) -> None:
    registry, host = lent(upstream.host)
    with pytest.raises(NoAnswer):
        await host.http.request("GET", f"{upstream.url}/{path}")
    await registry.aclose()


async def test_json_that_is_nested_too_deeply_is_a_value_error(upstream: Upstream) -> None:
    async def deep(send: object) -> None:
        await upstream.answer(send, body=b"[" * 100_000)

    upstream.answer_deep = deep
    registry, host = lent(upstream.host)
    answer = await host.http.request("GET", f"{upstream.url}/deep")
    await registry.aclose()
    with pytest.raises(ValueError, match="deeply"):
        answer.json()


async def test_a_log_line_names_the_instance_and_has_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    _, host = lent()
    with caplog.at_level(logging.INFO):
        host.log("asked", header=f"Bearer {SECRET}", many="x" * 5000)
    assert "plugin written, instance one: asked header='Bearer [secret]'" in caplog.text
    assert SECRET not in caplog.text
    assert len(caplog.text) < 2500


async def test_the_host_lends_its_clock_and_the_instances_name() -> None:
    _, host = lent()
    assert (host.now(), host.instance) == (NOW, "one")


async def test_a_cached_value_is_made_once_until_it_is_stale() -> None:
    ticks, made = Ticks(), []
    _, host = lent(ticks=ticks)

    async def make() -> str:
        await asyncio.sleep(0)
        made.append(ticks.now_s)
        return f"token {len(made)}"

    ttl = timedelta(seconds=60)
    both = await asyncio.gather(host.cached("token", ttl, make), host.cached("token", ttl, make))
    ticks.now_s = 61
    later = await host.cached("token", ttl, make)
    assert (both, later) == (["token 1", "token 1"], "token 2")


async def test_the_cache_is_bounded_and_forgets_the_oldest() -> None:
    _, host = lent()
    made = []

    async def put(at: int) -> None:
        async def make() -> str:
            made.append(at)
            return str(at)

        await host.cached(f"key {at}", timedelta(1), make)

    for at in range(CACHED_MAX + 1):
        await put(at)
    await put(0)
    await put(CACHED_MAX)
    assert made == [*range(CACHED_MAX + 1), 0]
