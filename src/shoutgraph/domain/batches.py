"""Batches: payouts that are handed over with one call, under a key that stands for exactly these.

Where the call only writes a file, a person hands it to the bank, and the bank's first word of it is the answer.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors

KEY_CHARS: Final = 40

BANK_ANSWER_DUE: Final = timedelta(days=3)
"""So long may a bank be silent about a file that was handed to it, over a weekend; then nobody knows any more."""

BANK: Final = "bank"
"""Who handed over a file that the bank speaks of before anybody said so."""

FILE_DIFFERS: Final = "FILE_DIFFERS"
"""The alarm of a batch whose file, made again, was another one."""

DISCARDED: Final = "DISCARDED"
"""The alarm of a batch whose files nobody gives to the bank any more."""


class BatchState(StrEnum):
    """Where a batch stands."""

    RESERVED = "RESERVED"
    EXPORTED = "EXPORTED"
    HANDED_OVER = "HANDED_OVER"
    SUBMITTED = "SUBMITTED"


@dataclass(frozen=True, slots=True)
class Batch:
    """Payouts that are handed over with one call. `key` stands for exactly these payouts, at every attempt.

    `exported_at` is when its files were written, `handed_over_at` and `handed_over_by` when and by whom they went to
    the bank, and `answered_at` when the provider, or the bank, first spoke of it.
    """

    id: str
    instance: str
    key: str
    first_sent_at: datetime
    answer_due_at: datetime
    attempts: int = 1
    ref: str | None = None
    exported_at: datetime | None = None
    handed_over_at: datetime | None = None
    handed_over_by: str | None = None
    answered_at: datetime | None = None
    alarm: str | None = None

    @property
    def state(self) -> BatchState:
        """Where it stands."""
        if self.answered_at is not None:
            return BatchState.SUBMITTED
        if self.handed_over_at is not None:
            return BatchState.HANDED_OVER
        return BatchState.RESERVED if self.exported_at is None else BatchState.EXPORTED


@dataclass(frozen=True, slots=True)
class BatchFilter:
    """Which batches a list holds: all the given conditions together."""

    instance: str | None = None
    states: tuple[BatchState, ...] = ()


def key_of(keys: Sequence[str]) -> str:
    """A batch's name at the provider: a hash of exactly its items."""
    return hashlib.sha256("\x1f".join(sorted(keys)).encode()).hexdigest()[:KEY_CHARS]


def resent(batch: Batch, *, answer_due_at: datetime) -> Batch:
    """One more attempt at the same batch with the same key."""
    return replace(batch, attempts=batch.attempts + 1, answer_due_at=answer_due_at)


def named(batch: Batch, ref: str) -> Batch:
    """The batch with the provider's name for it."""
    return replace(batch, ref=ref)


def exported(batch: Batch, *, now: datetime) -> Batch:
    """The batch whose files are written."""
    return batch if batch.exported_at is not None else replace(batch, exported_at=now)


def handed_over(batch: Batch, *, by: str, now: datetime, ended_at: Sequence[datetime | None] = ()) -> Batch:
    """The batch whose files somebody gave to the bank; from now on its answer is waited for.

    Args:
        ended_at: when the earnings of each of its payouts went back, None for those that did not.

    Raises:
        ValidationError: it has no files, was handed over before, its files are in doubt or discarded, or would pay
            what went back to its creator since they were written.
    """
    path = ("input", "batchId")
    if batch.state is not BatchState.EXPORTED or batch.exported_at is None:
        msg = f"This is not possible while the batch is {batch.state}."
        raise errors.ValidationError(msg, code="BATCH_STATE", path=path)
    if batch.alarm is not None:
        raise errors.ValidationError(_ALARMS[batch.alarm], code="BATCH_ALARM", path=path)
    if any(at is not None and at > batch.exported_at for at in ended_at):
        msg = "Earnings of this batch went back to their creators since its files were written; discard it."
        raise errors.ValidationError(msg, code="BATCH_STATE", path=path)
    return replace(batch, handed_over_at=now, handed_over_by=by, answer_due_at=now + BANK_ANSWER_DUE)


def discarded(batch: Batch) -> Batch:
    """The batch whose files will not be given to the bank, or were refused there; it says nothing of its payouts.

    Raises:
        ValidationError: it has no files, was discarded before, or the bank has spoken of it.
    """
    if batch.state not in {BatchState.EXPORTED, BatchState.HANDED_OVER} or batch.alarm == DISCARDED:
        stands = batch.alarm if batch.alarm == DISCARDED else batch.state
        msg = f"This is not possible while the batch is {stands}."
        raise errors.ValidationError(msg, code="BATCH_STATE", path=("input", "batchId"))
    return replace(batch, alarm=DISCARDED)


def answered(batch: Batch, *, now: datetime) -> Batch:
    """The batch of which the provider, or the bank, has spoken."""
    if batch.answered_at is not None:
        return batch
    if batch.exported_at is not None and batch.handed_over_at is None:
        batch = replace(batch, handed_over_at=now, handed_over_by=BANK)
    return replace(batch, answered_at=now)


def alarmed(batch: Batch) -> Batch:
    """The batch whose file came out differently when it was made again."""
    return replace(batch, alarm=FILE_DIFFERS)


_ALARMS: Final = {
    FILE_DIFFERS: "The files of this batch came out differently when they were made again; look at that first.",
    DISCARDED: "This batch was discarded: its files do not go to the bank.",
}
