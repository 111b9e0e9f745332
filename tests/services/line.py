"""The real sandbox behind a line that breaks: its plugin, its simulator, and the kit's fault proxy between them."""

import asyncio
import hashlib
import json
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

from tests.services.kiosk import INSTANCE as KIOSK, SECRET as KIOSK_SECRET, SOLD, Kiosk, KioskPlugin
from tests.services.till import PRICES
from tests.services.world import World, open_world
from tests.storage.databases import Place

import shoutgraph_sandbox
from shoutgraph import sdk
from shoutgraph.domain import errors, money
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.notices import NoticeState, Stored
from shoutgraph.domain.packages import PriceList, UnitEntry
from shoutgraph.domain.recipients import Recipient
from shoutgraph.domain.users import Viewer
from shoutgraph.jobs import earnings, payouts as payout_jobs, reconcile, sweep
from shoutgraph.plugins import fence, loading
from shoutgraph.plugins.providers import Providers
from shoutgraph.services import books, notices, packages as price_lists
from shoutgraph.storage import topups
from shoutgraph.storage.tx import Tx
from shoutgraph.testkit import farside
from shoutgraph.testkit.clocks import Leaps
from shoutgraph.testkit.proxy import Proxy
from shoutgraph.testkit.upstreams import Act, Forgery, Stage
from shoutgraph_sandbox.simulator.delivery import signed
from shoutgraph_sandbox.simulator.upstream import API_KEY, SandboxUpstream

T = TypeVar("T")
SHORT = timedelta(milliseconds=150)
"""How long a call is waited for here, in real time."""
ROUNDS_MAX = 200
NAME_CHARS = 20
"""No name of ours is as short."""


@dataclass
class Line:
    """A world whose providers are behind a line. Nothing happens at the provider, and nothing is told, by itself."""

    world: World
    proxy: Proxy
    upstream: SandboxUpstream
    kiosk: Kiosk
    inbox: notices.Inbox
    refusing: Providers
    far: farside.FarSide
    payee: tuple[Viewer, Creator, Recipient] | None = None
    apart: set[str] = field(default_factory=set)
    """Payments that people have to settle, by our operation: the books and the provider may differ there."""

    def there(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs something at the provider."""
        return self.world.run(self.far.run(work))

    def act(self, verb: Act, ref: str, minor: int | None = None, currency: str = "EUR") -> None:
        """Something happens at the provider."""
        self.there(self.upstream.act(verb, ref, None if minor is None else sdk.Money(minor, currency)))

    def tick(self, **move: int) -> None:
        """Lets time pass, and the jobs work until there is nothing left to do."""
        self.world.clock.move(**move)
        tools = self.world.tools
        for _ in range(ROUNDS_MAX):
            done = 0
            for tick in (payout_jobs.tick, reconcile.tick, earnings.tick, sweep.tick):
                done += self.world.run(tick(tools))
            if not done:
                return
        raise AssertionError("the jobs do not come to an end")

    def pass_days(self) -> None:
        """Lets everything be looked at that can be."""
        for step in ({"seconds": 70}, {"minutes": 3}, {"minutes": 12}, {"hours": 2}, {"hours": 8}, {"days": 1}):
            self.tick(**step)

    def deliveries(self) -> Sequence[sdk.RawWebhook]:
        """Takes the provider's webhooks, oldest first, signed now."""
        return self.there(self.upstream.deliveries())

    def signed(self, name: str, body: bytes) -> dict[str, str]:
        """The headers of a webhook that the provider would send."""
        secret, _ = self.upstream.config("")["webhook_secrets"]  # type: ignore[misc]
        return signed(sdk.standard_key(secret), name, body, self.world.clock())

    def forged(self, raw: sdk.RawWebhook, how: Forgery) -> sdk.RawWebhook:
        """A webhook that something was done to."""
        return self.upstream.forge(raw, how)

    async def arrive(self, raw: sdk.RawWebhook, instance: str | None = None) -> NoticeState | str:
        """A webhook at our door: what became of it, or the code of the refusal."""
        way = instance or ("sandbox-payouts" if b'"payout"' in raw.body else "sandbox")
        digest = hashlib.sha256(raw.body).digest()
        arrived = Stored(None, way, digest, raw.body, raw.headers, raw.query, raw.remote, self.world.clock())
        try:
            return (await self.inbox.receive(arrived)).state
        except errors.ValidationError as refusal:
            return refusal.code

    def deliver(self, *raws: sdk.RawWebhook) -> list[NoticeState | str]:
        """Webhooks arrive in this order."""
        return [self.world.run(self.arrive(raw)) for raw in raws]

    def seen(self, what: str) -> list[dict[str, Any]]:
        """What the provider has: payments, or payouts."""
        found: list[dict[str, Any]] = self.there(self.upstream._control(what))[what]
        return found

    @contextmanager
    def disconnected(self) -> Iterator[None]:
        """Nobody listens at the other end."""
        tools = self.world.tools
        self.world.tools = replace(tools, providers=self.refusing)
        yield
        self.world.tools = tools

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """What never answers is waited for in real time, so for a short one."""
        limit = fence.CALL_TIMEOUT_MAX
        fence.CALL_TIMEOUT_MAX = SHORT  # type: ignore[misc]
        try:
            yield
        finally:
            fence.CALL_TIMEOUT_MAX = limit  # type: ignore[misc]

    def before_answer(self, happens: Callable[[], Coroutine[Any, Any, object]]) -> None:
        """Something happens on our loop once, when the provider has acted and before its answer leaves."""
        loop = self.world.loop

        def once() -> None:
            self.proxy.before_answer = None
            asyncio.run_coroutine_threadsafe(happens(), loop).result(timeout=5)

        self.proxy.before_answer = once

    def cash(self, instance: str) -> int:
        """Our money at a provider by the books. Units: minor units."""
        units = -self.world.balance(f"cash:psp:{instance}:EUR")
        assert units % money.BOOK_UNITS_PER_MINOR == 0
        return units // money.BOOK_UNITS_PER_MINOR

    def _apart(self, tx: Tx) -> list[int]:
        """What the books have of those that people have to settle, each of them credited or not at all."""
        found = [topups.get(tx, each) for each in self.apart if each.startswith("topup_") and len(each) > NAME_CHARS]
        return [
            each.terms.price_minor * each.booked.credited - each.booked.reversed_minor - each.booked.fee_minor
            for each in found
        ]

    def prove(self) -> None:
        """The books balance, and agree with what the provider has."""
        proof = self.world.read(books.prove)
        assert not proof.violations, proof.violations
        agreed = [each for each in self.seen("payments") if each["operation_id"] not in self.apart]
        assert self.cash("sandbox") - sum(self.world.read(self._apart)) == sum(map(ours, agreed))
        paid = [each["amount"] for each in self.seen("payouts") if each["status"] == "paid"]
        assert self.cash("sandbox-payouts") == -sum(paid)
        assert self.cash(KIOSK) == sum(each["minor"] - each["refunded"] for each in self.kiosk.sold.values())


def ours(payment: dict[str, Any]) -> int:
    """What of a payment is with us."""
    taken = payment["refunded"] + payment["disputed"] - payment["disputes_won"] + payment["fee"]
    return int(payment["settled"] - taken)


class Both:
    """The sandbox and the phone's store under one address."""

    def __init__(self, sandbox: Any, kiosk: Kiosk) -> None:
        self._sandbox, self._kiosk = sandbox, kiosk

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not scope["path"].startswith(("/redeem", "/purchases")):
            await self._sandbox(scope, receive, send)
            return
        message = await receive()
        if scope["method"] == "POST":
            bought = self._kiosk.sold.get(json.loads(message["body"])["receipt"])
        else:
            wanted = scope["path"].rpartition("/")[2]
            bought = next((each for each in self._kiosk.sold.values() if each["id"] == wanted), None)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 404 if bought is None else 200, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(bought or {}).encode()})


@contextmanager
def open_line(place: Place) -> Iterator[Line]:
    """A world at the near end of the line."""
    with open_world(place) as world:
        far, proxy = farside.shared(), Proxy()
        folder = place.folder / "far"
        folder.mkdir(exist_ok=True)
        upstream = SandboxUpstream(Stage(base_url=proxy.url, clock=world.clock, folder=folder, instance="sandbox"))
        kiosk = Kiosk(url=proxy.url)
        proxy.serve(Both(upstream.app, kiosk), ())
        world.run(far.run(proxy.start()))
        providers, refusing = (loading.load(_setup(world, url, upstream)) for url in (proxy.url, proxy.refusing_url))
        world.tools = replace(world.tools, providers=providers, public_url="http://127.0.0.1")
        web = (*PRICES.units, UnitEntry(SOLD[0].market, 2, 1, 1, 1_000_000))
        prices = PriceList(PRICES.rates, (*PRICES.packages, *SOLD), web)
        world.run(price_lists.load(world.tools, world.staff("admin"), prices))
        inbox = notices.Inbox(world.tools, reconcile.HANDLERS)
        try:
            yield Line(world, proxy, upstream, kiosk, inbox, refusing, far)
        finally:
            world.run(providers.aclose())
            world.run(refusing.aclose())
            world.run(far.run(proxy.aclose()))
            world.run(far.run(upstream.aclose()))


def _setup(world: World, url: str, upstream: SandboxUpstream) -> loading.Setup:
    secrets = [{"env": "NEW"}, {"env": "OLD"}]
    new, old = (each.get_secret_value() for each in upstream.config(url)["webhook_secrets"])  # type: ignore[attr-defined]
    shared = {"base_url": url, "api_key": {"env": "KEY"}, "webhook_secrets": secrets}
    kiosk = {"plugin": KIOSK, "base_url": url, "webhook_secrets": [{"env": "KIOSK"}]}
    return loading.Setup(
        instances={name: {"plugin": name, **shared} for name in ("sandbox", "sandbox-payouts")} | {KIOSK: kiosk},
        environ={"NEW": new, "OLD": old, "KEY": API_KEY.get_secret_value(), "KIOSK": KIOSK_SECRET},
        clock=world.clock,
        monotonic=Leaps(),
        extra={"sandbox": shoutgraph_sandbox, KIOSK: KioskPlugin()},
        discover=False,
        strict=True,
    )
