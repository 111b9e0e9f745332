"""A world with a payment provider: the sandbox's simulator on a port of 127.0.0.1, and our webhooks beside it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send
from tests.listening import listening, serving
from tests.services.world import World, open_world
from tests.storage.databases import Place

import shoutgraph_sandbox
from shoutgraph.api import webhooks
from shoutgraph.domain import money, packages
from shoutgraph.domain.packages import Market, PackageEntry, Platform, PriceList, RateEntry, UnitEntry
from shoutgraph.domain.payouts import Payout
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import earnings, notices as notice_jobs, payouts as payout_jobs, reconcile
from shoutgraph.plugins import loading
from shoutgraph.sdk import SimulatorSetup
from shoutgraph.services import packages as price_lists
from shoutgraph.services.orders import timers
from shoutgraph.services.topups import create
from shoutgraph.services.topups.create import Wish
from shoutgraph.storage import payouts as payout_rows, topups as topup_rows
from shoutgraph.tools import Done
from shoutgraph_sandbox.simulator.app import Sandbox
from shoutgraph_sandbox.simulator.rules import Rules

PATIENCE_S = 5.0
API_KEY = "sandbox-api-key"
SECRET = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"
ANYWHERE = packages.ANYWHERE
PRICES = PriceList(
    rates=(RateEntry("EUR", "EUR", 100, 1), RateEntry("USD", "EUR", 92, 1)),
    packages=(
        PackageEntry(Market(ANYWHERE, "EUR", Platform.WEB), 7_000, 10_950, 70),
        PackageEntry(Market(ANYWHERE, "USD", Platform.WEB), 700, 1_350),
    ),
    units=(
        UnitEntry(Market(ANYWHERE, "EUR", Platform.WEB), 1, 1, 1, 1_000_000),
        UnitEntry(Market(ANYWHERE, "USD", Platform.WEB), 2, 1, 1, 1_000_000),
    ),
)


@dataclass
class Till:
    """A world with money.

    `deaf` makes our webhooks answer 503, so that the simulator tries again later. `setup` loads the providers once
    more, for another event loop.
    """

    world: World
    url: str
    deaf: bool = True
    setup: loading.Setup | None = None
    hooks: list[tuple[bytes, Mapping[str, str], int]] = field(default_factory=list)

    def buy(self, fan: Viewer, coins: int | None = None, *, key: str | None = None, **changes: Any) -> Done[Topup]:
        """Asks for coins; at one cent a coin, so that the coins choose the sandbox's magic."""
        values = {
            "package_id": None,
            "coins": coins,
            "currency": "EUR",
            "platform": Platform.WEB,
            "provider_code": "sandbox",
            "return_url": "https://fan.example/back",
        } | changes
        world = self.world
        request = world.request("topUpCreate", fan, key, coins=coins, package=values["package_id"])
        work = create.create(world.tools, fan, request, Wish(**values), reverse_orders=timers.reverse_orders)
        return world.run(work)

    def paid(self, fan: Viewer, coins: int) -> Topup:
        """A top-up that the fan paid and that we know of."""
        topup = self.buy(fan, coins).value
        self.control(f"payments/{topup.id}/pay")
        return self.look(topup)

    def topup(self, topup: Topup) -> Topup:
        """The top-up as it is now."""
        return self.world.read(lambda tx: topup_rows.get(tx, topup.id))

    def payout(self, payout: Payout) -> Payout:
        """The payout as it is now."""
        return self.world.read(lambda tx: payout_rows.get(tx, payout.id))

    def look(self, topup: Topup) -> Topup:
        """Looks at a top-up now, as a hint of its provider would."""
        self.world.write(lambda tx: topup_rows.look_soon(tx, topup.id))
        self.tick()
        return self.topup(topup)

    def tick(self, **move: int) -> int:
        """Moves the clock and runs every job of money once."""
        self.world.clock.move(**move)
        ticks = (payout_jobs.tick, reconcile.tick, earnings.tick, notice_jobs.tick)
        return sum(self.world.run(tick(self.world.tools)) for tick in ticks)

    def control(self, path: str, **body: object) -> Any:
        """Does something to the simulated provider."""
        answer = httpx.post(f"{self.url}/sandbox/control/{path}", json=body, headers=self._key(), timeout=PATIENCE_S)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def seen(self, what: str) -> Any:
        """What the simulated provider has."""
        answer = httpx.get(f"{self.url}/sandbox/control/{what}", headers=self._key(), timeout=PATIENCE_S)
        return answer.json()[what]

    def hear(self, wanted: Callable[[], bool]) -> None:
        """Lets webhooks in until something is so."""
        self.deaf = False
        deadline = time.monotonic() + PATIENCE_S
        while not wanted():
            assert time.monotonic() < deadline, "the webhooks changed nothing"
            self.world.clock.move(seconds=1)
            self.control("advance", seconds=0)
            time.sleep(0.02)

    def post_hook(self, body: bytes, headers: Mapping[str, str], instance: str = "sandbox") -> httpx.Response:
        """Sends a webhook as a stranger would."""
        url = f"{self.url}/hooks/{instance}"
        return httpx.post(url, content=body, headers=dict(headers), timeout=PATIENCE_S)

    def cash(self, currency: str = "EUR", instance: str = "sandbox") -> int:
        """Our money at the provider by the books. Units: minor units."""
        return -self.world.balance(f"cash:psp:{instance}:{currency}") // money.BOOK_UNITS_PER_MINOR

    def _key(self) -> dict[str, str]:
        return {"authorization": f"Bearer {API_KEY}"}


Prepare = Callable[[loading.Setup], loading.Setup]
"""Adds providers to those of a till."""


@contextmanager
def open_till(place: Place, prepare: Prepare = lambda setup: setup) -> Iterator[Till]:
    with open_world(place) as world, listening() as (listener, url):
        till = Till(world, url)
        instances = {
            name: {
                "plugin": name,
                "base_url": f"{url}/sandbox",
                "api_key": {"env": "API_KEY"},
                "webhook_secrets": [{"env": "SECRET"}],
            }
            for name in ("sandbox", "sandbox-payouts")
        }
        sandboxes = loading.Setup(
            instances=instances,
            environ={"API_KEY": API_KEY, "SECRET": SECRET},
            clock=world.clock,
            monotonic=world.loop.time,
            extra={"sandbox": shoutgraph_sandbox},
            discover=False,
            strict=True,
        )
        till.setup = prepare(sandboxes)
        providers = loading.load(till.setup)
        world.tools = replace(world.tools, providers=providers, public_url=url)
        world.run(price_lists.load(world.tools, world.staff("admin"), PRICES))
        simulator = Sandbox(
            SimulatorSetup(
                base_url=f"{url}/sandbox",
                state_path=place.folder / "simulator.db",
                webhook_base_url=url,
                webhook_secret=SecretStr(SECRET),
                clock=world.clock,
                api_key=SecretStr(API_KEY),
            ),
            Rules(f"{url}/sandbox", slow=timedelta(milliseconds=50)),
        )
        with serving(_app(till, simulator), listener):
            yield till
        world.run(providers.aclose())


def _app(till: Till, simulator: Sandbox) -> Starlette:
    (hooks,) = webhooks.routes(till.world.tools)

    async def listen(request: Request) -> Response:
        if till.deaf and "x-stranger" not in request.headers:
            return Response(status_code=503)
        body = await request.body()

        async def again() -> dict[str, object]:
            return {"type": "http.request", "body": body, "more_body": False}

        response: Response = await hooks.endpoint(Request(request.scope, again))
        till.hooks.append((body, dict(request.headers), response.status_code))
        return response

    class Mounted:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await simulator(scope, receive, send)

    return Starlette(routes=[Mount("/sandbox", Mounted()), Route("/hooks/{instance}", listen, methods=["POST"])])
