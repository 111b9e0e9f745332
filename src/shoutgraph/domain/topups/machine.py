"""What one observation does to a top-up. Every function is total: an observation never raises, it only adds.

Totals are joined by the larger, a decline never lowers what settled, and "not executed" is believed only as a proof.
Source: docs/adr/0009-providers.md.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.domain import ids
from shoutgraph.domain.patience import UNKNOWN_REVIEW_AFTER
from shoutgraph.domain.topups.topup import (
    MISMATCHES,
    Observation,
    Review,
    Seen,
    Source,
    Submission,
    Topup,
)

REASONS: Final = {review.value.lower(): review for review in sorted(MISMATCHES)}
"""The reasons of an `Unknown` that say the money does not agree with what was asked for."""


def observe(topup: Topup, observation: Observation, source: Source, *, absence_after: timedelta | None = None) -> Topup:
    """The top-up after one observation; the same top-up where it tells nothing new.

    Args:
        absence_after: this long after the last moment at which an attempt may have left, the provider's "not found"
            proves that nothing happened. An observation by a look is of the moment at which the look began.
    """
    after = _OBSERVE[observation.seen](topup, observation, source, absence_after)
    after = _with_ref(after, observation.ref)
    if after.submission is not Submission.UNKNOWN and after.review is Review.UNKNOWN_FOR_LONG:
        after = replace(after, review=None)
    if after == topup:
        return topup
    return replace(after, revision=topup.revision + 1, updated_at=max(topup.updated_at, observation.at))


def lost_answer(topup: Topup, *, now: datetime) -> Topup:
    """An answer that did not come in time is unknown: the process that waited for it may be gone."""
    if topup.submission is not Submission.SUBMITTING or now < topup.answer_due_at:
        return topup
    seen = Observation(Seen.UNKNOWN, now, code="no_answer")
    return observe(topup, seen, Source.ANSWER)


def resent(topup: Topup, *, now: datetime, answer_due_at: datetime) -> Topup:
    """One more attempt at the same effect with the same key."""
    return replace(
        topup,
        revision=topup.revision + 1,
        attempts=topup.attempts + 1,
        submission=Submission.SUBMITTING,
        answer_due_at=answer_due_at,
        updated_at=now,
    )


def may_go_on(before: Topup, after: Topup) -> bool:
    """Whether another provider may be asked: this answer, and it alone, proved that nothing happened here.

    Source: docs/adr/0019-routing.md.
    """
    proven = before.submission is Submission.SUBMITTING and before.attempts == 1
    return proven and after.submission is Submission.NOT_EXECUTED and not after.paid and after.review is None


def elsewhere(topup: Topup, topup_id: ids.TopupId, *, instance: str, webhook_url: str, now: datetime) -> Topup:
    """The same purchase at another provider: a top-up and a key of its own, and what was agreed unchanged."""
    return Topup(
        id=topup_id,
        revision=1,
        user_id=topup.user_id,
        instance=instance,
        terms=topup.terms,
        payload=replace(topup.payload, webhook_url=webhook_url),
        created_at=now,
        updated_at=now,
        first_sent_at=now,
        answer_due_at=now,
        follows=topup.id,
    )


def is_proof(topup: Topup, asked_at: datetime, *, absence_after: timedelta | None) -> bool:
    """Whether "not found" proves that nothing happened, if that was asked at this time.

    The call may leave as late as its answer is due: a look that began before that proves nothing.
    """
    return absence_after is not None and asked_at >= topup.answer_due_at + absence_after


def may_resend(topup: Topup, *, window: timedelta | None, timeout: timedelta, now: datetime) -> bool:
    """Whether the same key can be sent again: only inside the provider's idempotency window, less one call."""
    if window is None or topup.submission is not Submission.UNKNOWN or topup.ref is not None:
        return False
    return now + timeout < topup.first_sent_at + window


def overdue_unknown(topup: Topup, *, now: datetime) -> Topup:
    """Flags for staff what is unknown for more than `UNKNOWN_REVIEW_AFTER`; it stays unknown."""
    if topup.submission is not Submission.UNKNOWN or topup.review is not None:
        return topup
    if now < topup.first_sent_at + UNKNOWN_REVIEW_AFTER:
        return topup
    return replace(topup, revision=topup.revision + 1, review=Review.UNKNOWN_FOR_LONG, updated_at=now)


def _with_ref(topup: Topup, ref: str | None) -> Topup:
    return replace(topup, ref=ref) if topup.ref is None and ref is not None else topup


def _settled(topup: Topup, seen: Observation, _source: Source, _absence: timedelta | None) -> Topup:
    assert seen.totals is not None, "settled money has totals"
    known = replace(topup, submission=Submission.KNOWN)
    if seen.currency != topup.terms.currency:
        return _reviewed(known, Review.CURRENCY_MISMATCH)
    totals = topup.totals.joined(seen.totals)
    after = replace(known, totals=totals, action=None, expires_at=None, poll_after=None)
    if totals.settled_minor not in {0, topup.terms.price_minor}:
        return _reviewed(after, Review.AMOUNT_MISMATCH)
    return after


def _pending(topup: Topup, seen: Observation, _source: Source, _absence: timedelta | None) -> Topup:
    known = replace(topup, submission=Submission.KNOWN)
    if not _is_news(topup, seen):
        return known
    return replace(
        known,
        action=None,
        phase_at=seen.at,
        poll_after=seen.poll_after,
        expires_at=seen.expires_at or topup.expires_at,
        expired=topup.expired or _has_expired(seen),
    )


def _needs_action(topup: Topup, seen: Observation, _source: Source, _absence: timedelta | None) -> Topup:
    known = replace(topup, submission=Submission.KNOWN)
    if not _is_news(topup, seen):
        return known
    return replace(
        known,
        action=seen.action,
        phase_at=seen.at,
        poll_after=None,
        expires_at=seen.expires_at,
        expired=topup.expired or _has_expired(seen),
    )


def _declined(topup: Topup, seen: Observation, _source: Source, _absence: timedelta | None) -> Topup:
    said = seen.code or "declined"
    code = max(topup.declined_code or "", said)
    retryable = topup.retryable
    if code == said:  # which of two declines came first says nothing: one that is final makes it final
        retryable = seen.retryable and (topup.retryable or topup.declined_code != said)
    return replace(
        topup, submission=Submission.KNOWN, declined_code=code, retryable=retryable, action=None, poll_after=None
    )


def _not_executed(topup: Topup, seen: Observation, source: Source, _absence: timedelta | None) -> Topup:
    """Proves something only as the answer to the first attempt: an earlier attempt may have happened."""
    if source is not Source.ANSWER or topup.submission is not Submission.SUBMITTING:
        return topup
    if topup.attempts > 1:
        return replace(topup, submission=Submission.UNKNOWN)
    return replace(topup, submission=Submission.NOT_EXECUTED, declined_code=seen.code, retryable=True)


def _unknown(topup: Topup, seen: Observation, source: Source, _absence: timedelta | None) -> Topup:
    after = topup
    if source is Source.ANSWER and topup.submission is Submission.SUBMITTING:
        after = replace(topup, submission=Submission.UNKNOWN)
    mismatch = REASONS.get(seen.code or "")
    return after if mismatch is None else _reviewed(after, mismatch)


def _absent(topup: Topup, seen: Observation, _source: Source, absence_after: timedelta | None) -> Topup:
    proven = is_proof(topup, seen.at, absence_after=absence_after)
    if topup.submission is not Submission.UNKNOWN or topup.ref is not None or not proven:
        return topup
    return replace(topup, submission=Submission.NOT_EXECUTED, declined_code="not_executed", retryable=True)


_OBSERVE: Final = {
    Seen.SETTLED: _settled,
    Seen.PENDING: _pending,
    Seen.NEEDS_ACTION: _needs_action,
    Seen.DECLINED: _declined,
    Seen.NOT_EXECUTED: _not_executed,
    Seen.UNKNOWN: _unknown,
    Seen.ABSENT: _absent,
}


def _is_news(topup: Topup, seen: Observation) -> bool:
    settled = topup.totals.settled_minor > 0 or topup.declined_code is not None
    return not settled and (topup.phase_at is None or seen.at >= topup.phase_at)


def _has_expired(seen: Observation) -> bool:
    return seen.expires_at is not None and seen.expires_at <= seen.at


def _reviewed(topup: Topup, review: Review) -> Topup:
    gravity = list(Review)
    if topup.review is not None and gravity.index(topup.review) <= gravity.index(review):
        return topup
    return replace(topup, review=review)
