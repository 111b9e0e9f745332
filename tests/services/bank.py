# ruff: noqa: ARG002 -- protocols name their arguments
"""A provider that signs its webhooks and can be asked by our key: in memory, for many processes at once."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import SecretStr
from tests.services.bare import BarePayouts, BareTopUps, Nothing
from tests.services.world import Clock

from shoutgraph import sdk
from shoutgraph.domain.notices import Stored
from shoutgraph.domain.topups.topup import Topup
from shoutgraph.plugins import loading
from shoutgraph.plugins.providers import Providers

TOPUPS, PAYOUTS = "bank", "bank-payouts"
SECRET = "a-secret-of-the-bank"
WINDOW = timedelta(hours=24)
SOON = timedelta(seconds=5)


@dataclass
class Pause:
    """A batch that was `taken` is answered once somebody has `asked` about a payout."""

    taken: asyncio.Event = field(default_factory=asyncio.Event)
    asked: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class Bank:
    """What the provider has: the totals of payments, and the batches that were handed to it.

    `back` holds the payouts that came back after they were paid; `pause` says when a batch is answered;
    with `holds`, the risk review wants a person to look at every refund.
    """

    clock: Clock
    payments: dict[str, sdk.Totals] = field(default_factory=dict)
    batches: list[sdk.PayoutBatch] = field(default_factory=list)
    back: set[str] = field(default_factory=set)
    pause: "Pause | None" = None
    holds: bool = False

    def settle(self, topup: Topup, *, disputed: int = 0, won: int = 0) -> None:
        """The payment arrived, and so much of it was charged back and decided for us."""
        euros = lambda minor: sdk.Money(minor, "EUR")  # noqa: E731
        price = euros(topup.terms.price_minor)
        decided = euros(won) if won else None
        self.payments[topup.id] = sdk.Totals(price, euros(0), euros(disputed), None, decided, None)

    def seen(self, key: str) -> sdk.Observation:
        """What a look at a payment shows."""
        totals = self.payments.get(key)
        return sdk.Pending(f"ref-{key}", SOON) if totals is None else sdk.Settled(f"ref-{key}", totals, self.clock())

    def notice(self, topup: Topup, notice_id: str) -> Stored:
        """A signed webhook that tells of a payment as it is now."""
        totals = self.payments[topup.id]
        told = {
            "id": notice_id,
            "of": topup.id,
            "settled": totals.settled.minor,
            "disputed": totals.disputed.minor,
            "won": 0 if totals.disputes_won is None else totals.disputes_won.minor,
        }
        body = json.dumps(told).encode()
        signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        digest = hashlib.sha256(body).digest()
        return Stored(None, TOPUPS, digest, body, {"signature": signature}, "", "127.0.0.1", self.clock())

    def sent(self) -> list[str]:
        """The key of every payout in every batch, as often as it was handed over."""
        return [item.item_id for batch in self.batches for item in batch.items]


class BankTopUps(BareTopUps):
    """Takes money."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank

    async def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome:
        return sdk.Pending(f"ref-{request.call.idempotency_key}", SOON)

    async def refund(self, request: sdk.RefundRequest) -> sdk.TopUpOutcome:
        return sdk.Unknown("it takes its time")

    async def fetch(self, target: sdk.Target, call: sdk.Call) -> sdk.Observation:
        return self.bank.seen(target.operation_id)

    def receive(self, raw: sdk.RawWebhook) -> sdk.Delivery:
        proof = sdk.hmac_proof(raw, [SecretStr(SECRET)], [raw.header("signature") or ""])
        told = json.loads(raw.body)
        euros = {name: sdk.Money(told[name], "EUR") for name in ("settled", "disputed", "won")}
        won = euros["won"] if told["won"] else None
        totals = sdk.Totals(euros["settled"], sdk.Money(0, "EUR"), euros["disputed"], None, won, None)
        seen = sdk.Settled(f"ref-{told['of']}", totals, raw.received_at)
        target = sdk.Target(told["of"], told["of"])
        return sdk.Delivery(proof, (sdk.Notice(told["id"], target, sdk.NoticeKind.TOPUP, seen, raw.received_at),))


class BankPayouts(BarePayouts):
    """Sends money."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank

    async def submit(self, batch: sdk.PayoutBatch) -> sdk.BatchOutcome:
        self.bank.batches.append(batch)
        if self.bank.pause is not None:
            self.bank.pause.taken.set()
            await self.bank.pause.asked.wait()
        items = {item.item_id: sdk.Pending(f"ref-{item.item_id}", SOON) for item in batch.items}
        return sdk.BatchOutcome(items, f"batch-{batch.call.idempotency_key}")

    async def fetch(self, targets: Sequence[sdk.Target], call: sdk.Call) -> Mapping[str, sdk.ItemObservation]:
        if self.bank.pause is not None:
            self.bank.pause.asked.set()
        return {target.operation_id: self._seen(target) for target in targets}

    def _seen(self, target: sdk.Target) -> sdk.ItemObservation:
        key = target.operation_id
        if key not in self.bank.sent() or target.amount is None:
            return sdk.Absent()
        if key in self.bank.back:
            return sdk.Returned(f"ref-{key}", target.amount, "AC04", self.bank.clock())
        return sdk.Paid(f"ref-{key}", target.amount, self.bank.clock())


class BankPlugin:
    """Both of them as one plugin."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank

    @sdk.hookimpl
    def shoutgraph_topup_plugins(self) -> list[sdk.AnyTopUpPlugin]:
        caps = sdk.TopUpCaps(
            currencies=frozenset({"EUR"}),
            webhooks=sdk.Webhooks.SIGNED,
            disputes=True,
            refunds=sdk.Refunds.PARTIAL,
            idempotency=sdk.Idempotency("account", WINDOW),
            lookup=sdk.Lookup(by_key=True),
        )
        return [sdk.TopUpPlugin(TOPUPS, "Bank", caps, Nothing, lambda *_: BankTopUps(self.bank), _secrets)]

    @sdk.hookimpl
    def shoutgraph_payout_plugins(self) -> list[sdk.AnyPayoutPlugin]:
        caps = sdk.PayoutCaps(
            currencies=frozenset({"EUR"}),
            max_batch=10,
            idempotency=sdk.Idempotency("account", WINDOW),
            lookup=sdk.Lookup(by_key=True),
        )
        return [sdk.PayoutPlugin(PAYOUTS, "Bank", caps, Nothing, lambda *_: BankPayouts(self.bank), _secrets)]

    @sdk.hookimpl
    def shoutgraph_review(self, kind: str, request: object) -> sdk.Verdict:
        held = self.bank.holds and kind == "refund"
        return sdk.Verdict.HOLD if held else sdk.Verdict.ALLOW


def providers_of(bank: Bank, monotonic: Any) -> Providers:
    """The providers of every process: this one."""
    setup = loading.Setup(
        instances={TOPUPS: {"plugin": TOPUPS}, PAYOUTS: {"plugin": PAYOUTS}},
        environ={},
        clock=bank.clock,
        monotonic=monotonic,
        extra={TOPUPS: BankPlugin(bank)},
        discover=False,
        strict=True,
    )
    return loading.load(setup)


def _secrets(_config: Nothing) -> frozenset[str]:
    return frozenset()
