"""The order machine as data: 16 states and 32 transitions, and nothing else decides what may follow what.

Source: docs/ORDERS.md; the numbers are its rows.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where an order stands."""

    DRAFT = "DRAFT"
    SCREENING = "SCREENING"
    AWAITING_ACCEPTANCE = "AWAITING_ACCEPTANCE"
    IN_PRODUCTION = "IN_PRODUCTION"
    IN_REVIEW = "IN_REVIEW"
    CHANGES_REQUIRED = "CHANGES_REQUIRED"
    DELIVERED = "DELIVERED"
    REDO_REQUESTED = "REDO_REQUESTED"
    DISPUTED = "DISPUTED"
    COMPLETED = "COMPLETED"
    DECLINED = "DECLINED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    REFUNDED = "REFUNDED"
    SPLIT = "SPLIT"


class Actor(StrEnum):
    """Who moves an order."""

    FAN = "FAN"
    CREATOR = "CREATOR"
    MODERATOR = "MODERATOR"
    STAFF = "STAFF"
    POLICY = "POLICY"
    TIMER = "TIMER"
    PROVIDER = "PROVIDER"


class CoinEffect(StrEnum):
    """What a transition does with the coins in escrow."""

    NONE = "NONE"
    HOLD = "HOLD"
    RETURN = "RETURN"
    RETURN_AND_COMPENSATE = "RETURN_AND_COMPENSATE"
    RETURN_LATE_SURCHARGE = "RETURN_LATE_SURCHARGE"
    RELEASE = "RELEASE"
    SHARE = "SHARE"
    REVERSE = "REVERSE"


class Cut(StrEnum):
    """Whether a transition belongs to the first video, to its redo, or to both."""

    ANY = "ANY"
    FIRST = "FIRST"
    REDO = "REDO"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the machine. `target` is None where the state stays."""

    number: int
    name: str
    sources: frozenset[State]
    target: State | None
    actors: frozenset[Actor]
    coins: CoinEffect = CoinEffect.NONE
    cut: Cut = Cut.ANY


_S = State
_A = Actor


def _row(
    number: int,
    name: str,
    sources: tuple[State, ...],
    target: State | None,
    *actors: Actor,
    coins: CoinEffect = CoinEffect.NONE,
    cut: Cut = Cut.ANY,
) -> Transition:
    return Transition(number, name, frozenset(sources), target, frozenset(actors), coins, cut)


LIVE: Final = (
    _S.SCREENING,
    _S.AWAITING_ACCEPTANCE,
    _S.IN_PRODUCTION,
    _S.IN_REVIEW,
    _S.CHANGES_REQUIRED,
    _S.DELIVERED,
    _S.REDO_REQUESTED,
    _S.DISPUTED,
)
"""Open states after DRAFT: the order's escrow holds its price."""

SHOWN_TO_FAN: Final = frozenset(LIVE) | {State.COMPLETED, State.SPLIT}
"""States in which the fan may watch a video that passed review: not once the coins went back."""

MAY_GIVE_BACK: Final = frozenset(LIVE) | {State.COMPLETED, State.SPLIT}
"""States in which coins may still return to the lots they were taken from: by the order's end, a refund or goodwill."""

TERMINAL: Final = (
    _S.COMPLETED,
    _S.DECLINED,
    _S.EXPIRED,
    _S.CANCELLED,
    _S.REJECTED,
    _S.REFUNDED,
    _S.SPLIT,
)
"""States an order never leaves: its escrow holds nothing."""

_MAKING = (_S.IN_PRODUCTION, _S.CHANGES_REQUIRED)
_BACK = CoinEffect.RETURN

TRANSITIONS: Final = (
    _row(1, "submit", (_S.DRAFT,), _S.SCREENING, _A.FAN, coins=CoinEffect.HOLD),
    _row(2, "abandon", (_S.DRAFT,), _S.CANCELLED, _A.FAN, _A.TIMER),
    _row(3, "screen_pass", (_S.SCREENING,), _S.AWAITING_ACCEPTANCE, _A.POLICY, _A.MODERATOR),
    _row(4, "screen_reject", (_S.SCREENING,), _S.REJECTED, _A.POLICY, _A.MODERATOR, coins=_BACK),
    _row(5, "fan_cancel", (_S.SCREENING, _S.AWAITING_ACCEPTANCE), _S.CANCELLED, _A.FAN, coins=_BACK),
    _row(6, "screening_timeout", (_S.SCREENING,), _S.CANCELLED, _A.TIMER, coins=_BACK),
    _row(7, "accept", (_S.AWAITING_ACCEPTANCE,), _S.IN_PRODUCTION, _A.CREATOR),
    _row(8, "decline", (_S.AWAITING_ACCEPTANCE,), _S.DECLINED, _A.CREATOR, coins=_BACK),
    _row(9, "accept_timeout", (_S.AWAITING_ACCEPTANCE,), _S.EXPIRED, _A.TIMER, coins=_BACK),
    _row(10, "extend", (_S.IN_PRODUCTION,), None, _A.FAN),
    _row(11, "creator_withdraw", _MAKING, _S.CANCELLED, _A.CREATOR, coins=_BACK, cut=Cut.FIRST),
    _row(12, "deliver_timeout", _MAKING, _S.EXPIRED, _A.TIMER, coins=_BACK, cut=Cut.FIRST),
    _row(13, "upload", (*_MAKING, _S.REDO_REQUESTED), _S.IN_REVIEW, _A.CREATOR),
    _row(
        14,
        "review_pass",
        (_S.IN_REVIEW,),
        _S.DELIVERED,
        _A.MODERATOR,
        _A.POLICY,
        coins=CoinEffect.RETURN_LATE_SURCHARGE,
    ),
    _row(15, "review_changes", (_S.IN_REVIEW,), _S.CHANGES_REQUIRED, _A.MODERATOR, _A.POLICY),
    _row(16, "review_reject", (_S.IN_REVIEW,), _S.REJECTED, _A.MODERATOR, coins=_BACK, cut=Cut.FIRST),
    _row(17, "redo_review_reject", (_S.IN_REVIEW,), _S.DISPUTED, _A.MODERATOR, _A.TIMER, cut=Cut.REDO),
    _row(
        18,
        "review_overdue",
        (_S.IN_REVIEW,),
        _S.CANCELLED,
        _A.FAN,
        _A.TIMER,
        coins=CoinEffect.RETURN_AND_COMPENSATE,
        cut=Cut.FIRST,
    ),
    _row(19, "confirm", (_S.DELIVERED,), _S.COMPLETED, _A.FAN, coins=CoinEffect.RELEASE),
    _row(20, "auto_complete", (_S.DELIVERED,), _S.COMPLETED, _A.TIMER, coins=CoinEffect.RELEASE),
    _row(21, "request_redo", (_S.DELIVERED,), _S.REDO_REQUESTED, _A.FAN, cut=Cut.FIRST),
    _row(22, "contest_redo", (_S.REDO_REQUESTED,), _S.DISPUTED, _A.CREATOR),
    _row(
        23,
        "redo_concede",
        (_S.REDO_REQUESTED, _S.CHANGES_REQUIRED),
        _S.REFUNDED,
        _A.CREATOR,
        coins=_BACK,
        cut=Cut.REDO,
    ),
    _row(
        24,
        "redo_timeout",
        (_S.REDO_REQUESTED, _S.CHANGES_REQUIRED),
        _S.REFUNDED,
        _A.TIMER,
        coins=_BACK,
        cut=Cut.REDO,
    ),
    _row(25, "open_dispute", (_S.DELIVERED,), _S.DISPUTED, _A.FAN),
    _row(26, "dispute_refund", (_S.DISPUTED,), _S.REFUNDED, _A.MODERATOR, _A.TIMER, coins=_BACK),
    _row(
        27,
        "dispute_overdue",
        (_S.DISPUTED,),
        _S.REFUNDED,
        _A.TIMER,
        coins=CoinEffect.RETURN_AND_COMPENSATE,
    ),
    _row(
        28,
        "dispute_release",
        (_S.DISPUTED,),
        _S.COMPLETED,
        _A.MODERATOR,
        _A.TIMER,
        coins=CoinEffect.RELEASE,
    ),
    _row(29, "dispute_split", (_S.DISPUTED,), _S.SPLIT, _A.MODERATOR, coins=CoinEffect.SHARE),
    _row(30, "dispute_redo", (_S.DISPUTED,), _S.REDO_REQUESTED, _A.MODERATOR, cut=Cut.FIRST),
    _row(31, "payment_reversed", LIVE, _S.CANCELLED, _A.PROVIDER, coins=CoinEffect.REVERSE),
    _row(32, "platform_cancel", LIVE, _S.CANCELLED, _A.STAFF, coins=_BACK),
)

BY_NAME: Final = {transition.name: transition for transition in TRANSITIONS}
