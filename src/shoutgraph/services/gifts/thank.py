"""Thanks of a creator for gifts, one or many at once."""

from collections.abc import Sequence
from dataclasses import replace

from shoutgraph.domain import errors, gifts as rules
from shoutgraph.domain.checks import tidy
from shoutgraph.domain.gifts import Gift
from shoutgraph.domain.users import Viewer
from shoutgraph.services.gifts import telling
from shoutgraph.storage import creators, gifts as rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


async def thank(tools: Tools, viewer: Viewer, gift_ids: Sequence[str], *, thanks: str | None) -> tuple[Gift, ...]:
    """Thanks for gifts. One that was thanked for before keeps the words of then.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer has no creator profile.
        NotFoundError: one of them is no gift to this creator; none is thanked for.
        ValidationError: there are none, too many, or one twice, or the words break a rule (an `ExceptionGroup` where
            both do).
    """
    creator_id = viewer.require_creator()
    words = None if thanks is None else tidy(thanks) or None
    rules.check_thanks(gift_ids, words)

    def work(tx: Tx) -> tuple[Gift, ...]:
        creators.hold(tx, creator_id)  # so that of two thanks the second one sees the first
        found = [gift for gift in rows.list_of(tx, gift_ids) if gift is not None and gift.creator_id == creator_id]
        if len(found) < len(gift_ids):
            raise errors.NotFoundError("There is no such gift.", path=("input", "giftIds"))
        waiting = [gift for gift in found if gift.thanked_at is None]
        if waiting:
            rows.thank(tx, [gift.id for gift in waiting], words)
        for gift in waiting:
            telling.tell(tools, tx, gift, telling.THANKED)
        return tuple(
            gift if gift.thanked_at is not None else replace(gift, thanked_at=tx.now, thanks=words) for gift in found
        )

    return await tools.store.write(work)
