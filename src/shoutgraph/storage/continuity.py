"""Whether the database is still the one that this process knows, after its connection was lost.

A standby that was promoted may lack lines of the journal which were heard of already. Who writes on there makes two
histories of one; so a process that meets such a database writes no more. Source: docs/adr/0017-anchors.md.
"""

import threading
from typing import Final

import sqlalchemy as sa

from shoutgraph.domain import journal
from shoutgraph.storage.statements import Statement
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
        there = tx.one(_HASH, seq=known.seq)
        if known.seq == journal.GENESIS.seq or (there is not None and there[0] == known.hash):
            return None
        return (
            f"the database no longer has line {known.seq} of the journal, of which this process has heard: it went back"
            " in time, as a standby does that is promoted too early; nothing is written until it was restored"
        )


_EVENT: Final = sa.table("event", sa.column("seq"), sa.column("hash"))
_HASH: Final = Statement[tuple[bytes]](
    lambda: sa.select(_EVENT.c.hash).where(_EVENT.c.seq == sa.bindparam("seq", type_=sa.BigInteger()))
)
