"""Money that a provider has and the books do not know: looked at, and settled by people."""

from collections.abc import Sequence

from shoutgraph.domain import errors, strays as rules, suspense as lines
from shoutgraph.domain.strays import Stray
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import strays, suspense
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


def list_of(tx: Tx) -> Sequence[Stray]:
    """What was found, the oldest first."""
    return strays.list_of(tx)


async def settle(tools: Tools, viewer: Viewer, *, instance: str, operation_id: str, note: str) -> None:
    """Says how a stray was settled. It moves no money by itself, so what is in suspense for it is placed before.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        ValidationError: the note is empty or too long, or the stray's money is in suspense still.
        NotFoundError: none of this name is open.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    rules.check_note(note)

    def work(tx: Tx) -> None:
        for line in suspense.list_of_movement(tx, instance=instance, operation_id=operation_id, ref=None):
            if line.state in lines.UNEXPLAINED:
                msg = f"Its money is in suspense as {line.id}: say first where that belongs, or let a sweep explain it."
                raise errors.ValidationError(msg, code="IN_SUSPENSE", path=("input", "subjectId"))
        if not strays.settle(tx, instance=instance, operation_id=operation_id, note=note):
            raise errors.NotFoundError(f"There is no open stray {operation_id} at {instance}.")

    await tools.store.write(work)
