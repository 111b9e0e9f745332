"""Looks at a payment in full: its session, and what went back of it."""

from datetime import datetime
from typing import Final

import stripe
from stripe.params.checkout import SessionListParams

from shoutgraph.sdk import Absent, NoAnswer, TopUpOutcome, Unknown
from shoutgraph_stripe import door, payments, wire, words
from shoutgraph_stripe.payments import Reversals
from shoutgraph_stripe.shapes import (
    ChargeShape,
    DisputeShape,
    DisputesShape,
    IntentShape,
    RefundShape,
    RefundsShape,
    SessionShape,
    SessionsShape,
)
from shoutgraph_stripe.wire import Refused

PAGE: Final = 100
PAGES_MAX: Final = 20
"""The most pages of one listing: with more, the listing is no answer, rather than half of one."""

CHARGE: Final = ("latest_charge.balance_transaction", "latest_charge.refunds")
WHOLE: Final = tuple(f"payment_intent.{path}" for path in CHARGE)
_LISTED: Final = tuple(f"data.{path}" for path in WHOLE)
TOO_MANY: Final = "too_many_of_one_payment"


class Reader:
    """Reads payments, and changes nothing."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._client, api = client, client.v1
        self._sessions = api.checkout.sessions
        self._intents = api.payment_intents

    async def session(self, ref: str) -> SessionShape | Absent | Unknown:
        """The session with this ref, or that of the payment with this ref."""
        if not ref.startswith("pi_"):
            answer = await wire.ask(self._sessions.retrieve_async(ref, {"expand": list(WHOLE)}), SessionShape)
            if isinstance(answer, SessionShape):
                return await self._whole(answer)
            return Absent() if isinstance(answer, Refused) and answer.is_missing else wire.unknown(answer)
        wanted = self._sessions.list_async({"payment_intent": ref, "limit": 1, "expand": list(_LISTED)})
        page = await wire.ask(wanted, SessionsShape)
        if isinstance(page, SessionsShape):
            found = next(iter(page.data), None)
            if isinstance(found, SessionShape):
                return await self._whole(found)
            return Absent() if found is None or words.INSTANCE not in found.metadata else Unknown(wire.UNREADABLE)
        return Absent() if isinstance(page, Refused) and page.is_missing else wire.unknown(page)

    async def page(self, since: datetime, after: str | None) -> SessionsShape:
        """A page of the sessions since a time, newest first.

        Raises:
            RuntimeError: Stripe did not answer.
        """
        wanted: SessionListParams = {
            "created": {"gte": int(since.timestamp())},
            "limit": PAGE,
            "expand": list(_LISTED),
        }
        if after is not None:
            wanted["starting_after"] = after
        page = await wire.ask(door.listed(self._client, "/v1/checkout/sessions", wanted), SessionsShape)
        if not isinstance(page, SessionsShape):
            raise NoAnswer("Stripe did not list its sessions")
        return page

    async def known(self, session: SessionShape) -> TopUpOutcome:
        """What the payment of a session is."""
        reversals = await self.reversals(session)
        return reversals if isinstance(reversals, Unknown) else payments.outcome_of(session, reversals)

    async def reversals(self, session: SessionShape, *, failed: bool = False) -> Reversals | Unknown:
        """What went back, asked for unless the payment shows all of it, or says that nothing did.

        Args:
            failed: also the refunds that came to nothing, where the payment does not show them.
        """
        intent = payments.intent_of(session)
        if intent is None or intent.latest_charge is None:
            return payments.NOTHING
        charge = payments.charge_of(session)
        refunds = await self._refunds(intent.id, charge, failed=failed)
        if isinstance(refunds, Unknown):
            return refunds
        disputes = await self._disputes_of(intent.id) if charge is None or charge.disputed else []
        return disputes if isinstance(disputes, Unknown) else Reversals(refunds, disputes)

    async def _whole(self, session: SessionShape) -> SessionShape | Unknown:
        """The session with its payment, which is asked for by itself where the session names it only."""
        if not isinstance(session.payment_intent, str):
            return session
        work = self._intents.retrieve_async(session.payment_intent, {"expand": list(CHARGE)})
        intent = await wire.ask(work, IntentShape)
        if not isinstance(intent, IntentShape):
            return wire.unknown(intent)
        return session.model_copy(update={"payment_intent": intent})

    async def _refunds(self, payment: str, charge: ChargeShape | None, *, failed: bool) -> list[RefundShape] | Unknown:
        shown = None if charge is None else charge.refunds
        if shown is not None and not shown.has_more:
            return shown.data
        if charge is None or shown is not None or failed or charge.amount_refunded > 0:
            return await self._refunds_of(payment)
        return []

    async def _refunds_of(self, payment: str) -> list[RefundShape] | Unknown:
        page = await wire.ask(
            door.listed(self._client, "/v1/refunds", {"payment_intent": payment, "limit": PAGE}), RefundsShape
        )
        if not isinstance(page, RefundsShape):
            return wire.unknown(page)
        return Unknown(TOO_MANY) if page.has_more else page.data

    async def _disputes_of(self, payment: str) -> list[DisputeShape] | Unknown:
        page = await wire.ask(
            door.listed(self._client, "/v1/disputes", {"payment_intent": payment, "limit": PAGE}), DisputesShape
        )
        if not isinstance(page, DisputesShape):
            return wire.unknown(page)
        return Unknown(TOO_MANY) if page.has_more else page.data
