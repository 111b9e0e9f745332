"""Points: what callers may spend, what they are told of it, and what happens when nothing is left."""

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

import httpx
import pytest
from tests.api.harness import Client, Served, Socket, serving
from tests.api.sample import World, transport_of

from shoutgraph.api import metering
from shoutgraph.api.addresses import Peers, networks_of
from shoutgraph.api.http import build_asgi
from shoutgraph.api.metering import Meter
from shoutgraph.domain.buckets import MICROS, Rate, Rates

LIMIT = 100
SECONDS = 10
PAGE = "query ($n: Int!) { stars(first: $n) { nodes { handle again { handle } } } }"


class Time:
    """A time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 7 * MICROS

    def __call__(self) -> int:
        return self.now

    def pass_s(self, seconds: int) -> None:
        self.now += seconds * MICROS


@contextmanager
def metered(world: World, time: Time, **rates: Rate | int) -> Iterator[Served]:
    limit = Rate(LIMIT, SECONDS * MICROS)
    chosen = Rates(limit, limit, limit, rates.get("connections"))  # type: ignore[arg-type]
    peers = Peers(networks_of(["127.0.0.1", "10.0.0.0/8"]))
    shared = transport_of(world, meter=Meter(chosen, key=b"key", monotonic=time), peers=peers)
    with serving(build_asgi(shared), shared.drain) as served:
        yield served


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def counting(world: World, time: Time) -> Iterator[Served]:
    with metered(world, time) as served:
        yield served


def cost_of(response: httpx.Response) -> Mapping[str, int]:
    body = response.json()
    source = body["errors"][0] if "errors" in body else body
    cost: Mapping[str, int] = source["extensions"]["cost"]
    return cost


def test_an_operation_is_charged_what_it_did_cost(counting: Served, time: Time) -> None:
    with closing(Client(counting.url, "fan")) as fan, closing(Client(counting.url)) as stranger:
        told = {"requested": 61, "actual": 11, "limit": LIMIT, "remaining": LIMIT - 11, "restoreRate": 10}
        assert cost_of(fan.post(PAGE, n=30)) == told, "five stars, each within itself, and the connection"
        assert cost_of(stranger.post("{ viewer }"))["remaining"] == LIMIT - 1, "theirs is another bucket; 1 at least"
        assert cost_of(fan.post("mutation { lift(input: {}) { star { handle } errors { __typename } } }")) == told | {
            "requested": 21,
            "actual": 11,
            "remaining": LIMIT - 22,
        }
        assert "cost" not in fan.post("{ nothing }").json().get("extensions", {})
        assert cost_of(fan.post("{ viewer }"))["remaining"] == LIMIT - 22 - metering.REFUSED_COST - 1
        time.pass_s(SECONDS)
        assert cost_of(fan.post("{ viewer }"))["remaining"] == LIMIT - 1, "it is never more than full"


def test_who_has_nothing_left_waits_over_every_transport(counting: Served, world: World, time: Time) -> None:
    with closing(Client(counting.url, "fan")) as fan, Socket(counting.socket_url) as socket:
        socket.init("fan")
        for _ in range(8):
            fan.post(PAGE, n=30)
        calls = len(world.calls)
        for response in (fan.post(PAGE, n=30), fan.post_for("application/json", PAGE, n=30)):
            [error] = response.json()["errors"]
            assert (response.status_code, response.headers["retry-after"]) == (429, "1")
            assert error["extensions"] | {"cost": 0, "requestId": 0} == {
                "code": "RATE_LIMITED", "retryAfter": 1, "cost": 0, "requestId": 0
            }  # fmt: skip
            assert cost_of(response) == {"requested": 61, "limit": LIMIT, "remaining": 56, "restoreRate": 10}
        stream = fan.events("subscription { waiting { star { again { again { again { handle } } } } } }")
        assert stream.next() is not None, "a subscription is charged once"
        stream.close()
        assert fan.events(PAGE, n=30).response.status_code == 429, "it is known before there is a stream"
        socket.subscribe("a", PAGE, n=30)
        message = socket.receive()
        assert (message["type"], message["id"]) == ("error", "a")
        assert message["payload"][0]["extensions"]["code"] == "RATE_LIMITED"
        socket.subscribe("a", "{ viewer }")
        assert socket.next("a")["data"] == {"viewer": "fan"}, "the socket is open, and a smaller operation runs"
        assert len(world.calls) == calls + 1, "nothing else ran"
        time.pass_s(6)
        assert fan.post(PAGE, n=30).status_code == 200


def test_who_sends_nothing_but_rubbish_is_not_read_any_more(counting: Served) -> None:
    with closing(Client(counting.url)) as stranger:
        codes = [stranger.code("{ nothing }") for _ in range(12)]
        assert codes == ["GRAPHQL_VALIDATION_FAILED"] * 10 + ["RATE_LIMITED"] * 2


def test_strangers_are_told_apart_by_the_address_that_our_own_proxies_saw(counting: Served) -> None:
    def left(*hops: str) -> int:
        headers = [("x-forwarded-for", hop) for hop in hops]
        body = {"query": PAGE, "variables": {"n": 4}}
        return cost_of(httpx.post(f"{counting.url}/graphql", json=body, headers=headers))["remaining"]

    assert left("192.0.2.1") == LIMIT - 9
    assert left("198.51.100.9, 192.0.2.1") == LIMIT - 18, "what a client says of itself is not believed"
    assert left("192.0.2.1, 10.1.2.3", "10.9.9.9") == LIMIT - 27, "proxies in a row"
    assert left("192.0.2.2") == LIMIT - 9
    assert left("2001:db8:1:2:3::4") == LIMIT - 9
    assert left("2001:db8:1:2::5") == LIMIT - 18, "a site has more addresses than can be counted"
    assert left("::ffff:192.0.2.2") == LIMIT - 18
    assert left("rubbish") == left("more rubbish") + 9


def test_secrets_are_guessed_slowly(counting: Served, time: Time) -> None:
    with closing(Client(counting.url, "fan")) as fan, closing(Client(counting.url)) as stranger:
        tries = " ".join(f'g{n}: guess(text: "{n}")' for n in range(29))
        assert fan.data(f'{{ {tries} ...G }} fragment G on Query {{ g0: guess(text: "0") }}')["g7"] is False
        assert fan.data('{ guess(text: "secret") }') == {"guess": True}, "that makes thirty"
        refused = fan.post('{ guess(text: "secret") }')
        extensions = refused.json()["errors"][0]["extensions"]
        assert (refused.status_code, refused.headers["retry-after"], extensions["door"]) == (429, "2", "guess")
        assert stranger.data('{ guess(text: "x") }') == {"guess": False}, "each has their own door"
        time.pass_s(2)
        assert fan.data('{ guess(text: "secret") }') == {"guess": True}


def test_credentials_are_guessed_slowly(counting: Served) -> None:
    with closing(Client(counting.url, "wrong")) as guessing, closing(Client(counting.url, "fan")) as fan:
        codes = [guessing.code("{ viewer }") for _ in range(metering.CREDENTIAL_PER_MINUTE + 1)]
        assert codes == ["UNAUTHENTICATED"] * metering.CREDENTIAL_PER_MINUTE + ["RATE_LIMITED"]
        assert guessing.post("{ viewer }").status_code == 429
        assert fan.data("{ viewer }") == {"viewer": "fan"}, "whoever is right is let in"
        with Socket(counting.socket_url) as socket:
            socket.send({"type": "connection_init", "payload": {"authorization": "Bearer wrong"}})
            assert socket.closed()[0] == 1013


def test_a_person_holds_a_limited_number_of_connections(world: World, time: Time) -> None:
    with metered(world, time, connections=2) as served, closing(Client(served.url, "fan")) as fan:
        with Socket(served.socket_url).init("fan"), Socket(served.socket_url) as late:
            stream = fan.events("subscription { waiting { number } }")
            assert stream.next() is not None
            late.send({"type": "connection_init", "payload": {"authorization": "Bearer fan"}})
            assert late.closed()[0] == 1013
            assert fan.events("subscription { waiting { number } }").response.status_code == 429
            assert fan.data("{ viewer }") == {"viewer": "fan"}, "a request is no connection"
            stream.close()
        sockets = [Socket(served.socket_url) for _ in range(2 * metering.MANY)]
        with Socket(served.socket_url) as late:
            assert late.closed()[0] == 1013, "nor does an address hold more than its share"
        for socket in sockets:
            socket.close()


def test_a_bucket_is_worked_out_in_whole_numbers() -> None:
    rate = Rate(7, 10)
    assert [rate.time_of(points) for points in (1, 7, -1)] == [2, 10, -1], "a point is never free"
    assert [rate.left(empty) for empty in (-5, 0, 1, 10, 20)] == [7, 7, 6, 0, -7]
    assert rate.wait_for(7, 0) == 0
    assert rate.wait_for(100, 1) == 1, "more than it holds is given when it is full"


def test_buckets_are_kept_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metering, "BUCKETS_MAX", 3)
    meter = Meter(Rates(), key=b"key")
    for name in range(9):
        meter.bucket(str(name), Rate(1, 1))
    assert len(meter._buckets) == 3
