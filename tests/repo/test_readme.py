"""The README's first query has the answer that it shows, on the catalogue that it names."""

import asyncio
import json
import re
from pathlib import Path

import httpx

from shoutgraph import app, settings
from shoutgraph.cli import seed

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def fenced(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found.group(1)


async def answer_of(folder: Path, query: str) -> object:
    chosen = settings.load({"data_dir": folder}, {})
    await seed.load(chosen)
    async with (
        app.open_app(chosen, base_url="http://127.0.0.1:1") as opened,
        httpx.AsyncClient(transport=httpx.ASGITransport(opened.asgi), base_url="http://127.0.0.1") as client,
    ):
        answer = (await client.post("/graphql", json={"query": query})).json()
    assert answer.pop("extensions")["cost"]["actual"] > 0, "what is left depends on the moment, and is not shown"
    return answer


def test_the_first_query_has_the_answer_that_is_shown(tmp_path: Path) -> None:
    assert asyncio.run(answer_of(tmp_path, fenced("graphql"))) == json.loads(fenced("json"))
