"""Closing an account: nothing new begins, what is open ends by its own rules, and nothing is forfeited.

Which step stands where follows from the affairs themselves, so that nothing can differ from them.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from shoutgraph.domain import errors
from shoutgraph.domain.privacy import Blocker
from shoutgraph.domain.users import User

CLAIMS: Final = frozenset({Blocker.COINS})
"""What may be left: it stays its owner's, and can be withdrawn later as before."""


class ClosureState(StrEnum):
    """Where a closure stands."""

    CLOSING = "CLOSING"
    CLOSED = "CLOSED"


class StepState(StrEnum):
    """Where a step stands."""

    OPEN = "OPEN"
    CLAIM = "CLAIM"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of affairs, and whether they are settled. `blocked_by` is what is not."""

    kind: str
    state: StepState
    blocked_by: Blocker | None


@dataclass(frozen=True, slots=True)
class Closure:
    """An account that is being closed, or was."""

    state: ClosureState
    requested_at: datetime
    steps: tuple[Step, ...]


def close(user: User, *, now: datetime) -> User:
    """The user whose account closes; a repeat changes nothing."""
    return user if user.closed_at is not None else replace(user, closed_at=now, revision=user.revision + 1)


def closure_of(user: User, found: Collection[Blocker]) -> Closure | None:
    """Where a closure stands, or None where none was asked for."""
    if user.closed_at is None:
        return None
    steps = tuple(_step(kind, there=kind in found) for kind in Blocker)
    over = all(step.state is not StepState.OPEN for step in steps)
    return Closure(ClosureState.CLOSED if over else ClosureState.CLOSING, user.closed_at, steps)


def reopen(user: User, found: Collection[Blocker]) -> User:
    """The user whose account stays open after all; a repeat changes nothing.

    Raises:
        ValidationError: it is closed.
    """
    closure = closure_of(user, found)
    if closure is None:
        return user
    if closure.state is ClosureState.CLOSED:
        raise errors.ValidationError("It is closed, and stays so.", code="ACCOUNT_CLOSED", path=("input", "confirm"))
    return replace(user, closed_at=None, revision=user.revision + 1)


def _step(kind: Blocker, *, there: bool) -> Step:
    name = kind.value.removeprefix("OPEN_")
    if not there:
        return Step(name, StepState.DONE, None)
    return Step(name, StepState.CLAIM if kind in CLAIMS else StepState.OPEN, kind)
