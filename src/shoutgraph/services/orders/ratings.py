"""Reading ratings: a creator's, in pages; those of orders; how many there are of each kind; what was decided."""

from collections.abc import Sequence
from dataclasses import dataclass

from shoutgraph.domain import errors, pages
from shoutgraph.domain.orders import rating as rules
from shoutgraph.domain.orders.order import Order
from shoutgraph.domain.orders.rating import Decision, Rating, Sort, Tally
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import creators, ratings as rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


@dataclass(frozen=True, slots=True)
class Listing:
    """A creator's ratings in an order. The creator is named by id, or by a handle as people write it."""

    creator_id: str | None = None
    handle: str | None = None
    sort: Sort = Sort.NEWEST
    descending: bool = True
    hidden: bool = False

    @property
    def scope(self) -> str:
        """Names this listing, so that a cursor of another one is refused."""
        return pages.scope_of("ratings", self.creator_id, self.handle, self.sort, self.descending, self.hidden)

    @property
    def kinds(self) -> tuple[type, ...]:
        """The types of its key, so that a cursor made by hand is refused."""
        return (int, str) if self.sort is Sort.STARS else (str,)


async def page(tools: Tools, viewer: Viewer, listing: Listing, args: PageArgs) -> Page[Rating]:
    """A page of a creator's ratings: those that are shown, or for moderators those that are hidden.

    Raises:
        UnauthenticatedError: nobody is signed in, and hidden ones are asked for.
        ForbiddenError: hidden ones are asked for, and the viewer does not moderate.
        NotFoundError: there is no such creator.
    """
    _check(viewer, listing)
    found = await tools.store.read(lambda tx: rows.list_of_page(tx, args, _rows(tx, listing)))

    def key_of(rating: Rating) -> pages.Key:
        return (rating.stars, rating.id) if listing.sort is Sort.STARS else (rating.id,)

    return pages.cut(found, args, scope=listing.scope, key_of=key_of)


async def count(tools: Tools, viewer: Viewer, listing: Listing, *, limit: int) -> int:
    """How many ratings a list has, counted up to a limit.

    Raises:
        UnauthenticatedError: nobody is signed in, and hidden ones are asked for.
        ForbiddenError: hidden ones are asked for, and the viewer does not moderate.
        NotFoundError: there is no such creator.
    """
    _check(viewer, listing)
    return await tools.store.read(lambda tx: rows.count_up_to(tx, _rows(tx, listing), limit))


async def list_by_id(tools: Tools, viewer: Viewer, rating_ids: Sequence[str]) -> list[Rating | None]:
    """Ratings by id, None where there is none for this viewer."""
    return await tools.store.read(lambda tx: rows.list_visible(tx, rating_ids, viewer))


async def list_of_orders(tools: Tools, viewer: Viewer, of: Sequence[Order]) -> list[Rating | None]:
    """The ratings of orders, None where there is none for this viewer."""
    return await tools.store.read(lambda tx: rows.list_of_orders(tx, [order.id for order in of], viewer))


async def list_decisions(tools: Tools, viewer: Viewer, of: Sequence[Rating]) -> list[tuple[Decision, ...]]:
    """What moderators decided about ratings, in order, for the two sides and staff."""
    shown = [rating.id for rating in of if rules.beside(rating, viewer)]
    if not shown:
        return [() for _ in of]
    found = await tools.store.read(lambda tx: rows.list_of_decisions(tx, shown))
    return [found.get(rating.id, ()) for rating in of]


async def tallies(tools: Tools, creator_ids: Sequence[str]) -> list[Tally]:
    """How many ratings creators have of each kind."""
    return await tools.store.read(lambda tx: rows.list_of_tallies(tx, creator_ids))


def _check(viewer: Viewer, listing: Listing) -> None:
    if listing.hidden:
        viewer.require(Scope.MODERATION)


def _rows(tx: Tx, listing: Listing) -> rows.Listing:
    creator_id = listing.creator_id
    if listing.handle is not None:
        named = creators.find_by_handle(tx, listing.handle)
        if named is None:
            raise errors.NotFoundError("There is no such creator.", path=("of", "handle"))
        creator_id = named.id
    elif creator_id is None or creators.list_of(tx, [creator_id]) == [None]:
        raise errors.NotFoundError("There is no such creator.", path=("of", "id"))
    return rows.Listing(str(creator_id), listing.sort, listing.descending, listing.hidden)
