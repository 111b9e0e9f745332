"""Whether a process lives and is ready: checks that are well, ill, slow and broken, and those of a real deployment."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from tests.api.cast import PURCHASE
from tests.api.deployment import Deployment, open_deployment, settings_of
from tests.api.harness import Client, serving
from tests.api.sample import World, transport_of
from tests.storage import databases
from tests.storage.databases import Place

from shoutgraph import app
from shoutgraph.api import health
from shoutgraph.api.health import Check
from shoutgraph.api.http import build_asgi
from shoutgraph.cli.seed import OPERATOR
from shoutgraph.services import packages, seeds
from shoutgraph.storage import migrations

READY = (200, {"status": "ready"})
PATIENCE_S = 60.0


def against(**reasons: str) -> tuple[int, object]:
    """The answer of a process that is not ready."""
    listed = [{"check": name, "reason": reason} for name, reason in reasons.items()]
    return 503, {"status": "not ready", "reasons": listed}


class Looks:
    """A check that answers as it is told, and counts how often it is asked."""

    def __init__(self) -> None:
        self.answer: Callable[[], Awaitable[str | None]] = self.well
        self.asked = 0

    async def __call__(self) -> str | None:
        self.asked += 1
        return await self.answer()

    async def well(self) -> str | None:
        return None

    async def ill(self) -> str | None:
        return "it is ill"

    async def broken(self) -> str | None:
        raise RuntimeError("postgresql://app:hunter2@db")

    async def stuck(self) -> str | None:
        await asyncio.Event().wait()


@contextmanager
def watched(world: World, *, fresh_s: float) -> Iterator[tuple[Looks, Client]]:
    looks, shared = Looks(), transport_of(world)
    checks = [Check("first", looks, fresh_s), Check("second", Looks().well)]
    with serving(build_asgi(shared, checks=checks), shared.drain) as served:
        client = Client(served.url)
        yield looks, client
        client.close()


def ask(client: Client, path: str = health.READY) -> tuple[int, object]:
    answer = client.http.get(path)
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()


def test_a_process_is_ready_while_every_check_is_well(world: World) -> None:
    with watched(world, fresh_s=0) as (looks, client):
        assert ask(client) == READY
        looks.answer = looks.ill
        assert ask(client) == against(first="it is ill")
        looks.answer = looks.well
        assert ask(client) == READY
        assert ask(client, health.LIVE) == (200, {"status": "ok"})


def test_a_check_that_breaks_is_against_it_and_tells_no_secret(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with watched(world, fresh_s=0) as (looks, client):
        looks.answer = looks.broken
        assert ask(client) == against(first=health.FAILED)
    assert "the check first failed" in caplog.text


def test_a_check_that_is_stuck_is_asked_once_and_waited_for_no_longer_than_that(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "ANSWER_S", 0.05)
    with watched(world, fresh_s=0) as (looks, client):
        looks.answer = looks.stuck
        assert [ask(client) for _ in range(3)] == [against(first=health.LATE)] * 3
        assert looks.asked == 1
        assert ask(client, health.LIVE) == (200, {"status": "ok"})


def test_many_who_ask_cost_as_much_as_one(world: World) -> None:
    with watched(world, fresh_s=60) as (looks, client):
        assert [ask(client) for _ in range(20)] == [READY] * 20
        assert looks.asked == 1


def test_a_process_that_drains_lives_and_is_not_ready(world: World) -> None:
    shared = transport_of(world)
    with serving(build_asgi(shared), shared.drain) as served:
        client = Client(served.url)
        client.http.get(health.PATH)
        client.http.get(health.LIVE)
        shared.drain.start()
        said = [ask(client, path) for path in (health.LIVE, health.READY, health.PATH)]
        client.close()
    assert said == [
        (200, {"status": "ok"}),
        against(drain="the process is going away"),
        (503, {"status": "draining"}),
    ]


@pytest.fixture(scope="module")
def own(module_place: Place) -> Iterator[Deployment]:
    with open_deployment(module_place) as opened:
        yield opened


def until(own: Deployment, *wanted: tuple[int, object]) -> None:
    """Asks a deployment until it answers like this; answers are kept for a second."""
    deadline = time.monotonic() + PATIENCE_S
    while (found := ask(own.clients["admin"])) not in wanted:
        assert time.monotonic() < deadline, found
        time.sleep(health.FRESH_S / 10)


@contextmanager
def elsewhere(own: Deployment, *statements: str) -> Iterator[None]:
    """Somebody else has run these statements on the database, and keeps the connection until the block ends."""
    with databases.outside(own.place.database()) as raw:
        for statement in statements:
            raw.execute(statement)
        yield


@pytest.mark.sqlite_only
def test_a_deployment_is_not_ready_while_its_database_takes_no_writes(own: Deployment) -> None:
    until(own, READY)
    with elsewhere(own, "BEGIN IMMEDIATE"):
        until(own, against(writing=health.LATE), against(writing="the database cannot be written"))
    until(own, READY)


def test_a_deployment_is_not_ready_on_the_schema_of_another_release(own: Deployment) -> None:
    head = migrations.head()
    with elsewhere(own, "UPDATE alembic_version SET version_num = '9999'"):
        until(own, against(reading=f"the schema is at revision 9999, and this release needs {head}"))
    back = f"UPDATE alembic_version SET version_num = '{head}'"  # noqa: S608 - one of ours
    with elsewhere(own, back):
        until(own, READY)


def test_a_deployment_is_not_ready_without_a_provider_that_has_money_in_flight(place: Place) -> None:
    with open_deployment(place) as first:
        first.run(packages.load(first.app.tools, OPERATOR, seeds.read_prices()))
        first.register("fan")
        first.do("fan", "topUpCreate", "topUp { id }", buy={"coins": "700"}, **PURCHASE)
    other = {"plugin": "sandbox", "base_url": "http://127.0.0.1:1", "api_key": "k", "webhook_secrets": ["whsec_eA=="]}
    chosen = settings_of(place, providers={"other": other})

    async def look() -> tuple[int, object]:
        async with app.open_app(chosen, base_url="http://127.0.0.1:1", environ={}) as opened:
            door = httpx.ASGITransport(opened.asgi)
            async with httpx.AsyncClient(transport=door, base_url="http://127.0.0.1:1") as client:
                answer = await client.get(health.READY)
                return answer.status_code, answer.json()

    reason = "money is in flight with instances whose plugin is missing or misconfigured: sandbox"
    assert asyncio.run(look()) == against(providers=reason)
