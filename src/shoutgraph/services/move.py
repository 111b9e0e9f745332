"""Moving a deployment into another database, which has to prove what it was given."""

from collections.abc import Callable, Sized
from typing import Protocol

from shoutgraph.domain import errors
from shoutgraph.domain.clock import Clock
from shoutgraph.storage import moving
from shoutgraph.storage.moving import Moved, Tell
from shoutgraph.storage.tx import Tx


class Proven(Protocol):
    """What a proof of the books found."""

    @property
    def violations(self) -> Sized:
        """What does not hold."""


def move(source: str, target: str, wall: Clock, *, prove: Callable[[Tx], Proven], tell: Tell) -> Moved:
    """Copies a database that nobody writes to into an empty migrated one that nobody uses; all of it, or nothing.

    Raises:
        StoreUnavailableError: one of them is not of this release, not there or in use, or the target is not empty.
        InvariantError: the target does not say what the source says, or its books do not balance; it is left empty.
    """

    def require(tx: Tx) -> None:
        found = len(prove(tx).violations)
        if found:
            raise errors.InvariantError(f"the books do not balance: {found} violations, and nothing was kept")

    return moving.move(source, target, wall, prove=require, tell=tell)
