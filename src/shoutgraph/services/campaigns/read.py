"""Reading campaigns: those that take orders now, those of a creator, and what orders were placed in."""

from collections.abc import Sequence

from shoutgraph.domain import clock, errors, pages
from shoutgraph.domain.campaigns import Campaign, Piece
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.users import Viewer
from shoutgraph.storage import campaigns as rows, creators
from shoutgraph.storage.campaigns import Listing
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

__all__ = ["Listing", "list_active_of", "list_by_id", "list_of_pieces", "page", "scope_of"]


def scope_of(listing: Listing) -> str:
    """Names a list of campaigns, so that a cursor of another one is refused."""
    return pages.scope_of("campaigns", listing.creator_id, listing.active)


async def page(tools: Tools, viewer: Viewer, listing: Listing, args: PageArgs) -> Page[Campaign]:
    """A page of the campaigns that this viewer may see.

    Raises:
        NotFoundError: there is no such creator.
    """

    def query(tx: Tx) -> list[Campaign]:
        if listing.creator_id is not None and creators.list_of(tx, [listing.creator_id]) == [None]:
            raise errors.NotFoundError("There is no such creator.", path=("creatorId",))
        return rows.list_of_page(tx, args, listing, viewer)

    found = await tools.store.read(query)

    def key_of(campaign: Campaign) -> pages.Key:
        return (clock.to_micros(campaign.ends_at), campaign.id) if listing.active else (campaign.id,)

    return pages.cut(found, args, scope=scope_of(listing), key_of=key_of)


async def list_by_id(tools: Tools, viewer: Viewer, campaign_ids: Sequence[str]) -> list[Campaign | None]:
    """Campaigns by id, None where there is none for this viewer."""
    return await tools.store.read(lambda tx: rows.list_visible(tx, campaign_ids, viewer))


async def list_active_of(tools: Tools, creator_ids: Sequence[str]) -> list[tuple[Campaign, ...]]:
    """The campaigns of creators that take orders now, those that end first first."""
    return await tools.store.read(lambda tx: rows.list_active_of(tx, creator_ids))


async def list_of_pieces(tools: Tools, order_ids: Sequence[str]) -> list[Piece | None]:
    """The numbers of orders in their campaigns, in the order asked; None for drafts and for orders in none."""
    found = await tools.store.read(lambda tx: rows.list_of_pieces(tx, order_ids))
    return [found.get(order_id) for order_id in order_ids]
