"""Anchors the journal while it grows, at most as often as the settings say, and once more at the end."""

import logging
from datetime import datetime, timedelta

from shoutgraph.domain.anchors import Anchor
from shoutgraph.files.anchors import AnchorFolder
from shoutgraph.services import anchors
from shoutgraph.tools import Tools

logger = logging.getLogger("shoutgraph.anchors")


class Keeper:
    """Writes the anchors of one process."""

    def __init__(self, folder: AnchorFolder, *, every: timedelta) -> None:
        self._folder = folder
        self._every = every
        self._newest: Anchor | None = None
        self._due_at: datetime | None = None

    async def tick(self, tools: Tools) -> int:
        """Writes an anchor if one is due and the journal grew; there is never more to do at once."""
        now = tools.clock()
        if self._due_at is None or now >= self._due_at:
            self._due_at = now + self._every
            self._newest = await anchors.write(tools.store, self._folder, tools.clock, since=self._newest)
        return 0

    async def last(self, tools: Tools) -> None:
        """Writes the last anchor of the process; that it cannot does not hold up the end."""
        try:
            self._newest = await anchors.write(tools.store, self._folder, tools.clock, since=self._newest)
        except Exception:
            logger.exception("the last anchor could not be written")
