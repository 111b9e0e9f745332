"""Sends money to creators' PayPal accounts, many with one call."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Final

from shoutgraph.sdk import (
    Absent,
    Artifact,
    BatchOutcome,
    Call,
    Declined,
    Delivery,
    Host,
    ItemObservation,
    ItemOutcome,
    MalformedNotice,
    NotExecuted,
    Notice,
    OnboardRequest,
    PayoutBatch,
    PayoutItem,
    Pending,
    RawWebhook,
    Ready,
    RecipientOutcome,
    Rejected,
    Requirement,
    Target,
    Unknown,
)
from shoutgraph_paypal import amounts, items, notices, receivers, wire, words
from shoutgraph_paypal.config import PayPalConfig
from shoutgraph_paypal.shapes import BatchShape, ItemShape
from shoutgraph_paypal.signatures import Verifier
from shoutgraph_paypal.wire import Asking, Refused, Wire

PAGE: Final = 1000
PAGES_MAX: Final = 15
"""The most pages of one batch: PayPal takes 15,000 items."""

AT_ONCE: Final = 4
"""How many batches are looked at at a time."""

ITEM_ID_CHARS_MAX: Final = 63
BATCH_ID_CHARS_MAX: Final = 256
NOTE_CHARS_MAX: Final = 1000

_NAME: Final = "sender_batch_id"
_DOUBTFUL: Final = frozenset({"user_business_error", "duplicate_sender_batch_id"})
"""Refusals that say, or may say, that there is a batch of this name."""

_ENDED: Final = frozenset({"DENIED", "CANCELED", "CANCELLED"})
_BATCH_HREF: Final = re.compile(r".*/v1/payments/payouts/([A-Z0-9]{1,30})(?:\?.*)?", re.ASCII)


class PayPalPayouts:
    """The provider of payouts."""

    def __init__(self, config: PayPalConfig, host: Host) -> None:
        self._host = host
        self._wire = Wire(config, host)
        self._verifier = Verifier(config)

    async def submit(self, batch: PayoutBatch) -> BatchOutcome:
        """Hands a batch over. PayPal refuses a second one of the same name, and says which the first one is."""
        problem = _problem(batch)
        if problem is not None:
            return _all(batch, NotExecuted(problem))
        key = batch.call.idempotency_key
        answer = await self._wire.ask(Asking("POST", "/v1/payments/payouts", _wanted(batch)), BatchShape)
        if isinstance(answer, Refused):
            return await self._refused(batch, answer)
        if not isinstance(answer, BatchShape):
            return _all(batch, answer)
        if answer.batch_header.sender_batch_header.sender_batch_id != key:
            return _all(batch, Unknown(wire.OTHER_OBJECT))
        batch_id = answer.batch_header.payout_batch_id
        if not words.is_id(batch_id):
            return _all(batch, Unknown(wire.UNREADABLE))
        accepted = {
            each.item_id: Pending(items.ref_of(batch_id, each.item_id), items.POLL_AFTER) for each in batch.items
        }
        return BatchOutcome(accepted, batch_id)

    async def fetch(self, targets: Sequence[Target], call: Call) -> Mapping[str, ItemObservation]:
        """Looks at batches, a few at a time, and at what is said there of these items."""
        del call
        batches = {target.operation_id: _batch_of(target) for target in targets}
        turn = asyncio.Semaphore(AT_ONCE)

        async def look(batch_id: str) -> BatchShape | Absent | Unknown:
            async with turn:
                return await self._batch(batch_id)

        wanted = sorted({each for each in batches.values() if isinstance(each, str)})
        async with asyncio.TaskGroup() as group:
            looks = {batch_id: group.create_task(look(batch_id)) for batch_id in wanted}
        found: dict[str, ItemObservation] = {}
        for target in targets:
            batch_id = batches[target.operation_id]
            seen = looks[batch_id].result() if isinstance(batch_id, str) else batch_id
            found[target.operation_id] = self._seen(seen, target) if isinstance(seen, BatchShape) else seen
        return found

    async def cancel(self, target: Target, call: Call) -> ItemOutcome:
        """Takes back what nobody has claimed yet; what was paid stays as it is."""
        del call
        batch_id = _batch_of(target)
        batch = await self._batch(batch_id) if isinstance(batch_id, str) else batch_id
        if not isinstance(batch, BatchShape):
            return Unknown(wire.NOT_FOUND) if isinstance(batch, Absent) else batch
        item = _item(batch, target.operation_id)
        if item is None or item.transaction_status != "UNCLAIMED" or not words.is_id(item.payout_item_id):
            seen = self._seen(batch, target)
            return Unknown(wire.NOT_FOUND) if isinstance(seen, Absent) else seen
        path = f"/v1/payments/payouts-item/{item.payout_item_id}/cancel"
        answer = await self._wire.ask(Asking("POST", path, {}), ItemShape)
        if isinstance(answer, ItemShape) and answer.payout_item.sender_item_id == target.operation_id:
            return items.outcome_of(answer, self._host.now())
        return wire.unknown(answer)

    def requirements(self, country: str, currency: str) -> Sequence[Requirement]:
        """The address or the id of their PayPal account."""
        del country, currency
        return receivers.REQUIREMENTS

    async def onboard(self, request: OnboardRequest) -> RecipientOutcome:
        """Takes the account down. PayPal has to know nothing of them before, and asks nothing."""
        receiver = receivers.read(request.values.get(receivers.NAME, ""))
        return Declined(None, receivers.INVALID) if receiver is None else Ready(receiver.ref)

    async def recipient_status(self, ref: str, call: Call) -> RecipientOutcome:
        """Ready, if it is an account at all: only a payment shows whether PayPal has it."""
        del call
        receiver = receivers.read(ref)
        return Ready(ref) if receiver is not None and receiver.ref == ref else Declined(None, receivers.INVALID)

    def receive(self, raw: RawWebhook) -> Delivery:
        """Proves and reads a webhook.

        Raises:
            BadSignature: it is not proven.
            MalformedNotice: it is proven and cannot be read.
        """
        return notices.of_payouts(raw, self._verifier)

    def ingest(self, document: Artifact) -> Sequence[Notice]:
        """Reads nothing: PayPal has no statement files for us.

        Raises:
            MalformedNotice: always.
        """
        raise MalformedNotice(f"PayPal sends no {document.media_type}")

    async def aclose(self) -> None:
        """Holds nothing of its own."""

    async def _refused(self, batch: PayoutBatch, refused: Refused) -> BatchOutcome:
        """Nothing was done, or it was done before, under this very name."""
        first = _named(refused)
        if first is not None:
            return await self._taken(batch, first)
        doubtful = refused.code in _DOUBTFUL or any(_NAME in each for each in refused.fields)
        return _all(batch, Unknown(wire.KEY_REUSED) if doubtful else NotExecuted(refused.code))

    async def _taken(self, batch: PayoutBatch, batch_id: str) -> BatchOutcome:
        """What became of a batch that PayPal took before, as far as it is the same."""
        found = await self._batch(batch_id)
        if not isinstance(found, BatchShape):
            return _all(batch, found if isinstance(found, Unknown) else Unknown(wire.NOT_FOUND))
        if found.batch_header.sender_batch_header.sender_batch_id != batch.call.idempotency_key:
            return _all(batch, Unknown(wire.OTHER_OBJECT))
        named = {each.payout_item.sender_item_id for each in found.items}
        foreign = bool(found.items) and not named <= {each.item_id for each in batch.items}
        if foreign:
            return _all(batch, Unknown(wire.KEY_REUSED))
        return BatchOutcome({each.item_id: self._same(found, each) for each in batch.items}, batch_id)

    def _same(self, batch: BatchShape, wanted: PayoutItem) -> ItemOutcome:
        item = _item(batch, wanted.item_id)
        if item is not None and not _agrees(item, wanted):
            return Unknown(wire.KEY_REUSED)
        seen = self._outcome(batch, item, wanted.item_id)
        return Unknown(wire.KEY_REUSED) if isinstance(seen, Absent) else seen

    def _seen(self, batch: BatchShape, target: Target) -> ItemObservation:
        if batch.batch_header.sender_batch_header.sender_batch_id != target.idempotency_key:
            return Unknown(wire.OTHER_OBJECT)
        return self._outcome(batch, _item(batch, target.operation_id), target.operation_id)

    def _outcome(self, batch: BatchShape, item: ItemShape | None, item_id: str) -> ItemObservation:
        header = batch.batch_header
        ref = items.ref_of(header.payout_batch_id, item_id)
        is_open = item is None or item.transaction_status in {None, "NEW", "PENDING"}
        if header.batch_status in _ENDED and is_open:
            return Rejected(ref, f"batch_{header.batch_status.lower()}")
        if item is not None:
            same = item.payout_batch_id == header.payout_batch_id
            return items.outcome_of(item, self._host.now()) if same else Unknown(wire.OTHER_OBJECT)
        return Absent() if header.batch_status == "SUCCESS" else Pending(ref, items.POLL_AFTER)

    async def _batch(self, batch_id: str) -> BatchShape | Absent | Unknown:
        """A batch with all its items, or nothing of it."""
        found: list[ItemShape] = []
        for page in range(1, PAGES_MAX + 1):
            path = f"/v1/payments/payouts/{batch_id}?page={page}&page_size={PAGE}"
            answer = await self._wire.ask(Asking("GET", path), BatchShape)
            if isinstance(answer, Refused) and answer.is_missing:
                return Absent()
            if not isinstance(answer, BatchShape):
                return wire.unknown(answer)
            if answer.batch_header.payout_batch_id != batch_id:
                return Unknown(wire.OTHER_OBJECT)
            found += answer.items
            if not answer.items or all(link.rel != "next" for link in answer.links):
                return answer.model_copy(update={"items": tuple(found)})
        return Unknown("too_many_items")


def _problem(batch: PayoutBatch) -> str | None:
    """What PayPal would refuse the whole batch for."""
    if len(batch.call.idempotency_key) > BATCH_ID_CHARS_MAX:
        return "id_not_expressible"
    for item in batch.items:
        if len(item.item_id) > ITEM_ID_CHARS_MAX or items.SEPARATOR in item.item_id:
            return "id_not_expressible"
        if receivers.read(item.recipient_ref) is None:
            return receivers.INVALID
    return None


def _wanted(batch: PayoutBatch) -> dict[str, object]:
    return {
        "sender_batch_header": {"sender_batch_id": batch.call.idempotency_key},
        "items": [_wanted_item(each) for each in batch.items],
    }


def _wanted_item(item: PayoutItem) -> dict[str, object]:
    receiver = receivers.read(item.recipient_ref)
    assert receiver is not None, "receivers are checked before anything is sent"
    return {
        "recipient_type": receiver.kind,
        "receiver": receiver.ref,
        "amount": {"currency": item.amount.currency, "value": amounts.value_of(item.amount)},
        "note": item.descriptor[:NOTE_CHARS_MAX],
        "sender_item_id": item.item_id,
    }


def _agrees(item: ItemShape, wanted: PayoutItem) -> bool:
    try:
        amount = item.payout_item.amount.money()
    except ValueError:
        return False
    receiver = receivers.read(wanted.recipient_ref)
    shown = receivers.read(item.payout_item.receiver or "")
    return amount == wanted.amount and (shown is None or shown == receiver)


def _item(batch: BatchShape, item_id: str) -> ItemShape | None:
    found = [each for each in batch.items if each.payout_item.sender_item_id == item_id]
    return found[0] if len(found) == 1 else None


def _batch_of(target: Target) -> str | Unknown:
    if target.ref is None:
        return Unknown(wire.NO_REF)
    batch_id = items.batch_of(target.ref, target.operation_id)
    return batch_id if batch_id is not None and words.is_id(batch_id) else Unknown(wire.OTHER_OBJECT)


def _named(refused: Refused) -> str | None:
    """The first batch of the same name, of which only the id is taken: the address could lead anywhere."""
    found = (_BATCH_HREF.fullmatch(each) for each in refused.hrefs)
    return next((each[1] for each in found if each is not None), None)


def _all(batch: PayoutBatch, outcome: NotExecuted | Unknown) -> BatchOutcome:
    return BatchOutcome({each.item_id: outcome for each in batch.items})
