"""Why a payout waits, what its creator can do about it, and until when: by rules, and by people with a reason.

A rule that holds an approved payout lets it go by itself once no rule does; what a person holds, a person lets go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.checks import Checks, tidy
from shoutgraph.domain.payouts import HoldCode, Payout, PayoutState
from shoutgraph.domain.policies import Policy

REASON_CHARS_MAX: Final = 1_000
HOLDS_MAX: Final = 20
"""The most holds of staff that a creator has at a time."""
SYSTEM: Final = "system"
"""Who holds a payout that no person did."""
SETTING_UP: Final = timedelta(hours=1)
"""Recipients that are added so soon after the first one change nothing: nobody was paid there yet."""
DAY: Final = timedelta(days=1)


class HoldRule(StrEnum):
    """Why a payout waits."""

    TAX_PROFILE = "TAX_PROFILE"
    RECIPIENT_CHANGED = "RECIPIENT_CHANGED"
    RECIPIENT_NOT_READY = "RECIPIENT_NOT_READY"
    VELOCITY = "VELOCITY"
    FROZEN_ORDER = "FROZEN_ORDER"
    DEBT = "DEBT"
    LOCKED = "LOCKED"
    STAFF = "STAFF"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What a creator can do: a stable code for their language, and words in ours."""

    code: str
    words: str


REMEDIES: Final[Mapping[HoldRule, Remedy]] = MappingProxyType(
    {
        HoldRule.TAX_PROFILE: Remedy("SET_TAX_PROFILE", "Fill in your tax profile; the payout goes on by itself."),
        HoldRule.RECIPIENT_CHANGED: Remedy("WAIT", "Where your money goes was changed lately: wait."),
        HoldRule.RECIPIENT_NOT_READY: Remedy("FINISH_ONBOARDING", "Give the provider what it still needs from you."),
        HoldRule.VELOCITY: Remedy("WAIT", "You asked for many payouts today: wait."),
        HoldRule.FROZEN_ORDER: Remedy("WAIT_FOR_DECISION", "An order of yours is looked into: wait for the decision."),
        HoldRule.DEBT: Remedy(
            "PAY_DEBT", "You owe coins: the next top-up pays them. Or take the payout back: its earnings do."
        ),
        HoldRule.LOCKED: Remedy("CONTACT_SUPPORT", "Your wallet is locked: ask support."),
        HoldRule.STAFF: Remedy("CONTACT_SUPPORT", "Somebody of the platform holds it: read why, and ask support."),
    }
)

CODES: Final[Mapping[HoldRule, HoldCode]] = MappingProxyType(
    {
        HoldRule.TAX_PROFILE: HoldCode.TAX_PROFILE,
        HoldRule.RECIPIENT_CHANGED: HoldCode.RECIPIENT,
        HoldRule.RECIPIENT_NOT_READY: HoldCode.RECIPIENT,
        HoldRule.VELOCITY: HoldCode.RISK,
        HoldRule.FROZEN_ORDER: HoldCode.LEGAL,
        HoldRule.DEBT: HoldCode.RISK,
        HoldRule.LOCKED: HoldCode.RISK,
        HoldRule.STAFF: HoldCode.RISK,
    }
)
"""What a payout that is held by a rule says."""


@dataclass(frozen=True, slots=True)
class StaffHold:
    """A hold that a person placed: on one payout of a creator, or on all. Without `until` it lasts until released."""

    id: str
    creator_id: ids.CreatorId
    payout_id: str | None
    reason: str
    until: datetime | None
    placed_at: datetime
    placed_by: str
    released_at: datetime | None = None
    released_by: str | None = None
    release_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """One reason why a payout waits. Without `until` it lasts until something is done."""

    rule: HoldRule
    until: datetime | None = None
    reason: str | None = None
    hold_id: str | None = None

    @property
    def remedy(self) -> Remedy:
        """What the creator can do."""
        return REMEDIES[self.rule]


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules look at, of one creator. `recipients` are ids with when each was added, the oldest first."""

    has_tax_profile: bool
    recipients: tuple[tuple[str, datetime], ...]
    requested_today: tuple[datetime, ...]
    frozen_orders: int
    debt_coins: int
    locked: bool
    paid_coins: int
    staff: tuple[StaffHold, ...]


def holds(
    facts: Facts, *, payout_id: str | None, recipient_id: str | None, ready: bool, now: datetime, policy: Policy
) -> tuple[Hold, ...]:
    """Why a payout to this recipient waits now; without a payout, why any of the creator's does."""
    found = [*_of_staff(facts.staff, payout_id, now)]
    if facts.locked:
        found.append(Hold(HoldRule.LOCKED))
    if facts.debt_coins:
        found.append(Hold(HoldRule.DEBT))
    if facts.frozen_orders:
        found.append(Hold(HoldRule.FROZEN_ORDER))
    if policy.tax_profile_required and not facts.has_tax_profile and facts.paid_coins >= policy.tax_profile_from_coins:
        found.append(Hold(HoldRule.TAX_PROFILE))
    if not ready:
        found.append(Hold(HoldRule.RECIPIENT_NOT_READY))
    changed = _changed_until(facts, recipient_id, policy)
    if changed is not None and changed > now:
        found.append(Hold(HoldRule.RECIPIENT_CHANGED, changed))
    if len(facts.requested_today) > policy.payouts_day_max:
        found.append(Hold(HoldRule.VELOCITY, min(facts.requested_today) + DAY))
    return tuple(found)


def hold_by_rule(payout: Payout, *, rule: str, code: HoldCode, note: str, now: datetime) -> Payout:
    """A rule keeps back what finance approved; it goes on by itself once no rule does."""
    assert payout.state is PayoutState.APPROVED, "rules hold what is about to be sent"
    return _moved(payout, PayoutState.HELD, now, hold_code=code, note=note, rule=rule, decided_by=SYSTEM)


def let_go(payout: Payout, *, now: datetime) -> Payout:
    """What a rule held goes on as finance approved it; the risk review looks at it again."""
    assert payout.state is PayoutState.HELD, "only what is held is let go"
    assert payout.rule is not None, "what a person holds, a person lets go"
    return _moved(payout, PayoutState.APPROVED, now, hold_code=None, note=None, rule=None)


@dataclass(frozen=True, slots=True)
class Wish:
    """What finance holds: a creator's payouts, or one of them, why, and until when."""

    creator_id: str
    payout_id: str | None
    reason: str
    until: datetime | None


def place(wish: Wish, *, hold_id: str, by: str, now: datetime) -> StaffHold:
    """A new hold of staff.

    Raises:
        ValidationError: the reason is empty or too long, or it would be over before it begins.
    """
    checks, kept, until = Checks(), tidy(wish.reason), wish.until
    checks.text("reason", kept, chars_max=REASON_CHARS_MAX, lines=True)
    if until is not None and until <= now:
        checks.add("until", "A hold ends in the future.", "OUT_OF_RANGE")
    checks.settle()
    return StaffHold(hold_id, ids.CreatorId(wish.creator_id), wish.payout_id, kept, until, now, by)


def release(hold: StaffHold, *, reason: str, by: str, now: datetime) -> StaffHold:
    """The hold, ended by a person.

    Raises:
        ValidationError: it is over, or the reason is empty or too long.
    """
    if hold.released_at is not None or (hold.until is not None and hold.until <= now):
        raise errors.ValidationError("This hold is over.", code="HOLD_OVER", path=("input", "holdId"))
    checks, kept = Checks(), tidy(reason)
    checks.text("reason", kept, chars_max=REASON_CHARS_MAX, lines=True)
    checks.settle()
    return replace(hold, released_at=now, released_by=by, release_reason=kept)


def _of_staff(given: Sequence[StaffHold], payout_id: str | None, now: datetime) -> list[Hold]:
    return [
        Hold(HoldRule.STAFF, each.until, each.reason, each.id)
        for each in given
        if each.released_at is None and (each.until is None or each.until > now) and each.payout_id in {None, payout_id}
    ]


def _changed_until(facts: Facts, recipient_id: str | None, policy: Policy) -> datetime | None:
    """When a recipient that came after another one is old enough; the first one ever changed nothing."""
    if len(facts.recipients) < 2:  # noqa: PLR2004 - one recipient is no other one's successor
        return None
    at = dict(facts.recipients).get(recipient_id or facts.recipients[-1][0])
    if at is None or at <= facts.recipients[0][1] + SETTING_UP:
        return None
    return at + timedelta(seconds=policy.recipient_hold_s)


def _moved(payout: Payout, state: PayoutState, now: datetime, **changes: object) -> Payout:
    plain = {"state": state, "revision": payout.revision + 1, "updated_at": now, "not_before": None}
    moved: Payout = replace(payout, **plain, **changes)  # type: ignore[arg-type]
    return moved
