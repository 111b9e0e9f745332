"""Global ids: a type prefix, an underscore, and a UUIDv7 in 26 characters of base32 (the TypeID form).

They sort by time, show their type in logs and URLs, and are opaque to clients.
Source: docs/adr/0004-typeids.md.
"""

import re
from collections.abc import Callable
from typing import NewType

from shoutgraph.domain import errors

NewId = Callable[[str], str]
"""Makes a fresh id with the given prefix."""

UserId = NewType("UserId", str)
CreatorId = NewType("CreatorId", str)
OfferId = NewType("OfferId", str)
OrderId = NewType("OrderId", str)
TopupId = NewType("TopupId", str)
RefundId = NewType("RefundId", str)
PayoutId = NewType("PayoutId", str)
VideoId = NewType("VideoId", str)
GiftId = NewType("GiftId", str)
RatingId = NewType("RatingId", str)
WaitlistId = NewType("WaitlistId", str)
CampaignId = NewType("CampaignId", str)

USER = "user"
CREATOR = "creator"
OFFER = "offer"
ORDER = "order"
PACKAGE = "package"
TOPUP = "topup"
REFUND = "refund"
PAYOUT = "payout"
RECIPIENT = "recipient"
VIDEO = "video"
EVENT = "event"
LOT = "lot"
WALLET = "wallet"
API_KEY = "apikey"
CALL = "call"
EARNING = "earning"
DISPUTE = "dispute"
BATCH = "batch"
BANK_FILE = "bankfile"
RESOLUTION = "resolution"
GIFT = "gift"
STICKER = "sticker"
RATING = "rating"
ATTACHMENT = "attachment"
SAMPLE = "sample"
PROMOTION = "promotion"
GIFT_CARD = "giftcard"
CARD_ISSUE = "cardissue"
PROMO_CODE = "promocode"
PROMO_USE = "promouse"
MANIFEST = "manifest"
PAYOUT_HOLD = "hold"
AUDIT = "audit"
WAITLIST = "waitlist"
CAMPAIGN = "campaign"
ADJUSTMENT = "adjustment"
WRITE_OFF = "writeoff"
LEDGER_ADJUSTMENT = "ledgeradj"
FEATURE = "feature"
ERASURE = "erasure"
CLOSURE = "closure"
REPORT = "report"
DECISION = "decision"
EXPORT = "export"
ENDPOINT = "endpoint"
DELIVERY = "delivery"
SUSPENSE_LINE = "suspense"
DORMANCY = "dormancy"

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
SUFFIX_CHARS = 26
UUID_BYTES = 16

_FORM = re.compile(rf"([a-z]{{2,12}})_([0-7][{ALPHABET}]{{25}})")


def encode(prefix: str, uuid_bytes: bytes) -> str:
    """Writes 16 bytes of a UUIDv7 as an id with this prefix."""
    assert len(uuid_bytes) == UUID_BYTES, "a UUID has 16 bytes"
    number = int.from_bytes(uuid_bytes)
    suffix = "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
    return f"{prefix}_{suffix}"


def prefix_of(value: str) -> str | None:
    """The prefix of a well-formed id, or None."""
    match = _FORM.fullmatch(value)
    return match.group(1) if match else None


def parse(prefix: str, value: str, *, path: tuple[str, ...]) -> str:
    """Gives back `value` if it is an id with this prefix.

    Raises:
        ValidationError: the text is not an id, or it is the id of another type.
    """
    if prefix_of(value) != prefix:
        msg = f"Expected an id that starts with '{prefix}_'."
        raise errors.ValidationError(msg, code="INVALID_ID", path=path)
    return value
