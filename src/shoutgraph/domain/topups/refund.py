"""A refund that finance asks a provider for: coins are set aside first, and end or return by what becomes of it.

Nothing but the payment's own totals says that the money went back: an answer, a webhook and a look are the same news.
What is unknown stays set aside and is looked at for ever; the same key is sent again only inside the provider's window.
Source: docs/adr/0009-providers.md, docs/adr/0003-ledger.md rows 5 to 7 and 6b.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.leases import Lease
from shoutgraph.domain.ledger import LotMove
from shoutgraph.domain.patience import DAY, OPEN_STEPS, UNKNOWN_REVIEW_AFTER, UNKNOWN_STEPS, pause
from shoutgraph.domain.topups.parts import Slice
from shoutgraph.domain.topups.topup import Observation, Seen

REASON_CHARS_MAX: Final = 500
PENDING_REVIEW_AFTER: Final = 7 * DAY
"""A refund that a provider works on for longer than this is flagged for staff. It stays what it is."""


class RefundState(StrEnum):
    """Where a refund stands."""

    REQUESTED = "REQUESTED"
    HELD = "HELD"
    SUBMITTING = "SUBMITTING"
    PENDING = "PENDING"
    UNKNOWN = "UNKNOWN"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    DENIED = "DENIED"
    REVERSED = "REVERSED"


WAITING: Final = frozenset({RefundState.REQUESTED, RefundState.HELD})
"""The provider was never asked."""

SENT: Final = frozenset({RefundState.SUBMITTING, RefundState.PENDING, RefundState.UNKNOWN})
"""The provider has it, or may have it."""

OPEN_ENDED: Final = frozenset({RefundState.PENDING, RefundState.UNKNOWN})
"""Asking the same again is the only way to learn of a refund that will not happen: no total ever tells of it."""

REVIEW_FAILED: Final = "risk"
"""The failure code of a refund that the risk review denied."""
OVERTAKEN: Final = "overtaken"
"""The failure code of a refund that was never sent, because the money went back by another way."""
NOT_EXECUTED: Final = "not_executed"
CAME_BACK: Final = "came_back"
"""The failure code of a refund that was done, and whose money came back to us later."""


@dataclass(frozen=True, slots=True)
class Refund:
    """Money of a top-up that is to go back. Its id is the provider's idempotency key, at every attempt.

    `part` is what goes back and the coins that are set aside for it, `taken` the lots that they came from, and `bonus`
    those of granted coins that go with them. A `withdrawal` is the fan's own.
    """

    id: ids.RefundId
    revision: int
    topup_id: ids.TopupId
    user_id: ids.UserId
    instance: str
    part: Slice
    currency: str
    taken: tuple[LotMove, ...]
    reason: str
    requested_by: str
    created_at: datetime
    updated_at: datetime
    answer_due_at: datetime
    state: RefundState = RefundState.REQUESTED
    decided_by: str | None = None
    attempts: int = 0
    first_sent_at: datetime | None = None
    failure_code: str | None = None
    needs_review: bool = False
    closed_at: datetime | None = None
    bonus: tuple[LotMove, ...] = ()
    withdrawal: bool = False

    @property
    def bonus_coins(self) -> int:
        """Granted coins that are set aside with it."""
        return -sum(move.coins for move in self.bonus)

    @property
    def sent(self) -> bool:
        """Whether the provider has it, or may have it."""
        return self.state in SENT

    @property
    def open(self) -> bool:
        """Whether its coins are set aside."""
        return self.state in WAITING | SENT


@dataclass(frozen=True, slots=True)
class DueRefund:
    """A refund that is to be looked at, how often it was since its state last changed, and for how long it is ours."""

    refund: Refund
    looks: int
    lease: Lease


def check_reason(reason: str) -> None:
    """Refuses a refund without a word.

    Raises:
        ValidationError: the reason is empty or too long.
    """
    if not reason.strip() or len(reason) > REASON_CHARS_MAX:
        msg = f"A reason has 1 to {REASON_CHARS_MAX} characters."
        raise errors.ValidationError(msg, code="NOTE_LENGTH", path=("input", "reason"))


def held(refund: Refund, *, now: datetime) -> Refund:
    """The risk review wants a second person to look first."""
    assert refund.state is RefundState.REQUESTED, "a refund is reviewed before it is sent"
    return _moved(refund, RefundState.HELD, now)


def denied(refund: Refund, *, code: str, now: datetime, by: str | None = None) -> Refund:
    """It will not be sent; its coins return."""
    assert refund.state in WAITING, "what was sent cannot be denied"
    return _moved(refund, RefundState.DENIED, now, failure_code=code, decided_by=by, closed_at=now)


def sending(refund: Refund, *, now: datetime, answer_due_at: datetime, by: str | None = None) -> Refund:
    """The first attempt, or one more with the same key."""
    assert refund.state in WAITING | OPEN_ENDED, "only what has no end is sent"
    return _moved(
        refund,
        RefundState.SUBMITTING,
        now,
        attempts=refund.attempts + 1,
        first_sent_at=refund.first_sent_at or now,
        answer_due_at=answer_due_at,
        decided_by=by or refund.decided_by,
    )


def answered(refund: Refund, seen: Observation, *, now: datetime) -> Refund:
    """What the provider's answer to our request says of the refund itself. Only totals say that money went back.

    "Not executed" is a proof only as the answer to the only attempt; a decline is the provider's word at each.
    """
    if not refund.sent:
        return refund
    match seen.seen:
        case Seen.SETTLED | Seen.PENDING if refund.state is not RefundState.PENDING:
            return _moved(refund, RefundState.PENDING, now, needs_review=False)
        case Seen.DECLINED:
            return failed(refund, code=seen.code or "declined", now=now)
        case Seen.NOT_EXECUTED if refund.attempts == 1 and refund.state is RefundState.SUBMITTING:
            return failed(refund, code=seen.code or NOT_EXECUTED, now=now)
        case _:
            return _moved(refund, RefundState.UNKNOWN, now) if refund.state is RefundState.SUBMITTING else refund


def failed(refund: Refund, *, code: str, now: datetime) -> Refund:
    """The money did not go back; its coins return."""
    assert refund.sent, "only what was sent fails"
    return _moved(refund, RefundState.FAILED, now, failure_code=code, needs_review=False, closed_at=now)


def succeeded(refund: Refund, *, now: datetime) -> Refund:
    """The money went back; its coins end."""
    assert refund.sent, "only what was sent succeeds"
    return _moved(refund, RefundState.SUCCEEDED, now, needs_review=False, closed_at=now)


def reversed_later(refund: Refund, *, now: datetime) -> Refund:
    """All of its money came back to us after it was done; its coins returned, and another refund can be asked for."""
    assert refund.state is RefundState.SUCCEEDED, "only what was done comes back"
    return _moved(refund, RefundState.REVERSED, now, failure_code=CAME_BACK)


def lost_answer(refund: Refund, *, now: datetime) -> Refund:
    """An answer that did not come in time is unknown: the process that waited for it may be gone."""
    if refund.state is not RefundState.SUBMITTING or now < refund.answer_due_at:
        return refund
    return _moved(refund, RefundState.UNKNOWN, now)


def overdue(refund: Refund, *, now: datetime) -> Refund:
    """Flags for staff what stays open for too long; nothing else changes."""
    if refund.needs_review or refund.first_sent_at is None:
        return refund
    patience = {RefundState.UNKNOWN: UNKNOWN_REVIEW_AFTER, RefundState.PENDING: PENDING_REVIEW_AFTER}.get(refund.state)
    if patience is None or now < refund.first_sent_at + patience:
        return refund
    return replace(refund, revision=refund.revision + 1, needs_review=True, updated_at=now)


def may_resend(refund: Refund, *, window: timedelta | None, timeout: timedelta, now: datetime) -> bool:
    """Whether the same key can be sent again: only inside the provider's idempotency window, less one call."""
    if window is None or refund.state not in OPEN_ENDED or refund.first_sent_at is None:
        return False
    return now + timeout < refund.first_sent_at + window


def next_look(refund: Refund, *, looks: int, now: datetime) -> datetime | None:
    """When to look next, or None for never again.

    Args:
        looks: how often it was looked at since its state last changed.
    """
    match refund.state:
        case RefundState.REQUESTED | RefundState.SUBMITTING:
            return max(refund.answer_due_at, now)
        case RefundState.UNKNOWN:
            return now + pause(UNKNOWN_STEPS, looks)
        case RefundState.PENDING:
            return now + pause(OPEN_STEPS, looks)
        case _:
            return None


def _moved(refund: Refund, state: RefundState, now: datetime, **changes: object) -> Refund:
    if refund.state is state and not changes:
        return refund
    revision = refund.revision + 1
    moved: Refund = replace(refund, state=state, revision=revision, updated_at=now, **changes)  # type: ignore[arg-type]
    return moved
