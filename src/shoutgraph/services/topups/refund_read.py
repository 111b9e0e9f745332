"""Reading refunds: only finance does; a fan sees what came of them in the top-up and the wallet."""

from collections.abc import Sequence

from shoutgraph.domain import pages
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.topups.refund import Refund
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import refunds
from shoutgraph.tools import Tools


def scope_of(topup_id: str | None) -> str:
    """Names a listing, so that a cursor of another one is refused."""
    return pages.scope_of("refunds", topup_id)


async def page(tools: Tools, viewer: Viewer, args: PageArgs, topup_id: str | None) -> Page[Refund]:
    """A page of refunds, newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not read finances.
    """
    viewer.require(Scope.FINANCE_READ)
    found = await tools.store.read(lambda tx: refunds.list_of_page(tx, args, topup_id))
    return pages.cut(found, args, scope=scope_of(topup_id), key_of=lambda refund: (refund.id,))


async def list_by_id(tools: Tools, viewer: Viewer, refund_ids: Sequence[str]) -> list[Refund | None]:
    """Refunds by id, None where there is none for this viewer: only finance reads who decided and why."""
    found = await tools.store.read(lambda tx: refunds.list_of(tx, refund_ids))
    return [each if viewer.has(Scope.FINANCE_READ) else None for each in found]
