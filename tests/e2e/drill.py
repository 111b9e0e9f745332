"""A market that something terrible happens to: anchors and backups of it lie elsewhere."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from tests.api.harness import Client
from tests.e2e import crowd
from tests.e2e.market import POOR_PAID, Market
from tests.e2e.processes import LOOK_S, PATIENCE_S, ROOT, Nursery, Server

PRICES = ROOT / "src" / "shoutgraph" / "services" / "seed_prices.json"
BUY = """mutation Buy($input: TopUpCreateInput!) { topUpCreate(input: $input) {
  topUp { id status coins nextAction { ... on RedirectAction { url } } }
  errors { ... on UserError { code message } } } }"""
TOPUP = "query ($id: ID!) { node(id: $id) { ... on TopUp { status } } }"
WALLET = "{ wallet { available } }"
COINS = 7_000
HAD = sum(POOR_PAID)


@dataclass
class Place:
    """A market that anchors its journal elsewhere, and keeps its backups there too."""

    nursery: Nursery
    market: Market
    elsewhere: Path
    env: dict[str, str] = field(default_factory=dict)

    @property
    def anchors(self) -> Path:
        return self.elsewhere / "anchors"

    def run(self, *arguments: object) -> tuple[int, str]:
        log = self.elsewhere / "command.log"
        return self.nursery.run(*arguments, "--data-dir", self.market.folder, log=log, **self.env)

    def server(self, *more: object) -> Server:
        return Server(self.nursery, self.market.folder, env=self.env, more=more)

    def fan(self, server: Server) -> Client:
        return Client(server.url, self.market.token(self.market.poor_id))

    def newest_anchor(self) -> int:
        names = sorted(path.name for path in self.anchors.iterdir())
        return int(json.loads((self.anchors / names[-1]).read_text())["seq"]) if names else 0

    def lose(self) -> None:
        for path in self.market.folder.glob("shoutgraph.db*"):
            path.unlink()


def place_of(nursery: Nursery, market: Market, elsewhere: Path, **env: str) -> Place:
    """The market, its anchors every second, and prices to buy coins at."""
    (elsewhere / "anchors").mkdir(parents=True)
    env |= {"SHOUTGRAPH_ANCHOR_DIR": str(elsewhere / "anchors"), "SHOUTGRAPH_ANCHOR_INTERVAL_S": "1"}
    place = Place(nursery, market, elsewhere, env)
    code, said = place.run("prices", "load", PRICES)
    assert code == 0, said
    return place


@contextlib.contextmanager
def serving(place: Place, *more: object) -> Iterator[Server]:
    server = place.server(*more).start()
    try:
        yield server
    finally:
        if server.pid is not None:
            assert server.stop() == 0, server.log.read_text()


def buy(fan: Client) -> dict[str, Any]:
    wish = {
        "idempotencyKey": crowd.new_key(),
        "buy": {"coins": str(COINS)},
        "currency": "EUR",
        "platform": "WEB",
        "country": "DE",
        "providerCode": "sandbox",
        "returnUrl": "https://fan.example/back",
    }
    payload = fan.data(BUY, input=wish)["topUpCreate"]
    assert payload["errors"] == [], payload
    topup: dict[str, Any] = payload["topUp"]
    return topup


def pay(topup: dict[str, Any]) -> None:
    """The fan pays on the provider's own page."""
    answer = httpx.post(topup["nextAction"]["url"], data={"choice": "pay"}, timeout=PATIENCE_S)
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text


def coins(fan: Client) -> int:
    return int(fan.data(WALLET)["wallet"]["available"])


def wait(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(LOOK_S)
