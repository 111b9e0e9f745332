# ruff: noqa: ARG002 -- protocols name their arguments
"""A phone's store: a plugin that redeems receipts, and the web server on loopback that stands for the store."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, SecretStr
from tests.services.till import PRICES, Till
from tests.services.world import new_id

from shoutgraph import sdk
from shoutgraph.domain.packages import ANYWHERE, Market, PackageEntry, Platform, PriceList, UnitEntry
from shoutgraph.plugins import loading
from shoutgraph.services import packages as price_lists

INSTANCE = "kiosk"
SECRET = "a-secret-of-the-kiosk"
PHONES = Market(ANYWHERE, "EUR", Platform.IOS)
COINS, PRICE, PRODUCT = 700, 1_299, "coins.700"
SOLD = (
    PackageEntry(PHONES, COINS, PRICE, 10, PRODUCT),
    PackageEntry(PHONES, 7_000, 12_999, product="coins.7000"),
)


@dataclass
class Kiosk:
    """What the store sold, by receipt, and what is wrong with it now: `losing` loses so many answers."""

    sold: dict[str, dict[str, Any]] = field(default_factory=dict)
    losing: int = 0
    calls: list[str] = field(default_factory=list)
    url: str = ""
    server: ThreadingHTTPServer | None = None

    def sell(self, *, minor: int = PRICE, product: str = PRODUCT, currency: str = "EUR") -> str:
        """A device buys something; gives its receipt."""
        number = len(self.sold) + 1
        receipt = f"receipt-{number}." + "x" * 6_000
        self.sold[receipt] = {
            "id": new_id("purchase"), "product": product, "minor": minor, "currency": currency, "refunded": 0,
        }  # fmt: skip
        return receipt

    def refund(self, receipt: str, minor: int) -> tuple[bytes, dict[str, str]]:
        """The store gives back; gives its webhook."""
        bought = self.sold[receipt]
        bought["refunded"] += minor
        body = json.dumps({"notice": f"refund-{bought['id']}-{bought['refunded']}", **bought}).encode()
        return body, {"x-kiosk": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(), "x-stranger": "1"}

    def stop(self) -> None:
        """Nobody listens any more: a connection is refused."""
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None


def outcome_of(bought: Mapping[str, Any], at: Any) -> sdk.Settled:
    money = lambda minor: sdk.Money(minor, bought["currency"])  # noqa: E731
    return sdk.Settled(bought["id"], sdk.Totals(money(bought["minor"]), money(bought["refunded"]), money(0)), at)


class Config(BaseModel):
    base_url: str
    webhook_secrets: list[SecretStr]


class KioskTopUps:
    """Redeems."""

    def __init__(self, config: Config, host: sdk.Host) -> None:
        self.config, self.host = config, host

    async def redeem(self, request: sdk.Redemption) -> sdk.TopUpOutcome:
        try:
            answer = await self.host.http.request(
                "POST", f"{self.config.base_url}/redeem", content=json.dumps({"receipt": request.proof}).encode()
            )
        except sdk.NotSent:
            return sdk.NotExecuted(sdk.UNAVAILABLE)
        except sdk.NoAnswer:
            return sdk.Unknown("no_answer")
        if answer.status == 404:
            return sdk.Declined(None, "unknown_receipt")
        bought: Any = answer.json()
        if bought["product"] != request.product:
            return sdk.Declined(bought["id"], sdk.OTHER_PRODUCT)  # a plugin had better not name it
        return outcome_of(bought, self.host.now())

    async def fetch(self, target: sdk.Target, call: sdk.Call) -> sdk.Observation:
        answer = await self.host.http.request("GET", f"{self.config.base_url}/purchases/{target.ref}")
        bought: Any = answer.json()
        return outcome_of(bought, self.host.now())

    def receive(self, raw: sdk.RawWebhook) -> sdk.Delivery:
        proof = sdk.hmac_proof(raw, self.config.webhook_secrets, [raw.header("x-kiosk") or ""])
        told = json.loads(raw.body)
        target = sdk.Target("", "", told["id"])
        seen = outcome_of(told, raw.received_at)
        return sdk.Delivery(proof, (sdk.Notice(told["notice"], target, sdk.NoticeKind.TOPUP, seen),))

    async def aclose(self) -> None:
        """Holds nothing."""


class KioskPlugin:
    """The plugin."""

    @sdk.hookimpl
    def shoutgraph_topup_plugins(self) -> list[sdk.AnyTopUpPlugin]:
        caps = sdk.TopUpCaps(
            currencies=frozenset({"EUR"}),
            intake=sdk.Intake.REDEEM,
            webhooks=sdk.Webhooks.SIGNED,
            refunds=sdk.Refunds.EXTERNAL,
            limits={"EUR": (99, 99_999)},
        )
        hosts = lambda config: frozenset({urlsplit(config.base_url).netloc})  # noqa: E731
        return [sdk.TopUpPlugin(INSTANCE, "Kiosk", caps, Config, KioskTopUps, hosts)]


class _Handler(BaseHTTPRequestHandler):
    kiosk: Kiosk

    def do_POST(self) -> None:
        kiosk = self.kiosk
        receipt = json.loads(self.rfile.read(int(self.headers["content-length"])))["receipt"]
        kiosk.calls.append(receipt)
        if kiosk.losing:
            kiosk.losing -= 1
            self.close_connection = True
            return
        self._tell(kiosk.sold.get(receipt))

    def do_GET(self) -> None:
        wanted = self.path.rpartition("/")[2]
        self._tell(next(each for each in self.kiosk.sold.values() if each["id"] == wanted))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's name
        """Says nothing."""

    def _tell(self, bought: Mapping[str, Any] | None) -> None:
        body = json.dumps(bought or {}).encode()
        self.send_response(404 if bought is None else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def open_kiosk() -> Iterator[Kiosk]:
    """The store, on a port of its own."""
    kiosk = Kiosk()
    handler = type("Handler", (_Handler,), {"kiosk": kiosk})
    kiosk.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    kiosk.server.daemon_threads = True
    kiosk.url = f"http://127.0.0.1:{kiosk.server.server_port}"
    thread = threading.Thread(target=kiosk.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield kiosk
    finally:
        kiosk.stop()
        thread.join(5)


def beside(kiosk: Kiosk, setup: loading.Setup) -> loading.Setup:
    """The store beside the providers of a till."""
    config = {"plugin": INSTANCE, "base_url": kiosk.url, "webhook_secrets": [{"env": "KIOSK"}]}
    return replace(
        setup,
        instances={**setup.instances, INSTANCE: config},
        environ={**setup.environ, "KIOSK": SECRET},
        extra={**setup.extra, INSTANCE: KioskPlugin()},
    )


def load_prices(till: Till, sold: tuple[PackageEntry, ...] = SOLD) -> None:
    """What the web and the store sell from now on."""
    world = till.world
    units = (*PRICES.units, UnitEntry(PHONES, 2, 1, 1, 1_000_000))
    prices = PriceList(PRICES.rates, (*PRICES.packages, *sold), units)
    world.run(price_lists.load(world.tools, world.staff("admin"), prices))


def post(till: Till, told: tuple[bytes, dict[str, str]]) -> httpx.Response:
    """Sends the store's webhook."""
    return till.post_hook(*told, instance=INSTANCE)
