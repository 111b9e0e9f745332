"""One trial: a plugin loaded as the host loads it, its simulator on the far side, and the proxy between them."""

import abc
import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

from pydantic import SecretStr

from shoutgraph.plugins import loading, threads
from shoutgraph.plugins.payouts import Payouts
from shoutgraph.plugins.providers import Providers
from shoutgraph.plugins.statuses import InstanceStatus
from shoutgraph.plugins.topups import TopUps
from shoutgraph.sdk import (
    AnyPayoutPlugin,
    AnyTopUpPlugin,
    Call,
    Delivery,
    ItemObservation,
    Money,
    Notice,
    Observation,
    PayoutPlugin,
    RawWebhook,
    RecipientOutcome,
    Target,
    TopUpPlugin,
    hookimpl,
)
from shoutgraph.testkit import amounts, farside
from shoutgraph.testkit.clocks import Clock, Leaps
from shoutgraph.testkit.faults import Fault
from shoutgraph.testkit.proxy import Proxy, Which
from shoutgraph.testkit.upstreams import Act, Forgery, NotSupported, Seen, Stage, Upstream
from shoutgraph.testkit.verdicts import Broken, Skipped, require

INSTANCE: Final = "conformance"
TIMEOUT: Final = timedelta(seconds=20)
"""How long a call may take where its time is not what is tried."""

Outcome: TypeAlias = Observation | ItemObservation | RecipientOutcome
Descriptor: TypeAlias = AnyTopUpPlugin | AnyPayoutPlugin

_SERIALS: Final = itertools.count(1)


class Subject(Protocol):
    """What is put to the test: a plugin, and how to make its simulator."""

    @property
    def plugin(self) -> Descriptor:
        """The descriptor that the plugin offers."""
        ...

    @property
    def distribution(self) -> str | None:
        """The name of the distribution that it comes with."""
        ...

    def upstream(self, stage: Stage) -> Upstream:
        """A new simulator."""
        ...


@dataclass(frozen=True, slots=True)
class Deal:
    """One piece of business: a top-up, a receipt to redeem, or one item of a payout.

    Args:
        who: the customer, or the recipient's ref.
        proof: the receipt, where there is one.
    """

    operation_id: str
    key: str
    amount: Money
    who: str
    proof: str = ""
    timeout: timedelta = TIMEOUT


class Offer:
    """A plugin object that offers one descriptor."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor

    @hookimpl
    def shoutgraph_topup_plugins(self) -> tuple[AnyTopUpPlugin, ...]:
        """Offers it, if it takes money."""
        return (self._descriptor,) if isinstance(self._descriptor, TopUpPlugin) else ()

    @hookimpl
    def shoutgraph_payout_plugins(self) -> tuple[AnyPayoutPlugin, ...]:
        """Offers it, if it sends money."""
        return (self._descriptor,) if isinstance(self._descriptor, PayoutPlugin) else ()


class Trial(abc.ABC):
    """What all kinds of providers have in common."""

    which = Which.MONEY
    """The requests of sending money that faults break."""

    def __init__(self, subject: Subject, folder: Path) -> None:
        self.subject: Final = subject
        self.plugin: Final = subject.plugin
        self.clock: Final = Clock()
        self.proxy: Final = Proxy()
        self.notes: Final[list[str]] = []
        self._far = farside.shared()
        self._monotonic = Leaps()
        self._opened: list[Providers] = []
        stage = Stage(base_url=self.proxy.url, clock=self.clock, folder=folder, instance=INSTANCE)
        self.upstream: Final = subject.upstream(stage)

    async def start(self) -> None:
        """Opens the house."""
        await self._far.run(self.upstream.start())
        self.proxy.serve(self.upstream.app, self.upstream.aside)
        await self._far.run(self.proxy.start())
        self.providers = self.loaded()
        (status,) = self.providers.instances
        require(INSTANCE in self.providers.inboxes, f"the upstream's own configuration is refused: {status.detail}")

    async def aclose(self) -> None:
        """Closes the house."""
        for each in self._opened:
            await each.aclose()
        await self._far.run(self.proxy.aclose())
        await self._far.run(self.upstream.aclose())

    def config(self, base_url: str | None = None) -> dict[str, object]:
        """The configuration of the instance."""
        return dict(self.upstream.config(base_url or self.proxy.url))

    def secrets(self) -> list[str]:
        """Every secret of the configuration."""
        return sorted({secret.get_secret_value() for _, secret in secrets_in(self.config())})

    def loaded(self, config: Mapping[str, object] | None = None) -> Providers:
        """The plugin once more, loaded as the host does it; closed at the end."""
        fields = self.config() if config is None else config
        setup = loading.Setup(
            instances={INSTANCE: {"plugin": self.plugin.key, **fields}},
            environ={},
            clock=self.clock,
            monotonic=self._monotonic,
            extra={"conformance": Offer(self.plugin)},
            discover=False,
        )
        providers = loading.load(setup)
        self._opened.append(providers)
        return providers

    def status_with(self, config: Mapping[str, object]) -> InstanceStatus:
        """What becomes of an instance with this configuration."""
        return self.loaded(config).instances[0]

    def refused(self) -> Providers:
        """The plugin where nobody listens."""
        return self.loaded(self.config(self.proxy.refusing_url))

    @property
    def provider(self) -> Any:  # noqa: ANN401 -- one of six protocols, as the caller knows
        """The plugin's provider itself, without the fence."""
        return self.guarded(self.providers).provider

    @abc.abstractmethod
    def guarded(self, providers: Providers) -> TopUps | Payouts:
        """The provider behind the fence."""

    @abc.abstractmethod
    async def deal(self, amount: Money | None = None) -> Deal:
        """A new piece of business."""

    @abc.abstractmethod
    async def send(self, deal: Deal, providers: Providers | None = None) -> Outcome:
        """Asks for the money, through the fence."""

    @abc.abstractmethod
    async def send_straight(self, deal: Deal) -> Outcome:
        """Asks for the money, without the fence."""

    @abc.abstractmethod
    async def look(self, deal: Deal, ref: str | None, providers: Providers | None = None) -> Outcome:
        """Looks at it, through the fence, without comparing amounts."""

    @abc.abstractmethod
    async def look_where(self, target: Target) -> Outcome:
        """Looks where a webhook says, through the fence."""

    @abc.abstractmethod
    async def look_straight(self, deal: Deal, ref: str | None) -> Outcome:
        """Looks at it, without the fence."""

    async def straight(self, method: str, *args: object) -> Any:  # noqa: ANN401 -- what the plugin gives
        """Calls a method of the provider without the fence, in a thread where it blocks."""
        work = getattr(self.provider, method)
        if self.plugin.threaded:
            return await threads.Threads(INSTANCE).run(lambda: work(*args), TIMEOUT.total_seconds())
        async with asyncio.timeout(TIMEOUT.total_seconds()):
            return await work(*args)

    def call(self, deal: Deal, *, key: str | None = None) -> Call:
        """What a call about this carries."""
        return Call(deal.operation_id, key or deal.key, deal.timeout)

    async def begun(self, deal: Deal | None = None) -> tuple[Deal, str]:
        """A piece of business that the provider has taken up, and the provider's ref of it."""
        deal = deal or await self.deal()
        outcome = await self.send(deal)
        ref = ref_of(outcome)
        require(ref or self.upstream.app is None, f"nothing was begun: {outcome}")
        return deal, ref or deal.operation_id

    async def hurt(self, fault: Fault, deal: Deal | None = None) -> tuple[Deal, Outcome]:
        """Sends with something going wrong on the way.

        Raises:
            Skipped: nothing was asked for over the network, so that nothing could go wrong.
        """
        deal = deal or await self.deal()
        before = self.proxy.hurt_count
        self.proxy.plan(fault, which=self.which)
        outcome = await self.send(deal)
        self.proxy.mend()
        if self.proxy.hurt_count == before:
            require(not self.proxy.changes() or self.which is Which.ANY, "the kit saw no request to break")
            raise Skipped("the plugin asks nobody for this, so that nothing can go wrong on the way")
        return deal, outcome

    async def act(self, verb: Act, ref: str, amount: Money | None = None) -> None:
        """Lets something happen at the provider."""
        await self._far.run(self.upstream.act(verb, ref, amount))

    async def objects(self) -> Sequence[Seen]:
        """What exists at the provider."""
        self.require_sound_simulator()
        return await self._far.run(self.upstream.objects())

    async def deliveries(self) -> Sequence[RawWebhook]:
        """The webhooks that came since the last time."""
        return await self._far.run(self.upstream.deliveries())

    async def far(self, work: Any) -> Any:  # noqa: ANN401 -- a coroutine of the upstream
        """Runs something of the upstream's where it belongs."""
        return await self._far.run(work)

    def forged(self, raw: RawWebhook, how: Forgery) -> RawWebhook | None:
        """The webhook with something done to it, or None where that cannot be, which is noted."""
        try:
            return self.upstream.forge(raw, how)
        except NotSupported as missing:
            self.notes.append(str(missing))
            return None

    def receive(self, raw: RawWebhook, providers: Providers | None = None) -> Delivery:
        """Reads a webhook as the host does."""
        return (providers or self.providers).receive(INSTANCE, raw)

    def is_about(self, notice: Notice, deal: Deal, ref: str) -> bool:
        """Whether a notice is about this piece of business."""
        return notice.target.ref == ref or notice.target.operation_id == deal.operation_id

    def require_sound_simulator(self) -> None:
        """Tells of a simulator that broke, rather than of the plugin.

        Raises:
            Broken: it did.
        """
        if self.proxy.broke:
            raise Broken("the simulator itself broke") from self.proxy.broke[0]

    def _new(self, prefix: str) -> Iterator[str]:
        serial = next(_SERIALS)
        for name in prefix.split():
            yield f"{name}_{serial:06}{secrets.token_hex(10)}"

    def fair(self, *, steps: int = 0) -> Money:
        """An amount that the plugin declares to be fine."""
        return amounts.fair(self.plugin.caps, steps=steps)


def ref_of(outcome: Outcome) -> str | None:
    """The provider's ref that an outcome names."""
    ref: str | None = getattr(outcome, "ref", None)
    return ref


def secrets_in(value: object, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], SecretStr]]:
    """The secrets of a configuration, each with the way to it."""
    if isinstance(value, SecretStr):
        yield path, value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from secrets_in(inner, (*path, str(name)))
    elif isinstance(value, list | tuple):
        for at, inner in enumerate(value):
            yield from secrets_in(inner, (*path, at))


@asynccontextmanager
async def opened(trial: Trial) -> AsyncIterator[Trial]:
    """Opens and closes the house around a trial."""
    try:
        await trial.start()
        yield trial
    finally:
        await trial.aclose()


def changed(deal: Deal, amount: Money) -> Deal:
    """The same piece of business, under the same key, with another amount."""
    return replace(deal, amount=amount)
