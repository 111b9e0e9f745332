"""Gift cards: coins that are set aside under a code, until somebody redeems it or they go back.

A fan takes the coins out of the wallet, or buys them for the card: then it is made when its top-up is paid, of the lot
that the top-up grants, and its code is made when the buyer asks for it.

The coins leave the buyer's lots and stay what they are: bought coins with a price. While a card is open its buyer can
cancel it; when it lapses, or the buyer's payment goes back, the coins return to the same lots. Whoever redeems it gets
lots at the same price, and what becomes of the buyer's payment afterwards is the buyer's debt.
Units: coins, seconds (`_s`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import accounts, clock, errors, ids, promotions
from shoutgraph.domain.checks import Checks, tidy
from shoutgraph.domain.ledger import Lot, LotMove
from shoutgraph.domain.policies import Policy

MESSAGE_CHARS_MAX: Final = 200
NAME_CHARS_MAX: Final = 60
HINT_CHARS: Final = 3
"""How much of the end of a code is kept."""
HOLDING: Final = "card"
"""How the accounts begin that hold the coins of one card."""


class CardState(StrEnum):
    """Where a gift card stands."""

    OPEN = "OPEN"
    REDEEMED = "REDEEMED"
    CANCELLED = "CANCELLED"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    VOIDED = "VOIDED"


RETURNS: Final = frozenset({CardState.CANCELLED, CardState.REVOKED, CardState.EXPIRED, CardState.VOIDED})
"""Ends at which the coins go back where they came from."""
VOID: Final = frozenset({CardState.REVOKED, CardState.VOIDED})
"""Ends that whoever was given a code is told of."""


class Origin(StrEnum):
    """How a gift card came to be."""

    COINS = "COINS"
    PURCHASE = "PURCHASE"
    ISSUED = "ISSUED"


class PurchaseState(StrEnum):
    """What became of a card that was to be bought with money."""

    WAITING = "WAITING"
    ISSUED = "ISSUED"
    KEPT = "KEPT"


class Kept(StrEnum):
    """Why there is no card though it was paid: its coins stayed in the buyer's wallet."""

    ACCOUNT_LOCKED = "ACCOUNT_LOCKED"
    WALLET_LOCKED = "WALLET_LOCKED"
    DEBT = "DEBT"


@dataclass(frozen=True, slots=True)
class Words:
    """What a buyer says with a card, and to whom."""

    message: str | None = None
    recipient_name: str | None = None


NO_WORDS: Final = Words()


@dataclass(frozen=True, slots=True)
class Purchase:
    """A top-up whose coins are to become a card, and what became of it. Once there is a card, the words are with it."""

    topup_id: ids.TopupId
    buyer_id: ids.UserId
    created_at: datetime
    message: str | None = None
    recipient_name: str | None = None
    state: PurchaseState = PurchaseState.WAITING
    card_id: str | None = None
    kept: Kept | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A gift card. `taken` is what left the buyer's lots; its code is kept as a digest, and `hint` is how it ends.

    One that the platform issued has no buyer, and holds granted coins. A card that was bought has no code until its
    buyer asks for one: then `hint` is empty, and nobody knows what the digest is of.
    """

    id: str
    buyer_id: ids.UserId | None
    coins: int
    digest: bytes = field(repr=False)
    hint: str
    state: CardState
    taken: tuple[LotMove, ...]
    created_at: datetime
    expires_at: datetime | None = None
    message: str | None = None
    redeemed_by: ids.UserId | None = None
    ended_at: datetime | None = None
    origin: Origin = Origin.COINS
    topup_id: ids.TopupId | None = None
    recipient_name: str | None = None
    issue_id: str | None = None


def check_words(words: Words, *within: str) -> None:
    """Refuses words that break a rule.

    Raises:
        ValidationError: the message or the name breaks a rule (an `ExceptionGroup` where both do).
    """
    checks = Checks(*within)
    if words.message is not None:
        checks.text("message", words.message, chars_max=MESSAGE_CHARS_MAX, lines=True, empty=True)
    if words.recipient_name is not None:
        checks.text("recipientName", words.recipient_name, chars_max=NAME_CHARS_MAX, empty=True)
    checks.settle()


def check_no_debt(debt_coins: int) -> None:
    """Refuses to buy a card while coins are owed: what is bought pays them first.

    Raises:
        ValidationError: some are.
    """
    if debt_coins:
        msg = f"{debt_coins} coins are owed. Buy coins for your own wallet first: they pay what is owed."
        raise errors.ValidationError(msg, code="CARD_DEBT", path=("input", "asGiftCard"))


def why_kept(*, account_open: bool, wallet_open: bool, debt_coins: int) -> Kept | None:
    """Why coins that were bought for a card stay in the buyer's wallet, or None."""
    if not account_open:
        return Kept.ACCOUNT_LOCKED
    if not wallet_open:
        return Kept.WALLET_LOCKED
    return Kept.DEBT if debt_coins else None


def check_coins(coins: int, *, open_cards: int, policy: Policy, path: tuple[str, ...]) -> None:
    """Refuses a card that is too small or too large, or one too many.

    Raises:
        LimitExceededError: it is.
    """
    low, high, most = policy.card_min_coins, policy.card_max_coins, policy.cards_open_max
    if coins < low:
        raise errors.LimitExceededError(f"A card has at least {low} coins.", code="CARD_MIN", limit=low, path=path)
    if coins > high:
        raise errors.LimitExceededError(f"A card has at most {high} coins.", code="CARD_MAX", limit=high, path=path)
    if open_cards >= most:
        raise errors.LimitExceededError(f"At most {most} cards are open.", code="CARDS_OPEN", limit=most, path=path)


def expiry(country: str, policy: Policy, now: datetime) -> datetime | None:
    """When a card of a buyer there lapses; None where cards never do."""
    life_s = dict(policy.card_life_by_country).get(country, policy.card_life_s)
    return now + timedelta(seconds=life_s) if life_s else None


def digest_of(code: str) -> bytes:
    """What is kept of a card's code."""
    return promotions.digest_of(f"card {code}")


def no_code(card_id: str) -> bytes:
    """What stands for the code of a card that has none: a digest of no text that anybody can redeem."""
    return promotions.digest_of(f"no code of {card_id}")


def refusal() -> errors.ValidationError:
    """The one refusal of a code, whatever the reason."""
    msg = "This code is of no gift card that can be redeemed."
    return errors.ValidationError(msg, code="CARD_CODE_INVALID", path=("input", "code"))


def check_redeemable(card: Card | None, *, now: datetime) -> Card:
    """The card, if it can be redeemed now. Who has the code of one that was called back is told so: it was no guess.

    Raises:
        ValidationError: it cannot, or there is none.
    """
    if card is not None and card.state in VOID:
        msg = "This gift card was called back. Ask whoever gave it to you."
        raise errors.ValidationError(msg, code="CARD_VOID", path=("input", "code"))
    if card is None or card.state is not CardState.OPEN or (card.expires_at is not None and card.expires_at <= now):
        raise refusal()
    return card


def check_waited(sources: Sequence[Lot], *, wait: timedelta, now: datetime) -> None:
    """Refuses to redeem a card whose coins were paid for only now: until then a charge-back finds it open.

    Args:
        sources: the lots that its coins are of.

    Raises:
        ValidationError: it is too soon. Whoever has the code is told so: it was no guess.
    """
    since = max((lot.granted_at + wait for lot in sources), default=now)
    if since > now:
        msg = f"This gift card can be redeemed from {clock.to_text(since)} on."
        raise errors.ValidationError(msg, code="CARD_TOO_SOON", path=("input", "code"))


def check_whole(card: Card | None, *, coins: int, left_coins: int) -> None:
    """Refuses to give back a part of the coins of an open card: whoever has its code may count on all of them.

    Raises:
        ValidationError: it is a part.
    """
    if card is not None and coins < left_coins:
        msg = f"These {left_coins} coins are under an open gift card: give all of them back, or end the card first."
        raise errors.ValidationError(msg, code="CARD_OPEN", path=("input", "topUpId"))


def check_open(card: Card, buyer_id: ids.UserId) -> None:
    """Refuses what a buyer does to another's card, or to one that has ended.

    Raises:
        NotFoundError: it is another's.
        ValidationError: it has ended.
    """
    path = ("input", "giftCardId")
    if card.buyer_id != buyer_id:
        raise errors.NotFoundError("There is no such gift card.", path=path)
    check_still_open(card)


def check_still_open(card: Card) -> None:
    """Refuses what is done to open cards only.

    Raises:
        ValidationError: it has ended.
    """
    if card.state is not CardState.OPEN:
        msg = f"This is done to an open gift card; this one is {card.state}."
        raise errors.ValidationError(msg, code="CARD_STATE", path=("input", "giftCardId"))


def redeemed_lots(
    card: Card, sources: Sequence[Lot], new_ids: Sequence[str], *, by: ids.UserId, now: datetime
) -> tuple[Lot, ...]:
    """The lots of whoever redeems a card: of the same price, currency and country as those that it came from."""
    known = {lot.id: lot for lot in sources}
    found = []
    for move, lot_id in zip(card.taken, new_ids, strict=True):
        source, coins = known[move.lot_id], -move.coins
        price_minor = source.price_minor * coins // source.granted
        fresh = replace(source, id=lot_id, account=accounts.paid(by).code, user_id=by, topup_id=None, granted=coins)
        found.append(replace(fresh, remaining=coins, price_minor=price_minor, granted_at=now, expires_at=None))
    return tuple(found)


def tidied(words: Words) -> Words:
    """Words as they are kept."""
    return Words(*(None if text is None else tidy(text) or None for text in (words.message, words.recipient_name)))
