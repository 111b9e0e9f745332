"""How many statements a catalogue page and an order take, as they are counted where the tests keep the budgets."""

import asyncio
import json
from dataclasses import dataclass

import httpx
from tests.api import deployment

from benchmarks import market
from benchmarks.load import bodies_of
from benchmarks.places import LAVISH, Place
from shoutgraph import app, settings

WARM = 3
"""After so many, everybody is known and every statement is prepared."""
SIZES = (2, 20)


@dataclass(frozen=True)
class Counts:
    """Statements of a page, by its size, and of an order."""

    pages: tuple[int, ...]
    order: int


def count(place: Place, own: market.Market, template: str) -> Counts:
    """Counts them in this process, at one reading connection."""
    rates = {name.removeprefix("SHOUTGRAPH_").lower(): int(value) for name, value in LAVISH.items()}
    given = place.settings | rates | {"reader_threads": 1, "jobs": False}
    return asyncio.run(_count(settings.load(given, {}), own, template))


async def _count(chosen: settings.Settings, own: market.Market, template: str) -> Counts:
    statements: list[str] = []
    bodies = bodies_of(template)
    async with app.open_app(chosen, base_url="http://benchmark") as opened:
        await deployment.trace(opened, statements)
        transport = httpx.ASGITransport(opened.asgi)
        headers = {"authorization": f"Bearer {own.tokens[0]}", "content-type": "application/json"}
        async with httpx.AsyncClient(transport=transport, base_url="http://benchmark", headers=headers) as client:

            async def least(body: bytes | None) -> int:
                found = []
                for _ in range(2 * WARM):
                    statements.clear()
                    answer = await client.post("/graphql", content=body or next(bodies))
                    assert answer.status_code == httpx.codes.OK, answer.text
                    assert '"errors":[{' not in answer.text, answer.text
                    found.append(len(deployment.without_frames(statements)))
                return min(found[WARM:])

            pages = [await least(json.dumps(market.page_of(size)).encode()) for size in SIZES]
            return Counts(tuple(pages), await least(None))
