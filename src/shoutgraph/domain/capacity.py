"""Capacity: how many orders a creator has open at once, and the line of fans who wait for a place.

A place is free, taken by an open order, or kept for a fan to whom it was offered. Nobody passes those who wait: whoever
is not in line orders only where there are more places than people before them. Nobody pays while they wait.
Units: `_s` seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.policies import Policy

OFFERS_AT_ONCE: Final = 50
"""Places of one creator that one unit of work offers; the next one goes on."""


class WaitState(StrEnum):
    """Where somebody who waits stands."""

    WAITING = "WAITING"
    OFFERED = "OFFERED"
    ORDERED = "ORDERED"
    DECLINED = "DECLINED"
    LAPSED = "LAPSED"
    LEFT = "LEFT"


IN_LINE: Final = (WaitState.WAITING, WaitState.OFFERED)
"""The states of those who are in line; the others are over."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A fan in a creator's line. `number` only grows along the line; `offer_id` is what they want to order.

    While a place is offered, it is kept for them until `offered_until`.
    """

    id: ids.WaitlistId
    revision: int
    creator_id: ids.CreatorId
    offer_id: ids.OfferId
    fan_id: ids.UserId
    number: int
    state: WaitState
    joined_at: datetime
    updated_at: datetime
    offered_at: datetime | None = None
    offered_until: datetime | None = None
    order_id: ids.OrderId | None = None

    @property
    def in_line(self) -> bool:
        """Whether they still wait, or a place is kept for them."""
        return self.state in IN_LINE


@dataclass(frozen=True, slots=True)
class Places:
    """A creator's places as one fan finds them.

    `offered` are kept for others, `waiting` is who waits before this fan, and `mine` is the fan's own entry while it
    counts: one whose offer has lapsed does not.
    """

    open_orders: int
    offered: int
    waiting: int
    mine: Entry | None = None

    @property
    def used(self) -> int:
        """How many places are not this fan's."""
        kept = self.mine is not None and self.mine.state is WaitState.OFFERED
        return self.open_orders + (0 if kept else self.offered + self.waiting)


@dataclass(frozen=True, slots=True)
class Line:
    """The head of a creator's line: all to whom a place is offered, and the first of those who wait, in order."""

    open_orders: int
    offered: Sequence[Entry]
    waiting: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Capacity:
    """How full a creator is: `kept` places are offered to somebody, and `waiting` fans stand in line for more."""

    open_orders: int
    open_orders_max: int
    kept: int
    waiting: int

    @property
    def free(self) -> int:
        """Places that a fan who is not in line could have now."""
        return max(0, self.open_orders_max - self.open_orders - self.kept - self.waiting)


def limit_of(own: int | None, policy: Policy) -> int:
    """The most open orders of a creator who set this limit, or none."""
    return policy.open_orders_max if own is None else min(own, policy.open_orders_max)


def has_place(creator: Creator, places: Places, policy: Policy) -> bool:
    """Whether there is a place for this fan."""
    return places.used < limit_of(creator.open_orders_max, policy)


def check_place(creator: Creator, places: Places, policy: Policy) -> None:
    """Refuses an order for a creator whose hands are full, or whose next places are kept for others.

    Raises:
        CreatorUnavailableError: there is no place for this fan now; it says how many wait before them.
    """
    if not has_place(creator, places, policy):
        before = places.offered + places.waiting
        msg = f"This creator has no free place now. Join the waiting list with waitlistJoin; {before} are before you."
        raise errors.CreatorUnavailableError(msg, code="AT_CAPACITY", waiting=before)


def check_join(creator: Creator, places: Places, policy: Policy, *, now: datetime, lines: int) -> None:
    """Refuses somebody who need not wait, or who may not. `lines` is in how many lines the fan stands.

    Raises:
        ValidationError: there is a free place: order it.
        LimitExceededError: the line is as long as it may be, or the fan stands in as many as they may.
    """
    path = ("input", "offerId")
    if creator.takes_orders(now) and has_place(creator, places, policy):
        msg = "This creator has a free place: order it."
        raise errors.ValidationError(msg, code="PLACE_FREE", path=path)
    if places.offered + places.waiting >= policy.waitlist_max:
        msg = f"The line is full: {policy.waitlist_max} wait already."
        raise errors.LimitExceededError(msg, code="WAITLIST", limit=policy.waitlist_max, path=path)
    if lines >= policy.waitlists_fan_max:
        msg = f"You wait in {lines} lines, and may in no more."
        raise errors.LimitExceededError(msg, code="WAITLISTS_FAN", limit=policy.waitlists_fan_max, path=path)


def leave(entry: Entry, now: datetime) -> Entry:
    """Out of the line, by the fan's own wish: somebody to whom a place was offered declines it."""
    state = WaitState.DECLINED if entry.state is WaitState.OFFERED else WaitState.LEFT
    return _moved(entry, state, now) if entry.in_line else entry


def dismiss(entry: Entry, now: datetime) -> Entry:
    """Out of the line, since nobody comes to whom they waited for: the creator's account closes."""
    return _moved(entry, WaitState.LEFT, now)


def order(entry: Entry, order_id: ids.OrderId, now: datetime) -> Entry:
    """Out of the line with an order, which has the place now."""
    return replace(_moved(entry, WaitState.ORDERED, now), order_id=order_id)


def move_up(creator: Creator, line: Line, policy: Policy, now: datetime) -> list[Entry]:
    """What time and room make of a line: the entries that change, as they then are.

    An offer lapses when its time is over. It is no offer while the creator is on a break, nor beyond a limit that they
    lowered: then the place goes back, the newest first, and the fan waits where they stood. Free places are offered to
    the first in line.
    """
    takes, standing, back, changed = creator.takes_orders(now), list[Entry](), list[Entry](), list[Entry]()
    for entry in line.offered:
        assert entry.offered_until is not None, "what is offered has an end"
        if not takes or (entry.offered_until <= now and _interrupted(creator, entry)):
            back.append(entry)
        elif entry.offered_until <= now:
            changed.append(_moved(entry, WaitState.LAPSED, now))
        else:
            standing.append(entry)
    room = limit_of(creator.open_orders_max, policy) - line.open_orders - len(standing)
    while room < 0 and standing:
        back.append(standing.pop())
        room += 1
    free = min(room, OFFERS_AT_ONCE) if takes else 0
    first = sorted((*back, *line.waiting), key=lambda entry: entry.number)[: max(0, free)]
    until = now + timedelta(seconds=policy.waitlist_offer_s)
    changed += [replace(_moved(entry, WaitState.OFFERED, now), offered_at=now, offered_until=until) for entry in first]
    changed += [
        replace(_moved(entry, WaitState.WAITING, now), offered_at=None, offered_until=None)
        for entry in back
        if entry not in first
    ]
    return changed


def _interrupted(creator: Creator, entry: Entry) -> bool:
    """Whether a break took from the time of an offer."""
    assert entry.offered_at is not None, "what is offered has a beginning"
    return creator.paused_until is not None and creator.paused_until > entry.offered_at


def _moved(entry: Entry, state: WaitState, now: datetime) -> Entry:
    return replace(entry, revision=entry.revision + 1, state=state, updated_at=now)
