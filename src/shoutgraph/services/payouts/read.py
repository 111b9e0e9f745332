"""Reading payouts and recipients: one's own, or anyone's for those who read finances."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shoutgraph.domain import pages
from shoutgraph.domain.exchanges import Exchange
from shoutgraph.domain.pages import Page, PageArgs
from shoutgraph.domain.payouts import WAITING, Payout, PayoutFilter
from shoutgraph.domain.recipients import Recipient
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import exchanges, payouts, recipients
from shoutgraph.tools import Tools


@dataclass(frozen=True, slots=True)
class Listing:
    """Which payouts: the viewer's own, or anyone's for those who read finances."""

    only: PayoutFilter = field(default_factory=PayoutFilter)
    mine: bool = True

    @property
    def scope(self) -> str:
        """Names this listing, so that a cursor of another one is refused."""
        return pages.scope_of("payouts", self.mine, self.only)


QUEUE = Listing(PayoutFilter(states=tuple(sorted(WAITING))), mine=False)
"""What waits for finance."""


async def list_by_id(tools: Tools, viewer: Viewer, payout_ids: Sequence[str]) -> list[Payout | None]:
    """Payouts by id, None where there is none for this viewer."""
    return await tools.store.read(lambda tx: payouts.list_visible(tx, payout_ids, viewer))


async def exchanges_of(tools: Tools, viewer: Viewer, found: Sequence[Payout]) -> list[Exchange | None]:
    """At what each of these payouts was exchanged, None for those in the book currency."""
    seen = [payout.id for payout in found if payouts.visible(payout, viewer)]
    known = await tools.store.read(lambda tx: exchanges.find_many(tx, seen))
    return [known.get(payout.id) for payout in found]


async def page(tools: Tools, viewer: Viewer, listing: Listing, args: PageArgs) -> Page[Payout]:
    """A page of payouts, newest first; of the queue, the longest waiting first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not a creator, or reads only their own.
    """
    if listing.mine:
        only = replace(listing.only, creator_id=viewer.require_creator())
    else:
        viewer.require(Scope.FINANCE_READ)
        only = listing.only
    descending = listing != QUEUE
    found = await tools.store.read(lambda tx: payouts.list_of_page(tx, args, only, descending=descending))
    return pages.cut(found, args, scope=listing.scope, key_of=lambda payout: (payout.id,))


@dataclass(frozen=True, slots=True)
class Rail:
    """One way to be paid."""

    code: str
    label: str


def list_of_rails(tools: Tools, viewer: Viewer) -> tuple[Rail, ...]:
    """The ways to be paid.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not a creator.
    """
    viewer.require_creator()
    return tuple(Rail(code, way.plugin.label) for code, way in sorted(tools.providers.payouts.items()))


async def list_of_recipients(tools: Tools, viewer: Viewer) -> tuple[Recipient, ...]:
    """The viewer's own recipients, the newest first.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is not a creator.
    """
    creator_id = viewer.require_creator()
    return await tools.store.read(lambda tx: recipients.list_of_creator(tx, creator_id))


async def recipients_by_id(tools: Tools, viewer: Viewer, recipient_ids: Sequence[str]) -> list[Recipient | None]:
    """Recipients by id, None where there is none for this viewer."""
    found = await tools.store.read(lambda tx: recipients.list_of(tx, recipient_ids))
    return [each if each is not None and _visible(each, viewer) else None for each in found]


def _visible(recipient: Recipient, viewer: Viewer) -> bool:
    mine = viewer.creator_id is not None and recipient.creator_id == viewer.creator_id
    return mine or viewer.has(Scope.FINANCE_READ)
