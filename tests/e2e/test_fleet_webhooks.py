"""Two servers on one database tell one receiver, and the one that tells is killed: in order, one call at a time."""

import asyncio
from typing import Any

import httpx
from starlette.responses import Response
from tests.e2e.fleet import Fleet, Member
from tests.e2e.processes import PATIENCE_S
from tests.e2e.test_webhooks_kills import CREATE, EVENTS, HAPPEN, TRAVEL, Hanging, until
from tests.receiving import Receiver, receiving

from shoutgraph.services.endpoints import deliver

EACH = 20
"""Events before the kill, and as many after it."""
SOON_S = 2.0


class Noticing(Hanging):
    """Says when the sender is gone."""

    gone = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await super().__call__(scope, receive, send)
        self.gone = True


def test_two_servers_tell_in_order_and_one_goes_on_where_the_other_was_killed(fleet: Fleet) -> None:
    with receiving() as receiver:
        asyncio.run(_story(fleet, receiver))


async def _story(fleet: Fleet, receiver: Receiver) -> None:
    admin = {"authorization": f"Bearer {fleet.market.token('desk', role='admin')}"}
    async with httpx.AsyncClient(headers=admin, timeout=PATIENCE_S, trust_env=False) as client:

        async def ask(member: Member, document: str, **given: object) -> Any:
            body = {"query": document, "variables": {"input": given} if given else {}}
            answer = (await client.post(f"{member.url}/graphql", json=body)).json()
            assert "errors" not in answer, answer
            return next(iter(answer["data"].values()))

        async def happen(*members: Member, name: str) -> None:
            """Things happen at all of the members at once."""
            wishes = [(members[at % len(members)], f"a-key-of-{name}-{at}") for at in range(EACH)]
            given = {"feature": "GIFTS", "reason": "A test"}
            await asyncio.gather(*(ask(each, HAPPEN, idempotencyKey=key, **given) for each, key in wishes))

        first, second = fleet.members
        wish = {"url": receiver.url, "label": "A tool", "eventTypes": ["feature.changed"]}
        receiver.secrets.append((await ask(first, CREATE, idempotencyKey="a-key-of-the-endpoint", **wish))["secret"])
        hanging = Noticing()
        receiver.answers = [*(Response("", 200) for _ in range(EACH // 2)), hanging]
        await happen(first, second, name="before")
        await until(lambda: not receiver.answers)
        victim = await _kill_who_tells(fleet, hanging)
        other = fleet.other(victim)
        await happen(other, name="after")
        await ask(other, TRAVEL, seconds=int(deliver.LEASE.total_seconds()) + 1)
        wanted = [each["id"] for each in (await ask(other, EVENTS))["nodes"]]
        await until(lambda: receiver.told[-1] == wanted[-1])
        victim.start()
    assert len(wanted) == 2 * EACH
    assert list(dict.fromkeys(receiver.told)) == wanted, "first tellings are in the order of the journal"
    assert len(receiver.told) <= len(wanted) + 1, "only what was being told is told again"
    assert receiver.most == 1, "one worker tells at a time"
    assert all(proof == [True] for proof in receiver.proven)


async def _kill_who_tells(fleet: Fleet, hanging: Noticing) -> Member:
    """Kills a member, and the other one if it was not the one that tells."""
    for member in fleet.members:
        member.kill()
        try:
            async with asyncio.timeout(SOON_S):
                await until(lambda: hanging.gone)
        except TimeoutError:
            member.start()
        else:
            return member
    raise AssertionError("nobody told")
