"""The rooms of users, creators and packages behind a real server and a real database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from tests.api.harness import Client, Served, serving
from tests.services.world import World, open_world
from tests.storage.databases import Place

from shoutgraph.api.drain import Drain
from shoutgraph.api.graphql import catalogue, offers, packages, profiles, users
from shoutgraph.api.graphql.assembly import assemble
from shoutgraph.api.graphql.execution import Runner
from shoutgraph.api.http import build_asgi
from shoutgraph.api.transport import Transport
from shoutgraph.domain.users import ANONYMOUS, ROLES, Principal, Viewer
from shoutgraph.services.users import Identities
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Store

T = TypeVar("T")
ROOMS = (users.ROOM, catalogue.ROOM, profiles.ROOM, offers.ROOM, packages.ROOM)
SCHEMA = assemble(ROOMS)
ISSUER = "https://id.example.org"


class CountedTx:
    """A unit of work whose statements are counted."""

    def __init__(self, tx: Tx, statements: list[object]) -> None:
        self._tx = tx
        self._statements = statements

    def __getattr__(self, name: str) -> Any:
        if name in {"all", "one"}:
            self._statements.append(name)
        return getattr(self._tx, name)


class CountedStore:
    """The store, with the statements of its reads counted."""

    def __init__(self, store: Store) -> None:
        self.statements: list[object] = []
        self.write = store.write
        self._store = store

    async def read(self, query: Callable[[Tx], T]) -> T:
        return await self._store.read(lambda tx: query(cast("Tx", CountedTx(tx, self.statements))))


@dataclass
class Shop:
    """A world behind a server, and the statements that it reads with."""

    world: World
    served: Served
    statements: list[object]
    clients: dict[str | None, Client] = field(default_factory=dict)

    def client(self, token: str | None = None) -> Client:
        """Someone at the door: nobody, a user by id, `staff:<role>`, or `oidc:<subject>`."""
        if token not in self.clients:
            self.clients[token] = Client(self.served.url, token)
        return self.clients[token]

    def person(self, name: str) -> Client:
        """A registered user of this name."""
        return self.client(self.world.person(name).user_id)

    def creator(self, name: str) -> Client:
        """A creator of this handle with one offer of 1,000 coins."""
        viewer, _, _ = self.world.creator(name)
        return self.client(viewer.user_id)

    def counted(self, client: Client, query: str, /, **variables: object) -> tuple[Any, int]:
        """The data of an operation, and how many statements read it."""
        self.statements.clear()
        data = client.data(query, **variables)
        return data, len(self.statements)


@contextmanager
def open_shop(place: Place) -> Iterator[Shop]:
    with open_world(place) as world:
        store = CountedStore(world.tools.store)
        tools = replace(world.tools, store=store)
        identities = Identities(tools)

        async def authenticate(authorization: str | None) -> Viewer:
            if authorization is None:
                return ANONYMOUS
            token = authorization.removeprefix("Bearer ")
            kind, _, name = token.partition(":")
            if kind == "staff":
                return await identities.identify(Principal(token, scopes=ROLES[name]))
            if kind == "oidc":
                return await identities.identify(Principal(name, ISSUER))
            return await identities.identify(Principal(token))

        transport = Transport(
            runner=Runner(SCHEMA),
            tools=tools,
            authenticate=authenticate,
            new_request_id=lambda: "request-0001",
            drain=Drain(),
            clock=world.clock,
        )
        with serving(build_asgi(transport), transport.drain) as served:
            shop = Shop(world, served, store.statements)
            yield shop
            for client in shop.clients.values():
                client.close()
