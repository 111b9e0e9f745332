"""Buckets of points: how fast somebody may spend points, and how many they may save up.

A bucket is one number, the time at which it will be full again: spending moves it into the future, and time passes by
itself. So two processes that spend from one bucket only add up.
"""

from dataclasses import dataclass
from typing import Final

MICROS: Final = 1_000_000
DEBT_US_MAX: Final = 3_600 * MICROS
"""How far ahead the time of being full is kept at most, so that nobody is shut out for longer. Units: microseconds."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How many points a bucket holds, and how long it takes to fill. Units: points, microseconds."""

    capacity: int
    fill_us: int

    @property
    def per_s(self) -> int:
        """Points that come back in a second; 0 where they are fewer than one."""
        return self.capacity * MICROS // self.fill_us

    def left(self, empty_us: int) -> int:
        """The points of a bucket that is full again in so long; below zero where too much was spent."""
        return self.capacity - -(-max(empty_us, 0) * self.capacity // self.fill_us)

    def time_of(self, points: int) -> int:
        """How long it takes to regain these points, in whole microseconds. Rounding: up, so that nothing is free."""
        return -(-points * self.fill_us // self.capacity)

    def wait_for(self, points: int, empty_us: int) -> int:
        """How long until there are so many points, or the bucket is full; 0 or less where there are."""
        return max(empty_us, 0) - (self.fill_us - self.time_of(min(points, self.capacity)))


@dataclass(frozen=True, slots=True)
class Rates:
    """What callers may spend, by their kind; None where there is no limit."""

    anonymous: Rate | None = None
    person: Rate | None = None
    staff: Rate | None = None
    connections_max: int | None = None
