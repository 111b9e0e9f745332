"""Takes money from fans by Mollie. Its library blocks, so the host calls this on threads."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from shoutgraph.sdk import (
    Absent,
    BadSignature,
    Call,
    Declined,
    Delivery,
    Host,
    Listed,
    NoAnswer,
    NotExecuted,
    Notice,
    NoticeKind,
    Observation,
    Pending,
    RawWebhook,
    RefundRequest,
    Target,
    TopUpOutcome,
    TopUpRequest,
    Unknown,
    hint_proof,
)
from shoutgraph_mollie import amounts, languages, reading, wire
from shoutgraph_mollie.config import MollieConfig
from shoutgraph_mollie.shapes import PageShape, PaymentShape, RefundShape
from shoutgraph_mollie.wire import Asking, deadline_of

EMBED: Final = "embed=refunds,chargebacks"
PAGE: Final = 250
"""The most payments of a page. Source: Mollie's List payments."""

SEARCHED_PAGES_MAX: Final = 8
"""How far back a payment is searched by our key."""

LISTED_PAGES_MAX: Final = 40
DESCRIPTION_CHARS_MAX: Final = 255
BODY_BYTES_MAX: Final = 1024
"""A webhook is one short id."""

OTHER_OBJECT: Final = "other_object"
"""Mollie answered with something that is not what we asked for."""

NOT_CANCELABLE: Final = "not_cancelable"
NOT_LISTED: Final = "not_listed"

_ID: Final = re.compile(rb"id=([a-z]{2,8})_([0-9A-Za-z]{4,64})")


class Mollie:
    """The provider of one profile."""

    def __init__(self, config: MollieConfig, host: Host) -> None:
        self._host = host
        self._wire = wire.Wire(config)

    def create(self, request: TopUpRequest) -> TopUpOutcome:
        """Starts a payment."""
        key = request.call.idempotency_key
        body: dict[str, object] = {
            "amount": {"value": amounts.value_of(request.amount), "currency": request.amount.currency},
            "description": request.descriptor[:DESCRIPTION_CHARS_MAX],
            "redirectUrl": request.return_url,
            "cancelUrl": request.cancel_url,
            "webhookUrl": request.webhook_url,
            "metadata": {"instance": self._host.instance, "operation_id": request.call.operation_id, "key": key},
        }
        locale = languages.locale_of(request.locale)
        if locale is not None:
            body["locale"] = locale
        asking = Asking("POST", "payments", deadline_of(request.call), key, body)
        answer = self._wire.ask(asking, PaymentShape)
        if isinstance(answer, wire.Refused):
            return NotExecuted(answer.code)
        if not isinstance(answer, PaymentShape):
            return answer
        if not self._is(answer, key):
            return Unknown(OTHER_OBJECT)
        # A key that was used before gives what was made then, whatever is asked for now.
        same = answer.amount.value == amounts.value_of(request.amount)
        if not same or answer.amount.currency != request.amount.currency:
            return Unknown(wire.KEY_REUSED, ref=answer.id)
        return reading.outcome_of(answer)

    def fetch(self, target: Target, call: Call) -> Observation:
        """Looks at a payment, by ref or by key."""
        until = deadline_of(call)
        if target.ref is not None:
            return self._look(target.ref, target.idempotency_key, until)
        for payment in self._payments(SEARCHED_PAGES_MAX, until):
            if not isinstance(payment, PaymentShape):
                return payment
            if self._is(payment, target.idempotency_key):
                return self._look(payment.id, target.idempotency_key, until)
        return Absent()

    def refund(self, request: RefundRequest) -> TopUpOutcome:
        """Asks to give money back; what became of it is seen by a look, days later for some methods."""
        body = {
            "amount": {"value": amounts.value_of(request.amount), "currency": request.amount.currency},
            "description": request.reason[:DESCRIPTION_CHARS_MAX],
            "metadata": {"instance": self._host.instance, "operation_id": request.call.operation_id},
        }
        until, key = deadline_of(request.call), request.call.idempotency_key
        asking = Asking("POST", f"{_path(request.ref)}/refunds", until, key, body)
        answer = self._wire.ask(asking, RefundShape)
        if isinstance(answer, wire.Refused):
            return NotExecuted(answer.code)
        if not isinstance(answer, RefundShape):
            return answer
        same = answer.amount.value == amounts.value_of(request.amount) and answer.payment_id == request.ref
        if not same or answer.amount.currency != request.amount.currency:
            return Unknown(wire.KEY_REUSED, ref=request.ref)
        if answer.status in {"failed", "canceled"}:
            return Declined(request.ref, f"refund_{answer.status}")
        return Pending(request.ref, reading.POLL_AFTER)

    def cancel(self, target: Target, call: Call) -> TopUpOutcome:
        """Ends a payment that is not paid yet, where its method allows that."""
        if target.ref is None:
            return Unknown("no_ref")
        asking = Asking("DELETE", _path(target.ref), deadline_of(call), call.idempotency_key)
        answer = self._wire.ask(asking, PaymentShape)
        if isinstance(answer, wire.Refused):
            return Unknown(NOT_CANCELABLE, ref=target.ref, detail=answer.code)
        if not isinstance(answer, PaymentShape):
            return _seen_nothing(answer)
        return self._seen(answer, target.ref, target.idempotency_key)

    def list_since(self, since: datetime, call: Call) -> Sequence[Listed]:
        """What Mollie has of this instance since a time."""
        found: list[Listed] = []
        until = deadline_of(call)
        for payment in self._payments(LISTED_PAGES_MAX, until):
            if not isinstance(payment, PaymentShape):
                raise NoAnswer("Mollie did not list its payments")
            if payment.created_at < since:
                break
            ours = payment.ours
            if ours is None or ours.instance != self._host.instance:
                continue
            seen = reading.outcome_of(payment)
            if isinstance(seen, Unknown) and seen.reason == reading.NOT_SHOWN:
                looked = self._look(payment.id, ours.key, until)
                seen = seen if isinstance(looked, Absent) else looked
            found.append(Listed(reading.target_of(payment, ours), seen, payment.created_at))
        return found[::-1]

    def receive(self, raw: RawWebhook) -> Delivery:
        """Reads a webhook, which is a hint: anybody can send one.

        Raises:
            BadSignature: it is not even what Mollie sends.
        """
        found = _ID.fullmatch(raw.body) if len(raw.body) <= BODY_BYTES_MAX else None
        if found is None:
            raise BadSignature("not a webhook of Mollie's")
        kind, ref = found[1], raw.body.removeprefix(b"id=").decode()
        about = NoticeKind.TOPUP if kind == b"tr" else NoticeKind.IGNORED
        # Ours are found by Mollie's id: the webhook names nothing else.
        return Delivery(hint_proof(raw), (Notice(ref, Target(ref, ref, ref), about),))

    def close(self) -> None:
        """Closes the connections."""
        self._wire.close()

    def _look(self, ref: str, key: str, until: float) -> Observation:
        answer = self._wire.ask(Asking("GET", f"{_path(ref)}?{EMBED}", until), PaymentShape)
        if isinstance(answer, wire.Refused):
            return Absent() if answer.code == wire.NOT_FOUND else Unknown(answer.code, ref=ref)
        return self._seen(answer, ref, key) if isinstance(answer, PaymentShape) else _seen_nothing(answer)

    def _seen(self, payment: PaymentShape, ref: str, key: str) -> TopUpOutcome:
        same = payment.id == ref and self._is(payment, key)
        return reading.outcome_of(payment) if same else Unknown(OTHER_OBJECT, ref=ref)

    def _is(self, payment: PaymentShape, key: str) -> bool:
        ours = payment.ours
        return ours is not None and ours.key == key and ours.instance == self._host.instance

    def _payments(self, pages_max: int, until: float) -> Iterator[PaymentShape | Unknown]:
        """The payments of the profile, the newest first, and an `Unknown` where they cannot all be seen."""
        since: str | None = None
        for _ in range(pages_max):
            path = f"payments?limit={PAGE}" + (f"&from={quote(since, safe='')}" if since else "")
            answer = self._wire.ask(Asking("GET", path, until), PageShape)
            if not isinstance(answer, PageShape):
                yield Unknown(answer.code) if isinstance(answer, wire.Refused) else _seen_nothing(answer)
                return
            yield from answer.found.payments
            since = _from_of(answer)
            if since is None:
                return
        yield Unknown(NOT_LISTED)


def _path(ref: str) -> str:
    return f"payments/{quote(ref, safe='')}"


def _from_of(page: PageShape) -> str | None:
    """Where the next page begins. The link's own address is not followed: it could lead anywhere."""
    if page.links.next is None:
        return None
    names = parse_qs(urlsplit(page.links.next.href).query).get("from")
    return names[0] if names else None


def _seen_nothing(answer: NotExecuted | Unknown) -> Unknown:
    # That we could not look proves nothing about the payment.
    return Unknown(answer.code) if isinstance(answer, NotExecuted) else answer
