# ruff: noqa: ARG002 -- protocols name their arguments
"""A provider whose calls can be held, so that other workers come between: in memory."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from tests.services.bare import BarePayouts, BareTopUps, Nothing
from tests.services.world import World

from shoutgraph import sdk
from shoutgraph.plugins import loading

TOPUPS, PAYOUTS = "slow", "slow-payouts"
WINDOW = timedelta(hours=24)
SOON = timedelta(seconds=10)


@dataclass
class Slow:
    """What is called, which calls are held, and what they answer: pending, unless they are to say something else."""

    by_key: bool = True
    calls: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    waiting: list[asyncio.Future[object]] = field(default_factory=list)
    has: set[str] = field(default_factory=set)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def call(self, what: str) -> object:
        """One call; gives what whoever let it go has it answer, else None."""
        self.calls.append(what)
        if what not in self.held:
            return None
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        self.came.set()
        return await future

    async def reached(self, count: int = 1) -> None:
        """Returns when so many calls are held."""
        async with asyncio.timeout(60):
            while len(self.waiting) < count:
                self.came.clear()
                await self.came.wait()

    def let_go(self, answer: object = None, *, which: int = 0) -> None:
        """Lets a held call answer."""
        self.waiting.pop(which).set_result(answer)


class SlowTopUps(BareTopUps):
    """Takes money."""

    def __init__(self, slow: Slow) -> None:
        self.slow = slow

    async def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome:
        await self.slow.call("create")
        return sdk.Pending(f"ref-{request.call.idempotency_key}", SOON)

    async def fetch(self, target: sdk.Target, call: sdk.Call) -> sdk.Observation:
        await self.slow.call("fetch")
        return sdk.Pending(target.ref, SOON)


class SlowPayouts(BarePayouts):
    """Sends money."""

    def __init__(self, slow: Slow) -> None:
        self.slow = slow

    async def submit(self, batch: sdk.PayoutBatch) -> sdk.BatchOutcome:
        said = await self.slow.call("submit")
        if isinstance(said, sdk.NotExecuted | sdk.Unknown):
            return sdk.BatchOutcome({item.item_id: said for item in batch.items})
        self.slow.has |= {item.item_id for item in batch.items}
        return sdk.BatchOutcome({item.item_id: sdk.Pending(f"ref-{item.item_id}", SOON) for item in batch.items})

    async def fetch(self, targets: Sequence[sdk.Target], call: sdk.Call) -> Mapping[str, sdk.ItemObservation]:
        await self.slow.call("fetch")
        keys = [target.operation_id for target in targets]
        return {key: sdk.Pending(f"ref-{key}", SOON) if key in self.slow.has else sdk.Absent() for key in keys}


class SlowPlugin:
    """Both of them as one plugin, with a risk review that can be held too."""

    def __init__(self, slow: Slow) -> None:
        self.slow = slow

    @sdk.hookimpl
    def shoutgraph_topup_plugins(self) -> list[sdk.AnyTopUpPlugin]:
        caps = sdk.TopUpCaps(
            currencies=frozenset({"EUR"}),
            webhooks=sdk.Webhooks.SIGNED,
            idempotency=sdk.Idempotency("account", WINDOW),
            lookup=sdk.Lookup(by_key=self.slow.by_key),
        )
        build = lambda _config, _host: SlowTopUps(self.slow)  # noqa: E731
        return [sdk.TopUpPlugin(TOPUPS, "Slow", caps, Nothing, build, lambda _config: frozenset())]

    @sdk.hookimpl
    def shoutgraph_payout_plugins(self) -> list[sdk.AnyPayoutPlugin]:
        caps = sdk.PayoutCaps(
            currencies=frozenset({"EUR"}),
            max_batch=10,
            webhooks=sdk.Webhooks.SIGNED,
            idempotency=sdk.Idempotency("account", WINDOW),
            lookup=sdk.Lookup(by_key=self.slow.by_key),
        )
        build = lambda _config, _host: SlowPayouts(self.slow)  # noqa: E731
        return [sdk.PayoutPlugin(PAYOUTS, "Slow", caps, Nothing, build, lambda _config: frozenset())]

    @sdk.hookimpl
    async def shoutgraph_review(self, kind: str, request: object) -> sdk.Verdict:
        await self.slow.call(f"review {kind}")
        return sdk.Verdict.ALLOW


def install(world: World, *, by_key: bool = True) -> Slow:
    """Puts the provider into a world, in place of any other."""
    slow = Slow(by_key=by_key)
    setup = loading.Setup(
        instances={TOPUPS: {"plugin": TOPUPS}, PAYOUTS: {"plugin": PAYOUTS}},
        environ={},
        clock=world.clock,
        monotonic=world.loop.time,
        extra={TOPUPS: SlowPlugin(slow)},
        discover=False,
        strict=True,
    )
    world.tools = replace(world.tools, providers=loading.load(setup))
    return slow
