"""What a transaction of the App Store is in the words of the SDK. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Final

from appstoreserverlibrary.models.JWSTransactionDecodedPayload import JWSTransactionDecodedPayload as Transaction
from appstoreserverlibrary.models.RevocationType import RevocationType
from appstoreserverlibrary.models.Type import Type

from shoutgraph.sdk import OTHER_PRODUCT, Money, Redemption, Settled, Totals, Unknown, from_provider
from shoutgraph_appstore import buyers

MILLI_DIGITS: Final = 3
"""A price counts thousandths of its currency, whatever the currency: 4990 is EUR 4.99, and 160000 is JPY 160."""

WHOLE: Final = 100_000
"""A revocation percentage counts thousandths of a percent."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
OTHER_BUYER: Final = "other_buyer"
NOT_CONSUMABLE: Final = "not_consumable"
UNREADABLE: Final = "unreadable"


def refusal_of(bought: Transaction, request: Redemption) -> str | None:
    """Why a genuine receipt is not worth what the fan asks for it, or None where it is."""
    if bought.type is not Type.CONSUMABLE:
        return NOT_CONSUMABLE
    if bought.productId != request.product:
        return OTHER_PRODUCT
    if not buyers.is_of(bought.appAccountToken, request.customer_ref):
        return OTHER_BUYER
    return None


def outcome_of(bought: Transaction, *, refund_reversed: bool = False) -> Settled | Unknown:
    """What was paid for a purchase, and what of it the store gave back.

    The purchase says what is so now: of a refund that the store took back, it says nothing. So whoever was told
    of that counts all of it as refunded and as come back, however much it was.

    The price is that of all that was bought at once: who bought two of a product paid another price than its own, which
    the host sees.
    """
    ref = bought.transactionId or None
    if ref is None or bought.price is None or bought.currency is None or bought.purchaseDate is None:
        return Unknown(UNREADABLE, ref=ref)
    try:
        paid = from_provider(bought.price, bought.currency, {bought.currency: MILLI_DIGITS})
        refunded, nothing = _refunded(bought, paid), Money(0, paid.currency)
        totals = Totals(paid, refunded, nothing)
        if refund_reversed and refunded == nothing:
            totals = Totals(paid, paid, nothing, refunds_failed=paid)
        return Settled(ref, totals, at(bought.purchaseDate))
    except ValueError as error:
        return Unknown(UNREADABLE, ref=ref, detail=str(error))


def at(milliseconds: int) -> datetime:
    """The time that the store means.

    Raises:
        ValueError: it is out of range.
    """
    try:
        return EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError as error:
        raise ValueError("a time out of range") from error


def _refunded(bought: Transaction, paid: Money) -> Money:
    """What the store gave back. A part is rounded up, to our loss of coins rather than of money."""
    if bought.revocationDate is None or bought.revocationType is RevocationType.FAMILY_REVOKE:
        return Money(0, paid.currency)
    if bought.revocationPercentage is None:
        return paid
    part = min(max(bought.revocationPercentage, 0), WHOLE)
    return Money(-(-paid.minor * part // WHOLE), paid.currency)
