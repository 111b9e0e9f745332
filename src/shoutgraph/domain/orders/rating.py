"""What a fan says of a delivered video, in stars and words; the creator's reply; what moderators decide about both.

Units: whole stars, 1 to 5; averages are hundredths of a star.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.checks import Checks, tidy
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.states import State
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.users import Scope, Viewer

STARS: Final = range(1, 6)
OPINION_CHARS_MAX: Final = 1_000
REPLY_CHARS_MAX: Final = 1_000
STATEMENT_CHARS_MAX: Final = 1_000
DECISIONS_MAX: Final = 50
"""Decisions about one rating: the most that are taken, and so the most that are read."""
READERS: Final = (Scope.ORDERS_READ, Scope.MODERATION)
"""Who sees hidden ratings beside their two sides."""


class Sort(StrEnum):
    """By what a creator's ratings sort; the id breaks ties."""

    NEWEST = "NEWEST"
    STARS = "STARS"


@dataclass(frozen=True, slots=True)
class Given:
    """What a fan gives: stars, and an opinion if they have one."""

    stars: int
    opinion: str | None = None


@dataclass(frozen=True, slots=True)
class Rating:
    """One rating of one order. The words are personal data, in a row of their own: None where not given, or erased.

    `hidden` ones do not count and are seen by the two sides and staff only.
    """

    id: ids.RatingId
    revision: int
    order_id: ids.OrderId
    creator_id: ids.CreatorId
    fan_id: ids.UserId
    stars: int
    hidden: bool
    created_at: datetime
    updated_at: datetime
    editable_until: datetime
    edited_at: datetime | None = None
    replied_at: datetime | None = None
    reply_editable_until: datetime | None = None
    opinion: str | None = None
    reply: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a moderator decided about a rating, with the statement of reasons."""

    hidden: bool
    reason: str
    note: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Tally:
    """How many ratings of a creator have 1, 2, 3, 4 and 5 stars: those that are not hidden."""

    counts: tuple[int, ...] = (0,) * len(STARS)

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(self.counts)

    @property
    def sum(self) -> int:
        """All their stars together: with the count, the exact average."""
        return sum(stars * count for stars, count in zip(STARS, self.counts, strict=True))


def check_given(given: Given) -> Given:
    """The rating as it is kept; a blank opinion is none.

    Raises:
        ValidationError: the stars are out of range, or the opinion is too long or has a hidden character (an
            `ExceptionGroup` where both break rules).
    """
    opinion = None if given.opinion is None else tidy(given.opinion)
    checks = Checks()
    checks.between("stars", given.stars, STARS[0], STARS[-1])
    checks.text("opinion", opinion or "", chars_max=OPINION_CHARS_MAX, lines=True, empty=True)
    checks.settle()
    return Given(given.stars, opinion or None)


def check_reply(text: str) -> str:
    """The reply as it is kept.

    Raises:
        ValidationError: the text is empty, too long, or has a hidden character.
    """
    tidied = tidy(text)
    checks = Checks()
    checks.text("text", tidied, chars_max=REPLY_CHARS_MAX, lines=True)
    checks.settle()
    return tidied


def rate(order: Order, given: Given, *, rating_id: str, policy: Policy, now: datetime) -> Rating:
    """The rating of an order that is completed.

    Raises:
        OrderStateError: the order is not completed, or the time to rate it is over.
    """
    if order.state is not State.COMPLETED or order.closed_at is None:
        msg = "Only an order whose video was delivered can be rated."
        raise errors.OrderStateError(msg, state=order.state)
    if now > order.closed_at + timedelta(seconds=policy.rating_s):
        raise errors.OrderStateError("The time to rate this order is over.", state=order.state, code="WINDOW_CLOSED")
    return Rating(
        id=ids.RatingId(rating_id),
        revision=1,
        order_id=order.id,
        creator_id=order.creator_id,
        fan_id=order.fan_id,
        stars=given.stars,
        hidden=False,
        created_at=now,
        updated_at=now,
        editable_until=now + timedelta(seconds=policy.rating_edit_s),
        opinion=given.opinion,
    )


def update(rating: Rating, given: Given, *, now: datetime) -> Rating:
    """The next revision, with other stars or another opinion; what is the same stays as it is.

    Raises:
        ValidationError: the rating is hidden, or the time to change it is over.
    """
    _check_shown(rating)
    _check_window(rating.editable_until, now)
    if (rating.stars, rating.opinion) == (given.stars, given.opinion):
        return rating
    return replace(
        rating,
        revision=rating.revision + 1,
        stars=given.stars,
        opinion=given.opinion,
        edited_at=now,
        updated_at=now,
    )


def reply(rating: Rating, text: str, *, policy: Policy, now: datetime) -> Rating:
    """The next revision, with the creator's reply: the first, or another one while it may be changed.

    Raises:
        ValidationError: the rating is hidden, or the time to change the reply is over.
    """
    _check_shown(rating)
    until = rating.reply_editable_until
    if until is not None:
        _check_window(until, now)
    if rating.reply == text:
        return rating
    return replace(
        rating,
        revision=rating.revision + 1,
        reply=text,
        replied_at=rating.replied_at or now,
        reply_editable_until=until or now + timedelta(seconds=policy.rating_edit_s),
        updated_at=now,
    )


def decide(rating: Rating, *, hidden: bool, decisions: int, now: datetime) -> Rating:
    """The next revision, hidden or shown again.

    Raises:
        ValidationError: it is so already, or too many decisions were taken.
    """
    if rating.hidden is hidden or decisions >= DECISIONS_MAX:
        msg = f"This rating is {'hidden' if rating.hidden else 'shown'} already, or was decided about too often."
        raise errors.ValidationError(msg, code="RATING_STATE", path=("input", "ratingId"))
    return replace(rating, revision=rating.revision + 1, hidden=hidden, updated_at=now)


def visible(rating: Rating, viewer: Viewer) -> bool:
    """Whether the viewer may see the rating: anybody a shown one, its two sides and staff a hidden one too."""
    return not rating.hidden or beside(rating, viewer)


def beside(rating: Rating, viewer: Viewer) -> bool:
    """Whether the viewer is a side of the rated order, or staff who reads all orders or moderates."""
    fan = viewer.user_id is not None and rating.fan_id == viewer.user_id
    creator = viewer.creator_id is not None and rating.creator_id == viewer.creator_id
    return fan or creator or viewer.has(*READERS)


def _check_shown(rating: Rating) -> None:
    if rating.hidden:
        msg = "This rating is hidden; a moderator can restore it."
        raise errors.ValidationError(msg, code="RATING_STATE", path=("input", "ratingId"))


def _check_window(until: datetime, now: datetime) -> None:
    if now > until:
        raise errors.ValidationError(
            "The time to change this is over.", code="RATING_WINDOW", path=("input", "ratingId")
        )
