"""Joining a creator's line and leaving it; nobody pays for either."""

from shoutgraph.domain import capacity, errors, ids
from shoutgraph.domain.capacity import Entry, WaitState
from shoutgraph.domain.users import Viewer
from shoutgraph.services.orders import lines
from shoutgraph.storage import creators, features, policies, users, waitlist as rows
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools


async def join(tools: Tools, viewer: Viewer, offer_id: str) -> Entry:
    """Joins the line of an offer's creator, once: a repeat gives the entry that there is.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person, or their account closes.
        NotFoundError: there is no such offer.
        FeatureUnavailableError: shoutouts are off for the caller, or for the creator.
        ValidationError: the creator is the caller, or has a free place.
        CreatorUnavailableError: the offer is not for sale now.
        LimitExceededError: the line is as long as it may be, or the caller stands in as many as they may.
    """
    fan_id = viewer.require_user()

    def work(tx: Tx) -> Entry:
        policy = policies.current(tx)
        features.require_to_order(tx, fan_id, offer_id)
        users.get(tx, fan_id).check_stays()
        offer, creator = creators.get_offer_with_creator(tx, offer_id)
        if creator.user_id == fan_id:
            msg = "You need not wait for yourself."
            raise errors.ValidationError(msg, code="OWN_OFFER", path=("input", "offerId"))
        if not offer.active:
            raise errors.CreatorUnavailableError("This offer is not for sale now.", code="OFFER_INACTIVE")
        existing = rows.find_mine(tx, creator.id, fan_id)
        if existing is not None:
            return existing
        places = rows.find_places(tx, offer.id, fan_id)
        most = policy.waitlists_fan_max
        joined = len(rows.list_in_line_of(tx, fan_id, limit=most))
        capacity.check_join(creator, places, policy, now=tx.now, lines=joined)
        entry = Entry(
            id=ids.WaitlistId(tools.new_id(ids.WAITLIST)),
            revision=1,
            creator_id=creator.id,
            offer_id=offer.id,
            fan_id=fan_id,
            number=rows.next_number(tx, creator.id),
            state=WaitState.WAITING,
            joined_at=tx.now,
            updated_at=tx.now,
        )
        rows.insert(tx, entry)
        lines.tell(tools, tx, entry, None)
        return entry

    return await tools.store.write(work)


async def leave(tools: Tools, viewer: Viewer, entry_id: str) -> Entry:
    """Leaves a line, or declines the place that is offered: the next one has it at once. A repeat changes nothing.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the caller is not a person.
        NotFoundError: the caller has no such entry.
    """
    fan_id = viewer.require_user()

    def work(tx: Tx) -> Entry:
        creator = creators.get(tx, rows.get(tx, entry_id).creator_id)
        entry = rows.get(tx, entry_id)  # again, now that nobody else can move it
        if entry.fan_id != fan_id:
            raise errors.NotFoundError("There is no such place in a line.", path=("input", "waitlistEntryId"))
        left = capacity.leave(entry, tx.now)
        if left is not entry:
            rows.save(tx, left)
            lines.tell(tools, tx, left, entry)
            lines.move_on(tools, tx, creator, policies.current(tx))
        return left

    return await tools.store.write(work)


async def dismiss(tools: Tools, creator_id: ids.CreatorId) -> None:
    """Sends everybody home who waits for a creator whose account closes; nobody joins any more."""

    def work(tx: Tx) -> bool:
        creators.hold(tx, creator_id)
        line = rows.get_line(tx, creator_id, limit=capacity.OFFERS_AT_ONCE)
        head = (*line.offered, *line.waiting)
        for entry in head:
            left = capacity.dismiss(entry, tx.now)
            rows.save(tx, left)
            lines.tell(tools, tx, left, entry)
        return bool(head)

    waits = await tools.store.read(lambda tx: rows.get_line(tx, creator_id, limit=1))
    more = bool(waits.offered or waits.waiting)
    while more:
        more = await tools.store.write(work)
