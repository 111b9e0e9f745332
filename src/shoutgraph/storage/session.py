"""What the writer and the readers need of a database: one connection and the words of its transactions."""

from enum import Enum
from typing import Protocol

import sqlalchemy as sa

from shoutgraph.storage.tx import Connection


class Blame(Enum):
    """Whom an error of the driver concerns."""

    COMMAND = "only the command that ran into it"
    NEIGHBOUR = "another process, which has what the command needs: it is run again"
    KEY = "perhaps another process, which may just have taken the key: it is run again to see the row"
    CONNECTION = "the way to the server, which is made anew: what was not committed is run again"
    BATCH = "the disk, the memory or the file, and so every command of the batch"


class Session(Protocol):
    """One connection. `errors` is what its driver raises."""

    @property
    def raw(self) -> Connection:
        """The connection that statements run on."""

    @property
    def dialect(self) -> sa.Dialect:
        """How statements are written for it."""

    @property
    def errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises."""

    @property
    def lives(self) -> int:
        """How often it connected. What a crash takes is gone in the next life, such as numbers of a sequence."""

    @property
    def open(self) -> bool:
        """Whether a transaction is open; some errors end it."""

    @property
    def changes(self) -> int:
        """Rows changed through this connection so far, or 0 where nobody asks."""

    def begin(self) -> None:
        """Opens the transaction that a batch of commands shares."""

    def snapshot(self) -> None:
        """Opens a transaction that only reads: all its queries see one state."""

    def commit(self) -> None:
        """Makes it durable; the deferred checks run here."""

    def rollback(self) -> None:
        """Takes the whole transaction back, if there still is one."""

    def hurry(self) -> None:
        """Lets the rest of the transaction wait for hardly anybody, since others may wait for what it has."""

    def save(self) -> None:
        """Marks where one command begins."""

    def keep(self) -> None:
        """Keeps what the command did."""

    def undo(self) -> None:
        """Takes back what the command did."""

    def renew(self) -> None:
        """Connects again if the connection was lost.

        Raises:
            StoreUnavailableError: the server does not answer.
        """

    def blame(self, error: Exception) -> Blame:
        """Whom an error of the driver concerns."""

    def words(self, error: Exception) -> str:
        """What an error of the driver says, in one sentence."""

    def close(self) -> None:
        """Closes the connection."""
