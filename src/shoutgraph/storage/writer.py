"""The one writer: many commands, one commit.

While a batch is made durable the next one gathers, so nothing waits for a timer. Each command runs inside a
savepoint of its own and is answered only after COMMIT. Errors of one command stay with it; errors of the disk, the
memory or the file concern the whole batch, and after a few in a row the writer closes: better to stop than to go on
wrong. Source: docs/adr/0005-storage.md.
"""

import itertools
import logging
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shoutgraph.domain import clock, errors, journal
from shoutgraph.storage import inbox
from shoutgraph.storage.continuity import Continuity
from shoutgraph.storage.inbox import Command, Outcome
from shoutgraph.storage.session import Blame, Session
from shoutgraph.storage.statements import Hold
from shoutgraph.storage.tx import Tx

logger = logging.getLogger("shoutgraph.storage")

QUEUE_MAX: Final = 4_096
BATCH_MAX: Final = 512
FAULTS_MAX: Final = 3
"""Batches in a row that the disk, the memory or the file may fail before the writer closes."""
TRIES_MAX: Final = 12
"""How often a command is run that its neighbours keep from ending."""
KEY_TRIES_MAX: Final = 2
"""How often a command is run again because a key was taken: then it sees the rows that took it."""
PAUSES_S: Final = (0.005, 0.2)
"""The first and the longest pause before a command is tried again; any time up to it is taken."""
BATCH_S: Final = 3.0
"""After which a batch takes in no more commands, so that nobody waits long for what it holds."""
RECONNECT_S: Final = 10.0
"""How long a lost connection is sought before what waits is turned away."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much waits and how much shares a commit."""

    queue: int = QUEUE_MAX
    batch: int = BATCH_MAX


class _BatchError(Exception):
    """The whole batch failed; its cause is the driver's error."""


class _LostError(Exception):
    """The connection is gone and nothing of the batch is kept; its cause is the driver's error."""


class _OtherError(Exception):
    """The connection leads to a database that is not the one this process knows."""


class _ContendedError(Exception):
    """A neighbour has what the command needs, or took the `key`; its cause is the driver's error."""

    def __init__(self, *, key: bool) -> None:
        super().__init__()
        self.key = key


class Writer:
    """Runs units of work on the one writing connection, in a thread of its own."""

    def __init__(
        self,
        session: Session,
        wall: clock.Clock,
        committed: Callable[[Tx], None],
        limits: Limits | None = None,
        *,
        known: Continuity | None = None,
    ) -> None:
        """Starts the thread.

        Args:
            committed: called after each commit, in this thread.
            known: what this process knows of a database that others write to too; None where nobody else does.
        """
        self._session = session
        self._wall = wall
        self._committed = committed
        self._limits = limits or Limits()
        self._known = known
        self._shared = known is not None
        self._inbox: inbox.Inbox[Command] = inbox.Inbox(limit=self._limits.queue)
        self._tx = Tx(session.raw, session.dialect, clock.EPOCH)
        self._last = self._tx.head.at
        self._faults = 0
        self._changes = session.changes
        self._lives = session.lives
        self.counts: Final = Counter[str]()
        """How often a command was taken back because of neighbours, by what the database called it."""
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
        waiting = deque([list(batch)])
        while waiting:
            part = waiting.popleft()
            try:
                results, rest = self._commit(part)
            except _LostError as lost:
                if self._reconnect(part, lost):
                    waiting.appendleft(part)
                continue
            except _BatchError as failure:
                self._fail(part, failure)
                continue
            except _OtherError as other:
                self._stop(str(other), [*part, *itertools.chain.from_iterable(waiting)])
                return
            if results is None:  # a deferred check failed: by halves, so that in the end only the offender does
                half = len(part) // 2
                waiting.extendleft([part[half:], part[:half]])
                continue
            self._done(results)
            if rest:
                waiting.appendleft(self._again(rest))

    def _done(self, results: Sequence[tuple[Command, Outcome]]) -> None:
        """Tells what was committed; a commit that wrote nothing says nothing of the disk."""
        if self._session.changes != self._changes:
            self._changes, self._faults = self._session.changes, 0
        if results:
            self._committed(self._tx)
            inbox.answer(results)

    def _commit(self, batch: list[Command]) -> tuple[list[tuple[Command, Outcome]] | None, list[Command]]:
        """Runs a batch in one transaction: the outcomes, and what is still to be run; None if it is to be run in parts.

        A command that meets a neighbour ends the batch before it: what was done is committed, which lets go of all that
        it held, and the command is run again as the first of the next batch, where it may wait.
        """
        session = self._session
        results: list[tuple[Command, Outcome]] = []
        try:
            session.begin()
            if self._lives != session.lives:
                self._require_known()
                self._lives = session.lives
                self._tx.lasting.clear()
            self._fill(batch, results)
            session.commit()
        except _LostError:
            self._tx.restart()
            raise
        except self._session.errors as error:
            self._abandon()
            return self._uncommitted(batch, error)
        except BaseException:
            self._abandon()
            raise
        return results, batch[len(results) :]

    def _require_known(self) -> None:
        """Asks a new connection whether it leads to the database that this process knows.

        Raises:
            _OtherError: it does not.
        """
        fault = None if self._known is None else self._known.fault(self._tx)
        if fault is not None:
            raise _OtherError(fault)

    def _fill(self, batch: list[Command], results: list[tuple[Command, Outcome]]) -> None:
        """Runs commands until one of them meets a neighbour, or the batch has taken long enough."""
        ends_at = time.monotonic() + BATCH_S
        for place, command in enumerate(batch):
            if place and time.monotonic() > ends_at:
                return
            if place == 1:
                self._session.hurry()
            try:
                results.append((command, self._attempt(command, first=place == 0)))
            except _ContendedError as met:
                command.keys += met.key
                return

    def _uncommitted(
        self, batch: list[Command], error: Exception
    ) -> tuple[list[tuple[Command, Outcome]] | None, list[Command]]:
        """What `_commit` gives where the COMMIT itself failed.

        Raises:
            _LostError: the connection is gone.
            _BatchError: it concerns the whole batch.
        """
        blame = self._session.blame(error)
        if blame is Blame.CONNECTION:
            raise _LostError from error
        if blame is Blame.BATCH:
            raise _BatchError from error
        if blame is Blame.NEIGHBOUR:
            self._count(error)
            return [], batch
        if len(batch) > 1:
            return None, []
        return [(batch[0], Outcome(error=self._broken(error)))], []

    def _attempt(self, command: Command, *, first: bool) -> Outcome:
        """One command inside its savepoint; the first of a batch holds nothing yet, and so may wait for neighbours."""
        tx = self._tx
        hold = Hold.NO if not self._shared else Hold.WAIT if first else Hold.TRY
        head = tx.start(self._tick(), hold)
        self._session.save()
        try:
            value = command.work(tx)
            tx.finish()
            self._session.keep()
        except self._session.errors as error:
            self._judge(command, error, head)
            outcome = Outcome(error=self._broken(error))
        except errors.ShoutgraphError as refusal:
            self._session.undo()
            tx.restart(head)
            return self._refuse(command, refusal, first=first)
        except Exception as error:  # noqa: BLE001 - a bug in one command must not take its neighbours along
            outcome = inbox.failed(error)
        else:
            return Outcome(value=value)
        self._session.undo()
        tx.restart(head)
        return outcome

    def _refuse(self, command: Command, refusal: errors.ShoutgraphError, *, first: bool) -> Outcome:
        """What a refusal leaves behind, such as a stored answer, in a savepoint of its own."""
        if command.refused is None:
            return Outcome(error=refusal)
        leave = command.refused
        again = Command(lambda tx: leave(tx, refusal), None, None, command.future, keys=command.keys)
        return Outcome(error=self._attempt(again, first=first).error or refusal)

    def _judge(self, command: Command, error: Exception, head: journal.Head | None) -> None:
        """Returns where the error is the command's own.

        Raises:
            _LostError: the connection is gone.
            _BatchError: it concerns the whole batch.
            _ContendedError: a neighbour has what the command needs; what it did is taken back.
        """
        blame = self._session.blame(error)
        if blame is Blame.CONNECTION:
            raise _LostError from error
        if blame is Blame.BATCH or not self._session.open:
            raise _BatchError from error
        if blame is Blame.NEIGHBOUR or (blame is Blame.KEY and command.keys < KEY_TRIES_MAX):
            self._count(error)
            self._session.undo()
            self._tx.restart(head)
            raise _ContendedError(key=blame is Blame.KEY) from error

    def _again(self, rest: list[Command]) -> list[Command]:
        """What is run next: the command that met a neighbour first, unless it has tried too often."""
        command = rest[0]
        command.tries += 1
        if command.tries < TRIES_MAX:
            if command.tries > 1:
                first, longest = PAUSES_S
                time.sleep(random.uniform(0, min(first * 2**command.tries, longest)))  # noqa: S311 - to part neighbours
                return [*rest[1:], command]
            return rest
        _turn_away([command], "other work keeps this from being done")
        return rest[1:]

    def _reconnect(self, batch: Sequence[Command], lost: _LostError) -> bool:
        """Seeks the server for a while; what waits is turned away if it is not found."""
        until = time.monotonic() + RECONNECT_S
        while True:
            try:
                self._session.renew()
            except errors.StoreUnavailableError:
                if time.monotonic() < until:
                    time.sleep(PAUSES_S[-1])
                    continue
                _turn_away([*batch, *self._inbox.drain()], f"the connection to the database was lost: {lost.__cause__}")
                return False
            for command in batch:
                command.tries += 1
            if any(command.tries >= TRIES_MAX for command in batch):
                _turn_away(batch, f"the connection to the database is lost again and again: {lost.__cause__}")
                return False
            return True

    def _count(self, error: Exception) -> None:
        code = getattr(error, "sqlstate", None) or type(error).__name__
        self.counts[code] += 1
        logger.debug("a command is run again because of %s: %s", code, self._session.words(error))

    def _abandon(self) -> None:
        self._session.rollback()
        self._tx.restart()

    def _stop(self, why: str, batch: Sequence[Command]) -> None:
        """Writes no more: it would only make things worse."""
        logger.critical("writing is closed: %s", why)
        self._inbox.close(why)
        _turn_away([*batch, *self._inbox.drain()], why)

    def _fail(self, batch: Sequence[Command], failure: _BatchError) -> None:
        self._faults += 1
        message = f"the database failed: {failure.__cause__}"
        if self._faults >= FAULTS_MAX and not self._shared:
            message = f"writing is closed after {self._faults} failures in a row; the last was: {failure.__cause__}"
            self._inbox.close(message)
            batch = [*batch, *self._inbox.drain()]
        _turn_away(batch, message)

    def _broken(self, error: Exception) -> errors.InvariantError:
        broken = errors.InvariantError(f"the database forbade it: {self._session.words(error)}")
        broken.__cause__ = error
        return broken

    def _tick(self) -> datetime:
        """The time of the next command: the wall clock's, but never earlier than what was written."""
        self._last = max(self._last + clock.MICROSECOND, self._wall())
        return self._last


def _turn_away(batch: Sequence[Command], message: str) -> None:
    inbox.answer(
        (command, Outcome(error=errors.StoreUnavailableError(message, retry_after_s=inbox.RETRY_AFTER_S)))
        for command in batch
    )
