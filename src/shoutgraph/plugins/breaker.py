"""A breaker: after several calls in a row that nobody could answer, new money is refused for a while.

It counts what says that the provider is ill, never that it said no.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

FAILURES_MAX: Final = 5
"""This many failures in a row open it."""

OPEN_S: Final = 30.0
"""This long it stays open before one call may try. Units: seconds."""


class Breaker:
    """Counts the failures of one kind of call of one instance."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._failures_count = 0
        self._shut_until = 0.0
        self._answered_s: float | None = None
        self._failed_s: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether enough calls in a row failed, and none has gone well since."""
        return self._failures_count >= FAILURES_MAX

    @property
    def answered_s_ago(self) -> float | None:
        """How long ago a call went well, or None. Units: seconds."""
        return None if self._answered_s is None else self._monotonic() - self._answered_s

    @property
    def failed_s_ago(self) -> float | None:
        """How long ago a call failed, or None. Units: seconds."""
        return None if self._failed_s is None else self._monotonic() - self._failed_s

    def refuses_for(self) -> timedelta | None:
        """How long a call is refused, or None when it may go.

        While it is open, one call in each period may go to see whether the provider is well again.
        """
        if not self.is_open:
            return None
        left_s = self._shut_until - self._monotonic()
        if left_s > 0:
            return timedelta(seconds=left_s)
        self._shut_until = self._monotonic() + OPEN_S
        return None

    def record(self, *, failed: bool) -> None:
        """Takes note of how a call went."""
        if not failed:
            self._failures_count = 0
            self._answered_s = self._monotonic()
            return
        self._failed_s = self._monotonic()
        self._failures_count += 1
        self._shut_until = self._monotonic() + OPEN_S
