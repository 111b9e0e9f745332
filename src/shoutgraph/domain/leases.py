"""Leases: what one worker has taken up, and until when nobody else does.

A worker that dies gives nothing back; its leases run out. A worker that comes late finds that somebody else has it now:
a lease is known by its end, which no other lease of the same thing shares. Source: docs/adr/0015-many-processes.md.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Lease:
    """Since when somebody has something, and until when."""

    since: datetime
    until: datetime

    def leaves(self, time: timedelta, *, now: datetime) -> bool:
        """Whether what takes so long ends within the lease if it begins now."""
        return now + time <= self.until


def taken(now: datetime, *, lasting: timedelta) -> Lease:
    """A lease that begins now."""
    return Lease(now, now + lasting)
