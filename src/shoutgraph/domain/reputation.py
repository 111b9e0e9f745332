"""Reputation: how a creator answered, delivered and kept their word over the last 60 days.

It follows from the journal alone. `facts_of` is what an order's line says for it, `count` what a line counts, and
`judge` what the counts of 60 days come to; docs/ORDERS.md has every formula. Units: `_s` seconds, `_bps` basis points,
days as days since 1970-01-01 UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import clock, money
from shoutgraph.domain.journal import Event, JsonValue
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.policies import Policy

WINDOW_DAYS: Final = 60
"""The days that count, today among them."""
UNKNOWN_S: Final = 2**31 - 1
"""The response time by which creators sort of whom too little is known: after all others."""
MOVED: Final = "order.status_changed"
RATED: Final = "rating.changed"
TYPES: Final = (MOVED, RATED)
"""Lines of the journal that change a reputation."""

_DAY_MICROS: Final = 86_400_000_000
_SECOND: Final = timedelta(seconds=1)


class Badge(StrEnum):
    """What stands on a profile because the figures say so."""

    FAST_RESPONDER = "FAST_RESPONDER"
    ALWAYS_ON_TIME = "ALWAYS_ON_TIME"
    TOP_RATED = "TOP_RATED"


@dataclass(frozen=True, slots=True)
class Counts:
    """What happened with a creator's orders, in one day or in several. `waited_s` is the sum over all requests."""

    accepted: int = 0
    declined: int = 0
    unanswered: int = 0
    waited_s: int = 0
    delivered: int = 0
    late: int = 0
    overdue: int = 0
    withdrawn: int = 0
    refused: int = 0
    redone: int = 0
    completed: int = 0
    refunded: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, name) + getattr(other, name) for name in NAMES))

    @property
    def asked(self) -> int:
        """Requests that were answered, or that nobody answered in time."""
        return self.accepted + self.declined + self.unanswered

    @property
    def due(self) -> int:
        """First videos that came, or were to come and did not."""
        return self.delivered + self.overdue

    @property
    def ended(self) -> int:
        """Accepted orders that ended well, or badly by the creator's doing."""
        return self.completed + self.overdue + self.withdrawn + self.refused + self.refunded


NAMES: Final = tuple(field.name for field in fields(Counts))
NOTHING: Final = Counts()


@dataclass(frozen=True, slots=True)
class Rate:
    """So many of so many; in basis points only where there are enough of them to say something."""

    count: int
    of: int
    enough: bool

    @property
    def bps(self) -> int | None:
        """The share, rounded down; None where too little is known."""
        return min(self.count * money.BPS // self.of, money.BPS) if self.enough and self.of else None


@dataclass(frozen=True, slots=True)
class Reputation:
    """What the counts from `since` to `until` come to, by the thresholds of a policy version."""

    creator_id: str
    since: int
    until: int
    policy_version: int
    sample_min: int
    counts: Counts = NOTHING
    badges: tuple[Badge, ...] = ()

    @property
    def response_s(self) -> int | None:
        """The mean time to an answer, rounded up; a request that nobody answered counts with all of its time."""
        asked = self.counts.asked
        return -(-self.counts.waited_s // asked) if asked and asked >= self.sample_min else None

    @property
    def response_sort_s(self) -> int:
        """The response time as lists sort by it."""
        return UNKNOWN_S if self.response_s is None else min(self.response_s, UNKNOWN_S - 1)

    @property
    def acceptance(self) -> Rate:
        """Requests that were accepted, of those that were asked."""
        return self._rate(self.counts.accepted, self.counts.asked)

    @property
    def on_time(self) -> Rate:
        """First videos that came in time, of those that were due."""
        return self._rate(self.counts.delivered - self.counts.late, self.counts.due)

    @property
    def completion(self) -> Rate:
        """Accepted orders that were completed, of those that ended by either side's doing."""
        return self._rate(self.counts.completed, self.counts.ended)

    @property
    def redo(self) -> Rate:
        """Redos that were asked for, of the videos that were delivered."""
        return self._rate(self.counts.redone, self.counts.delivered)

    @property
    def new(self) -> bool:
        """Whether too few requests were asked to say anything."""
        return self.counts.asked < self.sample_min

    def _rate(self, count: int, of: int) -> Rate:
        return Rate(count, of, enough=of >= self.sample_min)


@dataclass(frozen=True, slots=True)
class Stars:
    """The ratings of a creator, which have no window."""

    hundredths: int | None
    count: int


def day_of(at: datetime) -> int:
    """The day of a time."""
    return clock.to_micros(at) // _DAY_MICROS


def start_of(day: int) -> datetime:
    """When a day begins."""
    return clock.from_micros(day * _DAY_MICROS)


def first_day(today: int) -> int:
    """The first day that counts."""
    return today - WINDOW_DAYS + 1


def facts_of(transition: str, before: Order, *, now: datetime) -> Mapping[str, JsonValue]:
    """What the line of this move says beside it, so that the line alone tells what counts.

    Times come from the order, whose clock stands still while it is frozen and while the platform looks at the video.
    """
    if transition in _ANSWERS:
        return {"waited_s": max((now - before.state_at) // _SECOND, 0)}
    if transition == "review_pass":
        return {"late": None if before.redo else (before.delivery_left_s or 0) < 0, "video": before.video_id}
    return {}


def count(event: Event) -> tuple[str, Counts] | None:
    """Whose counts a line adds to, and what; None where it adds to nobody's.

    A line of a release that did not write the facts counts nothing that needs them.
    """
    body = event.body
    name, creator_id = body.get("transition"), body.get("creator")
    if event.type != MOVED or not isinstance(name, str) or not isinstance(creator_id, str):
        return None
    counted = _counted(name, body)
    return None if counted is None else (creator_id, counted)


def fold(events: Iterable[Event]) -> dict[tuple[str, int], Counts]:
    """What lines of the journal add to the days of creators."""
    days: dict[tuple[str, int], Counts] = {}
    for event in events:
        counted = count(event)
        if counted is not None:
            key = (counted[0], day_of(event.at))
            days[key] = days.get(key, NOTHING) + counted[1]
    return days


def judge(creator_id: str, counts: Counts, *, stars: Stars, policy: Policy, today: int) -> Reputation:
    """What a creator's counts of the window that ends today come to."""
    plain = Reputation(creator_id, first_day(today), today, policy.version, policy.reputation_sample_min, counts)
    kept = plain.on_time.bps, plain.completion.bps
    earned = {
        Badge.FAST_RESPONDER: plain.response_s is not None and plain.response_s <= policy.badge_response_s,
        Badge.ALWAYS_ON_TIME: kept[0] is not None and kept[0] >= policy.badge_on_time_bps,
        Badge.TOP_RATED: stars.count >= policy.badge_ratings_min
        and (stars.hundredths or 0) >= policy.badge_rating_hundredths
        and kept[1] is not None
        and kept[1] >= policy.badge_completion_bps,
    }
    badges = tuple(badge for badge in Badge if earned[badge])
    return Reputation(creator_id, plain.since, today, policy.version, plain.sample_min, counts, badges)


_ANSWERS: Final = {"accept": "accepted", "decline": "declined", "accept_timeout": "unanswered"}
_PLAIN: Final = {
    "deliver_timeout": "overdue",
    "creator_withdraw": "withdrawn",
    "review_reject": "refused",
    "request_redo": "redone",
    "dispute_redo": "redone",
    "confirm": "completed",
    "auto_complete": "completed",
    "dispute_release": "completed",
    "redo_concede": "refunded",
    "redo_timeout": "refunded",
    "dispute_refund": "refunded",
}
"""What a transition counts as. What is the fan's, a provider's or the platform's own doing counts as nothing."""
COUNTED: Final = frozenset({*_ANSWERS, *_PLAIN, "review_pass"})


def _counted(name: str, body: Mapping[str, JsonValue]) -> Counts | None:
    if name in _PLAIN:
        return Counts(**{_PLAIN[name]: 1})
    waited_s, late = body.get("waited_s"), body.get("late")
    if name in _ANSWERS and isinstance(waited_s, int):
        return Counts(**{_ANSWERS[name]: 1, "waited_s": waited_s})
    if name == "review_pass" and isinstance(late, bool):
        return Counts(delivered=1, late=int(late))
    return None
