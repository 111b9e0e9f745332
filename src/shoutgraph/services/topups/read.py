"""Reading top-ups: one, many, and pages of one's own or of anyone's."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shoutgraph.domain import pages
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.topups.topup import Topup, TopupFilter
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import topups
from shoutgraph.tools import Tools


@dataclass(frozen=True, slots=True)
class Listing:
    """Which top-ups: the viewer's own, or anyone's for those who read finances."""

    only: TopupFilter = field(default_factory=TopupFilter)
    mine: bool = True

    @property
    def scope(self) -> str:
        """Names this listing, so that a cursor of another one is refused."""
        return pages.scope_of("topups", self.mine, self.only)


async def list_by_id(tools: Tools, viewer: Viewer, topup_ids: Sequence[str]) -> list[Topup | None]:
    """Top-ups by id, None where there is none for this viewer."""
    return await tools.store.read(lambda tx: topups.list_visible(tx, topup_ids, viewer))


async def page(tools: Tools, viewer: Viewer, listing: Listing, args: PageArgs) -> Page[Topup]:
    """A page of top-ups, newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not a person, or reads only their own.
    """
    if listing.mine:
        only = replace(listing.only, user_id=viewer.require_user())
    else:
        viewer.require(Scope.FINANCE_READ)
        only = listing.only
    found = await tools.store.read(lambda tx: topups.list_of_page(tx, args, only))
    return pages.cut(found, args, scope=listing.scope, key_of=lambda topup: (topup.id,))
