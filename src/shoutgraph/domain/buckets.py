"""Buckets of points: how fast somebody may spend points, and how many they may save up.

A bucket is one number, the time at which it will be full again: spending moves it into the future, and time passes by
itself. So two processes that spend from one bucket only add up.
"""

from dataclasses import dataclass
from typing import Final

DEBT_S_MAX: Final = 3_600
"""How far ahead the time of being full is kept at most, so that nobody is shut out for longer."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a bucket fills, and how much it holds. Units: points per second, points."""

    per_s: float
    capacity: int

    def left(self, empty_s: float) -> int:
        """The points of a bucket that is full again in so many seconds; below zero where too much was spent."""
        return int(self.capacity - max(empty_s, 0.0) * self.per_s)

    def seconds_of(self, points: int) -> float:
        """How long it takes to regain these points."""
        return points / self.per_s

    def wait_for(self, points: int, empty_s: float) -> float:
        """How long until there are so many points, or the bucket is full; 0 where there are. Units: seconds."""
        return max(empty_s, 0.0) - self.seconds_of(self.capacity - min(points, self.capacity))


@dataclass(frozen=True, slots=True)
class Rates:
    """What callers may spend, by their kind; None where there is no limit."""

    anonymous: Rate | None = None
    person: Rate | None = None
    staff: Rate | None = None
    connections_max: int | None = None
