"""What broke is left alone for a while, longer each time: it neither fills the log nor stands before what is sound.

A process remembers that by itself. One that starts anew, or another one, tries once more.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.domain.patience import DAY, HOUR, MINUTE, pause

STEPS: Final = (MINUTE, 10 * MINUTE, HOUR, 6 * HOUR)
"""The rests after the first tries in vain; then a day."""
REMEMBERED: Final = DAY + HOUR
"""So long after its rest is a try in vain counted on."""
RESTING_MAX: Final = 10_000
"""The most that is remembered; beyond it, what broke is tried again at once."""


@dataclass(frozen=True, slots=True)
class _Rest:
    tries: int
    until: datetime


@dataclass(slots=True)
class Rests:
    """What broke in this process, by what was to be done with it."""

    _rests: dict[tuple[str, object], _Rest] = field(default_factory=dict)

    def of(self, what: str, now: datetime) -> frozenset[object]:
        """The names of what rests still."""
        return frozenset(name for (of, name), rest in self._rests.items() if of == what and rest.until > now)

    def begin(self, what: str, broken: Collection[object], now: datetime) -> None:
        """Lets what broke rest, longer than the last time."""
        self._rests = {key: rest for key, rest in self._rests.items() if rest.until > now - REMEMBERED}
        for name in broken:
            before = self._rests.get((what, name))
            if before is None and len(self._rests) >= RESTING_MAX:
                continue
            tries = 0 if before is None else before.tries + 1
            self._rests[what, name] = _Rest(tries, now + rest_of(tries))


def rest_of(tries: int) -> timedelta:
    """How long it rests after so many tries in vain before this one."""
    return pause(STEPS, tries)
