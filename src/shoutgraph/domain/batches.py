"""Batches: payouts that are handed over with one call, under a key that stands for exactly these."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

KEY_CHARS: Final = 40


@dataclass(frozen=True, slots=True)
class Batch:
    """Payouts that are handed over with one call. `key` stands for exactly these payouts, at every attempt."""

    id: str
    instance: str
    key: str
    first_sent_at: datetime
    answer_due_at: datetime
    attempts: int = 1
    ref: str | None = None


def key_of(keys: Sequence[str]) -> str:
    """A batch's name at the provider: a hash of exactly its items."""
    return hashlib.sha256("\x1f".join(sorted(keys)).encode()).hexdigest()[:KEY_CHARS]


def resent(batch: Batch, *, answer_due_at: datetime) -> Batch:
    """One more attempt at the same batch with the same key."""
    return replace(batch, attempts=batch.attempts + 1, answer_due_at=answer_due_at)


def named(batch: Batch, ref: str) -> Batch:
    """The batch with the provider's name for it."""
    return replace(batch, ref=ref)
