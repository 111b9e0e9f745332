"""Takes money from fans by Stripe's Checkout page."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import stripe
from stripe.params import RefundCreateParams
from stripe.params.checkout import SessionCreateParams

from shoutgraph.sdk import (
    Absent,
    Call,
    Declined,
    Delivery,
    Host,
    Listed,
    NotExecuted,
    Observation,
    Pending,
    RawWebhook,
    RefundRequest,
    Target,
    TopUpOutcome,
    TopUpRequest,
    Unknown,
    to_provider,
)
from shoutgraph_stripe import currencies, door, notices, payments, wire, words
from shoutgraph_stripe.config import StripeConfig
from shoutgraph_stripe.looks import PAGES_MAX, WHOLE, Reader
from shoutgraph_stripe.payments import Reversals
from shoutgraph_stripe.shapes import AnySessionShape, IntentShape, RefundShape, SessionShape
from shoutgraph_stripe.wire import Refused

NO_REF: Final = "no_ref"
NOT_PAID: Final = "not_paid"


class StripeTopUps:
    """The provider of top-ups."""

    def __init__(self, config: StripeConfig, host: Host) -> None:
        self._config = config
        self._host = host
        client = door.client(config, host)
        self._sessions = client.v1.checkout.sessions
        self._refunds = client.v1.refunds
        self._reader = Reader(client)

    async def create(self, request: TopUpRequest) -> TopUpOutcome:
        """Opens a session of the page."""
        options: stripe.RequestOptions = {"idempotency_key": request.call.idempotency_key}
        work = self._sessions.create_async(self._wanted(request), options)
        answer = await wire.ask(work, SessionShape)
        if isinstance(answer, Refused):
            return NotExecuted(answer.code)
        if not isinstance(answer, SessionShape):
            return answer
        ours = payments.is_of(answer, self._host.instance)
        if answer.client_reference_id != request.call.operation_id or not ours:
            return Unknown(wire.OTHER_OBJECT)
        return await self._reader.known(answer)

    async def fetch(self, target: Target, call: Call) -> Observation:
        """Looks at a payment, by the ref of its session, or by that of its payment, which other objects name."""
        del call
        if target.ref is None:
            return Unknown(NO_REF)
        session = await self._reader.session(target.ref)
        if isinstance(session, Absent | Unknown):
            return session
        ours = payments.is_of(session, self._host.instance)
        if target.ref != session.id:
            return await self._reader.known(session) if ours else Absent()
        if not ours or session.client_reference_id != target.operation_id:
            return Unknown(wire.OTHER_OBJECT)
        return await self._reader.known(session)

    async def refund(self, request: RefundRequest) -> TopUpOutcome:
        """Gives money back: looks at the payment first, then asks for the refund, if it is not among those made.

        Asking again would only give the first answer again, and not what became of the refund since.
        """
        session = await self._reader.session(request.ref)
        before = (
            session if isinstance(session, Absent | Unknown) else await self._reader.reversals(session, failed=True)
        )
        match session, before:
            case SessionShape(payment_intent=IntentShape(amount_received=received)), Reversals() if received > 0:
                key = request.call.idempotency_key
                made = next((each for each in before.refunds if each.metadata.get(words.KEY) == key), None)
                if made is None:
                    return await self._given_back(request, session, before)
                same = made.amount == to_provider(request.amount, currencies.EXPONENTS)
                return _refunded(session, before, made) if same else Unknown(wire.KEY_REUSED)
            case _, Unknown():
                return wire.not_done(before, request.call)
            case _:
                return NotExecuted(wire.NOT_FOUND if isinstance(session, Absent) else NOT_PAID)

    async def _given_back(self, request: RefundRequest, session: SessionShape, before: Reversals) -> TopUpOutcome:
        call, intent = request.call, payments.intent_of(session)
        assert intent is not None, "only what was paid is given back"
        carried = words.metadata(call.operation_id, call.idempotency_key, self._host.instance)
        wanted: RefundCreateParams = {
            "payment_intent": intent.id,
            "amount": to_provider(request.amount, currencies.EXPONENTS),
            "metadata": {**carried, words.PAYMENT: session.id},
        }
        options: stripe.RequestOptions = {"idempotency_key": call.idempotency_key}
        made = await wire.ask(self._refunds.create_async(wanted, options), RefundShape)
        if isinstance(made, Refused):
            return NotExecuted(made.code)
        return _refunded(session, before, made) if isinstance(made, RefundShape) else made

    async def cancel(self, target: Target, call: Call) -> TopUpOutcome:
        """Ends a session that nobody has paid yet; one that is paid stays as it is."""
        if target.ref is None:
            return Unknown(NO_REF)
        options: stripe.RequestOptions = {"idempotency_key": f"expire-{call.idempotency_key}-{call.attempt}"}
        work = self._sessions.expire_async(target.ref, {"expand": list(WHOLE)}, options)
        answer = await wire.ask(work, SessionShape)
        if isinstance(answer, SessionShape) and answer.client_reference_id == target.operation_id:
            return await self._reader.known(answer)
        if isinstance(answer, Refused):
            seen = await self.fetch(target, call)
            return Unknown(wire.NOT_FOUND) if isinstance(seen, Absent) else seen
        return wire.unknown(answer)

    async def list_since(self, since: datetime, call: Call) -> Sequence[Listed]:
        """The sessions that this instance opened since a time, oldest first.

        Raises:
            RuntimeError: Stripe did not answer, or has more than is read, or one of ours cannot be read.
        """
        del call
        found: list[Listed] = []
        after: str | None = None
        for _ in range(PAGES_MAX):
            page = await self._reader.page(since, after)
            ours = [each for each in page.data if payments.is_of(each, self._host.instance)]
            found += [await self._listed(each) for each in ours]
            if not page.has_more or not page.data:
                return found[::-1]
            after = page.data[-1].id
        raise RuntimeError("there are more payments than one listing reads")

    def receive(self, raw: RawWebhook) -> Delivery:
        """Proves and reads a webhook.

        Raises:
            BadSignature: it is not proven.
            MalformedNotice: it is proven and cannot be read.
        """
        return notices.of_topups(raw, self._config, self._host.instance)

    async def aclose(self) -> None:
        """Holds nothing of its own."""

    async def _listed(self, session: AnySessionShape) -> Listed:
        if not isinstance(session, SessionShape):
            raise RuntimeError("a session of ours cannot be read")  # noqa: TRY004 -- no type error
        seen = await self._reader.known(session)
        return Listed(payments.target_of(session), seen, wire.moment(session.created))

    def _wanted(self, request: TopUpRequest) -> SessionCreateParams:
        # Every word is the request's: a repeat has to be the same to the last byte. So the expiry is Stripe's, 24 h.
        call, instance = request.call, self._host.instance
        carried = words.metadata(call.operation_id, call.idempotency_key, instance, request.metadata)
        wanted: SessionCreateParams = {
            "mode": "payment",
            "client_reference_id": call.operation_id,
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": request.amount.currency.lower(),
                        "unit_amount": to_provider(request.amount, currencies.EXPONENTS),
                        "product_data": {"name": words.label(request.descriptor)},
                    },
                }
            ],
            "metadata": carried,
            "payment_intent_data": {"metadata": carried},
            "success_url": request.return_url,
            "cancel_url": request.cancel_url,
            "locale": words.locale(request.locale),
            # Another currency than the one that was asked for would be another price.
            "adaptive_pricing": {"enabled": False},
            "expand": list(WHOLE),
        }
        suffix = words.suffix(request.descriptor)
        if suffix is not None:
            wanted["payment_intent_data"] = {"metadata": carried, "statement_descriptor_suffix": suffix}
        return wanted


def _refunded(session: SessionShape, before: Reversals, made: RefundShape) -> TopUpOutcome:
    if made.status in {"pending", "requires_action"}:
        return Pending(session.id, payments.POLL_AFTER)
    if made.status != "succeeded":
        return Declined(session.id, made.failure_reason or made.status)
    others = [each for each in before.refunds if each.id != made.id]
    return payments.outcome_of(session, Reversals([*others, made], before.disputes))
