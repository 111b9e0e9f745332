"""A server that is killed while it tells a receiver: whatever happened is told, in order, and under the same ids."""

import asyncio
from typing import Any

import httpx
from starlette.responses import Response
from tests.e2e.market import Market
from tests.e2e.processes import PATIENCE_S, Nursery, Server
from tests.receiving import Receiver, receiving

from shoutgraph.services.endpoints import deliver

CREATE = """mutation ($input: WebhookEndpointCreateInput!) { webhookEndpointCreate(input: $input) {
  secret endpoint { id } errors { __typename } } }"""
HAPPEN = (
    "mutation ($input: FeatureRuleSetInput!) { featureRuleSet(input: $input) { rule { id } errors { __typename } } }"
)
EVENTS = "{ featureEvents(first: 500) { nodes { id } } }"
TRAVEL = "mutation ($input: TestClockAdvanceInput!) { testClockAdvance(input: $input) { now } }"
KILLS = 1
EACH = 6


class Hanging(Response):
    """Answers nothing until the sender is gone."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        del scope, send
        while (await receive())["type"] != "http.disconnect":
            pass


def test_no_event_is_lost_or_skipped_when_the_telling_process_is_killed(nursery: Nursery, market: Market) -> None:
    server = Server(nursery, market.folder, env={"SHOUTGRAPH_WEBHOOKS_LOCAL": "1"}).start()
    with receiving() as receiver:
        asyncio.run(_tell(server, market, receiver))
    server.stop()


async def _tell(server: Server, market: Market, receiver: Receiver) -> None:
    token = {"authorization": f"Bearer {market.token('desk', role='admin')}"}
    async with httpx.AsyncClient(headers=token, timeout=PATIENCE_S, trust_env=False) as client:

        async def ask(document: str, **given: object) -> Any:
            body = {"query": document, "variables": {"input": given} if given else {}}
            answer = (await client.post(f"{server.url}/graphql", json=body)).json()
            assert "errors" not in answer, answer
            return next(iter(answer["data"].values()))

        wish = {"url": receiver.url, "label": "A tool", "eventTypes": ["feature.changed"]}
        receiver.secrets.append((await ask(CREATE, idempotencyKey="a-key-of-the-endpoint", **wish))["secret"])
        for kill in range(KILLS):
            receiver.answers = [Response("", 200), Response("", 200), Hanging()]
            for at in range(EACH):
                key = f"a-key-of-a-change-{kill}-{at}"
                await ask(HAPPEN, idempotencyKey=key, feature="GIFTS", reason="A test")
            await until(lambda: not receiver.answers)
            server.kill()
            server.start()
            await ask(TRAVEL, seconds=int(deliver.LEASE.total_seconds()) + 1)
        wanted = [each["id"] for each in (await ask(EVENTS))["nodes"]]
        await until(lambda: receiver.told[-1] == wanted[-1])
    assert len(wanted) == KILLS * EACH
    assert list(dict.fromkeys(receiver.told)) == wanted, "first tellings are in the order of the journal"
    assert len(receiver.told) <= len(wanted) + 2 * KILLS, "only what was being told is told again"
    assert all(proof == [True] for proof in receiver.proven)


async def until(ready: Any) -> None:
    """Waits until something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not ready():  # noqa: ASYNC110 - a receiver in another thread has no event of ours
            await asyncio.sleep(0.02)
