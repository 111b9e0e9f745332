"""The clock under watch: what time ends waits while the time is in doubt, and money goes on.

Source: docs/adr/0016-the-clock.md.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shoutgraph.domain import clock, jumps
from shoutgraph.domain.jumps import JUMP_MAX, Counted, Moment
from shoutgraph.files.agreed_time import AgreedTime
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

logger = logging.getLogger("shoutgraph.jobs")

KEPT_EVERY: Final = timedelta(minutes=1)
"""How old the moment in the file may be: a jump that hides in a restart is seen but for so much."""
SECOND: Final = timedelta(seconds=1)
NEVER: Final = Counted(timedelta(), "")
"""The count of a moment that only the journal tells of."""


@dataclass(frozen=True, slots=True)
class Times:
    """The time of the next unit of work, and that of the journal's newest line."""

    next: datetime
    newest_line: datetime


def times(tx: Tx) -> Times:
    """Reads them; the store never writes an earlier time than it has written."""
    newest_line = tx.head.at
    return Times(max(tx.now, newest_line), newest_line)


class Watch:
    """Believes the time as long as it agrees with what this machine counted, and remembers until when it did.

    Args:
        strict: whether a time when the machine was off is in doubt too.
    """

    def __init__(self, file: AgreedTime, count: Callable[[], Counted], *, strict: bool) -> None:
        self._file = file
        self._count = count
        self._strict = strict
        self._agreed: Moment | None = None
        self._kept: Moment | None = None
        self._doubt: str | None = None

    async def doubt(self, tools: Tools) -> str | None:
        """Why the time is not believed now, None where it is; tells the log when that changes."""
        return self.judge(await tools.store.read(times))

    def judge(self, found: Times) -> str | None:
        """Like `doubt`, of times that were read before."""
        now, agreed = self._compare(found)
        self._tell(_doubt(agreed, now))
        if self._doubt is None:
            agreed = jumps.moved_along(agreed, now)
        self._agreed = agreed
        self._keep(agreed)
        return self._doubt

    def look(self, found: Times) -> str | None:
        """Like `judge`, for who only wants to know: nothing is kept, and nothing is told."""
        now, agreed = self._compare(found)
        return _doubt(agreed, now)

    async def fault(self, tools: Tools) -> str | None:
        """Like `look`, for the readiness of a process that runs nothing but jobs."""
        return self.look(await tools.store.read(times))

    def agree(self, found: Times) -> None:
        """An operator has looked at the clock: from now on this is the time."""
        self._file.write(Moment(found.next, self._count()))

    def _compare(self, found: Times) -> tuple[Moment, Moment]:
        """The moment that it is, and the last one that was agreed to."""
        now, agreed = Moment(found.next, self._count()), self._agreed
        if agreed is None or self._doubt is not None:  # another process may have agreed meanwhile
            agreed = self._file.read() or Moment(found.newest_line, NEVER)
        begins = agreed.at == clock.EPOCH  # nothing was ever written
        elsewhere = agreed.counted.boot != now.counted.boot
        return now, now if begins or (elsewhere and not self._strict) else agreed

    def _keep(self, agreed: Moment) -> None:
        kept = self._kept
        if kept is None or agreed.counted.since_boot - kept.counted.since_boot >= KEPT_EVERY:
            self._file.write(agreed)
            self._kept = agreed

    def _tell(self, doubt: str | None) -> None:
        if doubt is not None and self._doubt is None:
            logger.error("%s; look at the clock, then `shoutgraph clock accept`, or put it right", doubt)
        elif doubt is None and self._doubt is not None:
            logger.warning("the time is believed again; what is due is done")
        self._doubt = doubt


def _doubt(agreed: Moment, now: Moment) -> str | None:
    ahead = jumps.ahead(agreed, now)
    if ahead <= JUMP_MAX:
        return None
    return f"the time has jumped ahead by {ahead // SECOND * SECOND}; nothing expires meanwhile"
