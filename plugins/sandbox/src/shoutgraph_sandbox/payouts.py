"""Sends pretended money to creators."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from pydantic import ValidationError

from shoutgraph.sdk import (
    Absent,
    Artifact,
    BatchOutcome,
    Call,
    Delivery,
    Host,
    ItemObservation,
    ItemOutcome,
    Listed,
    MalformedNotice,
    Money,
    NoAnswer,
    NotExecuted,
    Notice,
    NoticeKind,
    Paid,
    PayoutBatch,
    PayoutCaps,
    PayoutPlugin,
    Pending,
    RawWebhook,
    Rejected,
    Returned,
    Target,
    Unknown,
    Webhooks,
    standard_webhooks_proof,
)
from shoutgraph_sandbox import wire
from shoutgraph_sandbox.config import CURRENCIES, IDEMPOTENCY, LOOKUP, SandboxConfig, hosts

BATCH_MAX: Final = 100
POLL_AFTER: Final = timedelta(seconds=2)
RETURN_WINDOW: Final = timedelta(days=30)


class SandboxPayouts:
    """The provider of payouts."""

    def __init__(self, config: SandboxConfig, host: Host) -> None:
        self._config = config
        self._host = host
        self._wire = wire.Wire(config, host)

    async def submit(self, batch: PayoutBatch) -> BatchOutcome:
        """Hands a batch over."""
        items = [
            {
                "item_id": item.item_id,
                "amount": item.amount.minor,
                "currency": item.amount.currency,
                "recipient_ref": item.recipient_ref,
                "descriptor": item.descriptor,
            }
            for item in batch.items
        ]
        body = {"instance": self._host.instance, "items": items}
        key = batch.call.idempotency_key
        answer = await self._wire.ask("POST", "/v1/batches", wire.BatchShape, body=body, key=key)
        if isinstance(answer, wire.BatchShape):
            outcomes = {each.item_id: outcome_of(each) for each in answer.payouts}
            return BatchOutcome(outcomes, batch_ref=answer.id)
        same = NotExecuted(answer.code) if isinstance(answer, wire.Refused) else answer
        return BatchOutcome({item.item_id: same for item in batch.items})

    async def fetch(self, targets: Sequence[Target], call: Call) -> Mapping[str, ItemObservation]:
        """Looks at several items, each by ref or by the key of its batch."""
        del call
        asked = [{"ref": each.ref, "batch_key": each.idempotency_key, "item_id": each.operation_id} for each in targets]
        body = {"instance": self._host.instance, "targets": asked}
        answer = await self._wire.ask("POST", "/v1/payouts/lookup", wire.PayoutsShape, body=body)
        if not isinstance(answer, wire.PayoutsShape):
            # That we could not look proves nothing about the payouts.
            reason = answer if isinstance(answer, Unknown) else Unknown(answer.code)
            return {each.operation_id: reason for each in targets}
        found = {(each.batch_key, each.item_id): each for each in answer.payouts}
        return {each.operation_id: _seen(found, each) for each in targets}

    async def cancel(self, target: Target, call: Call) -> ItemOutcome:
        """Stops an item that is not paid yet."""
        del call
        if target.ref is None:
            return Unknown("no_ref")
        path = f"/v1/payouts/{quote(target.ref, safe='')}/cancel"
        answer = await self._wire.ask("POST", path, wire.PayoutShape, body={})
        if isinstance(answer, wire.PayoutShape):
            return outcome_of(answer)
        return answer if isinstance(answer, Unknown) else Unknown(answer.code)

    async def list_since(self, since: datetime, call: Call) -> Sequence[Listed]:
        """What the provider has since a time."""
        del call
        query = {"instance": self._host.instance, "since": since.isoformat()}
        answer = await self._wire.ask("GET", f"/v1/payouts?{urlencode(query)}", wire.PayoutsShape)
        if not isinstance(answer, wire.PayoutsShape):
            raise NoAnswer("the provider did not list its payouts")
        return [Listed(target_of(each), outcome_of(each), each.created_at) for each in answer.payouts]

    def receive(self, raw: RawWebhook) -> Delivery:
        """Proves and reads a webhook.

        Raises:
            BadSignature: it is not proven.
            MalformedNotice: it is proven and cannot be read.
        """
        proof = standard_webhooks_proof(raw, self._config.webhook_secrets)
        try:
            told = wire.NoticeShape.model_validate_json(raw.body)
        except ValidationError:
            raise MalformedNotice("not a notice of the sandbox") from None
        if told.payout is None:
            nothing = Target(told.id, told.id)
            return Delivery(proof, (Notice(told.id, nothing, NoticeKind.IGNORED),))
        notice = Notice(
            told.id,
            target_of(told.payout),
            NoticeKind.PAYOUT,
            observation=outcome_of(told.payout),
            occurred_at=told.created_at,
        )
        return Delivery(proof, (notice,))

    def ingest(self, document: Artifact) -> Sequence[Notice]:
        """Reads nothing: the sandbox has no statement files.

        Raises:
            MalformedNotice: always.
        """
        raise MalformedNotice(f"the sandbox reads no {document.media_type}")

    async def aclose(self) -> None:
        """Holds nothing of its own."""


def outcome_of(payout: wire.PayoutShape) -> ItemOutcome:
    """What a payout is in the words of the SDK."""
    amount = Money(payout.amount, payout.currency)
    if payout.status == "returned" and payout.returned_at is not None:
        return Returned(payout.id, amount, payout.code or "returned", payout.returned_at)
    if payout.status == "paid" and payout.paid_at is not None:
        return Paid(payout.id, amount, payout.paid_at)
    if payout.status in {"rejected", "cancelled"}:
        return Rejected(payout.id, payout.code or payout.status)
    return Pending(payout.id, POLL_AFTER)


def target_of(payout: wire.PayoutShape) -> Target:
    """Which of our payouts this is."""
    return Target(payout.item_id, payout.batch_key, payout.id, Money(payout.amount, payout.currency))


def _seen(found: Mapping[tuple[str, str], wire.PayoutShape], target: Target) -> ItemObservation:
    payout = found.get((target.idempotency_key, target.operation_id))
    return Absent() if payout is None else outcome_of(payout)


PAYOUT: Final = PayoutPlugin(
    key="sandbox-payouts",
    label="Sandbox payouts",
    caps=PayoutCaps(
        currencies=CURRENCIES,
        max_batch=BATCH_MAX,
        webhooks=Webhooks.SIGNED,
        cancel=True,
        return_window=RETURN_WINDOW,
        idempotency=IDEMPOTENCY,
        lookup=LOOKUP,
    ),
    config=SandboxConfig,
    build=SandboxPayouts,
    api_hosts=hosts,
)
