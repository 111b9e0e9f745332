"""Redeems receipts of the App Store, looks at purchases, and reads its notifications."""

from datetime import datetime, timedelta
from typing import Final

from appstoreserverlibrary.models.JWSTransactionDecodedPayload import JWSTransactionDecodedPayload as Transaction
from appstoreserverlibrary.models.NotificationTypeV2 import NotificationTypeV2
from appstoreserverlibrary.models.ResponseBodyV2DecodedPayload import ResponseBodyV2DecodedPayload as Notification
from appstoreserverlibrary.models.Type import Type
from pydantic import BaseModel

from shoutgraph.sdk import (
    Absent,
    Call,
    Declined,
    Delivery,
    Host,
    MalformedNotice,
    NotExecuted,
    Notice,
    NoticeKind,
    Observation,
    RawWebhook,
    Redemption,
    Target,
    TopUpOutcome,
    Unknown,
    external_proof,
)
from shoutgraph_appstore import purchases, receipts, wire
from shoutgraph_appstore.config import AppStoreConfig

SCHEME: Final = "app-store-notification-v2"
AHEAD_MAX: Final = timedelta(minutes=5)
"""How far in the future a notification may be signed. It may be old: the store tries again for a week."""

TELLING: Final = frozenset(
    {NotificationTypeV2.ONE_TIME_CHARGE, NotificationTypeV2.REFUND, NotificationTypeV2.REFUND_REVERSED}
)
"""The notifications that tell of the money of a consumable."""

OTHER_OBJECT: Final = "other_object"
NOT_FOUND: Final = "not_found"
UNCHECKED: Final = "certificates_unconfirmed"


class _Body(BaseModel):
    signedPayload: str  # noqa: N815 -- the store's name


class AppStore:
    """The provider of one application."""

    def __init__(self, config: AppStoreConfig, host: Host) -> None:
        self._receipts = receipts.Receipts(config)
        self._wire = wire.Wire(config, host)

    async def redeem(self, request: Redemption) -> TopUpOutcome:
        """Redeems a receipt: it has to be genuine, the fan's and of the product; then the store says what it is now.

        A receipt keeps saying what was true when the device got it; only the store knows of a refund since.
        """
        try:
            bought = self._receipts.transaction(request.proof)
        except receipts.NotGenuineError as refused:
            return Declined(None, refused.code)
        refused_as = purchases.refusal_of(bought, request)
        if refused_as is not None or not bought.transactionId:
            # Without a ref: whoever presents what is not theirs must not take its number from the one whose it is.
            return Declined(None, refused_as or purchases.UNREADABLE)
        now = await self._look(bought.transactionId)
        if not isinstance(now, Transaction):
            return Unknown(NOT_FOUND, ref=bought.transactionId) if isinstance(now, Absent) else now
        refused_as = purchases.refusal_of(now, request)
        return Declined(None, refused_as) if refused_as else purchases.outcome_of(now)

    async def fetch(self, target: Target, call: Call) -> Observation:
        """Looks at a purchase."""
        del call
        if target.ref is None:
            return Unknown("no_ref")
        seen = await self._look(target.ref)
        if isinstance(seen, Transaction):
            return purchases.outcome_of(seen)
        # That we could not look proves nothing about the purchase.
        return Unknown(seen.code, ref=target.ref) if isinstance(seen, NotExecuted) else seen

    def receive(self, raw: RawWebhook) -> Delivery:
        """Proves and reads a notification.

        Raises:
            BadSignature: it is not proven.
            MalformedNotice: it is proven and has no id.
        """
        told: list[tuple[Notification, Transaction | None]] = []

        def verify(given: RawWebhook) -> datetime | None:
            notification = self._receipts.notification(_Body.model_validate_json(given.body).signedPayload)
            signed = notification.data.signedTransactionInfo if notification.data else None
            told.append((notification, self._receipts.transaction(signed) if signed else None))
            return _signed_at(notification, given.received_at)

        proof = external_proof(raw, SCHEME, verify, tolerance=None)
        ((notification, bought),) = told
        if not notification.notificationUUID:
            raise MalformedNotice("a notification without an id")
        return Delivery(proof, (_notice(notification.notificationUUID, notification, bought, proof.signed_at),))

    async def aclose(self) -> None:
        """Lets the threads go."""
        self._receipts.close()

    async def _look(self, ref: str) -> Transaction | Absent | NotExecuted | Unknown:
        """The purchase as the store has it now."""
        answer = await self._wire.transaction(ref)
        if not isinstance(answer, str):
            return answer
        try:
            bought = self._receipts.transaction(answer)
            await self._receipts.check(answer)
        except receipts.NotGenuineError as refused:
            return Unknown(refused.code, ref=ref)
        except receipts.UncheckedError:
            return Unknown(UNCHECKED, ref=ref)
        return bought if bought.transactionId == ref else Unknown(OTHER_OBJECT, ref=ref)


def _signed_at(notification: Notification, now: datetime) -> datetime | None:
    if notification.signedDate is None:
        return None
    signed_at = purchases.at(notification.signedDate)
    if signed_at > now + AHEAD_MAX:
        raise ValueError("signed in the future")
    return signed_at


def _notice(notice_id: str, told: Notification, bought: Transaction | None, signed_at: datetime | None) -> Notice:
    """What a notification says; one of a kind or a product that is no concern of ours says nothing."""
    ref = bought.transactionId if bought else None
    if told.notificationType not in TELLING or bought is None or ref is None or bought.type is not Type.CONSUMABLE:
        return Notice(notice_id, Target(notice_id, notice_id), NoticeKind.IGNORED)
    reversed_ = told.notificationType is NotificationTypeV2.REFUND_REVERSED
    seen = purchases.outcome_of(bought, refund_reversed=reversed_)
    # Ours are found by the store's number: a transaction does not say which of our operations it is.
    return Notice(notice_id, Target(ref, ref, ref), NoticeKind.TOPUP, observation=seen, occurred_at=signed_at)
