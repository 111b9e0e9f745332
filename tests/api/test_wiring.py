"""What operators set reaches what it is about, in an app as `shoutgraph serve` opens it, with limits as people have."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from shoutgraph import app as root
from shoutgraph.api.graphql import observing
from shoutgraph.api.graphql.engine.engine import CompiledEngine
from shoutgraph.settings import Settings

URL = "http://127.0.0.1:1"
PAGE = "{ creators(first: 10) { nodes { name } } }"


def answers(folder: Path, *bodies: object, **chosen: Any) -> tuple[bool, list[httpx.Response]]:
    """Whether there is a compiled engine, and what a stranger is answered."""

    async def ask() -> tuple[bool, list[httpx.Response]]:
        async with root.open_app(Settings(data_dir=folder, jobs=False, **chosen), base_url=URL, environ={}) as app:
            transport = httpx.ASGITransport(app.asgi, client=("192.0.2.7", 1))
            async with httpx.AsyncClient(transport=transport, base_url=URL) as http:
                found = [await http.post("/graphql", json=body) for body in bodies]
            return isinstance(app.runner.engine, CompiledEngine), found

    return asyncio.run(ask())


def test_the_engine_is_on_unless_it_is_switched_off(tmp_path: Path) -> None:
    assert [answers(tmp_path, engine=on)[0] for on in (True, False)] == [True, False]


def test_strangers_are_held_to_trusted_documents_and_to_their_points(tmp_path: Path) -> None:
    manifest = tmp_path / "persisted.json"
    manifest.write_bytes(orjson.dumps({"page": PAGE}))
    chosen = {"trusted_documents": manifest, "trusted_only": ("anonymous",), "rate_anonymous": 1, "rate_burst_s": 30}
    _, [untrusted, first, *_, last] = answers(
        tmp_path, {"query": "{ __typename }"}, *[{"documentId": "page"}] * 40, **chosen
    )
    assert (untrusted.status_code, code_of(untrusted)) == (403, "TRUSTED_DOCUMENT_REQUIRED")
    assert first.json()["data"]["creators"]["nodes"] == []
    assert (last.status_code, code_of(last), last.headers["retry-after"].isdigit()) == (429, "RATE_LIMITED", True)


def code_of(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["extensions"]["code"])


def test_a_slow_operation_is_written_down_with_its_cost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "SLOW_S", 0.0)
    with caplog.at_level(logging.WARNING, "shoutgraph.api"):
        answers(tmp_path, {"query": PAGE})
    [line] = [record for record in caplog.records if record.msg == "a slow %s"]
    assert (line.getMessage(), vars(line)["outcome"]) == ("a slow query", "ok")
    assert vars(line)["cost"] > 10
    assert vars(line)["seconds"] >= 0
