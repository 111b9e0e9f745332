"""A payout: earnings that leave as real money, or come back.

A person of finance approves it; a provider carries it out. Coins stay set aside until the provider says *paid*, not
*accepted*; what is unknown stays set aside for as long as it is unknown, and never goes out by another way. Paid is
not final: money can come back weeks later. A provider that says "not executed" may be wrong, so what was ever sent is
believed to have moved when somebody proves it, and goes back to its creator only after one more look.
Source: docs/adr/0009-providers.md, docs/adr/0003-ledger.md rows 22 to 25.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.patience import DAY

NOTE_CHARS_MAX: Final = 1_000
KEY_CHARS: Final = 40


class PayoutState(StrEnum):
    """Where a payout stands."""

    REQUESTED = "REQUESTED"
    HELD = "HELD"
    DENIED = "DENIED"
    APPROVED = "APPROVED"
    SUBMITTING = "SUBMITTING"
    SUBMITTED = "SUBMITTED"
    UNKNOWN = "UNKNOWN"
    PAID = "PAID"
    RETURNED = "RETURNED"
    REJECTED = "REJECTED"
    NOT_EXECUTED = "NOT_EXECUTED"
    CANCELLED = "CANCELLED"


class HoldCode(StrEnum):
    """Why a payout is held, as the creator sees it."""

    IDENTITY = "IDENTITY"
    TAX_PROFILE = "TAX_PROFILE"
    RECIPIENT = "RECIPIENT"
    RISK = "RISK"
    LEGAL = "LEGAL"


class PayoutReview(StrEnum):
    """Why finance must look at a payout that the machine cannot settle."""

    AMOUNT_MISMATCH = "AMOUNT_MISMATCH"
    PAID_AFTER_FAILURE = "PAID_AFTER_FAILURE"
    FAILED_AFTER_PAID = "FAILED_AFTER_PAID"
    UNKNOWN_FOR_LONG = "UNKNOWN_FOR_LONG"


class PaySeen(StrEnum):
    """What a look at one payout shows."""

    PAID = "PAID"
    RETURNED = "RETURNED"
    REJECTED = "REJECTED"
    PENDING = "PENDING"
    NOT_EXECUTED = "NOT_EXECUTED"
    UNKNOWN = "UNKNOWN"
    ABSENT = "ABSENT"


class Effect(StrEnum):
    """What the books must follow with, in this order."""

    PAID = "PAID"
    FAILED = "FAILED"
    RETURNED = "RETURNED"


WAITING: Final = frozenset({PayoutState.REQUESTED, PayoutState.HELD})
"""Finance has not decided."""

HOLDABLE: Final = WAITING | {PayoutState.APPROVED}
"""It has not gone out, so something may keep it back."""

IN_FLIGHT: Final = frozenset({PayoutState.SUBMITTING, PayoutState.SUBMITTED, PayoutState.UNKNOWN})
"""The provider has it, or may have it."""

UNDER_WAY: Final = WAITING | {PayoutState.APPROVED} | IN_FLIGHT
"""The earnings are set aside."""

FAILED: Final = frozenset(
    {
        PayoutState.DENIED,
        PayoutState.REJECTED,
        PayoutState.NOT_EXECUTED,
        PayoutState.CANCELLED,
    }
)
"""The earnings are available again, and no money left."""

SHOWS_MONEY_MOVED: Final = frozenset({PayoutState.PAID, PayoutState.RETURNED})

SETTLED_BY_PEOPLE: Final = frozenset(PayoutReview) - {PayoutReview.UNKNOWN_FOR_LONG}
"""Reasons after which no proof that nothing happened is believed: somebody saw money move."""

UNANSWERED: Final = frozenset({PayoutState.SUBMITTING, PayoutState.UNKNOWN})
"""No answer says yet that the provider has it."""

TRANSIENT: Final = frozenset({"unavailable", "breaker_open", "busy", "batch_refused"})
"""Reasons of a proof that nothing happened, after which the same payout is sent again later."""

ATTEMPTS_MAX: Final = 8
"""So often is a payout sent that provably never arrived; then the earnings are given back."""

RETRY_AFTER: Final = timedelta(minutes=1)
"""The pause before the second attempt; it doubles with each."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One look at a payout. `code` is the provider's reason, or ours for an unknown."""

    seen: PaySeen
    at: datetime
    ref: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    code: str | None = None
    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Payout:
    """Coins on their way out. `key` names it at the provider: the same request after a restore has the same key.

    Units: `amount_minor` minor units of `currency`. `hold_code` and `note` say what finance decided and why; a
    payout that was approved after it was held for RISK keeps that code. A `rule`
    that holds it lets it go by itself. `batch_id` is the last batch that it was in.
    """

    id: ids.PayoutId
    revision: int
    creator_id: ids.CreatorId
    recipient_id: str
    instance: str
    coins: int
    amount_minor: int
    currency: str
    key: str
    created_at: datetime
    updated_at: datetime
    state: PayoutState = PayoutState.REQUESTED
    batch_id: str | None = None
    attempts: int = 0
    not_before: datetime | None = None
    ref: str | None = None
    hold_code: HoldCode | None = None
    note: str | None = None
    failure_code: str | None = None
    decided_by: str | None = None
    submitted_at: datetime | None = None
    paid_at: datetime | None = None
    closed_at: datetime | None = None
    review: PayoutReview | None = None
    rule: str | None = None

    @property
    def may_be_there(self) -> bool:
        """Whether the provider has it, or may have it although it once said no; the earnings are set aside."""
        requeued = self.attempts > 0 and self.state in {PayoutState.APPROVED, PayoutState.HELD}
        return requeued or self.state in IN_FLIGHT

    @property
    def risk_accepted(self) -> bool:
        """Whether finance approved it although the risk review had held it."""
        return self.state is PayoutState.APPROVED and self.hold_code is HoldCode.RISK


@dataclass(frozen=True, slots=True)
class PayoutFilter:
    """Which payouts a list holds: all the given conditions together."""

    creator_id: ids.CreatorId | None = None
    states: tuple[PayoutState, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """A payout after a look, and what the books must follow with."""

    payout: Payout
    effects: tuple[Effect, ...] = ()


def key_of(account_code: str, account_version: int) -> str:
    """The payout's name at the provider: a hash of the creator's account and its version at the request.

    Not a random id: if a backup is restored and the request repeated, the provider sees the same payout again.
    """
    return hashlib.sha256(f"payout:{account_code}:{account_version}".encode()).hexdigest()[:KEY_CHARS]


def approve(payout: Payout, *, by: str, now: datetime) -> Payout:
    """Finance lets it go; what was held for its risk is not reviewed again.

    Raises:
        ValidationError: it is already decided, or flagged.
    """
    _check(payout, WAITING)
    _check_unflagged(payout)
    kept = payout.hold_code if payout.hold_code is HoldCode.RISK and payout.rule is None else None
    return _moved(payout, PayoutState.APPROVED, now, decided_by=by, hold_code=kept, note=None, rule=None)


def hold(payout: Payout, *, code: HoldCode, note: str, by: str, now: datetime) -> Payout:
    """Finance waits for something, and says for what.

    Raises:
        ValidationError: it is already with the provider or closed, or the note is empty or too long.
    """
    _check(payout, WAITING | {PayoutState.APPROVED})
    _check_note(note)
    return _moved(payout, PayoutState.HELD, now, hold_code=code, note=note, decided_by=by, rule=None)


def deny(payout: Payout, *, note: str, by: str, now: datetime, cleared: int = 0) -> Seen:
    """Finance says no; the earnings are available again.

    Args:
        cleared: how many attempts are known to have left nothing at the provider.

    Raises:
        ValidationError: it is, or may be, with the provider, it is closed or flagged, or the note is empty or too long.
    """
    _check_gone(payout, cleared)
    _check_note(note)
    denied = _moved(payout, PayoutState.DENIED, now, note=note, decided_by=by, closed_at=now)
    return Seen(denied, (Effect.FAILED,))


def cancel(payout: Payout, *, now: datetime, cleared: int = 0) -> Seen:
    """The creator takes it back before it went out.

    Args:
        cleared: how many attempts are known to have left nothing at the provider.

    Raises:
        ValidationError: it is, or may be, with the provider, or it is closed or flagged.
    """
    _check_gone(payout, cleared)
    return Seen(_moved(payout, PayoutState.CANCELLED, now, closed_at=now), (Effect.FAILED,))


def submitting(payout: Payout, *, batch_id: str, now: datetime) -> Payout:
    """It is put into a batch that is about to be sent."""
    assert payout.state is PayoutState.APPROVED, "only an approved payout is sent"
    attempts = payout.attempts + 1
    return _moved(payout, PayoutState.SUBMITTING, now, batch_id=batch_id, submitted_at=now, attempts=attempts)


def observe(payout: Payout, sighting: Sighting, *, absence_proves: bool, first_answer: bool) -> Seen:
    """What one look changes. No look ever raises, and none moves money back that may have left.

    Args:
        absence_proves: whether "not found" now proves that nothing happened.
        first_answer: whether this is the answer to the only attempt, so that "not executed" is a proof.
    """
    payout = replace(payout, ref=payout.ref or sighting.ref)
    proven = first_answer if sighting.seen is PaySeen.NOT_EXECUTED else absence_proves and payout.ref is None
    proven = proven and payout.review not in SETTLED_BY_PEOPLE
    match sighting.seen:
        case PaySeen.PAID:
            seen = _paid(payout, sighting)
        case PaySeen.RETURNED:
            seen = _returned(payout, sighting)
        case PaySeen.REJECTED:
            seen = _failed(payout, PayoutState.REJECTED, sighting)
        case PaySeen.PENDING:
            on_its_way = payout.may_be_there and payout.state is not PayoutState.SUBMITTED
            seen = Seen(_moved(payout, PayoutState.SUBMITTED, sighting.at) if on_its_way else payout)
        case PaySeen.NOT_EXECUTED | PaySeen.ABSENT if proven and payout.state in UNANSWERED:
            seen = _not_executed(payout, sighting)
        case _:  # not found, or not known, and nothing proven by it
            seen = Seen(_unknown(payout, sighting))
    return seen


def gives_back(payout: Payout, seen: Sighting) -> bool:
    """Whether a proof that nothing happened ends the payout, rather than letting it be sent again later."""
    again = seen.retry_after is not None or seen.code in TRANSIENT
    return not again or payout.attempts >= ATTEMPTS_MAX


def doubted(payout: Payout, *, now: datetime) -> Payout:
    """The payout, of which nobody knows now what became of it."""
    return _moved(payout, PayoutState.UNKNOWN, now)


def flagged(payout: Payout, review: PayoutReview, *, now: datetime) -> Payout:
    """The payout with a mark for finance; nothing else changes."""
    if payout.review is not None:
        return payout
    return replace(payout, review=review, revision=payout.revision + 1, updated_at=now)


def _paid(payout: Payout, seen: Sighting) -> Seen:
    if (seen.amount_minor, seen.currency) != (payout.amount_minor, payout.currency):
        return Seen(flagged(payout, PayoutReview.AMOUNT_MISMATCH, now=seen.at))
    if payout.state in SHOWS_MONEY_MOVED:
        return Seen(payout)
    if not payout.may_be_there:
        return Seen(flagged(payout, PayoutReview.PAID_AFTER_FAILURE, now=seen.at))
    return Seen(_moved(payout, PayoutState.PAID, seen.at, paid_at=seen.at, review=None), (Effect.PAID,))


def _returned(payout: Payout, seen: Sighting) -> Seen:
    if (seen.amount_minor, seen.currency) != (payout.amount_minor, payout.currency):
        return Seen(flagged(payout, PayoutReview.AMOUNT_MISMATCH, now=seen.at))
    changes = {"failure_code": seen.code, "closed_at": seen.at, "review": None}
    if payout.state is PayoutState.PAID:
        return Seen(_moved(payout, PayoutState.RETURNED, seen.at, **changes), (Effect.RETURNED,))
    if payout.may_be_there:  # it must have been paid before, only nobody told us
        returned = _moved(payout, PayoutState.RETURNED, seen.at, paid_at=seen.at, **changes)
        return Seen(returned, (Effect.PAID, Effect.RETURNED))
    return Seen(payout)


def _failed(payout: Payout, state: PayoutState, seen: Sighting) -> Seen:
    if payout.state is PayoutState.PAID:
        return Seen(flagged(payout, PayoutReview.FAILED_AFTER_PAID, now=seen.at))
    if not payout.may_be_there or payout.review in SETTLED_BY_PEOPLE:
        return Seen(payout)
    failed = _moved(payout, state, seen.at, failure_code=seen.code, closed_at=seen.at, review=None)
    return Seen(failed, (Effect.FAILED,))


def _not_executed(payout: Payout, seen: Sighting) -> Seen:
    if gives_back(payout, seen):
        return _failed(payout, PayoutState.NOT_EXECUTED, seen)
    wait = max(seen.retry_after or timedelta(), RETRY_AFTER * 2**payout.attempts)
    not_before = seen.at + min(wait, DAY)
    return Seen(_moved(payout, PayoutState.APPROVED, seen.at, not_before=not_before, review=None))


def _unknown(payout: Payout, seen: Sighting) -> Payout:
    after = payout
    if payout.state is PayoutState.SUBMITTING:
        after = _moved(payout, PayoutState.UNKNOWN, seen.at)
    if seen.code is not None and seen.code.endswith("_mismatch"):
        return flagged(after, PayoutReview.AMOUNT_MISMATCH, now=seen.at)
    return after


def _moved(payout: Payout, state: PayoutState, now: datetime, **changes: object) -> Payout:
    moved: Payout = replace(payout, state=state, revision=payout.revision + 1, updated_at=now, **changes)  # type: ignore[arg-type]
    return moved


def _check(payout: Payout, states: frozenset[PayoutState]) -> None:
    if payout.state not in states:
        msg = f"This is not possible while the payout is {payout.state}."
        raise errors.ValidationError(msg, code="PAYOUT_STATE", path=("input", "payoutId"))


def _check_gone(payout: Payout, cleared: int) -> None:
    _check(payout, WAITING | {PayoutState.APPROVED})
    _check_unflagged(payout)
    if payout.attempts > cleared:
        msg = "The provider does not say for certain that it has nothing of this payout; try again later."
        raise errors.ValidationError(msg, code="PAYOUT_STATE", path=("input", "payoutId"))


def _check_unflagged(payout: Payout) -> None:
    if payout.review is not None:
        msg = "Money may have moved for this payout; somebody must look at it first."
        raise errors.ValidationError(msg, code="PAYOUT_STATE", path=("input", "payoutId"))


def _check_note(note: str) -> None:
    if not note.strip() or len(note) > NOTE_CHARS_MAX:
        msg = f"A note has 1 to {NOTE_CHARS_MAX} characters."
        raise errors.ValidationError(msg, code="NOTE_LENGTH", path=("input", "note"))
