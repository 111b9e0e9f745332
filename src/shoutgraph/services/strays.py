"""Money that a provider has and the books do not know: looked at, and settled by people."""

from collections.abc import Sequence

from shoutgraph.domain import errors, strays as rules
from shoutgraph.domain.strays import Stray
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import strays
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


def list_of(tx: Tx) -> Sequence[Stray]:
    """What was found, the oldest first."""
    return strays.list_of(tx)


async def settle(tools: Tools, viewer: Viewer, *, instance: str, operation_id: str, note: str) -> None:
    """Says how a stray was settled. It moves no money by itself.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        ValidationError: the note is empty or too long.
        NotFoundError: none of this name is open.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    rules.check_note(note)

    def work(tx: Tx) -> None:
        if not strays.settle(tx, instance=instance, operation_id=operation_id, note=note):
            raise errors.NotFoundError(f"There is no open stray {operation_id} at {instance}.")

    await tools.store.write(work)
