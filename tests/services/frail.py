# ruff: noqa: ARG002 -- protocols name their arguments
"""A provider that loses answers, cannot be asked by key, and only hints: in memory, for what the sandbox never does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from tests.services.bare import BarePayouts, BareTopUps, Nothing
from tests.services.world import World

from shoutgraph import sdk
from shoutgraph.plugins import loading

WINDOW = timedelta(hours=24)
CALLS_S = timedelta(seconds=5)


@dataclass
class Frail:
    """What the provider has, and how many answers it will lose.

    `lying` takes a batch and says that it did not; `by_key` lets us ask by key; `deaf` cannot be asked now. `risky`
    holds the recipients of payouts that the risk review breaks on; `meanwhile` happens during a look.
    """

    losing: int = 0
    refusing: str | None = None
    review: sdk.Verdict = sdk.Verdict.ALLOW
    payments: dict[str, int] = field(default_factory=dict)
    payouts: dict[str, str] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    paid: bool = False
    lying: bool = False
    by_key: bool = False
    deaf: bool = False
    risky: set[str] = field(default_factory=set)
    reviews: list[list[str]] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    @property
    def lookup(self) -> sdk.Lookup:
        return sdk.Lookup(self.by_key, timedelta(0) if self.by_key else None)

    def take(self, what: str) -> None:
        self.calls.append(what)
        if self.losing:
            self.losing -= 1
            raise ConnectionError("the answer is lost")


class FrailTopUps(BareTopUps):
    """Takes money; a lost answer can only be had by asking for the same again."""

    def __init__(self, frail: Frail) -> None:
        self.frail = frail

    async def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome:
        if self.frail.refusing is not None:
            self.frail.calls.append("create")
            return sdk.NotExecuted(self.frail.refusing)
        key = request.call.idempotency_key
        self.frail.payments.setdefault(key, request.amount.minor)
        self.frail.take(f"create {request.call.attempt}")
        return sdk.Pending(f"ref-{key}", timedelta(seconds=10))

    async def fetch(self, target: sdk.Target, call: sdk.Call) -> sdk.Observation:
        self.frail.calls.append("fetch")
        self.frail.meanwhile()
        if self.frail.by_key and target.operation_id not in self.frail.payments:
            return sdk.Absent()
        if not self.frail.paid or target.amount is None:
            return sdk.Pending(target.ref, timedelta(seconds=10))
        return sdk.Settled(str(target.ref), sdk.Totals.of(target.amount), FrailTopUps.now)

    def receive(self, raw: sdk.RawWebhook) -> sdk.Delivery:
        reference = raw.body.decode()
        notice = sdk.Notice(reference, sdk.Target("", "", reference), sdk.NoticeKind.TOPUP)
        return sdk.Delivery(sdk.hint_proof(raw), (notice,), ack=b"[accepted]")


class FrailPayouts(BarePayouts):
    """Sends money, in the same way."""

    def __init__(self, frail: Frail) -> None:
        self.frail = frail

    async def submit(self, batch: sdk.PayoutBatch) -> sdk.BatchOutcome:
        if self.frail.refusing is not None:
            self.frail.calls.append("submit")
            if self.frail.lying:
                self.frail.payouts |= {item.item_id: item.recipient_ref for item in batch.items}
            return sdk.BatchOutcome({item.item_id: sdk.NotExecuted(self.frail.refusing) for item in batch.items})
        for item in batch.items:
            self.frail.payouts.setdefault(item.item_id, item.recipient_ref)
        self.frail.take(f"submit {batch.call.attempt}")
        return sdk.BatchOutcome({item.item_id: sdk.Pending(f"ref-{item.item_id}", CALLS_S) for item in batch.items})

    async def fetch(self, targets: Sequence[sdk.Target], call: sdk.Call) -> Mapping[str, sdk.ItemObservation]:
        self.frail.calls.append("fetch")
        self.frail.meanwhile()
        if self.frail.deaf:
            raise ConnectionError("not now")
        return {target.operation_id: self._seen(target) for target in targets}

    def _seen(self, target: sdk.Target) -> sdk.ItemObservation:
        ref = f"ref-{target.operation_id}"
        if target.operation_id not in self.frail.payouts:
            return sdk.Absent()
        if self.frail.paid and target.amount is not None:
            return sdk.Paid(ref, target.amount, FrailTopUps.now)
        return sdk.Pending(ref, CALLS_S)

    def receive(self, raw: sdk.RawWebhook) -> sdk.Delivery:
        item_id = raw.body.decode()
        notice = sdk.Notice(item_id, sdk.Target(item_id, ""), sdk.NoticeKind.PAYOUT)
        return sdk.Delivery(sdk.hint_proof(raw), (notice,))


class FrailPlugin:
    """Both of them as one plugin, with a risk review of its own."""

    def __init__(self, frail: Frail) -> None:
        self.frail = frail

    @sdk.hookimpl
    def shoutgraph_topup_plugins(self) -> list[sdk.AnyTopUpPlugin]:
        caps = sdk.TopUpCaps(
            currencies=frozenset({"EUR"}),
            webhooks=sdk.Webhooks.HINT,
            idempotency=sdk.Idempotency("account", WINDOW),
            lookup=self.frail.lookup,
        )
        build = lambda _config, _host: FrailTopUps(self.frail)  # noqa: E731
        return [sdk.TopUpPlugin("frail", "Frail", caps, Nothing, build, lambda _config: frozenset())]

    @sdk.hookimpl
    def shoutgraph_payout_plugins(self) -> list[sdk.AnyPayoutPlugin]:
        caps = sdk.PayoutCaps(
            currencies=frozenset({"EUR"}),
            max_batch=10,
            webhooks=sdk.Webhooks.HINT,
            idempotency=sdk.Idempotency("account", WINDOW),
            lookup=self.frail.lookup,
        )
        build = lambda _config, _host: FrailPayouts(self.frail)  # noqa: E731
        return [sdk.PayoutPlugin("frail-payouts", "Frail", caps, Nothing, build, lambda _config: frozenset())]

    @sdk.hookimpl
    def shoutgraph_review(self, kind: str, request: object) -> sdk.Verdict:
        if isinstance(request, sdk.PayoutBatch):
            refs = [item.recipient_ref for item in request.items]
            self.frail.reviews.append(refs)
            if self.frail.risky & set(refs):
                raise RuntimeError("the review broke on this one")
        return self.frail.review


def install(world: World, *, by_key: bool = False) -> Frail:
    """Puts the provider into a world, in place of any other."""
    frail = Frail(by_key=by_key)
    FrailTopUps.now = world.clock()  # type: ignore[attr-defined]
    setup = loading.Setup(
        instances={"frail": {"plugin": "frail"}, "frail-payouts": {"plugin": "frail-payouts"}},
        environ={},
        clock=world.clock,
        monotonic=world.loop.time,
        extra={"frail": FrailPlugin(frail)},
        discover=False,
        strict=True,
    )
    world.tools = replace(world.tools, providers=loading.load(setup))
    return frail
