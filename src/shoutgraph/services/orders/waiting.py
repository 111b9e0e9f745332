"""Reading lines: how full creators are, where a fan stands, and who waits for a creator."""

from collections.abc import Sequence
from typing import Final

from shoutgraph.domain import errors, pages
from shoutgraph.domain.capacity import Capacity, Entry
from shoutgraph.domain.creators import Creator
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.users import Viewer
from shoutgraph.storage import creators, policies, users, waitlist as rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

LINES_MAX: Final = 100
"""The most lines of one fan that are shown together."""


def scope_of(creator_id: str) -> str:
    """Names a creator's line, so that a cursor of another one is refused."""
    return pages.scope_of("waitlist", creator_id)


async def capacities(tools: Tools, of: Sequence[Creator]) -> list[Capacity]:
    """How full creators are, in the order asked."""
    return await tools.store.read(lambda tx: rows.capacities(tx, of, policies.current(tx)))


async def list_by_id(tools: Tools, viewer: Viewer, entry_ids: Sequence[str]) -> list[Entry | None]:
    """Entries by id, None where there is none for this viewer."""
    found = await tools.store.read(lambda tx: rows.list_of(tx, entry_ids))
    return [entry if entry is not None and rows.visible(entry, viewer) else None for entry in found]


async def list_mine(tools: Tools, viewer: Viewer) -> list[Entry]:
    """Where the viewer is in line, the longest wait first."""
    fan_id = viewer.user_id
    if fan_id is None:
        return []
    return await tools.store.read(lambda tx: rows.list_in_line_of(tx, fan_id, limit=LINES_MAX))


async def positions(tools: Tools, of: Sequence[Entry]) -> list[int | None]:
    """The places in line, from 1; None for those who do not wait, or not any more."""
    found = await tools.store.read(lambda tx: rows.positions(tx, [entry.id for entry in of]))
    return [found.get(entry.id) for entry in of]


async def fan_names(tools: Tools, viewer: Viewer, of: Sequence[Entry]) -> list[str | None]:
    """What those who wait are called, None where erased."""
    wanted = sorted({entry.fan_id for entry in of if rows.visible(entry, viewer)})
    found = await tools.store.read(lambda tx: users.list_of(tx, wanted)) if wanted else []
    names = {user.id: user.display_name for user in found if user is not None}
    return [names.get(entry.fan_id) if rows.visible(entry, viewer) else None for entry in of]


async def line(tools: Tools, viewer: Viewer, creator_id: str | None, args: PageArgs) -> Page[Entry]:
    """A page of a creator's line, who was offered a place first: the viewer's own, or anyone's for staff.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: it is not the viewer's, or they have no creator profile.
        NotFoundError: there is no such creator.
    """
    of = whose(viewer, creator_id)
    found = await tools.store.read(lambda tx: _line(tx, of, args))
    return pages.cut(found, args, scope=scope_of(of), key_of=lambda entry: (entry.state.value, entry.number))


def whose(viewer: Viewer, creator_id: str | None) -> str:
    """The creator whose line this viewer reads.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: it is not the viewer's, or they have no creator profile.
    """
    if creator_id is None:
        return viewer.require_creator()
    if creator_id != viewer.creator_id:
        viewer.require(*rows.READERS)
    return creator_id


def _line(tx: Tx, creator_id: str, args: PageArgs) -> list[Entry]:
    if creators.list_of(tx, [creator_id]) == [None]:
        raise errors.NotFoundError("There is no such creator.", path=("creatorId",))
    return rows.list_of_page(tx, creator_id, args)
