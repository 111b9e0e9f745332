"""Sends money to creators: a transfer to each one's connected account, from where Stripe pays it out to their bank."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import stripe
from stripe.params import TransferListParams

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
    NoAnswer,
    NotExecuted,
    Notice,
    OnboardRequest,
    PayoutBatch,
    PayoutItem,
    RawWebhook,
    RecipientOutcome,
    Rejected,
    Requirement,
    Target,
    Unknown,
    to_provider,
)
from shoutgraph_stripe import currencies, door, notices, transfers, wire, words
from shoutgraph_stripe.config import StripeConfig
from shoutgraph_stripe.recipients import Recipients
from shoutgraph_stripe.shapes import TransferShape, TransfersShape
from shoutgraph_stripe.wire import Refused

PAGE: Final = 100
PAGES_MAX: Final = 20
"""The most pages of one listing: with more, the listing is no answer, rather than half of one."""

AT_ONCE: Final = 8
"""How many payouts of one look are asked for at a time."""

BATCH_TOO_LARGE: Final = "batch_too_large"
TOO_MANY: Final = "too_many_of_one_group"

_NOT_NOW: Final = frozenset({"balance_insufficient", "insufficient_capabilities_for_transfer", "not_permitted"})
"""Refusals that say nothing against the recipient for good."""


class StripePayouts:
    """The provider of payouts."""

    def __init__(self, config: StripeConfig, host: Host) -> None:
        self._config = config
        self._host = host
        self._client = door.client(config, host)
        self._transfers = self._client.v1.transfers
        self._recipients = Recipients(self._client, host)

    async def submit(self, batch: PayoutBatch) -> BatchOutcome:
        """Makes the transfer of a batch of one: Stripe knows no larger ones, and a call has one key."""
        if len(batch.items) != 1:
            return BatchOutcome(dict.fromkeys([item.item_id for item in batch.items], NotExecuted(BATCH_TOO_LARGE)))
        (item,) = batch.items
        return BatchOutcome({item.item_id: await self._sent(item, batch.call)})

    async def fetch(self, targets: Sequence[Target], call: Call) -> Mapping[str, ItemObservation]:
        """Looks at several transfers, a few at a time, each by ref or by the group that only it is in."""
        del call
        turn = asyncio.Semaphore(AT_ONCE)

        async def look(target: Target) -> ItemObservation:
            async with turn:
                return await self._seen(target)

        async with asyncio.TaskGroup() as group:
            looks = {target.operation_id: group.create_task(look(target)) for target in targets}
        return {operation_id: each.result() for operation_id, each in looks.items()}

    async def cancel(self, target: Target, call: Call) -> ItemOutcome:
        """Stops nothing: a transfer is done when it is answered."""
        del target, call
        return Unknown("unsupported")

    def requirements(self, country: str, currency: str) -> Sequence[Requirement]:
        """What a recipient has to tell us: next to nothing, Stripe asks itself."""
        return self._recipients.requirements(country, currency)

    async def onboard(self, request: OnboardRequest) -> RecipientOutcome:
        """Makes a connected account, or goes on with the one that is there."""
        return await self._recipients.onboard(request)

    async def recipient_status(self, ref: str, call: Call) -> RecipientOutcome:
        """Looks at a connected account."""
        return await self._recipients.status(ref, call)

    async def list_since(self, since: datetime, call: Call) -> Sequence[Listed]:
        """The transfers that this instance made since a time, oldest first.

        Raises:
            RuntimeError: Stripe did not answer, or has more than is read.
        """
        del call
        found: list[Listed] = []
        after: str | None = None
        for _ in range(PAGES_MAX):
            wanted: TransferListParams = {"created": {"gte": int(since.timestamp())}, "limit": PAGE}
            if after is not None:
                wanted["starting_after"] = after
            page = await wire.ask(door.listed(self._client, "/v1/transfers", wanted), TransfersShape)
            if not isinstance(page, TransfersShape):
                raise NoAnswer("Stripe did not list its transfers")
            found += [_listed(each) for each in page.data if transfers.is_of(each, self._host.instance)]
            if not page.has_more or not page.data:
                return found[::-1]
            after = page.data[-1].id
        raise RuntimeError("there are more transfers than one listing reads")

    def receive(self, raw: RawWebhook) -> Delivery:
        """Proves and reads a webhook.

        Raises:
            BadSignature: it is not proven.
            MalformedNotice: it is proven and cannot be read.
        """
        return notices.of_payouts(raw, self._config, self._host.instance)

    def ingest(self, document: Artifact) -> Sequence[Notice]:
        """Reads nothing: Stripe has no statement files for us.

        Raises:
            MalformedNotice: always.
        """
        raise MalformedNotice(f"Stripe sends no {document.media_type}")

    async def aclose(self) -> None:
        """Holds nothing of its own."""

    async def _sent(self, item: PayoutItem, call: Call) -> ItemOutcome:
        options: stripe.RequestOptions = {"idempotency_key": call.idempotency_key}
        work = self._transfers.create_async(
            {
                "amount": to_provider(item.amount, currencies.EXPONENTS),
                "currency": item.amount.currency.lower(),
                "destination": item.recipient_ref,
                "description": words.label(item.descriptor),
                "transfer_group": item.item_id,
                "metadata": words.metadata(item.item_id, call.idempotency_key, self._host.instance),
            },
            options,
        )
        answer = await wire.ask(work, TransferShape)
        if isinstance(answer, Refused):
            return _refused(answer, call)
        if isinstance(answer, TransferShape):
            same = self._is(answer, item.item_id, call.idempotency_key) and answer.destination == item.recipient_ref
            return transfers.outcome_of(answer) if same else Unknown(wire.OTHER_OBJECT)
        return answer

    async def _seen(self, target: Target) -> ItemObservation:
        if target.ref is None:
            return await self._seen_by_group(target)
        answer = await wire.ask(self._transfers.retrieve_async(target.ref), TransferShape)
        match answer:
            case TransferShape():
                same = answer.id == target.ref and self._is(answer, target.operation_id, target.idempotency_key)
                return transfers.outcome_of(answer) if same else Unknown(wire.OTHER_OBJECT)
            case Refused(is_missing=True):
                return Absent()
            case _:
                return wire.unknown(answer)

    async def _seen_by_group(self, target: Target) -> ItemObservation:
        work = self._transfers.list_async({"transfer_group": target.operation_id, "limit": PAGE})
        page = await wire.ask(work, TransfersShape)
        if not isinstance(page, TransfersShape):
            return wire.unknown(page)
        for each in page.data:
            if self._is(each, target.operation_id, target.idempotency_key):
                return transfers.outcome_of(each)
        if page.has_more:
            return Unknown(TOO_MANY)
        # The group has our name, so that whatever else is in it was sent for this payout: it is not absent.
        return Unknown(wire.OTHER_OBJECT) if page.data else Absent()

    def _is(self, transfer: TransferShape, item_id: str, key: str) -> bool:
        carried = transfer.metadata
        ours = transfers.is_of(transfer, self._host.instance)
        return ours and (carried.get(words.OPERATION), carried.get(words.KEY)) == (item_id, key)


def _refused(answer: Refused, call: Call) -> ItemOutcome:
    """What a refusal says. At a later attempt nothing: an earlier one may have made the transfer, and a look tells."""
    if call.attempt > 1:
        return Unknown(answer.code)
    return NotExecuted(answer.code) if answer.code in _NOT_NOW else Rejected(None, answer.code)


def _listed(transfer: TransferShape) -> Listed:
    return Listed(transfers.target_of(transfer), transfers.outcome_of(transfer), wire.moment(transfer.created))
