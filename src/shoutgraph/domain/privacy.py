"""What people may ask of what is kept about them: a copy of it, and that it goes away.

Source: docs/PRIVACY.md; GDPR articles 15, 17 and 20.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors, ids
from shoutgraph.domain.policies import Policy

POSTPONED: Final = timedelta(days=1)
"""How long an erasure waits that something stands in the way of."""
BROKEN: Final = timedelta(hours=1)
"""How long an erasure waits that broke, so that it does not stand before others for ever."""
TRIES_MAX: Final = 5
"""How often an export is tried."""
RETRY: Final = timedelta(minutes=1)


class Blocker(StrEnum):
    """What stands in the way of erasing somebody."""

    OPEN_ORDERS = "OPEN_ORDERS"
    OPEN_TOPUPS = "OPEN_TOPUPS"
    OPEN_REFUNDS = "OPEN_REFUNDS"
    OPEN_DISPUTES = "OPEN_DISPUTES"
    OPEN_PAYOUTS = "OPEN_PAYOUTS"
    DEBT = "DEBT"
    COINS = "COINS"
    EARNINGS = "EARNINGS"


WORDS: Final[dict[Blocker, str]] = {
    Blocker.OPEN_ORDERS: "Orders are open: cancel them, or let them end.",
    Blocker.OPEN_TOPUPS: "A purchase of coins is under way.",
    Blocker.OPEN_REFUNDS: "A refund is under way.",
    Blocker.OPEN_DISPUTES: "A payment is disputed.",
    Blocker.OPEN_PAYOUTS: "A payout is under way.",
    Blocker.DEBT: "Coins are owed after a charge-back.",
    Blocker.COINS: "Bought coins are left, in the wallet or in a gift card: spend, withdraw or cancel them.",
    Blocker.EARNINGS: "Earnings are left: ask for a payout of them, or ask support.",
}


class ErasureState(StrEnum):
    """Where an erasure stands."""

    WAITING = "WAITING"
    ERASING = "ERASING"
    DONE = "DONE"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Erasure:
    """Somebody's wish to be erased. `blockers` is what stood in the way when it was last due."""

    id: str
    user_id: ids.UserId
    state: ErasureState
    requested_at: datetime
    due_at: datetime
    blockers: tuple[Blocker, ...] = ()
    ended_at: datetime | None = None


class ExportState(StrEnum):
    """Where an export stands."""

    REQUESTED = "REQUESTED"
    READY = "READY"
    EXPIRED = "EXPIRED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Export:
    """A copy of what is kept about somebody, for a while. `due_at` is when a job looks at it next. Units: bytes."""

    id: str
    user_id: ids.UserId
    state: ExportState
    requested_at: datetime
    tries: int = 0
    due_at: datetime | None = None
    ready_at: datetime | None = None
    expires_at: datetime | None = None
    size_bytes: int | None = None
    sha256: str | None = None


def check_blockers(found: Collection[Blocker]) -> None:
    """Refuses to erase somebody whose affairs are not settled.

    Raises:
        ValidationError: something stands in the way (an `ExceptionGroup` where several things do).
    """
    refusals = [
        errors.ValidationError(WORDS[each], code=each.value, path=("input", "confirm"))
        for each in Blocker
        if each in found
    ]
    if len(refusals) == 1:
        raise refusals[0]
    if refusals:
        raise ExceptionGroup("some affairs are not settled", refusals)


def request(erasure_id: str, user_id: ids.UserId, *, policy: Policy, now: datetime) -> Erasure:
    """A new wish to be erased, which waits and can be taken back."""
    due_at = now + timedelta(seconds=policy.erasure_wait_s)
    return Erasure(erasure_id, user_id, ErasureState.WAITING, now, due_at)


def cancel(erasure: Erasure, *, now: datetime) -> Erasure:
    """The wish taken back.

    Raises:
        ValidationError: it is under way or done.
    """
    if erasure.state is not ErasureState.WAITING:
        msg = "It is under way, and cannot be taken back."
        raise errors.ValidationError(msg, code="ERASURE_STATE", path=("input", "erasureId"))
    return replace(erasure, state=ErasureState.CANCELLED, ended_at=now)


def go_on(erasure: Erasure, found: Sequence[Blocker], *, now: datetime) -> Erasure:
    """What becomes of a wish that is due: it begins, or waits for what stands in its way."""
    if found:
        return replace(erasure, due_at=now + POSTPONED, blockers=tuple(found))
    return replace(erasure, state=ErasureState.ERASING, blockers=())


def done(erasure: Erasure, *, now: datetime) -> Erasure:
    """The wish fulfilled."""
    return replace(erasure, state=ErasureState.DONE, ended_at=now)


def check_underway(newest: Export | None) -> None:
    """Refuses an export while one is being made.

    Raises:
        LimitExceededError: one is.
    """
    if newest is not None and newest.state is ExportState.REQUESTED:
        raise errors.LimitExceededError("An export is being made already.", code="EXPORT_UNDERWAY", limit=1)


def ready(export: Export, *, size_bytes: int, sha256: str, policy: Policy, now: datetime) -> Export:
    """The export made, to be fetched for a while."""
    expires_at = now + timedelta(seconds=policy.export_kept_s)
    return replace(
        export,
        state=ExportState.READY,
        ready_at=now,
        expires_at=expires_at,
        due_at=expires_at,
        size_bytes=size_bytes,
        sha256=sha256,
    )


def failed(export: Export, *, now: datetime) -> Export:
    """The export after a try that failed: tried again later, but not for ever."""
    tries = export.tries + 1
    if tries >= TRIES_MAX:
        return replace(export, state=ExportState.FAILED, tries=tries, due_at=None)
    return replace(export, tries=tries, due_at=now + RETRY * 2**tries)


def expired(export: Export) -> Export:
    """The export when its file is gone."""
    return replace(export, state=ExportState.EXPIRED, due_at=None)
