# ruff: noqa: ARG002 -- protocols name their arguments
"""The plugin of the acquirer in memory: it does what was asked, unless a fault comes between."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel
from tests.services.acquirer import FALSIFIES, SECRET, WINDOW, Acquirer, Fault, Payment, Transfer

from shoutgraph import sdk
from shoutgraph.plugins import loading

BY_KEY, BLIND, PAYOUTS = "acquirer", "acquirer-blind", "acquirer-payouts"
"""Two ways in, of which one cannot be asked by our key, and the way out."""
SOON = timedelta(seconds=30)


class Nothing(BaseModel):
    """No configuration."""


def lost() -> None:
    raise ConnectionError("the connection is gone")


def answer(fault: Fault | None, effect: Callable[[], Any]) -> Any:
    """Does something and answers, or what the fault leaves of that."""
    match fault:
        case Fault.REFUSED:
            return sdk.NotExecuted(sdk.UNAVAILABLE)
        case Fault.LIMITED:
            return sdk.NotExecuted("rate_limited", timedelta(seconds=7))
        case Fault.LOST_BEFORE:
            lost()
    given = effect()
    match fault:
        case Fault.LOST_AFTER:
            lost()
        case Fault.GARBAGE:
            return "<html>"
        case Fault.SAVED_500:
            return sdk.Unknown("http_500")
    return given


def seen(payment: Payment, at: datetime) -> sdk.TopUpOutcome:
    """A payment in the words of the SDK."""
    euros = lambda minor: sdk.Money(minor, payment.currency)  # noqa: E731
    match payment.state:
        case "paid":
            totals = sdk.Totals(
                euros(payment.settled), euros(payment.refunded), euros(payment.disputed), euros(payment.fee),
                euros(payment.won), euros(payment.lost),
            )  # fmt: skip
            return sdk.Settled(payment.ref, totals, payment.at or at)
        case "declined" | "cancelled" as code:
            return sdk.Declined(payment.ref, code)
    return sdk.NeedsAction(payment.ref, sdk.Redirect("https://bank.example"), payment.expires_at)


def item_seen(transfer: Transfer, at: datetime) -> sdk.ItemOutcome:
    """A payout in the words of the SDK."""
    amount = sdk.Money(transfer.amount, "EUR")
    match transfer.state:
        case "paid":
            return sdk.Paid(transfer.ref, amount, transfer.at or at)
        case "returned":
            return sdk.Returned(transfer.ref, amount, "AC04", transfer.at or at)
        case "rejected":
            return sdk.Rejected(transfer.ref, "AC01")
    return sdk.Pending(transfer.ref, SOON)


class _Ways:
    def __init__(self, acquirer: Acquirer, instance: str) -> None:
        self.acquirer, self.instance = acquirer, instance

    async def aclose(self) -> None:
        """Holds nothing."""

    def _receive(self, raw: sdk.RawWebhook) -> tuple[sdk.Proof, dict[str, Any]]:
        proof = sdk.standard_webhooks_proof(raw, [SECRET])
        return proof, json.loads(raw.body)


class AcquirerTopUps(_Ways):
    """Takes money."""

    async def create(self, request: sdk.TopUpRequest) -> sdk.TopUpOutcome:
        key = request.call.idempotency_key
        self.acquirer.numbers.setdefault(key, request.return_url)
        fault = self.acquirer.fault("create", key)
        if key in self.acquirer.poisoned:
            return sdk.Unknown("http_500")
        made = answer(fault, lambda: self._made(key, request.amount))
        if fault is Fault.SAVED_500:
            self.acquirer.poisoned.add(key)
        return made  # type: ignore[no-any-return]

    def _made(self, key: str, amount: sdk.Money) -> sdk.TopUpOutcome:
        return seen(self.acquirer.pay_in(key, self.instance, amount), self.acquirer.clock())

    async def fetch(self, target: sdk.Target, call: sdk.Call) -> sdk.Observation:
        key = target.operation_id
        known = self.acquirer.payments.get(key)
        without = frozenset[Fault]() if key in self.acquirer.past else frozenset({Fault.OLD_STATE})
        if known is None or known.state != "paid":
            without |= FALSIFIES
        fault = self.acquirer.fault("fetch", key, without=without)
        if fault is Fault.LIMITED:
            return sdk.Unknown("rate_limited")
        if fault is Fault.LOST_BEFORE:
            lost()
        if known is None or fault is Fault.GARBAGE:
            return sdk.Absent() if known is None else "?"  # type: ignore[return-value]
        if fault is Fault.OLD_STATE:
            known = self.acquirer.past.get(key, known)
        found = seen(known, self.acquirer.clock())
        return other(found, fault) if isinstance(found, sdk.Settled) else found

    async def refund(self, request: sdk.RefundRequest) -> sdk.TopUpOutcome:
        key, payment = request.call.idempotency_key, self._key_of(request.ref)
        self.acquirer.numbers.setdefault(key, f"refund of {self.acquirer.numbers[payment]}")
        fault = self.acquirer.fault("refund", key)
        if key in self.acquirer.poisoned:
            return sdk.Unknown("http_500")
        if fault is Fault.SAVED_500:
            self.acquirer.poisoned.add(key)

        def give_back() -> sdk.TopUpOutcome:
            if not self.acquirer.give_back(payment, key, request.amount.minor):
                return sdk.Declined(None, "amount_too_large")
            return seen(self.acquirer.payments[payment], self.acquirer.clock())

        return answer(fault, give_back)  # type: ignore[no-any-return]

    async def cancel(self, target: sdk.Target, call: sdk.Call) -> sdk.TopUpOutcome:
        key = target.operation_id

        def end() -> sdk.TopUpOutcome:
            if self.acquirer.payments[key].state == "open":
                self.acquirer.change(key, state="cancelled")
            return seen(self.acquirer.payments[key], self.acquirer.clock())

        return answer(self.acquirer.fault("cancel", key), end)  # type: ignore[no-any-return]

    async def list_since(self, since: datetime, call: sdk.Call) -> Sequence[sdk.Listed]:
        fault = self.acquirer.fault("list", f"{self.instance} {since}")
        found = [
            sdk.Listed(sdk.Target(each.key, each.key, each.ref), seen(each, self.acquirer.clock()), each.made_at)
            for each in self.acquirer.payments.values()
            if each.instance == self.instance and each.made_at >= since
        ]
        return answer(fault, lambda: sorted(found, key=lambda each: each.created_at)[:1_000])  # type: ignore[no-any-return]

    def receive(self, raw: sdk.RawWebhook) -> sdk.Delivery:
        proof, told = self._receive(raw)
        kept = told["payment"]
        times = {name: kept[name] and datetime.fromisoformat(kept[name]) for name in ("made_at", "expires_at", "at")}
        payment = Payment(**{**kept, **times})
        at = datetime.fromisoformat(told["at"])
        target = sdk.Target(payment.key, payment.key, payment.ref)
        return sdk.Delivery(proof, (sdk.Notice(told["id"], target, sdk.NoticeKind.TOPUP, seen(payment, at), at),))

    def _key_of(self, ref: str) -> str:
        return self.acquirer.by_ref[ref]


class AcquirerPayouts(_Ways):
    """Sends money."""

    async def submit(self, batch: sdk.PayoutBatch) -> sdk.BatchOutcome:
        key = batch.call.idempotency_key
        fault = self.acquirer.fault("submit", key)
        if key in self.acquirer.poisoned:
            return self._all(batch, sdk.Unknown("http_500"))
        given = answer(fault, lambda: self._sent(batch, key))
        if fault is Fault.SAVED_500:
            self.acquirer.poisoned.add(key)
        if fault is Fault.SOME_ITEMS:
            items = dict(list(given.items.items())[::2])
            return sdk.BatchOutcome(items, given.batch_ref)
        return given if isinstance(given, sdk.BatchOutcome | str) else self._all(batch, given)  # type: ignore[return-value]

    def _sent(self, batch: sdk.PayoutBatch, key: str) -> sdk.BatchOutcome:
        now = self.acquirer.clock()
        items = {each.item_id: item_seen(self.acquirer.pay_out(each, key), now) for each in batch.items}
        return sdk.BatchOutcome(items, f"batch-{key}")

    def _all(self, batch: sdk.PayoutBatch, same: sdk.ItemOutcome) -> sdk.BatchOutcome:
        return sdk.BatchOutcome({each.item_id: same for each in batch.items})

    async def fetch(self, targets: Sequence[sdk.Target], call: sdk.Call) -> Mapping[str, sdk.ItemObservation]:
        there = [found for each in targets if (found := self.acquirer.transfers.get(each.operation_id))]
        without = FALSIFIES if any(each.state == "paid" for each in there) else FALSIFIES | {Fault.OLD_STATE}
        fault = self.acquirer.fault("payout fetch", min(each.operation_id for each in targets), without=without)
        if fault is Fault.LOST_BEFORE:
            lost()
        if fault is Fault.GARBAGE:
            return 7  # type: ignore[return-value]
        return {each.operation_id: self._seen(each, fault) for each in targets}

    def _seen(self, target: sdk.Target, fault: Fault | None) -> sdk.ItemObservation:
        known = self.acquirer.transfers.get(target.operation_id)
        if fault is Fault.LIMITED:
            return sdk.Unknown("rate_limited")
        if known is None or known.batch_key != target.idempotency_key:
            return sdk.Absent()
        if fault is Fault.OLD_STATE:
            return sdk.Pending(known.ref, SOON)
        return item_seen(known, self.acquirer.clock())

    async def cancel(self, target: sdk.Target, call: sdk.Call) -> sdk.ItemOutcome:
        return sdk.Unknown("unsupported")

    def ingest(self, document: sdk.Artifact) -> Sequence[sdk.Notice]:
        raise sdk.MalformedNotice

    def receive(self, raw: sdk.RawWebhook) -> sdk.Delivery:
        proof, told = self._receive(raw)
        kept = told["transfer"]
        times = {name: datetime.fromisoformat(kept[name]) for name in ("made_at", "at")}
        transfer, at = Transfer(**{**kept, **times}), datetime.fromisoformat(told["at"])
        target = sdk.Target(transfer.item_id, transfer.batch_key, transfer.ref)
        notice = sdk.Notice(told["id"], target, sdk.NoticeKind.PAYOUT, item_seen(transfer, at), at)
        return sdk.Delivery(proof, (notice,))


def other(found: sdk.Settled, fault: Fault | None) -> sdk.Settled:
    """The payment with somebody else's money."""
    totals, settled = found.totals, found.totals.settled
    if fault is Fault.OTHER_AMOUNT:
        totals = sdk.Totals(sdk.Money(settled.minor + 1, settled.currency), totals.refunded, totals.disputed)
    if fault is Fault.OTHER_CURRENCY:
        zero = sdk.Money(0, "USD")
        totals = sdk.Totals(sdk.Money(settled.minor, "USD"), zero, zero)
    return sdk.Settled(found.ref, totals, found.at)


class AcquirerPlugin:
    """All three as one plugin."""

    def __init__(self, acquirer: Acquirer) -> None:
        self.acquirer = acquirer

    @sdk.hookimpl
    def shoutgraph_topup_plugins(self) -> list[sdk.AnyTopUpPlugin]:
        return [self._way(BY_KEY, sdk.Lookup(by_key=True, absence_after=timedelta(0))), self._way(BLIND, sdk.Lookup())]

    def _way(self, name: str, lookup: sdk.Lookup) -> sdk.AnyTopUpPlugin:
        caps = sdk.TopUpCaps(
            currencies=frozenset({"EUR"}),
            webhooks=sdk.Webhooks.SIGNED,
            refunds=sdk.Refunds.PARTIAL,
            disputes=True,
            idempotency=sdk.Idempotency("account", WINDOW),
            lookup=lookup,
        )
        build = lambda _config, _host: AcquirerTopUps(self.acquirer, name)  # noqa: E731
        return sdk.TopUpPlugin(name, "Acquirer", caps, Nothing, build, lambda _config: frozenset())

    @sdk.hookimpl
    def shoutgraph_payout_plugins(self) -> list[sdk.AnyPayoutPlugin]:
        caps = sdk.PayoutCaps(
            currencies=frozenset({"EUR"}),
            max_batch=20,
            webhooks=sdk.Webhooks.SIGNED,
            return_window=timedelta(days=30),
            idempotency=sdk.Idempotency("account", WINDOW),
            lookup=sdk.Lookup(by_key=True, absence_after=timedelta(0)),
        )
        build = lambda _config, _host: AcquirerPayouts(self.acquirer, PAYOUTS)  # noqa: E731
        return [sdk.PayoutPlugin(PAYOUTS, "Acquirer", caps, Nothing, build, lambda _config: frozenset())]


def setup_of(acquirer: Acquirer, monotonic: Callable[[], float]) -> loading.Setup:
    """The acquirer as the only provider."""
    return loading.Setup(
        instances={name: {"plugin": name} for name in (BY_KEY, BLIND, PAYOUTS)},
        environ={},
        clock=acquirer.clock,
        monotonic=monotonic,
        extra={"acquirer": AcquirerPlugin(acquirer)},
        discover=False,
        strict=True,
    )
