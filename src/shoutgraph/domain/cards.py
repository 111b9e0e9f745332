"""Gift cards: bought coins that are set aside under a code, until somebody redeems it or they go back.

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

from shoutgraph.domain import accounts, errors, ids, promotions
from shoutgraph.domain.checks import Checks, tidy
from shoutgraph.domain.ledger import Lot, LotMove
from shoutgraph.domain.policies import Policy

MESSAGE_CHARS_MAX: Final = 200
HOLDING: Final = "card"
"""How the accounts begin that hold the coins of one card."""


class CardState(StrEnum):
    """Where a gift card stands."""

    OPEN = "OPEN"
    REDEEMED = "REDEEMED"
    CANCELLED = "CANCELLED"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"


RETURNS: Final = frozenset({CardState.CANCELLED, CardState.REVOKED, CardState.EXPIRED})
"""Ends at which the coins go back to the buyer's lots."""


@dataclass(frozen=True, slots=True)
class Card:
    """A gift card. `taken` is what left the buyer's lots; its code is kept as a digest, and `hint` is how it ends."""

    id: str
    buyer_id: ids.UserId
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


def check_bought(coins: int, message: str | None, *, open_cards: int, policy: Policy) -> None:
    """Refuses a card that is too small or too large, one too many, or a message that breaks a rule.

    Raises:
        ValidationError: the message breaks a rule.
        LimitExceededError: the coins are outside of the limits, or too many cards are open.
    """
    checks = Checks()
    if message is not None:
        checks.text("message", message, chars_max=MESSAGE_CHARS_MAX, lines=True)
    checks.settle()
    low, high, most, path = policy.card_min_coins, policy.card_max_coins, policy.cards_open_max, ("input", "coins")
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


def refusal() -> errors.ValidationError:
    """The one refusal of a code, whatever the reason."""
    msg = "This code is of no gift card that can be redeemed."
    return errors.ValidationError(msg, code="CARD_CODE_INVALID", path=("input", "code"))


def check_redeemable(card: Card | None, *, now: datetime) -> Card:
    """The card, if it can be redeemed now.

    Raises:
        ValidationError: it cannot, or there is none.
    """
    if card is None or card.state is not CardState.OPEN or (card.expires_at is not None and card.expires_at <= now):
        raise refusal()
    return card


def check_cancellable(card: Card, buyer_id: ids.UserId) -> None:
    """Refuses to cancel another's card, or one that has ended.

    Raises:
        NotFoundError: it is another's.
        ValidationError: it has ended.
    """
    path = ("input", "giftCardId")
    if card.buyer_id != buyer_id:
        raise errors.NotFoundError("There is no such gift card.", path=path)
    if card.state is not CardState.OPEN:
        msg = f"Only an open gift card is cancelled; this one is {card.state}."
        raise errors.ValidationError(msg, code="CARD_STATE", path=path)


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


def tidied(message: str | None) -> str | None:
    """A message as it is kept."""
    return None if message is None else tidy(message) or None
