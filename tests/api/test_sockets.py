"""GraphQL over WebSocket: the protocol, its close codes, its limits and its end."""

import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.api.harness import Client, Closed, Served, Socket, serving
from tests.api.sample import NOON, TOKENS, World, transport_of
from websockets.exceptions import InvalidStatus

from shoutgraph.api import limits
from shoutgraph.api.http import build_asgi
from shoutgraph.domain.users import Viewer

TICKS = "subscription ($n: Int!, $after: String) { ticks(count: $n, after: $after) { number star { version } } }"


def until(condition: Callable[[], bool]) -> None:
    """Waits for something that another thread brings about."""
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def test_queries_and_mutations_are_answered_once(socket: Socket) -> None:
    socket.init()
    socket.subscribe("a", '{ echo(text: "hi") }')
    assert socket.next("a") == {"data": {"echo": "hi"}}
    assert socket.receive() == {"id": "a", "type": "complete"}
    socket.subscribe("a", "mutation { lift(input: {}) { star { version } } }")
    assert socket.next("a") == {"data": {"lift": {"star": {"version": 2}}}}
    assert socket.receive() == {"id": "a", "type": "complete"}


def test_each_event_is_read_afresh_and_carries_its_cursor(socket: Socket) -> None:
    socket.init()
    socket.subscribe("s", TICKS, n=3)
    for number in (1, 2, 3):
        assert socket.next("s") == {
            "data": {"ticks": {"number": number, "star": {"version": number}}},
            "extensions": {"cursor": str(number)},
        }
    assert socket.receive() == {"id": "s", "type": "complete"}


def test_a_stream_resumes_after_its_cursor(socket: Socket) -> None:
    socket.init()
    socket.subscribe("s", TICKS, n=3, after="2")
    assert socket.next("s")["extensions"] == {"cursor": "3"}
    assert socket.receive()["type"] == "complete"


def test_operations_share_a_socket(socket: Socket) -> None:
    socket.init()
    socket.subscribe("w", "subscription { waiting { number } }")
    assert socket.next("w")["data"] == {"waiting": {"number": 1}}
    socket.subscribe("q", "{ viewer }")
    assert socket.next("q") == {"data": {"viewer": "anonymous"}}


def test_a_text_with_half_a_character_fails_alone(socket: Socket) -> None:
    socket.init()
    for text in ('{"query":"{ viewer }","variables":{"a":"\\ud83c"}}', '{"query":"{ viewer }","variables":{"a":NaN}}'):
        socket.send_text(f'{{"type":"subscribe","id":"x","payload":{text}}}')
        message = socket.receive()
        assert (message["type"], message["id"]) == ("error", "x")
        assert message["payload"][0]["extensions"]["code"] == "BAD_REQUEST"
    socket.subscribe("x", "{ viewer }")
    assert socket.next("x") == {"data": {"viewer": "anonymous"}}


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"query": "{"}, "GRAPHQL_PARSE_FAILED"),
        ({"query": "{ nothing }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": "query A { viewer }", "operationName": "B"}, "BAD_USER_INPUT"),
        ({"query": "query ($t: String!) { echo(text: $t) }"}, "BAD_USER_INPUT"),
        ({"query": TICKS}, "BAD_USER_INPUT"),
        ({"query": TICKS, "variables": {"n": "x"}}, "BAD_USER_INPUT"),
        ({"query": "subscription { log(after: 5) { number } }"}, "GRAPHQL_VALIDATION_FAILED"),
        ({"query": 5}, "BAD_REQUEST"),
        ({"query": "{ viewer }", "variables": []}, "BAD_REQUEST"),
        ({}, "BAD_REQUEST"),
        ({"extensions": {"persistedQuery": {}}}, "PERSISTED_QUERY_NOT_SUPPORTED"),
        (None, "BAD_REQUEST"),
        ([], "BAD_REQUEST"),
    ],
)
def test_a_wrong_request_fails_alone(socket: Socket, payload: object, code: str) -> None:
    socket.init()
    socket.subscribe("w", "subscription { waiting { number } }")
    socket.next("w")
    socket.send({"type": "subscribe", "id": "x", "payload": payload})
    message = socket.receive()
    assert (message["type"], message["id"]) == ("error", "x")
    assert message["payload"][0]["extensions"]["code"] == code
    socket.subscribe("x", "{ viewer }")
    assert socket.next("x") == {"data": {"viewer": "anonymous"}}


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "1",
        "null",
        '"text"',
        "[]",
        "{}",
        '{"type":"start"}',
        '{"type":7}',
        '{"type":"subscribe","payload":{"query":"{ viewer }"}}',
        '{"type":"subscribe","id":"","payload":{"query":"{ viewer }"}}',
        '{"type":"subscribe","id":5,"payload":{"query":"{ viewer }"}}',
        json.dumps({"type": "subscribe", "id": "x" * 129, "payload": {"query": "{ viewer }"}}),
        '{"type":"complete"}',
        '{"type":"connection_init","payload":[]}',
        "[" * 50_000,
        '{"type":"ping","payload":NaN}',
    ],
)
def test_a_message_of_a_wrong_shape_closes_with_4400(served: Served, message: str) -> None:
    with Socket(served.socket_url) as socket:
        if '"connection_init"' not in message:
            socket.init()
        socket.send_text(message)
        code, reason = socket.closed()
    assert code == 4400
    assert 0 < len(reason.encode()) <= limits.CLOSE_REASON_BYTES_MAX


def test_a_binary_message_closes_with_4400(socket: Socket) -> None:
    socket.init()
    socket.send_text(b'{"type":"ping"}')
    assert socket.closed()[0] == 4400


def test_a_message_that_is_too_long_closes_with_1009(socket: Socket) -> None:
    socket.init()
    socket.send({"type": "ping", "payload": {"x": "y" * limits.MESSAGE_BYTES_MAX}})
    assert socket.closed()[0] == 1009


def test_a_subscription_before_the_init_closes_with_4401(socket: Socket) -> None:
    socket.subscribe("a", "{ viewer }")
    assert socket.closed()[0] == 4401


def test_a_second_init_closes_with_4429(socket: Socket) -> None:
    socket.init().send({"type": "connection_init"})
    assert socket.closed()[0] == 4429


def test_an_id_in_use_closes_with_4409(socket: Socket) -> None:
    socket.init()
    socket.subscribe("w" * 128, "subscription { waiting { number } }")
    socket.subscribe("w" * 128, "subscription { waiting { number } }")
    code, reason = socket.closed()
    assert (code, len(reason) <= limits.CLOSE_REASON_BYTES_MAX) == (4409, True)


def test_a_silent_socket_closes_with_4408(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "INIT_S", 0.05)
    with Socket(served.socket_url) as socket:
        assert socket.closed()[0] == 4408


def test_a_socket_without_the_protocol_closes_with_4406(served: Served) -> None:
    with Socket(served.socket_url, protocols=[]) as socket:
        assert socket.connection.subprotocol is None
        assert socket.closed()[0] == 4406


def test_the_retired_protocol_is_never_chosen(served: Served) -> None:
    with Socket(served.socket_url, protocols=["graphql-ws", "graphql-transport-ws"]) as socket:
        assert socket.connection.subprotocol == "graphql-transport-ws"
    with Socket(served.socket_url, protocols=["graphql-ws"]) as socket:
        assert socket.closed()[0] == 4406


def test_pings_are_answered_before_and_after_the_init(socket: Socket) -> None:
    for _ in range(2):
        socket.send({"type": "ping", "payload": {"at": 1}})
        assert socket.receive() == {"type": "pong"}
        socket.send({"type": "pong"})
        if _ == 0:
            socket.init()


def test_the_init_says_who_asks(served: Served) -> None:
    for payload, principal in (
        ({"authorization": "Bearer staff"}, "staff"),
        ({"Authorization": "Bearer fan"}, "fan"),
        ({}, "anonymous"),
        ({"authorization": None}, "anonymous"),
    ):
        with Socket(served.socket_url) as socket:
            socket.send({"type": "connection_init", "payload": payload})
            assert socket.receive() == {"type": "connection_ack"}
            socket.subscribe("q", "{ viewer }")
            assert socket.next("q")["data"] == {"viewer": principal}


def test_the_handshake_may_say_who_asks(served: Served) -> None:
    with Socket(served.socket_url, headers={"authorization": "Bearer staff"}) as socket:
        socket.init()
        socket.subscribe("q", "{ viewer }")
        assert socket.next("q")["data"] == {"viewer": "staff"}


def test_a_wrong_token_closes_with_4403(socket: Socket) -> None:
    socket.send({"type": "connection_init", "payload": {"authorization": "Bearer forged"}})
    assert socket.closed() == (4403, "The token is not valid.")


def test_a_token_that_expires_closes_with_4403(socket: Socket, world: World) -> None:
    world.now = NOON + timedelta(seconds=0.2)
    socket.init("brief")
    socket.subscribe("w", "subscription { waiting { number } }")
    socket.next("w")
    world.now = NOON + timedelta(seconds=1)
    assert socket.closed() == (4403, "The token has expired.")
    until(lambda: "waiting ended" in world.calls)


@pytest.mark.parametrize(
    ("becomes", "reason"),
    [(None, "The token is not valid."), (Viewer(principal="fan"), "Your rights have changed: connect again.")],
)
def test_rights_that_end_close_the_socket_with_4403(
    served: Served, monkeypatch: pytest.MonkeyPatch, becomes: Viewer | None, reason: str
) -> None:
    monkeypatch.setattr(limits, "RECHECK_S", 0.05)
    with Socket(served.socket_url) as socket:
        socket.init("fan").subscribe("w", "subscription { waiting { number } }")
        socket.next("w")
        with pytest.raises(TimeoutError):
            socket.receive(timeout=0.2)
        if becomes is None:
            monkeypatch.delitem(TOKENS, "Bearer fan")
        else:
            monkeypatch.setitem(TOKENS, "Bearer fan", becomes)
        assert socket.closed() == (4403, reason)


def test_a_socket_stays_open_while_nobody_can_be_asked(
    served: Served, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RECHECK_S", 0.02)
    with Socket(served.socket_url) as socket:
        socket.init("fan")
        world.down = True
        with pytest.raises(TimeoutError):
            socket.receive(timeout=0.2)
        world.down = False
        socket.subscribe("q", "{ viewer }")
        assert socket.next("q") == {"data": {"viewer": "fan"}}


def test_a_socket_that_opens_while_nobody_can_be_asked_is_told_to_come_back(served: Served, world: World) -> None:
    world.down = True
    with Socket(served.socket_url) as socket:
        socket.send({"type": "connection_init", "payload": {"authorization": "Bearer fan"}})
        assert socket.closed()[0] == 1013


def test_complete_ends_an_operation_and_frees_its_id(socket: Socket, world: World) -> None:
    socket.init()
    socket.subscribe("w", "subscription { waiting { number } }")
    socket.next("w")
    socket.send({"type": "complete", "id": "w"})
    until(lambda: "waiting ended" in world.calls)
    socket.send({"type": "complete", "id": "unknown"})
    socket.subscribe("w", "{ viewer }")
    assert socket.next("w") == {"data": {"viewer": "anonymous"}}


def test_a_client_that_goes_ends_its_operations(served: Served, world: World) -> None:
    with Socket(served.socket_url) as socket:
        socket.init()
        socket.subscribe("w", "subscription { waiting { number } }")
        socket.next("w")
    until(lambda: "waiting ended" in world.calls)


def test_a_mutation_survives_the_client_that_sent_it(served: Served, world: World) -> None:
    with Socket(served.socket_url) as socket:
        socket.init()
        socket.subscribe("m", "mutation { lift(input: {milliseconds: 150}) { replayed } }")
        socket.send({"type": "ping"})
        socket.receive()
    assert world.version == 1
    until(lambda: world.version == 2)


def test_a_socket_runs_a_limited_number_of_operations(socket: Socket) -> None:
    socket.init()
    for number in range(limits.OPERATIONS_PER_SOCKET):
        socket.subscribe(f"w{number}", "subscription { waiting { number } }")
    for _ in range(limits.OPERATIONS_PER_SOCKET):
        assert socket.receive()["type"] == "next"
    socket.subscribe("one more", "{ viewer }")
    message = socket.receive()
    assert (message["type"], message["id"]) == ("error", "one more")
    assert message["payload"][0]["extensions"]["code"] == "OPERATION_LIMIT"
    socket.send({"type": "complete", "id": "w0"})
    socket.subscribe("one more", "{ viewer }")
    assert socket.next("one more") == {"data": {"viewer": "anonymous"}}


def test_a_stream_that_breaks_says_so_and_completes(socket: Socket) -> None:
    socket.init()
    socket.subscribe("b", 'subscription { breaking(name: "later") { number } }')
    assert socket.next("b")["data"] == {"breaking": {"number": 1}}
    payload = socket.next("b")
    assert payload["data"] is None
    assert payload["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "secret" not in json.dumps(payload)
    assert socket.receive() == {"id": "b", "type": "complete"}


def test_a_stream_that_is_refused_says_why(socket: Socket) -> None:
    socket.init()
    socket.subscribe("b", 'subscription { breaking(name: "forbidden") { number } }')
    assert socket.next("b")["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert socket.receive() == {"id": "b", "type": "complete"}


def test_a_subscription_with_a_scope_is_not_even_opened_without_it(served: Served, world: World) -> None:
    with Socket(served.socket_url).init("fan") as socket:
        socket.subscribe("s", "subscription { secrets { number } }")
        message = socket.receive()
        assert (message["type"], message["payload"][0]["extensions"]["code"]) == ("error", "FORBIDDEN")
        assert world.calls == []
    with Socket(served.socket_url).init("staff") as socket:
        socket.subscribe("s", "subscription { secrets { number } }")
        assert socket.next("s")["data"] == {"secrets": {"number": 1}}


def test_a_client_that_reads_too_slowly_is_let_go(
    served: Served, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEND_S", 0.1)
    with Socket(served.socket_url) as socket:
        socket.init()
        socket.subscribe("f", "subscription { flood { number } }")
        until(lambda: "flood ended" in world.calls)
        assert socket.closed()[0] in {1013, 1006}


def test_a_client_that_reads_slowly_but_steadily_keeps_its_stream(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEND_S", 0.5)
    with Socket(served.socket_url) as socket:
        socket.init()
        socket.subscribe("f", "subscription { flood { number } }")
        for number in range(1, 60):
            assert socket.next("f")["data"] == {"flood": {"number": number}}
            time.sleep(0.01)


def test_a_drain_closes_sockets_with_1012(world: World) -> None:
    shared = transport_of(world)
    with serving(build_asgi(shared), shared.drain) as served:
        socket = Socket(served.socket_url).init()
        socket.subscribe("w", "subscription { waiting { number } }")
        socket.next("w")
        served.server.should_exit = True
        assert socket.closed()[0] == 1012
        socket.close()
    assert "waiting ended" in world.calls


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://fans.example.evil.example"])
def test_a_page_of_another_origin_may_not_open_a_socket(served: Served, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        Socket(served.socket_url, origin=origin)
    assert refused.value.response.status_code == 403


def test_the_same_origin_and_listed_front_ends_may_open_a_socket(world: World) -> None:
    shared = transport_of(world, allowed_origins=frozenset({"https://FANS.example:443/"}))
    with serving(build_asgi(shared), shared.drain) as served:
        for origin in ("https://fans.example", "HTTPS://FANS.example:443", served.url):
            with Socket(served.socket_url, origin=origin) as socket:
                socket.init()


def test_a_thousand_messages_in_one_go_are_all_answered(served: Served) -> None:
    with Socket(served.socket_url) as socket:
        socket.init()

        def send() -> None:
            for _ in range(1_000):
                socket.send({"type": "ping"})

        sender = threading.Thread(target=send)
        sender.start()
        assert all(socket.receive() == {"type": "pong"} for _ in range(1_000))
        sender.join()


def test_http_goes_on_while_sockets_are_open(served: Served, client: Client) -> None:
    with Socket(served.socket_url) as socket:
        socket.init()
        socket.subscribe("w", "subscription { waiting { number } }")
        socket.next("w")
        assert client.data("{ viewer }") == {"viewer": "anonymous"}
        with pytest.raises(TimeoutError):
            socket.receive(timeout=0.05)


def test_a_closed_socket_is_reported_with_its_code() -> None:
    assert str(Closed(4400, "why")) == "4400 why"
