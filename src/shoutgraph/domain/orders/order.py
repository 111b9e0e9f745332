"""What an order is: the brief that asks for a video, and where the order stands.

Units: `_coins` coins, `_s` seconds, `_bps` basis points.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from shoutgraph.domain import countries, ids
from shoutgraph.domain.checks import Checks
from shoutgraph.domain.orders.states import LIVE, TERMINAL, State

RECIPIENT_CHARS_MAX: Final = 60
PRONUNCIATION_CHARS_MAX: Final = 120
PRONOUNS_CHARS_MAX: Final = 30
INSTRUCTIONS_CHARS_MAX: Final = {"PERSONAL": 300, "BUSINESS": 500}
ITEMS_MAX: Final = 5
ITEM_CHARS_MAX: Final = 80
NOTE_CHARS_MAX: Final = 1_000
REASON_CHARS_MAX: Final = 64


class Occasion(StrEnum):
    """What the video is for."""

    BIRTHDAY = "BIRTHDAY"
    WEDDING = "WEDDING"
    GRADUATION = "GRADUATION"
    PEP_TALK = "PEP_TALK"
    THANK_YOU = "THANK_YOU"
    HOLIDAY = "HOLIDAY"
    QUESTION = "QUESTION"
    OTHER = "OTHER"


class Usage(StrEnum):
    """Whether the video is for private people or for a business."""

    PERSONAL = "PERSONAL"
    BUSINESS = "BUSINESS"


class Visibility(StrEnum):
    """Whether the finished video may be shown as a sample on the creator's profile."""

    PRIVATE = "PRIVATE"
    PUBLIC = "PUBLIC"


class RedoGround(StrEnum):
    """The objective grounds on which a fan may ask for a redo."""

    WRONG_NAME = "WRONG_NAME"
    WRONG_RECIPIENT = "WRONG_RECIPIENT"
    WRONG_OCCASION = "WRONG_OCCASION"
    MUST_SAY_MISSING = "MUST_SAY_MISSING"
    UNUSABLE_MEDIA = "UNUSABLE_MEDIA"


class Side(StrEnum):
    """The two sides of a dispute."""

    FAN = "FAN"
    CREATOR = "CREATOR"


@dataclass(frozen=True, slots=True)
class Brief:
    """What the fan asks for. Personal data: kept in a row of its own that can be erased.

    `hidden` is what moderators decide: only its fan and they read it then.
    """

    occasion: Occasion
    recipient_name: str
    instructions: str
    language: str
    for_self: bool = False
    pronunciation: str | None = None
    must_say: tuple[str, ...] = ()
    must_not_say: tuple[str, ...] = ()
    usage: Usage = Usage.PERSONAL
    visibility: Visibility = Visibility.PRIVATE
    pronouns: str | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What was agreed at submit and never changes after.

    In a campaign, `list_coins` is what the offer cost without it, and `accept_s` its own time to answer, if it has one.
    """

    policy_version: int
    fee_bps: int
    base_coins: int
    express_coins: int
    duration_max_s: int
    delivery_s: int
    business_coins: int = 0
    campaign_id: str | None = None
    list_coins: int | None = None
    accept_s: int | None = None

    @property
    def price_coins(self) -> int:
        """What the order costs."""
        return self.base_coins + self.express_coins + self.business_coins

    @property
    def express(self) -> bool:
        """Whether the fan pays for a fast delivery."""
        return self.express_coins > 0


@dataclass(frozen=True, slots=True)
class Order:
    """A paid request for a video. `price_coins` is what its escrow holds while it is live.

    `video_id` is the newest cut, `passed_video_id` the newest that passed review: the only one that a fan sees.
    `delivery_left_s` is what was left of the time to deliver when the newest cut came; less than nothing was late.
    """

    id: ids.OrderId
    revision: int
    state: State
    fan_id: ids.UserId
    creator_id: ids.CreatorId
    offer_id: ids.OfferId
    terms: Terms
    price_coins: int
    promo_coins: int
    created_at: datetime
    updated_at: datetime
    state_at: datetime
    submitted_at: datetime | None = None
    accepted_at: datetime | None = None
    uploaded_at: datetime | None = None
    delivered_at: datetime | None = None
    closed_at: datetime | None = None
    close_reason: str | None = None
    reason: str | None = None
    note: str | None = None
    video_id: ids.VideoId | None = None
    passed_video_id: ids.VideoId | None = None
    redo: bool = False
    redo_ground: RedoGround | None = None
    redo_item: str | None = None
    extension_s: int | None = None
    extension_offered_at: datetime | None = None
    extended: bool = False
    delivery_due_at: datetime | None = None
    delivery_left_s: int | None = None
    waiting_for: Side | None = None
    refunded_coins: int = 0
    frozen_at: datetime | None = None

    @property
    def live(self) -> bool:
        """Whether its escrow holds its price."""
        return self.state in LIVE

    @property
    def terminal(self) -> bool:
        """Whether it has ended."""
        return self.state in TERMINAL


@dataclass(frozen=True, slots=True)
class Statement:
    """What one side says in a dispute or about a redo. `revision` is the order's that it makes.

    `ground` is what the fan says is wrong, `item` the thing of the brief that is missing.
    """

    side: Side
    text: str
    at: datetime
    revision: int = 0
    ground: RedoGround | None = None
    item: str | None = None


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders a list holds: all the given conditions together."""

    states: tuple[State, ...] = ()
    updated_since: datetime | None = None
    fan_id: ids.UserId | None = None
    creator_id: ids.CreatorId | None = None


def check_brief(brief: Brief) -> None:
    """Refuses a brief that breaks a limit; everything that is wrong with it at once.

    Raises:
        ValidationError: a text is empty, too long, or has a hidden character; a list has too many items; or the
            language is none (an `ExceptionGroup` where several fields break rules).
    """
    checks = Checks("brief")
    checks.text("recipientName", brief.recipient_name, chars_max=RECIPIENT_CHARS_MAX)
    checks.text("instructions", brief.instructions, chars_max=INSTRUCTIONS_CHARS_MAX[brief.usage], lines=True)
    if brief.pronunciation is not None:
        checks.text("pronunciation", brief.pronunciation, chars_max=PRONUNCIATION_CHARS_MAX)
    if brief.pronouns is not None:
        checks.text("pronouns", brief.pronouns, chars_max=PRONOUNS_CHARS_MAX)
    if not countries.is_language(brief.language):
        checks.add("language", "language is a BCP 47 tag, such as en or pt-BR.", "INVALID_LANGUAGE")
    for name, items in (("mustSay", brief.must_say), ("mustNotSay", brief.must_not_say)):
        checks.count(name, items, 0, ITEMS_MAX)
        for item in items[:ITEMS_MAX]:
            checks.text(name, item, chars_max=ITEM_CHARS_MAX)
    checks.settle()


def check_note(name: str, note: str) -> None:
    """Refuses an empty or overlong note.

    Raises:
        ValidationError: the note is empty, too long, or has a hidden character.
    """
    checks = Checks()
    checks.text(name, note, chars_max=NOTE_CHARS_MAX, lines=True)
    checks.settle()


def check_reason(reason: str) -> None:
    """Refuses what cannot be a reason code.

    Raises:
        ValidationError: the reason is empty, too long, or has a hidden character.
    """
    checks = Checks()
    checks.text("reason", reason, chars_max=REASON_CHARS_MAX)
    checks.settle()
