"""GraphQL over Server-Sent Events: resuming, heartbeats, and the end of a stream."""

import time
from datetime import timedelta

import pytest
from tests.api.harness import Client, Served, serving
from tests.api.sample import NOON, TOKENS, World, transport_of
from tests.api.test_sockets import TICKS, until

from shoutgraph.api import limits
from shoutgraph.api.http import build_asgi


def test_each_event_carries_its_cursor_as_id(client: Client) -> None:
    with client.events(TICKS, n=2) as stream:
        assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        for number in (1, 2):
            event = stream.next()
            assert event is not None
            assert (event.name, event.id) == ("next", str(number))
            assert event.data == {
                "data": {"ticks": {"number": number, "star": {"version": number}}},
                "extensions": {"cursor": str(number)},
            }
        last = stream.next()
        assert last is not None
        assert (last.name, last.data) == ("complete", None)
        assert stream.next() is None


def test_the_last_event_id_wins_over_the_argument(client: Client) -> None:
    with client.events(TICKS, last_event_id="4", n=5, after="1") as stream:
        event = stream.next()
        assert event is not None
        assert event.id == "5"


def test_lines_end_with_a_line_feed_only(client: Client) -> None:
    response = client.http.post(
        "/graphql", json={"query": TICKS, "variables": {"n": 1}}, headers={"accept": "text/event-stream"}
    )
    assert b"\r" not in response.content
    assert response.content.endswith(b"event: complete\ndata: \n\n")


def test_a_browser_opens_a_stream_by_get(client: Client) -> None:
    response = client.http.get("/graphql", params={"query": "{ viewer }"}, headers={"accept": "text/event-stream"})
    assert response.text == 'event: next\ndata: {"data":{"viewer":"anonymous"}}\n\nevent: complete\ndata: \n\n'


@pytest.mark.parametrize(
    "accept", ["application/json, text/event-stream", "text/event-stream, application/graphql-response+json;q=0.1"]
)
def test_a_client_that_also_accepts_json_gets_json(client: Client, accept: str) -> None:
    assert client.post_for(accept, "{ viewer }").json() == {"data": {"viewer": "anonymous"}}


@pytest.mark.parametrize(
    ("query", "code"), [("{", "GRAPHQL_PARSE_FAILED"), ("{ nothing }", "GRAPHQL_VALIDATION_FAILED")]
)
def test_a_wrong_request_is_told_in_the_stream(client: Client, query: str, code: str) -> None:
    with client.events(query) as stream:
        event = stream.next()
        assert event is not None
        assert event.data["errors"][0]["extensions"]["code"] == code
        assert "data" not in event.data


def test_a_wrong_token_is_refused_before_the_stream(served: Served) -> None:
    client = Client(served.url, token="forged")
    with client.events("subscription { waiting { number } }") as stream:
        assert stream.response.status_code == 401
    client.close()


def test_a_mutation_by_get_is_not_run(client: Client, world: World) -> None:
    params = {"query": "mutation { lift(input: {}) { replayed } }"}
    response = client.http.get("/graphql", params=params, headers={"accept": "text/event-stream"})
    assert "METHOD_NOT_ALLOWED" in response.text
    assert world.version == 1


def test_a_silent_stream_beats_its_heart(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEARTBEAT_S", 0.05)
    with client.events("{ slow(milliseconds: 300) }") as stream:
        assert stream.next() is not None
        assert stream.comments >= 3


def test_a_client_that_goes_ends_its_stream(client: Client, world: World) -> None:
    with client.events("subscription { waiting { number } }") as stream:
        assert stream.next() is not None
    until(lambda: "waiting ended" in world.calls)


def test_a_token_that_expires_ends_the_stream(served: Served, world: World) -> None:
    world.now = NOON + timedelta(seconds=0.2)
    client = Client(served.url, token="brief")
    with client.events("subscription { waiting { number } }") as stream:
        assert stream.next() is not None
        world.now = NOON + timedelta(seconds=1)
        event = stream.next()
        assert event is not None
        assert event.data["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
        last = stream.next()
        assert last is not None
        assert last.name == "complete"
    client.close()
    until(lambda: "waiting ended" in world.calls)


def test_rights_that_end_end_the_stream(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RECHECK_S", 0.05)
    client = Client(served.url, token="fan")
    with client.events("subscription { waiting { number } }") as stream:
        assert stream.next() is not None
        time.sleep(0.1)
        monkeypatch.delitem(TOKENS, "Bearer fan")
        event = stream.next()
        assert event is not None
        assert event.data["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    client.close()


def test_a_drain_ends_streams_with_complete_and_does_not_wait_for_them(world: World) -> None:
    shared = transport_of(world)
    began = time.monotonic()
    with serving(build_asgi(shared), shared.drain) as served:
        client = Client(served.url)
        with client.events("subscription { waiting { number } }") as stream:
            assert stream.next() is not None
            served.server.should_exit = True
            last = stream.next()
            assert last is not None
            assert last.name == "complete"
            assert stream.next() is None
        client.close()
    assert "waiting ended" in world.calls
    assert time.monotonic() - began < 3


def test_a_client_that_reads_too_slowly_is_let_go(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEND_S", 0.1)
    with client.events("subscription { flood { number } }"):
        until(lambda: "flood ended" in world.calls)


def test_a_stream_that_breaks_says_so_and_completes(client: Client) -> None:
    with client.events('subscription { breaking(name: "later") { number } }') as stream:
        events = [stream.next() for _ in range(3)]
    assert [event.name for event in events if event] == ["next", "next", "complete"]
    assert events[1] is not None
    assert events[1].data["errors"][0]["extensions"]["code"] == "INTERNAL"
