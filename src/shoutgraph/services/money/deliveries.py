"""Webhooks that are kept, as people look at them, and one that is read and applied once more."""

from shoutgraph.domain import errors
from shoutgraph.domain.notices import Kept, NoticeState
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import notices
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


def list_of(tx: Tx, *, instance: str | None, state: NoticeState | None, limit: int) -> tuple[Kept, ...]:
    """Deliveries of an instance and a state, or of any, the newest first."""
    return notices.list_of_newest(tx, instance=instance, state=state, limit=limit)


def get(tx: Tx, number: int) -> Kept:
    """A delivery.

    Raises:
        NotFoundError: none of this number is kept.
    """
    found = notices.find(tx, number)
    if found is None:
        raise errors.NotFoundError(f"No delivery {number} is kept.")
    return found


async def replay(tools: Tools, viewer: Viewer, number: int) -> Kept:
    """Lets a delivery be read and applied once more by whichever process takes it up; what was applied stays applied.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances.
        NotFoundError: none of this number is kept.
        ValidationError: its bytes were dropped, because it was forged.
    """
    viewer.require(Scope.FINANCE_MANAGE)

    def work(tx: Tx) -> Kept:
        get(tx, number)
        if not notices.take_up_again(tx, number):
            msg = f"Of delivery {number} nothing is kept that could be read again."
            raise errors.ValidationError(msg, code="EMPTY")
        return get(tx, number)

    return await tools.store.write(work)
