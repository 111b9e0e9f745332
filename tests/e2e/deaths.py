"""A server that dies at named moments of a call to its provider: the kit's proxy between them knows the moment."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Final

import httpx
from tests.api.harness import Client
from tests.e2e.drill import PRICES, wait
from tests.e2e.market import Market, Seller
from tests.e2e.processes import PATIENCE_S, Nursery, Server
from tests.services.world import BOOKS, certified, new_id

from shoutgraph import app, settings
from shoutgraph.domain import ids, money, postings
from shoutgraph.domain.earnings import Earning, EarningKind
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Viewer
from shoutgraph.services import earnings as maturing
from shoutgraph.services.payouts import request as payout_requests
from shoutgraph.storage import earnings, ledger, tax
from shoutgraph.storage.tx import Tx
from shoutgraph.testkit import farside, faults
from shoutgraph.testkit.clocks import Clock
from shoutgraph.testkit.proxy import Proxy
from shoutgraph.testkit.upstreams import Act, Stage
from shoutgraph_sandbox.simulator.upstream import API_KEY, SandboxUpstream

PROVIDERS: Final = ("sandbox", "sandbox-payouts")
TABLE: Final = """[providers.{name}]
plugin = "{name}"
base_url = "{url}"
api_key = {{ env = "SANDBOX_KEY" }}
webhook_secrets = [{{ env = "SANDBOX_SECRET" }}]
"""
ADVANCE: Final = """mutation ($seconds: Int!) {
  testClockAdvance(input: {seconds: $seconds}) { errors { ... on UserError { code } } } }"""
STANDS_S: Final = 0.05
"""How long a process that is about to die stands still, while the answer reaches its socket."""
COINS: Final = 2_000
FINANCE: Final = ("desk", "finance")
"""Who decides about money, and their role."""
EARNED: Final = 20_000


class Moment(Enum):
    """When the server dies."""

    RESERVED = "after the intent is stored, before the request has an effect"
    SENT = "after the request had its effect, before an answer"
    ANSWERED = "after the answer, before it is stored"
    STORED = "after the answer is stored, before anybody looks again"


@dataclass
class House:
    """A server, its database, and its provider at the other end of a proxy."""

    server: Server
    market: Market
    url: str | None
    proxy: Proxy = field(default_factory=Proxy)
    clock: Clock = field(default_factory=Clock)
    far: farside.FarSide = field(default_factory=farside.shared)
    deaths: list[Moment] = field(default_factory=list)
    recipients: dict[str, str] = field(default_factory=dict)
    before: list[int] = field(default_factory=list)

    def open(self, folder: Path) -> None:
        """Starts the provider, and writes where it is."""
        folder.mkdir()
        stage = Stage(base_url=self.proxy.url, clock=self.clock, folder=folder, instance="sandbox")
        self.upstream = SandboxUpstream(stage)
        self.proxy.serve(self.upstream.app, ())
        self.there(self.proxy.start())
        secrets: Any = self.upstream.config(self.proxy.url)["webhook_secrets"]
        config = folder / "shoutgraph.toml"
        config.write_text("".join(TABLE.format(name=name, url=self.proxy.url) for name in PROVIDERS))
        self.server.env |= {
            "SHOUTGRAPH_CONFIG": str(config),
            "SANDBOX_KEY": API_KEY.get_secret_value(),
            "SANDBOX_SECRET": secrets[0].get_secret_value(),
        } | ({} if self.url is None else {"SHOUTGRAPH_DATABASE_URL": self.url})
        code, said = self.run("prices", "load", PRICES)
        assert code == 0, said
        asyncio.run(self._earn(self.market.sellers[: len(Moment)]))
        self.before = self._cash()
        self.server.start()

    def close(self) -> None:
        """Ends everything."""
        if self.server.pid is not None:
            assert self.server.stop() == 0, self.server.log.read_text()
        self.there(self.proxy.aclose())
        self.there(self.upstream.aclose())

    def run(self, *arguments: object) -> tuple[int, str]:
        """Runs a command on the database."""
        log = self.market.folder / "command.log"
        return self.server.nursery.run(*arguments, "--data-dir", self.market.folder, log=log, **self.server.env)

    def there(self, work: Any) -> Any:
        """Runs something at the provider."""
        return asyncio.run(self.far.run(work))

    def send(self, who: tuple[str, str], query: str, **given: object) -> dict[str, Any]:
        """What somebody gets for a document; raises where the server dies over it."""
        client = Client(self.server.url, self.market.token(*who))
        with client.http:
            answer: dict[str, Any] = client.data(query, **given)
        return answer

    @property
    def fan(self) -> tuple[str, str]:
        """A buyer."""
        return self.market.poor_id, "user"

    def die(self, moment: Moment, path: str, ask: Callable[[], Any], stored: Callable[[], bool]) -> None:
        """Asks for something, and kills the server at this moment of its request to `path`; starts it again.

        Args:
            stored: whether the answer is stored, where the server is to outlive that.
        """
        struck, dead = threading.Event(), threading.Event()
        since = len(self.proxy.asked)

        def kill() -> None:
            self.server.kill()
            dead.set()

        def trigger() -> None:
            if struck.is_set() or not any(each.path.endswith(path) for each in self.proxy.changes(since)):
                return  # another request, of a job
            struck.set()
            if moment is Moment.ANSWERED:
                assert self.server.pid is not None
                os.kill(self.server.pid, signal.SIGSTOP)
                threading.Timer(STANDS_S, kill).start()
            else:
                kill()

        if moment is Moment.RESERVED:
            self.proxy.plan(faults.DROPPED_BEFORE)
        if moment is not Moment.STORED:
            self.proxy.before_answer = trigger
        with suppress(httpx.TransportError):
            ask()
        if moment is Moment.STORED:
            wait(stored, "the answer is stored")
            kill()
        assert dead.wait(PATIENCE_S), f"it dies {moment.value}"
        self.proxy.before_answer = None
        self.proxy.mend()
        self.deaths.append(moment)
        self.server.start()

    def advance(self, **by: int) -> None:
        """Lets time pass, here and at the provider."""
        span = timedelta(**by)
        self.clock.advance(span)
        answer = self.send(("ops", "admin"), ADVANCE, seconds=int(span.total_seconds()))["testClockAdvance"]
        assert answer["errors"] == [], answer

    def act(self, verb: Act, ref: str) -> None:
        """Something happens at the provider."""
        self.there(self.upstream.act(verb, ref))

    def seen(self, what: str) -> list[dict[str, Any]]:
        """What the provider has: payments, or payouts."""
        found: list[dict[str, Any]] = self.there(self.upstream._control(what))[what]
        return found

    def prove(self) -> None:
        """The books balance, and the cash books agree with what the provider has."""
        code, said = self.run("ledger", "verify")
        assert code == 0, said
        paid_in = sum(each["settled"] - each["refunded"] - each["fee"] for each in self.seen("payments"))
        paid_out = sum(each["amount"] for each in self.seen("payouts") if each["status"] == "paid")
        assert self._cash() == [self.before[0] + paid_in, self.before[1] - paid_out]

    def _cash(self) -> list[int]:
        """Our money at the providers by the books. Units: minor units."""
        given = {"data_dir": self.market.folder, "database_url": self.url}

        def query(tx: Tx) -> list[int]:
            units = [-ledger.balance_coins(tx, f"cash:psp:{name}:EUR") for name in PROVIDERS]
            return [each // money.BOOK_UNITS_PER_MINOR for each in units]

        with app.open_reader(settings.load(given, {})) as reader:
            return reader.read_now(query)

    async def _earn(self, sellers: tuple[Seller, ...]) -> None:
        """What came in before: creators have something to be paid, and somewhere to be paid to."""
        chosen = settings.load({"data_dir": self.market.folder, "database_url": self.url}, {})
        config = self.upstream.config(self.proxy.url)  # with the secrets themselves
        chosen = chosen.model_copy(update={"providers": {name: {"plugin": name, **config} for name in PROVIDERS}})
        async with app.open_tools(chosen, base_url="http://127.0.0.1", environ={}) as tools:
            for seller in sellers:
                viewer = Viewer(seller.user_id, seller.creator_id, principal=f"user:{seller.user_id}")  # type: ignore[arg-type]
                asked = _request(viewer)
                wish = payout_requests.NewRecipient("sandbox-payouts", "Bank", "DE00")
                made = await payout_requests.add_recipient(tools, viewer, asked, wish)
                self.recipients[seller.user_id] = made.value.id
                await tools.store.write(lambda tx, seller=seller: _earned(tx, seller))  # type: ignore[misc]
            assert await maturing.mature_due(tools) == len(sellers)


@contextmanager
def open_house(nursery: Nursery, market: Market, url: str | None = None) -> Iterator[House]:
    """A server that will die, with its provider."""
    house = House(Server(nursery, market.folder), market, url)
    try:
        house.open(market.folder / "provider")
        yield house
        house.prove()
    finally:
        house.close()


def _request(viewer: Viewer) -> Request:
    return Request.of(principal=viewer.principal, mutation="payoutRecipientCreate", key=new_id("key"), given={})


def _earned(tx: Tx, seller: Seller) -> None:
    order_id = ids.OrderId(new_id(ids.ORDER))
    creator_id = ids.CreatorId(seller.creator_id)
    tax.insert(tx, certified(creator_id, tx.now))
    ledger.post(tx, postings.creator_compensated(BOOKS, order_id=order_id, creator_id=creator_id, coins=EARNED))
    kind = EarningKind.COMPENSATION
    earnings.insert(tx, Earning(new_id(ids.EARNING), creator_id, kind, order_id, EARNED, 0, tx.now, tx.now))
