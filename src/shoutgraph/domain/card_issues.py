"""Gift cards that the platform gives away: one person of finance proposes them, another one confirms it.

Nobody paid for them, so they hold granted coins: whoever redeems one gets coins that lapse, for orders only.
Units: coins.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import accounts, cards, errors, ids
from shoutgraph.domain.cards import Card, CardState, Origin
from shoutgraph.domain.checks import Checks
from shoutgraph.domain.ledger import Account, Lot, Transfer
from shoutgraph.domain.legs import move
from shoutgraph.domain.policies import Policy

KIND: Final = "card.issued"
"""The kind of the transfer that a confirmed issue posts."""
HOLDING: Final = "issue"
"""How the accounts begin that hold the coins of the cards of one issue."""
REASON_CHARS_MAX: Final = 1_000
CASE_CHARS_MAX: Final = 100
CARDS_MAX: Final = 1_000
"""Most cards of one decision."""
LIFE_MAX: Final = timedelta(days=3 * 366)
BUDGET_SPAN: Final = timedelta(days=30)
"""The time that the budget is for."""


class IssueState(StrEnum):
    """Where a proposal to issue gift cards stands."""

    PROPOSED = "PROPOSED"
    ISSUED = "ISSUED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class Wish:
    """So many cards of so many coins each, until when they can be redeemed, why, and in which case."""

    coins: int
    cards_count: int
    expires_at: datetime
    reason: str
    case_reference: str


@dataclass(frozen=True, slots=True)
class Issue:
    """What one person proposed to give away as gift cards, and what another decided. `coins` are those of each card."""

    id: str
    state: IssueState
    coins: int
    cards_count: int
    expires_at: datetime
    reason: str
    case_reference: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    booked: str | None = None

    @property
    def total_coins(self) -> int:
        """What all of its cards hold."""
        return self.coins * self.cards_count


def check(wish: Wish, *, policy: Policy, now: datetime) -> None:
    """Refuses cards that cannot be issued.

    Raises:
        ValidationError: a text, the coins, the number or the time is wrong (an `ExceptionGroup` where several are).
        LimitExceededError: together they hold more than one decision may give away.
    """
    checks = Checks()
    checks.text("reason", wish.reason, chars_max=REASON_CHARS_MAX, lines=True)
    checks.text("caseReference", wish.case_reference, chars_max=CASE_CHARS_MAX)
    checks.between("coins", wish.coins, 1, policy.card_max_coins)
    checks.between("cardCount", wish.cards_count, 1, CARDS_MAX)
    if not now < wish.expires_at <= now + LIFE_MAX:
        checks.add("expiresAt", f"Cards can be redeemed for {LIFE_MAX.days} days at most.", "OUT_OF_RANGE")
    checks.settle()
    _check_most(wish.coins * wish.cards_count, policy, path=("input", "cardCount"))


def check_reason(reason: str) -> None:
    """Refuses to call cards back without saying why.

    Raises:
        ValidationError: the reason is empty or too long.
    """
    checks = Checks()
    checks.text("reason", reason, chars_max=REASON_CHARS_MAX, lines=True)
    checks.settle()


def decided(issue: Issue, state: IssueState, *, by: str, now: datetime) -> Issue:
    """The issue as another person decided it; who proposed it may take it back.

    Raises:
        ForbiddenError: who proposed it confirms it.
        ValidationError: it is decided already, or its cards could not be redeemed any more.
    """
    path = ("input", "giftCardIssueId")
    if issue.state is not IssueState.PROPOSED:
        msg = f"This issue of gift cards is {issue.state} already."
        raise errors.ValidationError(msg, code="CARD_ISSUE_STATE", path=path)
    if state is not IssueState.ISSUED:
        return replace(issue, state=state, decided_by=by, decided_at=now)
    if by == issue.proposed_by:
        raise errors.ForbiddenError("Another person has to confirm what you proposed.", code="SECOND_PERSON")
    if issue.expires_at <= now:
        msg = "The time of these cards is over; propose others."
        raise errors.ValidationError(msg, code="CARD_ISSUE_STATE", path=path)
    return replace(issue, state=state, decided_by=by, decided_at=now, booked=KIND)


def check_limits(issue: Issue, *, policy: Policy) -> None:
    """Refuses what the policy has come to forbid since it was proposed.

    Raises:
        LimitExceededError: a card has more coins than cards have now, or they hold more than one decision may give.
    """
    path, most = ("input", "giftCardIssueId"), policy.card_max_coins
    if issue.coins > most:
        raise errors.LimitExceededError(f"A card has at most {most} coins.", code="CARD_MAX", limit=most, path=path)
    _check_most(issue.total_coins, policy, path=path)


def _check_most(coins: int, policy: Policy, *, path: tuple[str, ...]) -> None:
    most = policy.card_issue_max_coins
    if coins > most:
        msg = f"One decision gives away at most {most} coins."
        raise errors.LimitExceededError(msg, code="CARD_ISSUE_MAX", limit=most, path=path)


def check_budget(issue: Issue, *, issued_coins: int, policy: Policy) -> None:
    """Refuses what goes beyond the budget of these days.

    Raises:
        LimitExceededError: it does.
    """
    most = policy.card_issue_month_coins
    if issued_coins + issue.total_coins > most:
        msg = f"Of {most} coins in {BUDGET_SPAN.days} days {issued_coins} are given away."
        path = ("input", "giftCardIssueId")
        raise errors.LimitExceededError(msg, code="CARD_ISSUE_BUDGET", limit=most, spent=issued_coins, path=path)


def cards_of(issue: Issue, codes: Sequence[str], card_ids: Sequence[str], *, now: datetime) -> tuple[Card, ...]:
    """The cards of a confirmed issue."""
    return tuple(
        Card(
            id=card_id,
            buyer_id=None,
            coins=issue.coins,
            digest=cards.digest_of(code),
            hint=code[-cards.HINT_CHARS :],
            state=CardState.OPEN,
            taken=(),
            created_at=now,
            expires_at=issue.expires_at,
            origin=Origin.ISSUED,
            issue_id=issue.id,
        )
        for card_id, code in zip(card_ids, codes, strict=True)
    )


def granted_lot(card: Card, lot_id: str, *, by: ids.UserId, policy: Policy, now: datetime) -> Lot:
    """The granted coins of whoever redeems such a card."""
    return Lot(
        id=lot_id,
        account=accounts.promo(by).code,
        user_id=by,
        topup_id=None,
        granted=card.coins,
        remaining=card.coins,
        price_minor=0,
        currency=None,
        country=None,
        granted_at=now,
        expires_at=now + timedelta(seconds=policy.bonus_life_s),
    )


def issued(issue: Issue) -> Transfer:
    """Row 39: granted coins are set aside for the cards of an issue."""
    moves = move(accounts.PROMO_MINT, _holding(issue.id), issue.total_coins, "gift cards issued")
    return Transfer("card.issued", issue.id, tuple(moves))


def redeemed(card: Card, lot: Lot) -> Transfer:
    """Row 40: whoever has the code of an issued card gets granted coins."""
    moves = move(_holding(card.issue_id), accounts.promo(lot.user_id), lot.granted, "gift card redeemed")
    return Transfer("card.redeemed", card.id, tuple(moves), lot_grants=(lot,))


def returned(card: Card) -> Transfer:
    """Row 41: an issued card that nobody redeemed ends, and its coins with it."""
    moves = move(_holding(card.issue_id), accounts.PROMO_MINT, card.coins, "gift card ended")
    return Transfer("card.returned", card.id, tuple(moves))


def _holding(issue_id: str | None) -> Account:
    assert issue_id is not None, "an issued card is of an issue"
    return accounts.promo_holding(HOLDING, issue_id)


def file_of(made: Sequence[Card], codes: Sequence[str]) -> str:
    """The codes of cards as a table of comma-separated values (RFC 4180)."""
    lines = ["giftCardId,code,coins,expiresAt"]
    for card, code in zip(made, codes, strict=True):
        assert card.expires_at is not None, "what is given away lapses"
        lines.append(f"{card.id},{code},{card.coins},{card.expires_at.isoformat()}")
    return "\r\n".join([*lines, ""])
