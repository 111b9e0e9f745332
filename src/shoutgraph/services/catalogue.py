"""The catalogue: pages of creators, and how many there are."""

from shoutgraph.domain import catalogue, pages
from shoutgraph.domain.catalogue import CreatorFilter, CreatorSort
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.storage import catalogue as rows
from shoutgraph.tools import Tools


async def page(tools: Tools, only: CreatorFilter, sort: CreatorSort, args: PageArgs) -> Page[Creator]:
    """A page of the creators who sell something.

    Raises:
        ValidationError: the cursor was not written by this list, or the filter is not one.
    """
    catalogue.check_filter(only)
    catalogue.check_args(args, sort)
    found = await tools.store.read(lambda tx: rows.list_of_page(tx, args, only, sort))
    scope = catalogue.scope(sort, only)
    return pages.cut(found, args, scope=scope, key_of=lambda creator: catalogue.key_of(creator, sort.by))


async def count(tools: Tools, only: CreatorFilter, *, limit: int) -> int:
    """How many creators match, counted up to a limit.

    Raises:
        ValidationError: the filter is not one.
    """
    catalogue.check_filter(only)
    return await tools.store.read(lambda tx: rows.count_up_to(tx, only, limit))
