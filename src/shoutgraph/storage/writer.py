"""The one writer: many commands, one commit.

While a batch is made durable the next one gathers, so nothing waits for a timer. Each command runs inside a
savepoint of its own and is answered only after COMMIT. Errors of one command stay with it; errors of the disk, the
memory or the file concern the whole batch, and after a few in a row the writer closes: better to stop than to go on
wrong. Source: docs/adr/0005-storage.md.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shoutgraph.domain import clock, errors
from shoutgraph.storage import inbox
from shoutgraph.storage.bell import Bell
from shoutgraph.storage.inbox import Command, Outcome
from shoutgraph.storage.session import Blame, Session
from shoutgraph.storage.tx import Tx

QUEUE_MAX: Final = 4_096
BATCH_MAX: Final = 512
FAULTS_MAX: Final = 3
"""Batches in a row that the disk, the memory or the file may fail before the writer closes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much waits and how much shares a commit."""

    queue: int = QUEUE_MAX
    batch: int = BATCH_MAX


class _BatchError(Exception):
    """The whole batch failed; its cause is the driver's error."""


class Writer:
    """Runs units of work on the one writing connection, in a thread of its own."""

    def __init__(self, session: Session, wall: clock.Clock, bell: Bell, limits: Limits | None = None) -> None:
        self._session = session
        self._wall = wall
        self._bell = bell
        self._limits = limits or Limits()
        self._inbox: inbox.Inbox[Command] = inbox.Inbox(limit=self._limits.queue)
        self._tx = Tx(session.raw, session.dialect, clock.EPOCH)
        self._last = self._tx.head.at
        self._faults = 0
        self._thread = threading.Thread(target=self._serve, name="shoutgraph-writer", daemon=True)
        self._thread.start()

    def submit(self, command: Command) -> None:
        """Queues a command for the next batch.

        Raises:
            OverloadedError: too many commands wait.
            StoreUnavailableError: the writer is closed.
        """
        self._inbox.put(command)

    def close(self) -> None:
        """Does what still waits, then ends the thread."""
        self._inbox.close("the store is closed")
        self._thread.join()

    def _serve(self) -> None:
        batch: list[Command] = []
        try:
            while batch := self._inbox.take(self._limits.batch):
                self._run(batch)
        finally:  # whatever ends this thread, nobody is left waiting
            self._inbox.close("the writer has ended")
            _turn_away([*batch, *self._inbox.drain()], "the writer has ended")

    def _run(self, batch: Sequence[Command]) -> None:
        try:
            results = self._commit(batch)
        except _BatchError as failure:
            self._fail(batch, failure)
            return
        if results is None:  # a deferred check failed: by halves, so that in the end only the offender does
            half = len(batch) // 2
            self._run(batch[:half])
            self._run(batch[half:])
            return
        self._faults = 0
        self._bell.ring(self._tx.head.seq)
        inbox.answer(results)

    def _commit(self, batch: Sequence[Command]) -> list[tuple[Command, Outcome]] | None:
        """Runs a batch in one transaction; None if it must be run again in parts."""
        session = self._session
        try:
            session.begin()
            results = [(command, self._attempt(command)) for command in batch]
            session.commit()
        except self._session.errors as error:
            self._abandon()
            if self._session.blame(error) is Blame.BATCH:
                raise _BatchError from error
            if len(batch) > 1:
                return None
            return [(batch[0], Outcome(error=_broken(error)))]
        except BaseException:
            self._abandon()
            raise
        return results

    def _attempt(self, command: Command) -> Outcome:
        """One command inside its savepoint."""
        tx = self._tx
        head = tx.start(self._tick())
        self._session.save()
        try:
            value = command.work(tx)
        except self._session.errors as error:
            self._reraise_batch(error)
            outcome = Outcome(error=_broken(error))
        except errors.ShoutgraphError as refusal:
            self._session.undo()
            tx.restart(head)
            return self._refuse(command, refusal)
        except Exception as error:  # noqa: BLE001 - a bug in one command must not take its neighbours along
            outcome = Outcome(error=error)
        else:
            self._session.keep()
            return Outcome(value=value)
        self._session.undo()
        tx.restart(head)
        return outcome

    def _refuse(self, command: Command, refusal: errors.ShoutgraphError) -> Outcome:
        """What a refusal leaves behind, such as a stored answer, in a savepoint of its own."""
        if command.refused is None:
            return Outcome(error=refusal)
        leave = command.refused
        again = Command(lambda tx: leave(tx, refusal), None, None, command.future)
        return Outcome(error=self._attempt(again).error or refusal)

    def _reraise_batch(self, error: Exception) -> None:
        if self._session.blame(error) is Blame.BATCH or not self._session.open:
            raise _BatchError from error

    def _abandon(self) -> None:
        self._session.rollback()
        self._tx.restart()

    def _fail(self, batch: Sequence[Command], failure: _BatchError) -> None:
        self._faults += 1
        message = f"the database failed: {failure.__cause__}"
        if self._faults >= FAULTS_MAX:
            message = f"writing is closed after {self._faults} failures in a row; the last was: {failure.__cause__}"
            self._inbox.close(message)
            batch = [*batch, *self._inbox.drain()]
        _turn_away(batch, message)

    def _tick(self) -> datetime:
        """The time of the next command: the wall clock's, but never earlier than what was written."""
        self._last = max(self._last + clock.MICROSECOND, self._wall())
        return self._last


def _turn_away(batch: Sequence[Command], message: str) -> None:
    inbox.answer(
        (command, Outcome(error=errors.StoreUnavailableError(message, retry_after_s=inbox.RETRY_AFTER_S)))
        for command in batch
    )


def _broken(error: Exception) -> errors.InvariantError:
    broken = errors.InvariantError(f"the database forbade it: {error}")
    broken.__cause__ = error
    return broken
