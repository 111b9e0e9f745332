"""The readers: a few threads, each with a connection that cannot write; every query sees one state.

Where the database is in this process, short queries are glances, run by whoever asks.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

from shoutgraph.domain import clock, errors
from shoutgraph.storage import inbox
from shoutgraph.storage.glances import Glances
from shoutgraph.storage.inbox import Command, Outcome
from shoutgraph.storage.session import Blame, Session
from shoutgraph.storage.tx import Tx

READERS: Final = 4
QUEUE_MAX: Final = 4_096


class Readers:
    """Runs queries on reading connections, each in a thread of its own."""

    def __init__(self, sessions: Sequence[Session], wall: clock.Clock, glances: Glances | None = None) -> None:
        self._wall = wall
        self._glances = glances
        self._inbox: inbox.Inbox[Command] = inbox.Inbox(limit=QUEUE_MAX)
        self._threads = [
            threading.Thread(target=self._serve, args=(session,), name=f"shoutgraph-reader-{at}", daemon=True)
            for at, session in enumerate(sessions)
        ]
        for thread in self._threads:
            thread.start()

    def look(self, query: Callable[[Tx], Any]) -> Outcome | None:
        """What a short query came to, or None if it has to be submitted."""
        return self._glances.look(query) if self._glances else None

    def submit(self, command: Command) -> None:
        """Queues a query for the next free thread.

        Raises:
            OverloadedError: too many queries wait.
            StoreUnavailableError: the readers are closed.
        """
        self._inbox.put(command)

    def close(self) -> None:
        """Does what still waits, then ends the threads."""
        if self._glances:
            self._glances.close()
        self._inbox.close("the store is closed")
        for thread in self._threads:
            thread.join()

    def _serve(self, session: Session) -> None:
        while commands := self._inbox.take(1):
            inbox.answer([(commands[0], self._attempt(session, commands[0]))])

    def _attempt(self, session: Session, command: Command, *, again: bool = True) -> Outcome:
        try:
            session.renew()
            session.snapshot()
            try:
                return Outcome(value=command.work(Tx(session.raw, session.dialect, self._wall())))
            finally:
                session.rollback()
        except session.errors as error:
            blame = session.blame(error)
            if blame is Blame.CONNECTION and again:
                return self._attempt(session, command, again=False)
            return Outcome(error=_fault(session.words(error), error, blame))
        except BaseException as error:  # noqa: BLE001 - it belongs to the caller, not to this thread
            return inbox.failed(error)


def _fault(words: str, error: Exception, blame: Blame) -> errors.FaultError:
    fault: errors.FaultError
    if blame is not Blame.COMMAND:
        fault = errors.StoreUnavailableError(f"the database failed: {words}", retry_after_s=inbox.RETRY_AFTER_S)
    else:
        fault = errors.InvariantError(f"the database forbade it: {words}")
    fault.__cause__ = error
    return fault
