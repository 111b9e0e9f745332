"""Deadlines: something that must happen later unless something else happens first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

NO_TIME: Final = timedelta(0)


@dataclass(frozen=True, slots=True)
class Deadline:
    """What is due for a subject, and when. One of each kind for each subject.

    `revision` is the subject's when the deadline was set: a handler that finds another one does nothing. While it is
    paused, `paused_remaining` is the time that is left and `due_at` no longer counts.
    """

    subject_id: str
    kind: str
    due_at: datetime
    revision: int
    paused_remaining: timedelta | None = None
    paused_at: datetime | None = None

    @property
    def paused(self) -> bool:
        """Whether the clock stands still."""
        return self.paused_remaining is not None
