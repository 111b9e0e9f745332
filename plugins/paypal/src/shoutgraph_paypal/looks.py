"""Looks at orders, captures and disputes. Nothing here changes anything."""

from dataclasses import replace
from typing import Final

from shoutgraph.sdk import Absent, Host, TopUpOutcome, Unknown
from shoutgraph_paypal import payments, wire, words
from shoutgraph_paypal.payments import Known
from shoutgraph_paypal.shapes import CaptureShape, DisputeShape, DisputesShape, OrderShape
from shoutgraph_paypal.wire import Asking, Refused, Wire

DISPUTES_MAX: Final = 10
"""The most disputes about one payment: with more, the look is no answer, rather than half of one."""


class Reader:
    """Reads what PayPal has of this instance."""

    def __init__(self, wire_: Wire, host: Host) -> None:
        self._wire = wire_
        self._host = host

    async def order(self, order_id: str) -> Known | Absent | Unknown:
        """An order of ours, without its disputes."""
        answer = await self._wire.ask(Asking("GET", f"/v2/checkout/orders/{order_id}"), OrderShape)
        if isinstance(answer, Refused) and answer.is_missing:
            return Absent()
        if not isinstance(answer, OrderShape):
            return wire.unknown(answer)
        known = payments.known_of(answer, self._host.instance) if answer.id == order_id else None
        return Unknown(wire.OTHER_OBJECT) if known is None else known

    async def of_capture(self, capture_id: str) -> Known | Absent | Unknown:
        """The order that a capture was made for; absent where it is none of ours."""
        answer = await self._wire.ask(Asking("GET", f"/v2/payments/captures/{capture_id}"), CaptureShape)
        if isinstance(answer, Refused) and answer.is_missing:
            return Absent()
        if not isinstance(answer, CaptureShape):
            return wire.unknown(answer)
        ours = words.ours_of(answer.custom_id)
        order_id = answer.supplementary_data.related_ids.order_id
        if ours is None or ours.instance != self._host.instance or order_id is None or not words.is_id(order_id):
            return Absent()
        return await self.order(order_id)

    async def disputed(self, known: Known) -> Known | Unknown:
        """The order with the disputes about what was paid of it; only of what was paid are there any."""
        found: list[DisputeShape] = []
        for capture in payments.captures_of(known.order):
            disputes = await self._disputes(capture.id)
            if isinstance(disputes, Unknown):
                return replace(disputes, ref=known.ref)
            found += disputes
        return replace(known, disputes=tuple(found))

    async def outcome(self, known: Known) -> TopUpOutcome:
        """What an order shows, with its disputes."""
        whole = await self.disputed(known)
        return whole if isinstance(whole, Unknown) else payments.outcome_of(whole, self._host.now())

    async def _disputes(self, capture_id: str) -> list[DisputeShape] | Unknown:
        if not words.is_id(capture_id):
            return Unknown(wire.UNREADABLE)
        path = f"/v1/customer/disputes?disputed_transaction_id={capture_id}&page_size={DISPUTES_MAX}"
        page = await self._wire.ask(Asking("GET", path), DisputesShape)
        if not isinstance(page, DisputesShape):
            return wire.unknown(page)
        ids = [each.dispute_id for each in page.items]
        if any(link.rel == "next" for link in page.links) or not all(_is_dispute(each) for each in ids):
            return Unknown(wire.UNREADABLE)
        found: list[DisputeShape] = []
        for dispute_id in ids:
            dispute = await self._wire.ask(Asking("GET", f"/v1/customer/disputes/{dispute_id}"), DisputeShape)
            if not isinstance(dispute, DisputeShape):
                return wire.unknown(dispute)
            found.append(dispute)
        return found


def _is_dispute(dispute_id: str) -> bool:
    return all(words.is_id(part) for part in dispute_id.split("-"))
