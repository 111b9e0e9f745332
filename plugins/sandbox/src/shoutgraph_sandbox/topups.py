"""Takes pretended money from fans."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlencode

from pydantic import ValidationError

from shoutgraph.sdk import (
    Absent,
    Call,
    Declined,
    Delivery,
    Host,
    Listed,
    MalformedNotice,
    Money,
    NeedsAction,
    NoAnswer,
    NotExecuted,
    Notice,
    NoticeKind,
    Observation,
    Pending,
    RawWebhook,
    Redirect,
    RefundRequest,
    Refunds,
    Settled,
    Target,
    TopUpCaps,
    TopUpOutcome,
    TopUpPlugin,
    TopUpRequest,
    Totals,
    Unknown,
    Webhooks,
    standard_webhooks_proof,
)
from shoutgraph_sandbox import wire
from shoutgraph_sandbox.config import CURRENCIES, IDEMPOTENCY, LOOKUP, SandboxConfig, hosts

POLL_AFTER: Final = timedelta(seconds=2)
AMOUNT_MAX: Final = 10_000_000
"""The largest top-up. Units: minor units."""

OTHER_OBJECT: Final = "other_object"
"""The provider answered with something that is not what we asked for."""


class SandboxTopUps:
    """The provider of top-ups."""

    def __init__(self, config: SandboxConfig, host: Host) -> None:
        self._config = config
        self._host = host
        self._wire = wire.Wire(config, host)

    async def create(self, request: TopUpRequest) -> TopUpOutcome:
        """Starts a payment."""
        key = request.call.idempotency_key
        body = {
            "instance": self._host.instance,
            "operation_id": request.call.operation_id,
            "amount": request.amount.minor,
            "currency": request.amount.currency,
            "customer_ref": request.customer_ref,
            "locale": request.locale,
            "descriptor": request.descriptor,
            "return_url": request.return_url,
            "cancel_url": request.cancel_url,
        }
        answer = await self._wire.ask("POST", "/v1/payments", wire.PaymentShape, body=body, key=key)
        if isinstance(answer, wire.Refused):
            return NotExecuted(answer.code)
        if isinstance(answer, wire.PaymentShape):
            return outcome_of(answer) if answer.key == key else Unknown(OTHER_OBJECT)
        return answer

    async def fetch(self, target: Target, call: Call) -> Observation:
        """Looks at a payment, by ref or by key."""
        del call
        if target.ref is not None:
            path = f"/v1/payments/{quote(target.ref, safe='')}"
        else:
            query = {"instance": self._host.instance, "key": target.idempotency_key}
            path = f"/v1/payments/by-key?{urlencode(query)}"
        return self._seen(await self._wire.ask("GET", path, wire.PaymentShape), target)

    async def refund(self, request: RefundRequest) -> TopUpOutcome:
        """Gives money back."""
        path = f"/v1/payments/{quote(request.ref, safe='')}/refunds"
        body = {"amount": request.amount.minor, "currency": request.amount.currency}
        key = request.call.idempotency_key
        answer = await self._wire.ask("POST", path, wire.PaymentShape, body=body, key=key)
        if isinstance(answer, wire.Refused):
            return NotExecuted(answer.code)
        if isinstance(answer, wire.PaymentShape):
            return outcome_of(answer) if answer.id == request.ref else Unknown(OTHER_OBJECT)
        return answer

    async def cancel(self, target: Target, call: Call) -> TopUpOutcome:
        """Ends a payment that is not paid yet."""
        del call
        if target.ref is None:
            return Unknown("no_ref")
        path = f"/v1/payments/{quote(target.ref, safe='')}/cancel"
        seen = self._seen(await self._wire.ask("POST", path, wire.PaymentShape, body={}), target)
        return Unknown(wire.NOT_FOUND) if isinstance(seen, Absent) else seen

    async def list_since(self, since: datetime, call: Call) -> Sequence[Listed]:
        """What the provider has since a time."""
        del call
        query = {"instance": self._host.instance, "since": since.isoformat()}
        answer = await self._wire.ask("GET", f"/v1/payments?{urlencode(query)}", wire.PaymentsShape)
        if not isinstance(answer, wire.PaymentsShape):
            raise NoAnswer("the provider did not list its payments")
        return [Listed(target_of(each), outcome_of(each), each.created_at) for each in answer.payments]

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
        if told.payment is None:
            nothing = Target(told.id, told.id)
            return Delivery(proof, (Notice(told.id, nothing, NoticeKind.IGNORED),))
        notice = Notice(
            told.id,
            target_of(told.payment),
            NoticeKind.TOPUP,
            observation=outcome_of(told.payment),
            occurred_at=told.created_at,
        )
        return Delivery(proof, (notice,))

    async def aclose(self) -> None:
        """Holds nothing of its own."""

    def _seen(self, answer: wire.PaymentShape | wire.Refused | NotExecuted | Unknown, target: Target) -> Observation:
        match answer:
            case wire.PaymentShape():
                same = answer.key == target.idempotency_key and target.ref in {None, answer.id}
                return outcome_of(answer) if same else Unknown(OTHER_OBJECT)
            case wire.Refused(code=wire.NOT_FOUND):
                return Absent()
            case wire.Refused() | NotExecuted():
                # That we could not look proves nothing about the payment.
                return Unknown(answer.code)
            case Unknown():
                return answer


def outcome_of(payment: wire.PaymentShape) -> TopUpOutcome:
    """What a payment is in the words of the SDK."""
    if payment.settled > 0 and payment.paid_at is not None:
        return Settled(payment.id, _totals(payment), payment.paid_at)
    if payment.status == "action_required":
        return NeedsAction(payment.id, Redirect(payment.checkout_url), payment.expires_at)
    if payment.status in {"processing", "paid"}:
        return Pending(payment.id, POLL_AFTER)
    return Declined(payment.id, payment.decline_code or payment.status, retryable=True)


def target_of(payment: wire.PaymentShape) -> Target:
    """Which of our top-ups a payment is."""
    return Target(payment.operation_id, payment.key, payment.id, Money(payment.amount, payment.currency))


def _totals(payment: wire.PaymentShape) -> Totals:
    return Totals(
        settled=Money(payment.settled, payment.currency),
        refunded=Money(payment.refunded, payment.currency),
        disputed=Money(payment.disputed, payment.currency),
        fee=Money(payment.fee, payment.currency),
        disputes_won=Money(payment.disputes_won, payment.currency),
        disputes_lost=Money(payment.disputes_lost, payment.currency),
        refunds_failed=Money(payment.refunds_failed, payment.currency),
    )


TOPUP: Final = TopUpPlugin(
    key="sandbox",
    label="Sandbox",
    caps=TopUpCaps(
        currencies=CURRENCIES,
        webhooks=Webhooks.SIGNED,
        refunds=Refunds.PARTIAL,
        disputes=True,
        limits=dict.fromkeys(CURRENCIES, (1, AMOUNT_MAX)),
        idempotency=IDEMPOTENCY,
        lookup=LOOKUP,
    ),
    config=SandboxConfig,
    build=SandboxTopUps,
    api_hosts=hosts,
)
