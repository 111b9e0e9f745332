"""GraphQL over HTTP: methods, media types, bodies, statuses and failures."""

import asyncio
import json
import socket as sockets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from tests.api.harness import PATIENCE_S, Client, Served, serving
from tests.api.sample import SCHEMA, World, transport_of

from shoutgraph.api import limits, server
from shoutgraph.api.drain import Drain
from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.documents import Operation
from shoutgraph.api.graphql.execution import Runner
from shoutgraph.api.http import build_asgi
from shoutgraph.domain.users import Viewer

GRAPHQL = "application/graphql-response+json"
HELLO = '{"query":"{ echo(text: \\"hi\\") }"}'


def raw(client: Client, body: str | bytes, **headers: str) -> tuple[int, Any, str]:
    """Posts a body as it is: the status, the JSON and its media type."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    response = client.http.post("/graphql", content=body, headers={"content-type": "application/json"} | names)
    return response.status_code, response.json(), response.headers["content-type"].split(";")[0]


def code_of(body: Any) -> str:
    return str(body["errors"][0]["extensions"]["code"])


def posted(*headers: str) -> bytes:
    """The head of a request that posts HELLO."""
    first = ("POST /graphql HTTP/1.1", "host: x", "content-type: application/json", f"content-length: {len(HELLO)}")
    return "\r\n".join((*first, *headers, "", "")).encode()


def test_who_waits_to_be_told_to_go_on_is_told(served: Served) -> None:
    with sockets.create_connection(("127.0.0.1", served.port), timeout=PATIENCE_S) as connection:
        connection.sendall(posted("expect: 100-continue"))
        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(HELLO.encode())
        assert connection.recv(65_536).endswith(b'{"data":{"echo":"hi"}}')


class Packets(asyncio.Transport):
    """A connection that keeps each packet by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing is there to be closed."""


@pytest.mark.parametrize(("pause", "packets"), [(False, 1), (True, 2)])
def test_the_head_of_an_answer_leaves_with_a_body_that_is_there(*, pause: bool, packets: int) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        if pause:
            await asyncio.sleep(0.01)  # as of a stream that has nothing to tell yet
        await send({"type": "http.response.body", "body": b"hi"})

    async def story() -> list[bytes]:
        built, transport = server.build_server(app, Drain()), Packets()
        built.config.load()
        protocol = server.GuardedProtocol(built.config, built.server_state, {})
        protocol.connection_made(transport)
        protocol.data_received(posted() + HELLO.encode())
        await asyncio.gather(*built.server_state.tasks)
        protocol.connection_lost(None)
        return transport.written

    written = asyncio.run(story())
    assert len(written) == packets
    assert b"".join(written).endswith(b"\r\n\r\nhi")


def test_a_query_is_answered_by_post_and_by_get(client: Client) -> None:
    assert client.data("query ($text: String!) { echo(text: $text) }", text="hi") == {"echo": "hi"}
    params = {"query": "query ($text: String!) { echo(text: $text) }", "variables": json.dumps({"text": "\u00e9"})}
    assert client.http.get("/graphql", params=params).json() == {"data": {"echo": "\u00e9"}}


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, application/json;q=0.9", GRAPHQL),
        (f"application/json, {GRAPHQL}", "application/json"),
        (f"{GRAPHQL}, application/graphql+json, application/json, text/event-stream, multipart/mixed", GRAPHQL),
        (f"{GRAPHQL};q=0, application/json;q=0.1", "application/json"),
    ],
)
def test_the_answer_has_the_media_type_that_the_client_prefers(
    client: Client, accept: str | None, answered: str
) -> None:
    headers = {"accept": accept} if accept else {"accept": ""}
    assert raw(client, HELLO, **headers) == (200, {"data": {"echo": "hi"}}, answered)


@pytest.mark.parametrize("accept", ["text/plain", "application/json;q=0", "application/jsonp", "image/*"])
def test_a_client_that_accepts_nothing_we_speak_is_told_so(client: Client, accept: str) -> None:
    status, body, _ = raw(client, HELLO, accept=accept)
    assert (status, code_of(body)) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/jsonp", "application/json; charset=utf-16", "multipart/form-data"],
)
def test_a_body_of_another_media_type_is_not_read(client: Client, content_type: str) -> None:
    status, body, _ = raw(client, HELLO, content_type=content_type)
    assert (status, code_of(body)) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("content_type", ["APPLICATION/JSON", 'application/json; charset="UTF-8"'])
def test_media_types_are_compared_without_their_case(client: Client, content_type: str) -> None:
    assert raw(client, HELLO, content_type=content_type)[0] == 200


def test_a_compressed_body_is_not_read(client: Client) -> None:
    assert raw(client, HELLO, content_encoding="gzip")[0] == 415


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "HEAD"])
def test_other_methods_are_refused_with_those_allowed(client: Client, method: str) -> None:
    response = client.http.request(method, "/graphql")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


def test_a_mutation_by_get_is_refused_and_not_run(client: Client, world: World) -> None:
    response = client.http.get("/graphql", params={"query": "mutation { lift(input: {}) { replayed } }"})
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert code_of(response.json()) == "METHOD_NOT_ALLOWED"
    assert world.version == 1


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "1",
        "null",
        '"text"',
        "[]",
        '[{"query":"{__typename}"}]',
        "{}",
        '{"query":null}',
        '{"query":""}',
        '{"query":7}',
        '{"query":"{__typename}","variables":[]}',
        '{"query":"{__typename}","variables":"{}"}',
        '{"query":"{__typename}","operationName":5}',
        '{"query":"{__typename}","extensions":"no"}',
        '{"query":"{__typename}","variables":{"x":NaN}}',
        '{"query":"{__typename}"}'.encode("utf-16"),
        b'{"query":"\xff"}',
        "[" * 50_000,
        '{"a":' * 10_000,
    ],
)
def test_what_is_no_request_is_refused_as_json(client: Client, body: str | bytes) -> None:
    for accept in (GRAPHQL, "application/json"):
        status, answer, media_type = raw(client, body, accept=accept)
        assert (status, code_of(answer), media_type) == (400, "BAD_REQUEST", accept)
        assert "data" not in answer


@pytest.mark.parametrize(("digits", "code"), [(30, "BAD_USER_INPUT"), (30_000, "BAD_REQUEST")])
def test_an_endless_number_is_only_a_bad_value(client: Client, digits: int, code: str) -> None:
    body = '{"query":"query($c:Coins){scalars(coins:$c){coins}}","variables":{"c":%s}}' % ("9" * digits)
    status, answer, _ = raw(client, body, accept=GRAPHQL)
    assert (status, code_of(answer)) == (400, code)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ echo }", "GRAPHQL_VALIDATION_FAILED"),
        ("query ($t: String!) { echo(text: $t) }", "BAD_USER_INPUT"),
        ("query ($c: Coins = 1.5) { scalars(coins: $c) { coins } }", "GRAPHQL_VALIDATION_FAILED"),
        ('query ($t: String = "a") { echo(text: $t) nothing: echo }', "GRAPHQL_VALIDATION_FAILED"),
        ("query A { viewer } query B { viewer }", "BAD_USER_INPUT"),
    ],
)
def test_a_request_error_has_no_data_and_the_status_that_the_media_type_wants(
    client: Client, query: str, code: str
) -> None:
    for accept, status in ((GRAPHQL, 400), ("application/json", 200)):
        response = client.post_for(accept, query)
        assert (response.status_code, code_of(response.json())) == (status, code)
        assert "data" not in response.json()


def test_a_null_that_only_execution_can_see_is_still_the_clients_mistake(client: Client) -> None:
    assert client.code('query ($t: String = "a") { echo(text: $t) }', t=None) == "BAD_USER_INPUT"


def test_one_of_several_operations_runs_only_by_its_name(client: Client) -> None:
    query = 'query A { echo(text: "a") } query B { echo(text: "b") }'
    answers = [
        client.http.post("/graphql", json={"query": query, "operationName": name}).json() for name in ("B", "C", None)
    ]
    assert answers[0] == {"data": {"echo": "b"}}
    assert [code_of(answer) for answer in answers[1:]] == ["BAD_USER_INPUT", "BAD_USER_INPUT"]


def test_a_subscription_by_plain_post_is_refused(client: Client, world: World) -> None:
    response = client.post("subscription { ticks(count: 1) { number } }")
    assert (response.status_code, code_of(response.json())) == (400, "BAD_REQUEST")
    assert world.calls == []


def test_unforeseen_errors_are_masked_and_name_the_request(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    response = client.http.post("/graphql", json={"query": "{ broken }"}, headers={"x-request-id": "trace-12345"})
    assert response.headers["x-request-id"] == "trace-12345"
    [error] = response.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL", "requestId": "trace-12345"}
    assert "hunter2" not in response.text
    [record] = [each for each in caplog.records if each.levelname == "ERROR"]
    assert record.getMessage() == "request trace-12345 failed at broken"
    assert record.exc_info is not None
    assert "hunter2" in str(record.exc_info[1])


@pytest.mark.parametrize("query", ["{ missing { handle } }", "{ huge }"])
def test_values_that_the_schema_forbids_are_our_fault_and_masked(client: Client, query: str) -> None:
    assert client.code(query) == "INTERNAL"


def test_mistakes_of_clients_are_not_logged_as_errors(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    client.post("{ nothing }")
    client.post('{ refuse(name: "validation") }')
    assert {record.levelname for record in caplog.records if record.name == "shoutgraph.api"} == {"INFO"}


@pytest.mark.parametrize(
    ("name", "extensions"),
    [
        ("validation", {"code": "BAD_USER_INPUT", "reason": "TOO_LONG", "argument": ["text"]}),
        ("not_found", {"code": "NOT_FOUND"}),
        ("forbidden", {"code": "FORBIDDEN", "reason": "NOT_A_CREATOR"}),
        ("unauthenticated", {"code": "UNAUTHENTICATED"}),
    ],
)
def test_a_refused_query_says_why(client: Client, name: str, extensions: dict[str, object]) -> None:
    [error] = client.post("query ($n: String!) { refuse(name: $n) }", n=name).json()["errors"]
    assert error["extensions"] == extensions | {"requestId": "request-0001"}
    assert error["path"] == ["refuse"]


def test_production_suggests_no_names(client: Client) -> None:
    queries = [
        "{ ech }",
        "{ echo(tex: 1) }",
        '{ echo(text: "a") ... on Starr { handle } }',
        "query ($a: Strin) { viewer }",
    ]
    for query in queries:
        assert "Did you mean" not in client.post(query).text


@pytest.mark.parametrize("body", [{"documentId": "sha256:0"}, {"extensions": {"persistedQuery": {"version": 1}}}])
def test_clients_with_stored_documents_can_fall_back(client: Client, body: dict[str, object]) -> None:
    code = code_of(client.http.post("/graphql", json=body).json())
    assert code in {"PERSISTED_DOCUMENT_NOT_FOUND", "PERSISTED_QUERY_NOT_SUPPORTED"}


def test_a_wrong_token_is_refused_and_not_taken_for_none(served: Served) -> None:
    client = Client(served.url, token="forged")
    response = client.post("{ viewer }")
    assert (response.status_code, code_of(response.json())) == (401, "UNAUTHENTICATED")
    assert response.headers["www-authenticate"] == "Bearer"
    client.close()


def test_the_token_says_who_asks(served: Served, client: Client) -> None:
    staff = Client(served.url, token="staff")
    assert (client.data("{ viewer }"), staff.data("{ viewer }")) == ({"viewer": "anonymous"}, {"viewer": "staff"})
    staff.close()


def test_a_body_that_is_too_long_is_refused_while_it_is_read(client: Client) -> None:
    long = json.dumps({"query": "{ viewer }", "variables": {"x": "y" * limits.BODY_BYTES_MAX}})
    status, body, _ = raw(client, long)
    assert (status, code_of(body)) == (413, "BODY_TOO_LARGE")

    def chunks() -> Any:
        for _ in range(40):
            yield b"x" * 10_000

    headers = {"content-type": "application/json"}
    response = client.http.post("/graphql", content=chunks(), headers=headers)
    assert response.status_code == 413


def test_a_body_that_comes_too_slowly_is_refused(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BODY_S", 0.05)
    answer = exchange(
        served, b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"
    )
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"REQUEST_TIMEOUT" in answer


def test_a_head_that_comes_too_slowly_or_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    monkeypatch.setattr(server, "HEADERS_S", 0.1)
    shared = transport_of(world)
    with serving(build_asgi(shared), shared.drain) as served:
        assert exchange(served, b"").startswith(b"HTTP/1.1 408 ")
        assert exchange(served, b"POST /graphql HTTP/1.1\r\nhost:").startswith(b"HTTP/1.1 408 ")
        head = b"GET /health HTTP/1.1\r\nx: " + b"y" * limits.HEADERS_BYTES_MAX
        assert exchange(served, head).startswith(b"HTTP/1.1 431 ")


def exchange(served: Served, data: bytes) -> bytes:
    """Sends bytes and reads until the server closes."""
    with sockets.create_connection(("127.0.0.1", served.port), timeout=5) as connection:
        connection.sendall(data)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
        return answer


def test_a_query_that_takes_too_long_is_cut(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OPERATION_S", 0.05)
    body = client.post("{ slow(milliseconds: 9000) }").json()
    assert (body["data"], code_of(body)) == (None, "DEADLINE_EXCEEDED")


def test_a_mutation_that_takes_too_long_is_answered_and_still_carried_out(
    client: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "OPERATION_S", 0.05)
    assert client.code("mutation { lift(input: {milliseconds: 150}) { replayed } }") == "DEADLINE_EXCEEDED"
    assert world.version == 1
    time.sleep(0.25)
    assert world.version == 2


def test_a_drain_waits_for_mutations_that_still_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "OPERATION_S", 0.05)
    shared = transport_of(world)
    with serving(build_asgi(shared), shared.drain) as served:
        client = Client(served.url)
        assert client.code("mutation { lift(input: {milliseconds: 600}) { replayed } }") == "DEADLINE_EXCEEDED"
        client.close()
    assert world.version == 2


def test_loaders_are_cleared_between_root_mutations(client: Client) -> None:
    one = "lift(input: {}) { star { version } }"
    data = client.data(f"mutation {{ a: {one} b: {one} }}")
    assert (data["a"]["star"]["version"], data["b"]["star"]["version"]) == (2, 3)


def test_relations_are_read_once_for_a_list(client: Client, world: World) -> None:
    data = client.data("{ stars { nodes { version } edges { node { version } } } }")
    assert [node["version"] for node in data["stars"]["nodes"]] == [1] * 5
    assert world.calls == ["version of 5"]


def test_a_committed_mutation_stays_visible_when_a_later_one_breaks(client: Client) -> None:
    body = client.post(
        'mutation { a: lift(input: {}) { star { handle } } b: lift(input: {name: "locked"}) { replayed } }'
    ).json()
    assert body["data"] == {"a": {"star": {"handle": "ada"}}, "b": None}
    assert code_of(body) == "INTERNAL"


def test_the_page_is_served_only_where_it_is_switched_on(client: Client, world: World) -> None:
    page = {"accept": "text/html,*/*;q=0.8"}
    assert client.http.get("/graphql", headers=page).status_code == 406
    shared = transport_of(world, graphiql=True)
    with serving(build_asgi(shared), shared.drain) as served:
        browser = Client(served.url)
        response = browser.http.get("/graphql", headers=page)
        browser.close()
    assert (response.status_code, "GraphiQL" in response.text) == (200, True)


def test_every_answer_forbids_guessing_and_caching(client: Client) -> None:
    for response in (client.post("{ viewer }"), client.http.put("/graphql"), client.http.get("/nowhere")):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in response.headers["content-security-policy"]


def test_unknown_paths_are_refused_as_json(client: Client) -> None:
    assert code_of(client.http.get("/nowhere").json()) == "NOT_FOUND"
    assert code_of(client.http.post("/health").json()) == "METHOD_NOT_ALLOWED"


def test_the_health_check_says_when_the_process_drains(world: World) -> None:
    shared = transport_of(world)
    with serving(build_asgi(shared), shared.drain) as served:
        client = Client(served.url)
        first = client.http.get("/health")
        shared.drain.start()
        second = client.http.get("/health")
        client.close()
    assert (first.status_code, first.json()) == (200, {"status": "ok"})
    assert (second.status_code, second.json()) == (503, {"status": "draining"})


def test_only_listed_front_ends_may_read_answers(world: World) -> None:
    shared = transport_of(world, allowed_origins=frozenset({"https://fans.example"}))
    with serving(build_asgi(shared), shared.drain) as served:
        client = Client(served.url)
        asked = {"origin": "https://fans.example", "access-control-request-method": "POST"}
        allowed = client.http.options("/graphql", headers=asked)
        refused = client.http.options("/graphql", headers=asked | {"origin": "https://evil.example"})
        upload = asked | {"access-control-request-method": "PATCH", "access-control-request-headers": "upload-offset"}
        resumed = client.http.options("/uploads/video_1", headers=upload)
        told = client.http.get("/nowhere", headers={"origin": "https://fans.example"})
        client.close()
    assert (resumed.status_code, "PATCH" in resumed.headers["access-control-allow-methods"]) == (200, True)
    assert "Upload-Offset" in told.headers["access-control-expose-headers"], "a front end of another origin may resume"
    assert allowed.headers["access-control-allow-origin"] == "https://fans.example"
    assert "access-control-allow-origin" not in refused.headers


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("authorization", 200),
        ("if-none-match", 200),
        ("apollo-require-preflight", 200),
        ("apollographql-client-name", 200),
        ("traceparent", 200),
        ("tracestate", 200),
        ("x-of-nobody", 400),
    ],
)
def test_a_front_end_may_send_what_its_client_and_its_tracing_send(world: World, header: str, status: int) -> None:
    shared = transport_of(world, allowed_origins=frozenset({"https://fans.example"}))
    asked = {"origin": "https://fans.example", "access-control-request-method": "POST"}
    with serving(build_asgi(shared), shared.drain) as served, closing(Client(served.url)) as client:
        named = asked | {"access-control-request-headers": f"content-type,{header}"}
        assert client.http.options("/graphql", headers=named).status_code == status


@pytest.mark.parametrize(
    "query_string",
    [
        "query=%7Bviewer%7D&query=%7Bviewer%7D",
        "query=%FF",
        "&".join(f"a{n}=1" for n in range(20)),
        "query=%7Bviewer%7D&variables=%7B",
    ],
)
def test_a_query_string_that_is_no_request_is_refused(client: Client, query_string: str) -> None:
    response = client.http.get(f"/graphql?{query_string}", headers={"accept": GRAPHQL})
    assert (response.status_code, code_of(response.json())) == (400, "BAD_REQUEST")


def test_a_bug_before_graphql_begins_is_masked_and_still_json(world: World, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_authorization: str | None) -> Viewer:
        raise RuntimeError("secret")

    shared = transport_of(world, authenticate=broken)
    with serving(build_asgi(shared), shared.drain) as served:
        client = Client(served.url)
        response = client.post("{ viewer }")
        client.close()
    assert (response.status_code, code_of(response.json())) == (500, "INTERNAL")
    assert "secret" not in response.text
    assert "secret" in caplog.text
    assert "failed at the door" in caplog.text


def test_a_database_that_is_away_is_told_as_such_and_needs_no_apology(
    client: Client, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.down = True
    response = client.post("{ viewer }")
    assert (response.status_code, code_of(response.json())) == (503, "UNAVAILABLE")
    assert response.json()["errors"][0]["extensions"]["retryAfter"] == 1
    assert "the database is away" not in response.text
    assert "the database is away" in caplog.text
    assert "Traceback" not in caplog.text


def test_a_client_that_goes_in_the_middle_of_its_request_harms_nobody(served: Served, client: Client) -> None:
    with sockets.create_connection(("127.0.0.1", served.port)) as connection:
        connection.sendall(
            b"POST /graphql HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{"
        )
    assert client.data("{ viewer }") == {"viewer": "anonymous"}


def test_the_tools_are_opened_before_and_closed_after_everything(world: World) -> None:
    @asynccontextmanager
    async def lifespan(_app: object) -> AsyncIterator[None]:
        world.calls.append("opened")
        yield
        world.calls.append(f"closed at version {world.version}")

    shared = transport_of(world)
    with serving(build_asgi(shared, lifespan=lifespan), shared.drain) as served:
        client = Client(served.url)
        client.data("mutation { lift(input: {}) { replayed } }")
        client.close()
    assert world.calls == ["opened", "lifted", "closed at version 2"]


class Clockwork:
    """An engine that knows one query."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def run(self, operation: Operation, variables: dict[str, Any], _context: Context) -> dict[str, object] | None:
        self.asked.append(operation.kind.value)
        return {"viewer": "the engine"} if not variables else None

    async def complete(self, operation: Operation, *_value: Any) -> dict[str, object] | None:
        self.asked.append(operation.kind.value)
        return {"replayed": "the engine"} if operation.name else None


def test_an_engine_answers_what_it_can_and_graphql_core_the_rest(world: World) -> None:
    engine = Clockwork()
    shared = transport_of(world, runner=Runner(SCHEMA, engine=engine))
    with serving(build_asgi(shared), shared.drain) as served:
        client = Client(served.url)
        answers = [client.data("{ viewer }"), client.data("{ viewer }", x=1)]
        lifts = [client.data(f"mutation {name} {{ lift(input: {{}}) {{ replayed }} }}") for name in ("", "Lift")]
        client.close()
    assert answers == [{"viewer": "the engine"}, {"viewer": "anonymous"}]
    assert lifts == [{"lift": {"replayed": False}}, {"lift": {"replayed": "the engine"}}]
    assert engine.asked == ["query", "query", "mutation", "mutation"]
    assert world.calls == ["lifted", "lifted"], "no effect ran twice"


def test_a_group_of_errors_that_are_no_refusals_is_an_internal_error(client: Client) -> None:
    assert client.code('mutation { lift(input: {name: "mixed"}) { replayed } }') == "INTERNAL"
