"""Webhooks that are kept, as people look at them, and one that is read and applied once more."""

from shoutgraph import sdk
from shoutgraph.domain import errors
from shoutgraph.domain.notices import Kept, NoticeState
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.plugins.webhooks import PluginFaultError
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
        ValidationError: its bytes were dropped because it was forged, or as things are configured now it cannot be
            proven or read; nothing is changed then.
    """
    viewer.require(Scope.FINANCE_MANAGE)
    await _require_readable(tools, number)

    def work(tx: Tx) -> Kept:
        get(tx, number)
        if not notices.take_up_again(tx, number):
            msg = f"Of delivery {number} nothing is kept that could be read again."
            raise errors.ValidationError(msg, code="EMPTY")
        return get(tx, number)

    return await tools.store.write(work)


async def _require_readable(tools: Tools, number: int) -> None:
    """Reads it once before anything is marked: what is found to be forged loses its bytes."""
    stored = (await tools.store.read(lambda tx: get(tx, number))).stored
    raw = sdk.RawWebhook(stored.body, stored.headers, stored.query, stored.received_at, stored.remote)
    try:
        tools.providers.receive(stored.instance, raw)
    except (sdk.BadSignature, sdk.MalformedNotice, PluginFaultError) as error:
        msg = f"As things are configured now, delivery {number} cannot be read: {error}"
        raise errors.ValidationError(msg, code="MALFORMED_NOTICE") from None
