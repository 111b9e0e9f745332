"""Whether the database is still the one that this process knows, after its connection was lost.

A standby that was promoted may lack lines of the journal which were heard of already. Who writes on there makes two
histories of one; so a process that meets such a database writes no more. Source: docs/adr/0017-anchors.md.
"""

import threading

from shoutgraph.domain import journal
from shoutgraph.storage import epochs
from shoutgraph.storage.tx import Tx


class Continuity:
    """The newest line of the journal that this process has heard of; its threads share it."""

    def __init__(self, newest: journal.Head) -> None:
        self._lock = threading.Lock()
        self._known = newest

    def learn(self, newest: journal.Head) -> None:
        """Remembers a line, if it is newer."""
        with self._lock:
            if newest.seq > self._known.seq:
                self._known = newest

    def fault(self, tx: Tx) -> str | None:
        """Why this is not the database that this process knows, or None."""
        known = self._known
        if known.seq == journal.GENESIS.seq or epochs.list_of_hashes(tx, [known.seq]).get(known.seq) == known.hash:
            return None
        return (
            f"the database no longer has line {known.seq} of the journal, of which this process has heard: it went back"
            " in time, as a standby does that is promoted too early; nothing is written until it was restored"
        )
