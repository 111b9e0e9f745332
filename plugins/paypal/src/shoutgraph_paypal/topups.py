"""Takes money from fans by PayPal's own page."""

import hashlib
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from shoutgraph.sdk import (
    Absent,
    Call,
    Declined,
    Delivery,
    Host,
    Money,
    NotExecuted,
    Observation,
    Pending,
    RawWebhook,
    RefundRequest,
    Target,
    TopUpOutcome,
    TopUpRequest,
    Unknown,
)
from shoutgraph_paypal import amounts, notices, payments, wire, words
from shoutgraph_paypal.config import PayPalConfig
from shoutgraph_paypal.looks import Reader
from shoutgraph_paypal.payments import Known
from shoutgraph_paypal.shapes import AmountShape, NothingShape, OrderShape, RefundShape, UnitShape
from shoutgraph_paypal.signatures import Verifier
from shoutgraph_paypal.wire import Asking, Refused, Wire
from shoutgraph_paypal.words import Ours

UNIT: Final = "default"
NOT_PAID: Final = "not_paid"
OTHER_AMOUNT: Final = "other_amount"
NOT_EXPRESSIBLE: Final = "id_not_expressible"

_CAPTURED: Final = frozenset({"order_already_captured", "order_already_completed"})
_FANS_TURN: Final = frozenset({"instrument_declined", "payer_action_required", "order_not_approved"})
"""Refusals after which the fan goes back to the page, and chooses another way to pay."""


class PayPalTopUps:
    """The provider of top-ups."""

    def __init__(self, config: PayPalConfig, host: Host) -> None:
        self._host = host
        self._wire = Wire(config, host)
        self._reader = Reader(self._wire, host)
        self._verifier = Verifier(config)

    async def create(self, request: TopUpRequest) -> TopUpOutcome:
        """Makes an order, which the fan approves on PayPal's page."""
        ours = Ours(self._host.instance, request.call.operation_id)
        if not _is_expressible(ours, request.call):
            return NotExecuted(NOT_EXPRESSIBLE)
        asking = Asking("POST", "/v2/checkout/orders", _wanted(request, ours), request.call.idempotency_key)
        answer = await self._wire.ask(asking, OrderShape)
        if isinstance(answer, Refused):
            return NotExecuted(answer.code)
        if not isinstance(answer, OrderShape):
            return answer
        known = payments.known_of(answer, self._host.instance)
        if known is None or replace(known.ours, is_cancelled=False) != ours or not words.is_id(answer.id):
            return Unknown(wire.OTHER_OBJECT)
        if _asked(known.order) != request.amount:
            return Unknown(wire.KEY_REUSED)
        return await self._reader.outcome(known)

    async def fetch(self, target: Target, call: Call) -> Observation:
        """Looks at an order, and completes it where the fan has approved it: PayPal leaves that to us."""
        del call
        if target.ref is None:
            return Unknown(wire.NO_REF)
        if target.ref.startswith(words.CAPTURE):
            return await self._named_by(target.ref.removeprefix(words.CAPTURE))
        known = await self._known(target)
        if not isinstance(known, Known):
            return known
        if known.order.status == payments.APPROVED and not known.ours.is_cancelled:
            return await self._complete(known, target)
        return await self._reader.outcome(known)

    async def refund(self, request: RefundRequest) -> TopUpOutcome:
        """Gives money back: looks at the order first, then asks for the refund once."""
        if len(request.call.idempotency_key) > wire.KEY_CHARS_MAX:
            return NotExecuted(NOT_EXPRESSIBLE)
        order_id = request.ref.partition("-")[0]
        found = await self._reader.order(order_id) if words.is_id(order_id) else Absent()
        if isinstance(found, Absent):
            return NotExecuted(wire.NOT_FOUND)
        known = await self._reader.disputed(found) if isinstance(found, Known) else found
        if isinstance(known, Unknown):
            return wire.not_done(known, request.call)
        if known.ref != request.ref:
            return NotExecuted(wire.NOT_FOUND)
        if not payments.captures_of(known.order):
            return NotExecuted(NOT_PAID)
        return await self._given_back(request, known)

    async def cancel(self, target: Target, call: Call) -> TopUpOutcome:
        """Writes into the order that it is given up, so that it is never completed; PayPal forgets it by itself."""
        del call
        ours = Ours(self._host.instance, target.operation_id, is_cancelled=True)
        order_id = words.order_id_of(target.ref, ours) if target.ref is not None else None
        if order_id is None:
            return Unknown(wire.NO_REF)
        path = f"/purchase_units/@reference_id=='{UNIT}'/custom_id"
        change = [{"op": "replace", "path": path, "value": ours.custom_id}]
        answer = await self._wire.ask(Asking("PATCH", f"/v2/checkout/orders/{order_id}", change), NothingShape)
        if not isinstance(answer, NothingShape | Refused):
            return wire.unknown(answer)
        known = await self._known(target)
        if not isinstance(known, Known):
            return Unknown(wire.NOT_FOUND) if isinstance(known, Absent) else known
        return await self._reader.outcome(known)

    def receive(self, raw: RawWebhook) -> Delivery:
        """Proves and reads a webhook.

        Raises:
            BadSignature: it is not proven.
            MalformedNotice: it is proven and cannot be read.
        """
        return notices.of_topups(raw, self._verifier, self._host.instance)

    async def aclose(self) -> None:
        """Holds nothing of its own."""

    async def _known(self, target: Target) -> Known | Declined | Unknown:
        """The order of a target, which PayPal forgets when it is left alone."""
        ours = Ours(self._host.instance, target.operation_id)
        order_id = words.order_id_of(target.ref or "", ours)
        if order_id is None:
            return Unknown(wire.OTHER_OBJECT)
        known = await self._reader.order(order_id)
        if isinstance(known, Absent):
            return Declined(target.ref, payments.EXPIRED)
        if isinstance(known, Known) and known.ref != target.ref:
            return Unknown(wire.OTHER_OBJECT)
        return known

    async def _named_by(self, capture_id: str) -> Observation:
        known = await self._reader.of_capture(capture_id) if words.is_id(capture_id) else Absent()
        return await self._reader.outcome(known) if isinstance(known, Known) else known

    async def _complete(self, known: Known, target: Target) -> TopUpOutcome:
        """Takes what the fan has approved. PayPal completes an order once, whoever asks for it and how often."""
        if target.amount is not None and _asked(known.order) != target.amount:
            return Unknown(OTHER_AMOUNT, ref=known.ref)
        approved = f"{target.idempotency_key}:capture:{known.order.update_time}"
        key = hashlib.sha256(approved.encode()).hexdigest()
        path = f"/v2/checkout/orders/{known.order.id}/capture"
        answer = await self._wire.ask(Asking("POST", path, {}, key), OrderShape)
        if isinstance(answer, OrderShape):
            after = payments.known_of(answer, self._host.instance)
            same = after is not None and after.ref == known.ref
            return await self._reader.outcome(after) if after and same else Unknown(wire.OTHER_OBJECT, ref=known.ref)
        if not isinstance(answer, Refused):
            return replace(wire.unknown(answer), ref=known.ref)
        return await self._not_completed(known, answer)

    async def _not_completed(self, known: Known, refused: Refused) -> TopUpOutcome:
        if refused.code in _CAPTURED:
            again = await self._reader.order(known.order.id)
            return await self._reader.outcome(again) if isinstance(again, Known) else Unknown(refused.code, known.ref)
        if refused.code in _FANS_TURN:
            return payments.page_of(known, self._host.now())
        if refused.is_missing:
            return Declined(known.ref, payments.EXPIRED)
        is_decision = refused.status == HTTPStatus.UNPROCESSABLE_ENTITY
        return Declined(known.ref, refused.code) if is_decision else Unknown(refused.code, known.ref)

    async def _given_back(self, request: RefundRequest, known: Known) -> TopUpOutcome:
        capture = payments.captures_of(known.order)[0]
        if not words.is_id(capture.id):
            return NotExecuted(wire.UNREADABLE)
        wanted = {"amount": _amount(request.amount), "custom_id": known.ours.custom_id}
        path = f"/v2/payments/captures/{capture.id}/refund"
        made = await self._wire.ask(Asking("POST", path, wanted, request.call.idempotency_key), RefundShape)
        if isinstance(made, Refused):
            return NotExecuted(made.code)
        if not isinstance(made, RefundShape):
            return made
        return self._refunded(request, known, made)

    def _refunded(self, request: RefundRequest, known: Known, made: RefundShape) -> TopUpOutcome:
        if _money(made.amount) != request.amount:
            return Unknown(wire.KEY_REUSED, ref=known.ref)
        if made.status == "PENDING":
            return Pending(known.ref, payments.POLL_AFTER)
        if made.status != payments.COMPLETED:
            return Declined(known.ref, (made.status_details.reason or made.status).lower())
        return payments.outcome_of(_with_refund(known, made), self._host.now())


def _is_expressible(ours: Ours, call: Call) -> bool:
    """Whether PayPal has room for our words, the mark of an order that is given up included."""
    longest = replace(ours, is_cancelled=True).custom_id
    fits = len(longest) <= words.CUSTOM_CHARS_MAX and len(call.idempotency_key) <= wire.KEY_CHARS_MAX
    return fits and words.ours_of(ours.custom_id) == ours


def _wanted(request: TopUpRequest, ours: Ours) -> dict[str, object]:
    # Every word is the request's: a repeat has to be the same.
    experience: dict[str, object] = {
        "return_url": request.return_url,
        "cancel_url": request.cancel_url,
        "user_action": "PAY_NOW",
        "shipping_preference": "NO_SHIPPING",
        "payment_method_preference": "IMMEDIATE_PAYMENT_REQUIRED",
    }
    locale = words.locale(request.locale)
    if locale is not None:
        experience["locale"] = locale
    unit: dict[str, object] = {
        "reference_id": UNIT,
        "custom_id": ours.custom_id,
        "invoice_id": request.call.operation_id,  # of which PayPal takes one payment only
        "amount": _amount(request.amount),
    }
    label = words.label(request.descriptor)
    if label is not None:
        unit["description"] = label
    source = {"paypal": {"experience_context": experience}}
    return {"intent": "CAPTURE", "purchase_units": [unit], "payment_source": source}


def _amount(money: Money) -> dict[str, str]:
    return {"currency_code": money.currency, "value": amounts.value_of(money)}


def _asked(order: OrderShape) -> Money | None:
    return _money(order.purchase_units[0].amount)


def _money(amount: AmountShape) -> Money | None:
    try:
        return amount.money()
    except ValueError:
        return None


def _with_refund(known: Known, made: RefundShape) -> Known:
    """The order as it is after a refund that it was read before."""
    (unit,) = known.order.purchase_units
    others = [each for each in unit.payments.refunds if each.id != made.id]
    paid = unit.payments.model_copy(update={"refunds": (*others, made)})
    after: UnitShape = unit.model_copy(update={"payments": paid})
    return replace(known, order=known.order.model_copy(update={"purchase_units": (after,)}))
