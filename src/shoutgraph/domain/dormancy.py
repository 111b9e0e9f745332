"""Dormancy: coins that were paid for lapse where a country's rule says so, after a notice, and nowhere else.

Many laws forbid that paid value lapses, and others want what nobody asks for to be kept for its owner: so there is no
rule until staff publish one, a rule names one country, and its outcome says whose the value is then. A notice pins the
rule; whatever its owner does until it lapses ends it. Units: coins, calendar months, days.
Source: docs/adr/0003-ledger.md, row 28.
"""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType

from shoutgraph.domain import errors, ids, postings
from shoutgraph.domain.lapse_rules import LapseOutcome, Rule
from shoutgraph.domain.ledger import Lot, LotMove, Transfer
from shoutgraph.domain.legs import Books
from shoutgraph.domain.policies import Policy
from shoutgraph.domain.privacy import Blocker

DormancyId = NewType("DormancyId", str)

TAKEN: Final = "breakage"
"""The kind of the transfer with which a lot lapses; its name is the lot's."""
RETURNED: Final = "breakage.returned"
"""The kind of the transfer with which the coins come back, as a new lot."""
_YEAR: Final = 12


class DormancyState(StrEnum):
    """Where a notice stands."""

    NOTICED = "NOTICED"
    STOPPED = "STOPPED"
    LAPSED = "LAPSED"


class StopCause(StrEnum):
    """What ended a notice before anything lapsed."""

    ACTIVE = "ACTIVE"
    KEPT = "KEPT"
    RULE_CHANGED = "RULE_CHANGED"
    BLOCKED = "BLOCKED"
    NOTHING_LEFT = "NOTHING_LEFT"


@dataclass(frozen=True, slots=True)
class Dormancy:
    """A notice to somebody who does nothing: what lapses when, by which rule, and what became of it.

    `coins` is what was there when the notice was given.
    """

    id: DormancyId
    user_id: ids.UserId
    rule: Rule
    policy_version: int
    inactive_since: datetime
    noticed_at: datetime
    lapses_at: datetime
    coins: int
    state: DormancyState = DormancyState.NOTICED
    cause: StopCause | None = None
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lapse:
    """What lapsed of one lot, and the lot as which it came back."""

    lot_id: str
    dormancy_id: DormancyId
    user_id: ids.UserId
    outcome: LapseOutcome
    coins: int
    at: datetime
    returned_at: datetime | None = None
    fresh_lot_id: str | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What lapsed with one outcome, and how much of it came back. Units: coins; `held_units` book units."""

    outcome: LapseOutcome
    lots: int
    coins: int
    returned_coins: int
    held_units: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides whether coins may lapse.

    Args:
        last_active: the last thing that their owner did, or the end of the time for which they shut themselves out.
        leaves: whether the account closes or is erased.
        locked: whether the account or its wallet is.
    """

    country: str
    last_active: datetime
    blockers: frozenset[Blocker]
    leaves: bool = False
    locked: bool = False
    cards_open: bool = False


IN_THE_WAY: Final = frozenset({
    Blocker.OPEN_ORDERS, Blocker.OPEN_TOPUPS, Blocker.OPEN_REFUNDS, Blocker.OPEN_DISPUTES, Blocker.OPEN_PAYOUTS,
    Blocker.DEBT,
})  # fmt: skip
"""While something is under way, nobody is dormant."""


def months_before(at: datetime, months: int) -> datetime:
    """The same day and time so many calendar months earlier; the last day of a month that is shorter."""
    year, month = divmod(at.year * _YEAR + at.month - 1 - months, _YEAR)
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return at.replace(year=year, month=month + 1, day=day)


def months_after(at: datetime, months: int) -> datetime:
    """The same day and time so many calendar months later."""
    return months_before(at, -months)


def is_due(standing: Standing, rule: Rule, *, now: datetime) -> bool:
    """Whether somebody was away for as long as the rule wants, and nothing stands in the way."""
    away = standing.last_active <= months_before(now, rule.months)
    return away and standing.country == rule.country and not is_blocked(standing)


def is_blocked(standing: Standing) -> bool:
    """Whether something is under way that their coins may be needed for, or that keeps them from using these."""
    return standing.leaves or standing.locked or standing.cards_open or bool(standing.blockers & IN_THE_WAY)


def given(
    standing: Standing, rule: Rule, *, of: tuple[DormancyId, ids.UserId], coins: int, policy: Policy, now: datetime
) -> Dormancy:
    """The notice to somebody."""
    dormancy_id, user_id = of
    return Dormancy(
        id=dormancy_id,
        user_id=user_id,
        rule=rule,
        policy_version=policy.version,
        inactive_since=standing.last_active,
        noticed_at=now,
        lapses_at=now + timedelta(days=rule.notice_days),
        coins=coins,
    )


def stop_cause(dormancy: Dormancy, standing: Standing, rules: Mapping[str, Rule]) -> StopCause | None:
    """Why a notice ends without effect, or None while it stands."""
    if standing.last_active > dormancy.inactive_since:
        return StopCause.ACTIVE
    if standing.country != dormancy.rule.country or rules.get(dormancy.rule.country) != dormancy.rule:
        return StopCause.RULE_CHANGED
    return StopCause.BLOCKED if is_blocked(standing) else None


def stopped(dormancy: Dormancy, cause: StopCause, *, now: datetime) -> Dormancy:
    """The notice after it ended without effect."""
    return replace(dormancy, state=DormancyState.STOPPED, cause=cause, ended_at=now)


def lapsed(dormancy: Dormancy, *, now: datetime) -> Dormancy:
    """The notice after everything has lapsed that it was about."""
    assert now >= dormancy.lapses_at, "nothing lapses before it was told to"
    return replace(dormancy, state=DormancyState.LAPSED, ended_at=now)


def lapse_of(dormancy: Dormancy, lot: Lot, *, now: datetime) -> Lapse:
    """What lapses of a lot: all that is left of it."""
    return Lapse(lot.id, dormancy.id, dormancy.user_id, dormancy.rule.outcome, lot.remaining, now)


def breakage(books: Books, lapse: Lapse) -> Transfer:
    """The transfer with which a lot lapses."""
    take = LotMove(lapse.lot_id, -lapse.coins)
    return postings.breakage(books, user_id=lapse.user_id, take=take, unclaimed=is_unclaimed(lapse))


def returned(books: Books, lapse: Lapse, fresh: Lot) -> Transfer:
    """The transfer with which it comes back."""
    assert fresh.granted == lapse.coins, "what comes back is what lapsed"
    return postings.breakage_returned(books, ref=lapse.lot_id, fresh=fresh, unclaimed=is_unclaimed(lapse))


def is_unclaimed(lapse: Lapse) -> bool:
    """Whether its worth is kept for its owner."""
    return lapse.outcome is LapseOutcome.UNCLAIMED


def fresh_lot(lot: Lot, lapse: Lapse, lot_id: str, *, now: datetime) -> Lot:
    """The lot as which coins come back: of the same purchase, with their share of its price, rounded down."""
    price_minor = lot.price_minor * lapse.coins // lot.granted
    return replace(lot, id=lot_id, granted=lapse.coins, remaining=lapse.coins, price_minor=price_minor, granted_at=now)


def check_noticed(dormancy: Dormancy | None) -> Dormancy:
    """The notice that its owner answers.

    Raises:
        ValidationError: there is none.
    """
    if dormancy is None:
        raise errors.ValidationError("Nothing of your wallet is about to lapse.", code="NOT_DORMANT")
    return dormancy


def check_reclaimable(lapses: Sequence[Lapse], held_units: int, books: Books) -> None:
    """Refuses to give back what is not there.

    Raises:
        ValidationError: nothing is kept for its owner, or it was handed over to the state.
    """
    if not lapses:
        raise errors.ValidationError("Nothing of yours is unclaimed.", code="NOTHING_UNCLAIMED")
    if sum(lapse.coins for lapse in lapses) * books.par_units > held_units:
        msg = "What lapsed was handed over to the state, as the law wants it: claim it there."
        raise errors.ValidationError(msg, code="UNCLAIMED_HANDED_OVER")
