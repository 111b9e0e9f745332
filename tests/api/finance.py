"""A finance office behind a real server: creators with earnings, a rail that writes files, staff who carry them."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from starlette.applications import Starlette
from tests.api.filerail import INSTANCE, TYPE, Rail, RailPlugin
from tests.api.harness import PATIENCE_S, Client, Served, serving
from tests.services.world import BOOKS, World, new_id, open_world
from tests.storage.databases import Place

from shoutgraph.api import bank_files, webhooks
from shoutgraph.api.drain import Drain
from shoutgraph.api.graphql import earnings as earning_room, profiles, providers as provider_room, users
from shoutgraph.api.graphql.assembly import assemble
from shoutgraph.api.graphql.execution import Runner
from shoutgraph.api.graphql.orders import room as orders
from shoutgraph.api.graphql.payouts import room as payout_room
from shoutgraph.api.http import build_asgi
from shoutgraph.api.transport import Transport
from shoutgraph.domain import ids, postings
from shoutgraph.domain.earnings import Earning, EarningKind
from shoutgraph.domain.users import ANONYMOUS, ROLES, Principal, Viewer
from shoutgraph.jobs import earnings as earning_jobs, payouts as payout_jobs, reconcile
from shoutgraph.plugins import loading
from shoutgraph.services.users import Identities
from shoutgraph.storage import earnings, journal, ledger as books, payouts
from shoutgraph.storage.tx import Tx

ROOMS = (users.ROOM, profiles.ROOM, orders.ROOM, earning_room.ROOM, payout_room.ROOM, provider_room.ROOM)
SCHEMA = assemble(ROOMS)
BATCHES = """{ payoutBatches(first: 10) { nodes { id status ref attemptCount alarm exportedAt handedOverAt
  handedOverBy answeredAt parts { status count total { minorUnits currency } }
  files { id status direction name sha256 summary { appliedCount } download { url expiresAt } } } } }"""
PAYOUT = """query($id: ID!) { node(id: $id) { ... on Payout { status review failureCode holdCode note } } }"""
BALANCE = "{ earnings { pending { coins } available { coins } inPayout { coins } paid { coins } } }"


@dataclass
class Finance:
    """Everybody, and the rail."""

    world: World
    served: Served
    rail: Rail
    clients: dict[str, Client] = field(default_factory=dict)
    keys: int = 0

    def client(self, token: str) -> Client:
        """A user by id, or `staff:<role>`."""
        if token not in self.clients:
            self.clients[token] = Client(self.served.url, token)
        return self.clients[token]

    @property
    def staff(self) -> Client:
        return self.client("staff:finance")

    def creator(self, name: str = "nova") -> Client:
        """A creator of this name, made on first use."""
        if name not in self.world.people:
            self.world.creator(name)
        return self.client(self.world.people[name].user_id or "")

    def do(self, client: Client, mutation: str, shape: str, **given: Any) -> Any:
        """The payload of a mutation."""
        self.keys += 1
        name = mutation[0].upper() + mutation[1:]
        said = f"{shape} replayed errors {{ ... on UserError {{ code path message }} }}"
        document = f"mutation($input: {name}Input!) {{ {mutation}(input: $input) {{ {said} }} }}"
        return client.data(document, input={"idempotencyKey": f"key-{self.keys:020d}"} | given)[mutation]

    def earn(self, coins: int, name: str = "nova") -> None:
        """Earnings as the order room makes them, free at once."""
        self.creator(name)
        creator_id = self.world.people[name].creator_id
        assert creator_id is not None, "a creator has a profile"

        def work(tx: Tx) -> None:
            order_id = ids.OrderId(new_id(ids.ORDER))
            books.post(tx, postings.creator_compensated(BOOKS, order_id=order_id, creator_id=creator_id, coins=coins))
            kind = EarningKind.COMPENSATION
            earning = Earning(new_id(ids.EARNING), creator_id, kind, order_id, coins, 0, tx.now, tx.now)
            earnings.insert(tx, earning)

        self.world.write(work)
        self.world.run(earning_jobs.tick(self.world.tools))

    def recipient(self, ref: str = "12345678", name: str = "nova") -> str:
        """Where money goes, on a rail that asks nothing."""
        given = {"providerCode": INSTANCE, "label": "My bank", "ref": ref}
        made = self.do(self.creator(name), "payoutRecipientCreate", "recipient { id }", **given)
        assert made["errors"] == [], made
        return str(made["recipient"]["id"])

    def approved(self, coins: int, *, to: str | None = None, name: str = "nova") -> str:
        """A payout that finance lets go."""
        self.earn(coins, name)
        to = to or self.recipient(name=name)
        asked = self.do(self.creator(name), "payoutRequest", "payout { id }", coins=str(coins), recipientId=to)
        assert asked["errors"] == [], asked
        payout_id = str(asked["payout"]["id"])
        self.do(self.staff, "payoutApprove", "payout { id }", payoutId=payout_id)
        return payout_id

    def tick(self, **move: int) -> None:
        """Moves the clock and runs the jobs of payouts once."""
        self.world.clock.move(**move)
        for tick in (payout_jobs.tick, reconcile.tick):
            self.world.run(tick(self.world.tools))

    def batch(self) -> Any:
        """The newest batch."""
        return self.staff.data(BATCHES)["payoutBatches"]["nodes"][0]

    def hand_over(self, batch_id: str) -> Any:
        return self.do(self.staff, "payoutBatchHandOver", "batch { id status }", batchId=batch_id)

    def payout(self, payout_id: str) -> Any:
        return self.staff.data(PAYOUT, id=payout_id)["node"]

    def key_of(self, payout_id: str) -> str:
        """The payout's name on the rail."""
        return self.world.read(lambda tx: payouts.get(tx, payout_id)).key

    def post(self, body: bytes, *, by: str = "staff:finance", instance: str = INSTANCE, **more: str) -> httpx.Response:
        """Sends a statement."""
        headers = {"content-type": more.get("media_type", TYPE)}
        if by:
            headers["authorization"] = f"Bearer {by}"
        url = f"{self.served.url}/bank-files/{instance}?name=statement.txt"
        return httpx.post(url, content=body, headers=headers, timeout=PATIENCE_S)

    def state(self, *lines: str) -> Mapping[str, Any]:
        """Takes in a statement of these lines."""
        answer = self.post("\n".join(lines).encode())
        assert answer.status_code == 200, answer.text
        found: Mapping[str, Any] = answer.json()
        return found

    def balance(self, name: str = "nova") -> Any:
        found = self.creator(name).data(BALANCE)["earnings"]
        return {name: amount["coins"] for name, amount in found.items()}

    def told(self, topic: str) -> list[tuple[str, Any]]:
        """What the journal says of a subject, everything that was written before in its place."""
        self.world.write(lambda _: None)
        found = self.world.read(lambda tx: journal.list_of_topic(tx, topic, after=0, limit=100))
        return [(event.type, event.body) for event in found]


@contextmanager
def open_finance(
    place: Place, rail: Rail, plugin: object = None, config: Mapping[str, Any] | None = None
) -> Iterator[Finance]:
    with open_world(place) as world:
        setup = loading.Setup(
            instances={INSTANCE: {"plugin": "bank"} | dict(config or {})},
            environ={},
            clock=world.clock,
            monotonic=world.loop.time,
            extra={"rail": plugin or RailPlugin(rail)},
            discover=False,
            strict=True,
        )
        served_by, ours = loading.load(setup), loading.load(setup)  # connections belong to a loop
        world.tools = replace(world.tools, providers=ours)
        identities = Identities(world.tools)

        async def authenticate(authorization: str | None) -> Viewer:
            if authorization is None:
                return ANONYMOUS
            token = authorization.removeprefix("Bearer ")
            kind, _, name = token.partition(":")
            scopes = ROLES[name] if kind == "staff" else frozenset()
            return await identities.identify(Principal(token, scopes=scopes))

        @asynccontextmanager
        async def lifespan(_app: Starlette) -> AsyncIterator[None]:
            yield
            await served_by.aclose()

        with serving_of(world, served_by, authenticate, lifespan) as served:
            finance = Finance(world, served, rail)
            yield finance
            for client in finance.clients.values():
                client.close()
        world.run(ours.aclose())


@contextmanager
def serving_of(world: World, providers: Any, authenticate: Any, lifespan: Any) -> Iterator[Served]:
    """The server; links lead to it."""
    tools = replace(world.tools, providers=providers)
    transport = Transport(
        runner=Runner(SCHEMA),
        tools=tools,
        authenticate=authenticate,
        new_request_id=lambda: "request-0001",
        drain=Drain(),
        clock=world.clock,
    )
    routes = [*bank_files.routes(tools, authenticate), *webhooks.routes(tools)]
    with serving(build_asgi(transport, routes=routes, lifespan=lifespan), transport.drain) as served:
        yield served
