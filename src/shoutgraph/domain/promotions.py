"""Promotions: codes that make a top-up cheaper or larger, or that grant coins; how often, when, and for whom.

A code that cannot be used is refused in one way, whatever the reason, so that nobody learns which codes exist.
Units: coins, minor units, seconds (`_s`), basis points (`_bps`).
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors, ids, money
from shoutgraph.domain.checks import Checks, tidy
from shoutgraph.domain.ledger import Lot
from shoutgraph.domain.topups.topup import Status, Terms

LABEL_CHARS_MAX: Final = 80
REASON_CHARS_MAX: Final = 500
COINS_MAX: Final = 100_000
"""Most coins that one use gives."""
USES_MAX: Final = 10**7
CODES_MAX: Final = 500
"""Most codes that are made at once."""
COUNTRIES_MAX: Final = 250
LIFE_MAX_S: Final = 5 * 366 * 24 * 3_600
CODE_CHARS: Final = 16
"""Characters of a code that we make: 80 random bits."""
ATTEMPTS_MAX: Final = 10
"""Codes that a person tries in an hour."""
ATTEMPTS_WINDOW: Final = timedelta(hours=1)

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE: Final = re.compile(r"[A-Z0-9]{4,32}")
_LEFT_OUT: Final = str.maketrans("", "", " -")


class Kind(StrEnum):
    """What a promotion gives."""

    BONUS_SHARE = "BONUS_SHARE"
    BONUS_COINS = "BONUS_COINS"
    DISCOUNT = "DISCOUNT"
    GRANT = "GRANT"


class UseState(StrEnum):
    """Where a use of a code stands."""

    RESERVED = "RESERVED"
    USED = "USED"
    RETURNED = "RETURNED"


@dataclass(frozen=True, slots=True)
class Offered:
    """What a promotion gives, to whom and when, as staff say it.

    `amount` is basis points for BONUS_SHARE and DISCOUNT, else coins; `amount_max` bounds what a share comes to: coins,
    or minor units for a discount.
    """

    label: str
    kind: Kind
    amount: int
    starts_at: datetime
    ends_at: datetime | None = None
    amount_max: int | None = None
    uses_max: int | None = None
    code_uses_max: int | None = None
    user_uses_max: int = 1
    countries: tuple[str, ...] = ()
    first_only: bool = False
    coins_min: int = 0
    life_s: int = 90 * 24 * 3_600


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promotion as it stands; what it gives never changes."""

    id: str
    offered: Offered
    created_by: str
    reason: str
    created_at: datetime
    uses: int = 0
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """One code of a promotion. It is kept as a digest; `hint` is how it ends."""

    id: str
    promotion_id: str
    digest: bytes = field(repr=False)
    hint: str
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a code by one person. `slot` numbers the uses of one promotion by one person."""

    id: str
    promotion_id: str
    code_id: str
    user_id: ids.UserId
    topup_id: ids.TopupId | None
    slot: int
    state: UseState
    coins: int
    discount_minor: int
    at: datetime
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides whether somebody may use a code: where they live, what they bought before and what they used."""

    country: str
    bought_before: bool
    slots: frozenset[int]


def check(offered: Offered, *, reason: str, now: datetime) -> None:
    """Refuses a promotion that makes no sense.

    Raises:
        ValidationError: a field is out of its range (an `ExceptionGroup` where several are).
    """
    checks = Checks()
    checks.text("label", offered.label, chars_max=LABEL_CHARS_MAX)
    checks.text("reason", reason, chars_max=REASON_CHARS_MAX, lines=True)
    share = offered.kind in {Kind.BONUS_SHARE, Kind.DISCOUNT}
    top = money.BPS - 1 if offered.kind is Kind.DISCOUNT else 10 * money.BPS
    checks.between("amount", offered.amount, 1, top if share else COINS_MAX)
    for name, value in (("amountMax", offered.amount_max), ("usesMax", offered.uses_max)):
        checks.between(name, 1 if value is None else value, 1, USES_MAX)
    checks.between("codeUsesMax", offered.code_uses_max or 1, 1, USES_MAX)
    checks.between("userUsesMax", offered.user_uses_max, 1, 100)
    checks.between("coinsMin", offered.coins_min, 0, 10**7)
    checks.between("lifeSeconds", offered.life_s, 1, LIFE_MAX_S)
    for country in offered.countries[:COUNTRIES_MAX]:
        checks.country("countries", country)
    if len(offered.countries) > COUNTRIES_MAX:
        checks.add("countries", f"countries has at most {COUNTRIES_MAX} items.", "TOO_MANY")
    if offered.ends_at is not None and offered.ends_at <= max(offered.starts_at, now):
        checks.add("endsAt", "endsAt is after startsAt, and not past.", "OUT_OF_RANGE")
    checks.settle()


def normal(code: str) -> str | None:
    """A code as it is compared: capitals, without blanks and hyphens; None where it cannot be one."""
    text = tidy(code).upper().translate(_LEFT_OUT)
    return text if _CODE.fullmatch(text) else None


def digest_of(code: str) -> bytes:
    """What is kept of a code."""
    return hashlib.sha256(b"shoutgraph promo code\x00" + code.encode()).digest()


def code_from(secret: str) -> str:
    """A random code, out of a secret of 256 bits."""
    number = int.from_bytes(hashlib.sha256(secret.encode()).digest())
    return "".join(_ALPHABET[(number >> (5 * at)) & 31] for at in range(CODE_CHARS))


def refusal() -> errors.ValidationError:
    """The one refusal of a code, whatever the reason."""
    msg = "This code cannot be used for this."
    return errors.ValidationError(msg, code="PROMO_CODE_INVALID", path=("input", "promoCode"))


def check_usable(promotion: Promotion, code: Code, facts: Facts, *, coins: int | None, now: datetime) -> int:
    """The number of this person's use, if they may use the code; `coins` are bought, None for a grant.

    Raises:
        ValidationError: they may not.
    """
    offered = promotion.offered
    slot = next((each for each in range(1, offered.user_uses_max + 1) if each not in facts.slots), None)
    fits = (
        (offered.kind is Kind.GRANT) == (coins is None),
        promotion.ended_at is None,
        offered.starts_at <= now,
        offered.ends_at is None or now < offered.ends_at,
        offered.uses_max is None or promotion.uses < offered.uses_max,
        offered.code_uses_max is None or code.uses < offered.code_uses_max,
        not offered.countries or facts.country in offered.countries,
        not (offered.first_only and facts.bought_before),
        coins is None or coins >= offered.coins_min,
    )
    if slot is None or not all(fits):
        raise refusal()
    return slot


def applied(promotion: Promotion, terms: Terms) -> Terms:
    """The terms of a top-up with what the promotion gives; every division rounds in favour of the ledger."""
    offered = promotion.offered
    if offered.kind is Kind.DISCOUNT:
        off = money.share(terms.price_minor, offered.amount)
        off = min(off, terms.price_minor - 1, off if offered.amount_max is None else offered.amount_max)
        left = terms.price_minor - off
        book_units = terms.book_units * left // terms.price_minor
        return replace(terms, price_minor=left, book_units=book_units, discount_minor=off, promotion_id=promotion.id)
    more = offered.amount if offered.kind is Kind.BONUS_COINS else terms.coins * offered.amount // money.BPS
    most = COINS_MAX if offered.amount_max is None else min(offered.amount_max, COINS_MAX)
    life_s = offered.life_s if terms.bonus_s is None else min(terms.bonus_s, offered.life_s)
    return replace(terms, bonus_coins=terms.bonus_coins + min(more, most), bonus_s=life_s, promotion_id=promotion.id)


def state_for(status: Status) -> UseState:
    """Where a use stands, once its top-up stands so. Refunds and charge-backs take the coins; the use stays used."""
    if status is Status.FAILED:
        return UseState.RETURNED
    open_ = {Status.CREATED, Status.PROCESSING, Status.ACTION_REQUIRED, Status.PENDING, Status.NEEDS_REVIEW}
    return UseState.RESERVED if status in open_ else UseState.USED


def granted_lot(promotion: Promotion, lot_id: str, *, user_id: ids.UserId, account: str, now: datetime) -> Lot:
    """The coins that a code grants."""
    coins = promotion.offered.amount
    return Lot(
        id=lot_id,
        account=account,
        user_id=user_id,
        topup_id=None,
        granted=coins,
        remaining=coins,
        price_minor=0,
        currency=None,
        country=None,
        granted_at=now,
        expires_at=now + timedelta(seconds=promotion.offered.life_s),
    )


def check_attempts(tried: int) -> None:
    """Refuses somebody who tries code after code.

    Raises:
        LimitExceededError: they tried too many in this window.
    """
    if tried > ATTEMPTS_MAX:
        msg = f"At most {ATTEMPTS_MAX} codes are tried in an hour."
        raise errors.LimitExceededError(msg, code="CODE_ATTEMPTS", limit=ATTEMPTS_MAX)


def check_codes(codes: Sequence[str], *, wanted: int) -> tuple[str, ...]:
    """The codes that staff chose, as they are compared.

    Raises:
        ValidationError: neither codes nor a number of them, both, one that cannot be one, or too many.
    """
    path = ("input", "codes")
    if bool(codes) == bool(wanted) or len(codes) > CODES_MAX or not 0 <= wanted <= CODES_MAX:
        msg = f"Give up to {CODES_MAX} codes, or how many are to be made."
        raise errors.ValidationError(msg, code="PROMO_CODES", path=path)
    found = tuple(normal(code) for code in codes)
    if None in found or len(set(found)) != len(found):
        msg = "A code has 4 to 32 letters and digits, and is named once."
        raise errors.ValidationError(msg, code="PROMO_CODES", path=path)
    return tuple(code for code in found if code is not None)
