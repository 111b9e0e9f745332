"""Hears in every process that the journal grew, whoever wrote it, and rings the bell.

One connection listens. A call only wakes: anybody may call anything, so the newest number is looked up then, and every
second, should a call be lost. Source: docs/adr/0014-postgresql.md.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

import psycopg

from shoutgraph.domain import clock, errors
from shoutgraph.storage import sequencer
from shoutgraph.storage.bell import Bell
from shoutgraph.storage.continuity import Continuity
from shoutgraph.storage.postgresql import Session
from shoutgraph.storage.tx import Tx

logger = logging.getLogger("shoutgraph.journal")

POLL_S: Final = 1.0
RECONNECT_S: Final = 0.2
CLOSE_S: Final = 0.1
"""How long it may take to notice that the store is closed."""


class Listener:
    """Listens in a thread of its own."""

    def __init__(self, connect: Callable[[], Session], bell: Bell, known: Continuity, wall: clock.Clock) -> None:
        self._connect = connect
        self._bell = bell
        self._known = known
        self._wall = wall
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="shoutgraph-listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends the thread."""
        self._closing.set()
        self._thread.join()

    def _serve(self) -> None:
        while not self._closing.is_set():
            try:
                session = self._connect()
            except errors.StoreUnavailableError:
                logger.warning("the listener cannot connect and tries again")
            else:
                try:
                    self._listen(session)
                except psycopg.Error as error:
                    logger.warning("the listener lost its connection: %s", error)
                finally:
                    session.close()
            self._closing.wait(RECONNECT_S)

    def _listen(self, session: Session) -> None:
        fault = self._known.fault(Tx(session.raw, session.dialect, self._wall()))
        if fault is not None:
            logger.critical("nobody is told of new events: %s", fault)
            self._closing.wait(POLL_S)
            return
        session.raw.execute(f"LISTEN {sequencer.CHANNEL}")
        look_at = 0.0  # at once: what was sealed before it listened was not heard
        while not self._closing.is_set():
            if time.monotonic() >= look_at:
                newest = sequencer.newest(Tx(session.raw, session.dialect, self._wall()))
                self._known.learn(newest)
                self._bell.ring(newest.seq)
                look_at = time.monotonic() + POLL_S
            for _ in session.raw.raw.notifies(timeout=CLOSE_S, stop_after=1):
                look_at = 0.0
