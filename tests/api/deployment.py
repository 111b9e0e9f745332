"""One whole deployment behind a free port of 127.0.0.1, as `shoutgraph serve` runs it; its jobs run when asked to."""

import asyncio
import itertools
import re
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import pairwise
from typing import Any, Final, TypeVar

import httpx
import uvloop
from graphql import GraphQLSchema, GraphQLUnionType
from tests.api import engines
from tests.api.harness import PATIENCE_S, Client, Served, Socket
from tests.storage import databases
from tests.storage.databases import Place

from shoutgraph import app as root
from shoutgraph.api.graphql.schema import build_schema
from shoutgraph.api.server import build_server
from shoutgraph.app import App
from shoutgraph.domain import ids
from shoutgraph.jobs import runner
from shoutgraph.settings import Settings
from shoutgraph.storage import postgresql
from shoutgraph.storage.tx import Tx

T = TypeVar("T")
ADMIN: Final = "admin"
QUIET_MIN: Final = 3
QUIET_MAX: Final = 20
LAVISH: Final = 1_000_000
"""Points a second: a test asks in a second what people ask in a day."""
GLANCE_MS: Final = 1_000
"""So long that no query goes to a thread now and then: what one batch asks together would not be the same each time."""
TOKEN_TTL: Final = timedelta(hours=1)
_SAID: Final = ("code", "message", "path")
_TEXT: Final = re.compile("'[^']*'")
FRAMES: Final = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SELECT pg_current_xact_id", "--")
"""Statements that frame the others, or that a trigger runs."""


@dataclass(frozen=True)
class Answer:
    """What came back for one root field: its value, and the code of the error in `errors[]` if there is one."""

    value: Any
    code: str | None
    message: str | None
    body: Mapping[str, Any]


@dataclass
class Deployment:
    """A running deployment. Everybody has a client by name; `keys` makes fresh idempotency keys."""

    app: App
    served: Served
    loop: asyncio.AbstractEventLoop
    place: Place
    statements: list[str] = field(default_factory=list)
    clients: dict[str, Client] = field(default_factory=dict)
    tokens: dict[str, str | None] = field(default_factory=dict)
    keys: Iterator[int] = field(default_factory=itertools.count)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Awaits something on the loop of the server."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(PATIENCE_S)

    def settle(self) -> int:
        """Runs the jobs until none has anything to do, not even with what they wrote into the journal."""
        total = 0
        while done := self.run(runner.settle(self.app.tools, root.JOBS)):
            self.settle_journal()
            total += done
        self.settle_journal()
        return total

    def settle_journal(self) -> None:
        """Returns when everything that was written stands in the journal; nobody sees how it looked."""
        seen = len(self.statements)
        self.run(self.app.tools.store.settle_journal())  # type: ignore[attr-defined]
        del self.statements[seen:]

    def read(self, query: Callable[[Tx], T]) -> T:
        return self.run(self.app.tools.store.read(query))  # type: ignore[arg-type]

    def write(self, work: Callable[[Tx], T]) -> T:
        value = self.run(self.app.tools.store.write(work))  # type: ignore[arg-type]
        self.settle_journal()
        return value

    def let_in(self, name: str, token: str | None) -> None:
        """Gives a name to whoever has this token."""
        self.tokens[name] = token
        if name in self.clients:
            self.clients[name].close()
        self.clients[name] = Client(self.served.url, token)

    def staff(self, name: str, role: str) -> None:
        """A tool of this role without a user of its own."""
        self.let_in(name, self.app.issuer.issue(f"{name}-desk", role=role, ttl=TOKEN_TTL))

    def register(self, name: str, country: str = "DE") -> str:
        """A new person of this name; gives their id."""
        payload = self.do("admin", "userRegister", "user { id }", displayName=name.title(), country=country)
        user_id = str(payload["user"]["id"])
        self.let_in(name, self.app.issuer.issue(user_id, ttl=TOKEN_TTL))
        return user_id

    def ask(self, who: str, document: str, /, **variables: object) -> Any:
        """The data of an operation that has no errors."""
        return self.clients[who].data(document, **variables)

    def answer(self, who: str, document: str, /, **variables: object) -> Answer:
        """Whatever one root field answers."""
        return answer_of(self.clients[who].post(document, **variables).json())

    def submit(self, who: str, mutation: str, shape: str, /, **given: object) -> Answer:
        """Whatever a mutation answers; a fresh idempotency key is added where none is given."""
        answer = self.answer(who, mutation_of(mutation, shape), input=self.with_key(mutation, given))
        self.settle_journal()
        return answer

    def do(self, who: str, mutation: str, shape: str, /, **given: object) -> Any:
        """The payload of a mutation that is not refused."""
        answer = self.submit(who, mutation, shape, **given)
        assert answer.code is None, f"{mutation} by {who}: {answer.body}"
        assert answer.value["errors"] == [], f"{mutation} by {who}: {answer.value['errors']}"
        return answer.value

    def refuse(self, who: str, mutation: str, /, **given: object) -> Any:
        """The only refusal of a mutation, with its data."""
        answer = self.submit(who, mutation, "__typename", **given)
        assert answer.code is None, f"{mutation} by {who}: {answer.body}"
        assert len(answer.value["errors"]) == 1, answer.value
        refusal = answer.value["errors"][0]
        known = graph().type_map[f"{titled(mutation)}Input"].fields
        assert set((refusal["path"] or [])[1:2]) <= set(known), f"{mutation} has no such input: {refusal}"
        return refusal

    def with_key(self, mutation: str, given: Mapping[str, object]) -> dict[str, object]:
        """The input of a mutation with an idempotency key, if it takes one."""
        takes = "idempotencyKey" in graph().type_map[f"{titled(mutation)}Input"].fields
        return {"idempotencyKey": self.key(), **given} if takes else dict(given)

    def key(self) -> str:
        """A fresh idempotency key."""
        return f"key-{next(self.keys):016d}"

    def socket(self, who: str) -> Socket:
        """An open WebSocket of somebody."""
        return Socket(self.served.socket_url).init(self.tokens[who])

    def counted(self, who: str, document: str, /, **variables: object) -> tuple[Any, list[str]]:
        """The data of an operation, and the statements that it ran."""
        return self.quietly(who, lambda: self.clients[who].data(document, **variables))

    def quietly(self, who: str, read: Callable[[], T]) -> tuple[T, list[str]]:
        """What reading gives, and its statements: of three times or more the fewest, once they came twice.

        What runs beside it, such as a webhook, only adds some, and may add as many to two readings in a row.
        """
        self.clients[who].data("{ __typename }")  # whoever asks is known from now on
        sizes: list[int] = []
        for _ in range(QUIET_MAX):
            self.statements.clear()
            value = read()
            found = self.statements_read()
            sizes.append(len(found))
            if len(sizes) >= QUIET_MIN and len(found) == min(sizes) and sizes.count(len(found)) > 1:
                return value, found
        raise AssertionError("it never ran as many statements twice")

    def statements_read(self) -> list[str]:
        """The statements that were run since they were last cleared, with every text in them left out.

        SQLite names a writing statement again for each trigger that it sets off.
        """
        return [_TEXT.sub("?", sql) for sql in without_frames(self.statements)]

    def control(self, path: str, **body: object) -> Any:
        """Does something to the simulated payment provider."""
        key = self.app.settings.data_dir.joinpath("sandbox.key").read_bytes().hex()
        url = f"{self.served.url}/sandbox/control/{path}"
        answer = httpx.post(url, json=body, headers={"authorization": f"Bearer {key}"}, timeout=PATIENCE_S)
        assert answer.status_code == 200, answer.text
        return answer.json()


def without_frames(statements: Sequence[str]) -> list[str]:
    """The statements that do work, each once however many triggers it sets off."""
    run = [sql for sql in statements if not sql.startswith(FRAMES)]
    return [sql for before, sql in pairwise(["", *run]) if sql != before or sql.startswith("SELECT")]


@contextmanager
def open_deployment(place: Place) -> Iterator[Deployment]:
    """Serves an empty marketplace from this place until the block ends; the admin is in."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        opened: Future[Deployment] = Future()
        thread = threading.Thread(target=_run, args=(_serve(place, listener, opened),), daemon=True)
        thread.start()
        deployment = opened.result(PATIENCE_S)
        deployment.staff(ADMIN, ADMIN)
        try:
            yield deployment
        finally:
            for client in deployment.clients.values():
                client.close()
            deployment.served.server.should_exit = True
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "the server did not stop"


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Runs on the loop of `shoutgraph serve`; asyncio's own would hold small answers back on a listener like ours."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as loop:
        loop.run(work)


def settings_of(place: Place, **chosen: Any) -> Settings:
    """What a deployment in this place is told; its jobs run when asked to."""
    url = databases.url_of(place.database())
    lavish = {"rate_anonymous": LAVISH, "rate_person": LAVISH, "rate_staff": LAVISH, "connections": 0} | chosen
    patient = {"reader_threads": databases.READERS, "glance_ms": GLANCE_MS}
    return Settings(data_dir=place.folder, database_url=url, jobs=False, **patient, **lavish)


async def _serve(place: Place, listener: socket.socket, opened: "Future[Deployment]") -> None:
    port: int = listener.getsockname()[1]
    try:
        chosen = settings_of(place, test_clock=True, webhooks_local=True)
        async with root.open_app(chosen, base_url=f"http://127.0.0.1:{port}", environ={}) as app:
            server = build_server(app.asgi, app.drain, host="127.0.0.1", port=port)
            deployment = Deployment(app, Served(server, port), asyncio.get_running_loop(), place)
            await trace(app, deployment.statements)
            engines.choose(app.runner, deployment.statements)
            serving = asyncio.ensure_future(server.serve(sockets=[listener]))
            while not server.started:
                assert not serving.done(), "the server did not start"
                await asyncio.sleep(0.005)
            opened.set_result(deployment)
            await serving
    except BaseException as error:
        if not opened.done():
            opened.set_exception(error)
        raise


def _told(exchange: Callable[..., T], statements: list[str]) -> Callable[..., T]:
    """Runs what goes together, and writes it down."""

    def run(together: Sequence[Any]) -> T:
        statements.extend(each.sql for each in together)
        return exchange(together)

    return run


async def trace(app: App, statements: list[str]) -> None:
    """Writes down every statement of every connection: each reader holds one until all of them were met."""
    everybody = threading.Barrier(app.settings.reader_threads, timeout=PATIENCE_S)

    def listen(tx: Any) -> None:
        connection = tx._connection
        if isinstance(connection, postgresql.Connection):
            connection._exchange = _told(connection._exchange, statements)  # type: ignore[method-assign]
        else:
            connection.set_trace_callback(statements.append)

    def meet(tx: Tx) -> None:
        everybody.wait()
        listen(tx)

    store = app.tools.store
    meeting = (asyncio.to_thread(store.read_now, meet) for _ in range(app.settings.reader_threads))
    await asyncio.gather(store.write(listen), *meeting)
    if not store.shared:
        await store.read(listen)  # what is read at a glance


@cache
def graph() -> GraphQLSchema:
    """The schema that is served."""
    return build_schema()._schema


def titled(name: str) -> str:
    """A mutation's name as its types begin."""
    return name[0].upper() + name[1:]


def absent_of(thing_id: str) -> str:
    """An id like this one that nothing has."""
    place, slash, name = thing_id.rpartition("/")  # a stray's is an instance and a name
    return place + slash + ids.encode(ids.prefix_of(name) or "", bytes(range(16)))


@cache
def mutation_of(name: str, shape: str) -> str:
    """The document of one mutation that asks for the payload's shape and for all that refusals say."""
    union = graph().type_map[f"{titled(name)}Error"]
    assert isinstance(union, GraphQLUnionType)
    data = [(member.name, [field for field in member.fields if field not in _SAID]) for member in union.types]
    details = " ".join(f"... on {kind} {{ {' '.join(fields)} }}" for kind, fields in data if fields)
    said = f"__typename ... on UserError {{ {' '.join(_SAID)} }} {details}"
    return f"""mutation M($input: {titled(name)}Input!) {{
      {name}(input: $input) {{ {shape} errors {{ {said} }} }} }}"""


def answer_of(body: Mapping[str, Any]) -> Answer:
    """The value of the only root field and the first error."""
    found = body.get("errors") or [{}]
    value = next(iter((body.get("data") or {"": None}).values()))
    return Answer(value, found[0].get("extensions", {}).get("code"), found[0].get("message"), body)
