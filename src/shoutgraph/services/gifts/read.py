"""Reading gifts: those that one gave or got, what the givers are called, and who gave the most."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from shoutgraph.domain import errors, pages
from shoutgraph.domain.gifts import Gift, Span, Total, Window
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import creators, gifts as rows, users
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


@dataclass(frozen=True, slots=True)
class Ranking:
    """Whose fans are ranked, over what, and around when."""

    creator_id: str
    window: Window

    @classmethod
    def of(cls, creator_id: str, span: Span, at: datetime) -> "Ranking":
        """The ranking of a creator's fans around a time."""
        return cls(creator_id, Window.of(span, at))

    @property
    def scope(self) -> str:
        """Names this ranking, so that a cursor of another one is refused."""
        return pages.scope_of("gift ranking", self.creator_id, self.window)


@dataclass(frozen=True, slots=True)
class Giver:
    """A place of the ranking, and whose fan it is."""

    creator_id: str
    total: Total


async def list_by_id(tools: Tools, viewer: Viewer, gift_ids: Sequence[str]) -> list[Gift | None]:
    """Gifts by id, None where there is none for this viewer."""
    return await tools.store.read(lambda tx: rows.list_visible(tx, gift_ids, viewer))


async def giver_names(tools: Tools, viewer: Viewer, of: Sequence[Gift]) -> list[str | None]:
    """What the givers of gifts are called, None where erased or where the viewer may not see the gift."""
    return await _names(tools, [gift.user_id if rows.visible(gift, viewer) else None for gift in of])


def message_of(viewer: Viewer, gift: Gift) -> str | None:
    """What the fan said, None where nothing was, or where moderators hid it from this viewer."""
    mine = viewer.user_id is not None and viewer.user_id == gift.user_id
    return None if gift.hidden and not mine and not viewer.has(Scope.MODERATION) else gift.message


async def names_of_ranked(tools: Tools, viewer: Viewer, of: Sequence[Giver]) -> list[str | None]:
    """What those in a ranking are called: to the creator, to themselves, and to those who read anyone's gifts."""
    staff = viewer.has(*rows.READERS)
    seen = [staff or each.total.user_id == viewer.user_id or each.creator_id == viewer.creator_id for each in of]
    return await _names(tools, [each.total.user_id if shown else None for each, shown in zip(of, seen, strict=True)])


async def ranking(tools: Tools, listing: Ranking, args: PageArgs) -> Page[Giver]:
    """A page of a creator's fans, who gave the most first.

    Raises:
        NotFoundError: there is no such creator.
    """

    def query(tx: Tx) -> list[Total]:
        if creators.list_of(tx, [listing.creator_id]) == [None]:
            raise errors.NotFoundError("There is no such creator.", path=("creatorId",))
        return rows.list_of_totals(tx, listing.creator_id, listing.window, args)

    found = [Giver(listing.creator_id, total) for total in await tools.store.read(query)]
    return pages.cut(found, args, scope=listing.scope, key_of=lambda each: (each.total.coins, each.total.user_id))


async def _names(tools: Tools, user_ids: Sequence[str | None]) -> list[str | None]:
    wanted = list({user_id for user_id in user_ids if user_id is not None})
    found = await tools.store.read(lambda tx: users.list_of(tx, wanted)) if wanted else []
    names = {user.id: user.display_name for user in found if user is not None}
    return [names.get(user_id) if user_id is not None else None for user_id in user_ids]  # type: ignore[call-overload]
