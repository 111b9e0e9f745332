"""Two servers on one database tell one receiver, and the one that tells is killed: in order, one call at a time."""

import asyncio
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
from starlette.responses import Response
from tests.e2e.fleet import Fleet, Member
from tests.e2e.processes import PATIENCE_S
from tests.e2e.test_webhooks_kills import CREATE, EVENTS, HAPPEN, TRAVEL, Hanging, until
from tests.receiving import Receiver, receiving

from shoutgraph.services.endpoints import deliver

EACH = 20
"""Events before the kill, and as many after it."""


def test_two_servers_tell_in_order_and_one_goes_on_where_the_other_was_killed(fleet: Fleet) -> None:
    with receiving() as receiver:
        asyncio.run(_story(fleet, receiver))


@dataclass
class Desk:
    """Staff who ask any of the servers."""

    http: httpx.AsyncClient

    async def ask(self, member: Member, document: str, **given: object) -> Any:
        body = {"query": document, "variables": {"input": given} if given else {}}
        answer = (await self.http.post(f"{member.url}/graphql", json=body)).json()
        assert "errors" not in answer, answer
        return next(iter(answer["data"].values()))

    async def happen(self, *members: Member, name: str) -> None:
        """Things happen at all of the members at once."""
        wishes = [(members[at % len(members)], f"a-key-of-{name}-{at}") for at in range(EACH)]
        given = {"feature": "GIFTS", "reason": "A test"}
        await asyncio.gather(*(self.ask(each, HAPPEN, idempotencyKey=key, **given) for each, key in wishes))

    async def told(self, member: Member, count: int) -> list[str]:
        """The ids of so many events, which stand in the journal a moment after they are written."""
        async with asyncio.timeout(PATIENCE_S):
            found = (await self.ask(member, EVENTS))["nodes"]
            while len(found) < count:
                found = (await self.ask(member, EVENTS))["nodes"]
        return [each["id"] for each in found]


async def _story(fleet: Fleet, receiver: Receiver) -> None:
    admin = {"authorization": f"Bearer {fleet.market.token('desk', role='admin')}"}
    first, second = fleet.members
    async with httpx.AsyncClient(headers=admin, timeout=PATIENCE_S, trust_env=False) as http:
        desk, wish = Desk(http), {"url": receiver.url, "label": "A tool", "eventTypes": ["feature.changed"]}
        made = await desk.ask(first, CREATE, idempotencyKey="a-key-of-the-endpoint", **wish)
        receiver.secrets.append(made["secret"])
        receiver.answers = [*(Response("", 200) for _ in range(EACH // 2)), Hanging()]
        await desk.happen(first, second, name="before")
        await until(lambda: not receiver.answers)
        victim = _teller(fleet, receiver.url)
        victim.kill()
        other = fleet.other(victim)
        await desk.happen(other, name="after")
        await desk.ask(other, TRAVEL, seconds=int(deliver.LEASE.total_seconds()) + 1)
        wanted = await desk.told(other, 2 * EACH)
        await until(lambda: receiver.told[-1] == wanted[-1])
        victim.start()
    assert list(dict.fromkeys(receiver.told)) == wanted, "first tellings are in the order of the journal"
    assert len(receiver.told) <= len(wanted) + 1, "only what was being told is told again"
    assert receiver.most == 1, "one worker tells at a time"
    assert all(proof == [True] for proof in receiver.proven)


def _teller(fleet: Fleet, url: str) -> Member:
    """The member that has a connection to the receiver."""
    port = urlsplit(url).port
    for member in fleet.members:
        if any(each.raddr and each.raddr.port == port for each in psutil.Process(member.pid).net_connections()):
            return member
    raise AssertionError("nobody tells")
