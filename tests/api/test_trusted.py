"""Trusted documents: asked by id over every transport, and for some callers the only ones."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.api.harness import Client, Served, Socket, serving
from tests.api.sample import World, transport_of

from shoutgraph.api.http import build_asgi
from shoutgraph.api.trusted import ManifestError, open_documents
from shoutgraph.domain.users import CallerKind

MANIFEST = {
    "5d41402abc4b2a76b9719d911017c592": "query Who { viewer }",
    "7d793037a0760186574b0282f2f435e7": "subscription Ticks($n: Int!) { ticks(count: $n) { number } }",
    "b10a8db164e0754105b7a99be72e3fe5": "mutation Lift { lift(input: {}) { replayed } }",
}
WHO, TICKS, LIFT = MANIFEST
ONLY = (CallerKind.ANONYMOUS,)


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory, shared_world: World) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("manifests")
    (folder / "web.json").write_text(json.dumps(MANIFEST))
    (folder / "app.json").write_text(json.dumps({WHO: MANIFEST[WHO]}))
    shared = transport_of(shared_world, trusted=open_documents(folder, only=ONLY))
    with serving(build_asgi(shared), shared.drain) as served:
        yield served


def test_a_document_is_asked_by_its_id_over_every_transport(trusting: Served, world: World) -> None:
    with closing(Client(trusting.url)) as client:
        for asked in (
            {"documentId": WHO},
            {"documentId": f"sha256:{WHO}", "operationName": "Who"},
            {"query": MANIFEST[WHO]},
            {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": WHO}}},
        ):
            assert client.http.post("/graphql", json=asked).json() == {"data": {"viewer": "anonymous"}}
        body = {"documentId": TICKS, "variables": {"n": 1}}
        stream = client.http.post("/graphql", json=body, headers={"accept": "text/event-stream"})
        assert 'data: {"data":{"ticks":{"number":1}}' in stream.text
    with Socket(trusting.socket_url) as socket:
        socket.init().send({"type": "subscribe", "id": "t", "payload": body})
        assert socket.next("t")["data"] == {"ticks": {"number": 1}}
    assert world.version == 3


def test_an_id_that_nobody_stored_is_told_so(trusting: Served) -> None:
    with closing(Client(trusting.url, "fan")) as fan, Socket(trusting.socket_url) as socket:
        socket.init("fan")
        for asked, code in (
            ({"documentId": "sha256:0"}, "PERSISTED_DOCUMENT_NOT_FOUND"),
            ({"documentId": "x" * 201}, "BAD_REQUEST"),
            ({"documentId": 7}, "BAD_REQUEST"),
            ({"extensions": {"persistedQuery": {"sha256Hash": "0"}}}, "PERSISTED_QUERY_NOT_SUPPORTED"),
            ({"extensions": {"persistedQuery": 7}}, "PERSISTED_QUERY_NOT_SUPPORTED"),
        ):
            response = fan.http.post("/graphql", json=asked)
            assert response.json()["errors"][0]["extensions"]["code"] == code
            socket.send({"type": "subscribe", "id": "t", "payload": asked})
            assert socket.receive()["payload"][0]["extensions"]["code"] == code


def test_some_callers_may_ask_for_nothing_else(trusting: Served) -> None:
    with closing(Client(trusting.url)) as stranger, closing(Client(trusting.url, "fan")) as fan:
        assert fan.data("{ viewer }") == {"viewer": "fan"}
        for query in ("{ viewer }", "{ __schema { types { name } } }", "query Who{viewer}"):
            response = stranger.post(query)
            assert (response.status_code, stranger.code(query)) == (403, "TRUSTED_DOCUMENT_REQUIRED")
        assert stranger.events("subscription { waiting { number } }").response.status_code == 403
    with Socket(trusting.socket_url) as socket:
        socket.init().subscribe("x", "{ viewer }")
        assert socket.receive()["payload"][0]["extensions"]["code"] == "TRUSTED_DOCUMENT_REQUIRED"


def test_caches_keep_what_is_asked_by_get(trusting: Served) -> None:
    with closing(Client(trusting.url)) as stranger, closing(Client(trusting.url, "fan")) as fan:
        first = stranger.http.get("/graphql", params={"documentId": WHO})
        assert first.headers["cache-control"] == "public, max-age=30"
        assert first.headers["vary"] == "accept, authorization"
        again = stranger.http.get(
            "/graphql", params={"documentId": WHO}, headers={"if-none-match": f'W/"x", {first.headers["etag"]}'}
        )
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
        own = fan.http.get("/graphql", params={"documentId": WHO}, headers={"if-none-match": first.headers["etag"]})
        assert (own.json(), own.headers["cache-control"]) == ({"data": {"viewer": "fan"}}, "private, no-cache")
        lifted = fan.http.get("/graphql", params={"documentId": LIFT})
        assert (lifted.status_code, lifted.headers["cache-control"]) == (405, "no-store")
        assert fan.http.get("/graphql", params={"query": "{ viewer }"}).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("text", ["[]", "{", '{"a": 1}', '{"a": ""}', f'{{"{WHO}": "{{ viewer }}"}}'])
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps(MANIFEST))
    (tmp_path / "b.json").write_text(text)
    with pytest.raises(ManifestError):
        open_documents(tmp_path)
