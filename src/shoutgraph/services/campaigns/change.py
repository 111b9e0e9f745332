"""Making a campaign, changing its end and its number of orders, and deciding about a fee of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shoutgraph.domain import campaigns as rules, errors, ids, journal
from shoutgraph.domain.campaigns import Campaign, Origin, Plan, Standing
from shoutgraph.domain.requests import Request
from shoutgraph.domain.users import Scope, Viewer
from shoutgraph.storage import campaigns as rows, creators, journal as journal_rows, policies, users
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Done, Tools, once

CHANGED: Final = "campaign.changed"

Change = Callable[[Tx, Campaign], Campaign]


@dataclass(frozen=True, slots=True)
class _Deed:
    """What is done to a campaign, by who else than its creator, and what the viewer has seen of it."""

    name: str
    scope: Scope
    expected_revision: int | None = None


async def create(tools: Tools, viewer: Viewer, request: Request, plan: Plan, creator_id: str | None) -> Done[Campaign]:
    """Makes a campaign of the viewer's own, or for a creator by staff. One with a fee of its own waits for approval.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is no creator, or it is another's and they do not manage the catalogue, or the
            creator's account closes.
        NotFoundError: there is no such creator, or they have no such offer.
        LimitExceededError: the creator has as many campaigns as they may.
        ValidationError: something breaks a rule (an `ExceptionGroup` where several do).
        IdempotencyKeyReusedError: the key was used before with other input.
    """
    of = _whose(viewer, creator_id)

    def work(tx: Tx) -> Campaign:
        (known,) = creators.list_of(tx, [of])
        if known is not None:
            users.get(tx, known.user_id).check_stays()  # held before the creator
        creators.get(tx, of)
        (offers,) = creators.list_of_offers_by_creator(tx, [of], _ALL)
        policy = policies.current(tx)
        if rows.count_open(tx, of) >= policy.campaigns_max:
            msg = f"A creator has {policy.campaigns_max} campaigns at most that have not ended."
            raise errors.LimitExceededError(msg, code="CAMPAIGNS", limit=policy.campaigns_max)
        campaign = rules.propose(
            plan,
            {offer.id for offer in offers},
            origin=Origin(ids.CampaignId(tools.new_id(ids.CAMPAIGN)), ids.CreatorId(of), viewer.principal),
            policy=policy,
            now=tx.now,
        )
        rows.insert(tx, campaign)
        _tell(tools, tx, campaign, "create")
        return campaign

    return await once(tools, request, work, rows.get)


async def update(
    tools: Tools,
    viewer: Viewer,
    campaign_id: str,
    *,
    ends_at: datetime | None,
    orders_max: int | None,
    expected_revision: int | None,
) -> Campaign:
    """Gives a campaign another end, or another number of orders. Orders in it keep their terms.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is neither a creator nor manages the catalogue.
        NotFoundError: there is no such campaign of theirs.
        StaleRevisionError: it changed since the viewer read it.
        ValidationError: it is over, or a field is out of its range (an `ExceptionGroup` where several are).
    """

    def change(tx: Tx, was: Campaign) -> Campaign:
        return rules.change(was, ends_at=ends_at, orders_max=orders_max, now=tx.now)

    _check_keeper(viewer)
    deed = _Deed("update", Scope.CATALOGUE_MANAGE, expected_revision)
    return await _change(tools, viewer, campaign_id, deed, change)


async def end(tools: Tools, viewer: Viewer, campaign_id: str, *, expected_revision: int | None) -> Campaign:
    """Ends a campaign at once; orders in it go on. A repeat changes nothing.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer is neither a creator nor manages the catalogue.
        NotFoundError: there is no such campaign of theirs.
        StaleRevisionError: it changed since the viewer read it.
    """
    _check_keeper(viewer)
    deed = _Deed("end", Scope.CATALOGUE_MANAGE, expected_revision)
    return await _change(tools, viewer, campaign_id, deed, lambda tx, was: rules.end(was, tx.now))


async def end_all(tools: Tools, creator_id: ids.CreatorId) -> None:
    """Ends every campaign of a creator whose account closes; they begin none any more."""

    def work(tx: Tx) -> None:
        creators.hold(tx, creator_id)
        for campaign in rows.list_open_of(tx, creator_id):
            ended = rules.end(campaign, tx.now)
            rows.save(tx, ended)
            _tell(tools, tx, ended, "end")

    if await tools.store.read(lambda tx: rows.count_open(tx, creator_id)):
        await tools.store.write(work)


async def decide(
    tools: Tools, viewer: Viewer, campaign_id: str, standing: Standing, *, note: str | None = None
) -> Campaign:
    """Approves or denies the fee of a campaign that somebody else proposed. A repeat changes nothing.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer does not manage finances, proposed it, or would earn by it.
        NotFoundError: there is no such campaign.
        ValidationError: it is decided already, or the note breaks a rule.
    """
    viewer.require(Scope.FINANCE_MANAGE)

    def change(tx: Tx, was: Campaign) -> Campaign:
        if was.creator_id == viewer.creator_id:
            raise errors.ForbiddenError("Somebody else decides about your own campaigns.", code="SAME_PERSON")
        return rules.decide(was, standing, by=viewer.principal, note=note, now=tx.now)

    deed = _Deed("approve" if standing is Standing.APPROVED else "deny", Scope.FINANCE_MANAGE)
    return await _change(tools, viewer, campaign_id, deed, change)


_ALL: Final = Viewer(scopes=frozenset({Scope.CATALOGUE_MANAGE}))
"""Who sees every offer: a campaign may have one that is not for sale yet."""


def _whose(viewer: Viewer, creator_id: str | None) -> str:
    if creator_id is None:
        return viewer.require_creator()
    if creator_id != viewer.creator_id:
        viewer.require(Scope.CATALOGUE_MANAGE)
    return creator_id


def _check_keeper(viewer: Viewer) -> None:
    if not viewer.has(Scope.CATALOGUE_MANAGE):
        viewer.require_creator()


async def _change(tools: Tools, viewer: Viewer, campaign_id: str, deed: _Deed, change: Change) -> Campaign:
    def work(tx: Tx) -> Campaign:
        known = rows.get(tx, campaign_id)
        if known.creator_id != viewer.creator_id and not viewer.has(deed.scope):
            raise errors.NotFoundError("There is no such campaign.", path=("input", "campaignId"))
        creators.get(tx, known.creator_id)
        campaign = rows.get(tx, campaign_id)  # again, now that nobody else can change it or order in it
        if deed.expected_revision not in {None, campaign.revision}:
            raise errors.StaleRevisionError(current_revision=campaign.revision)
        after = change(tx, campaign)
        if after is not campaign:
            rows.save(tx, after)
            _tell(tools, tx, after, deed.name)
        return after

    return await tools.store.write(work)


def _tell(tools: Tools, tx: Tx, campaign: Campaign, verb: str) -> None:
    """Tells of a campaign. Whoever does holds the creator."""
    body: journal.Body = {
        "action": verb,
        "status": campaign.state(tx.now).value,
        "revision": campaign.revision,
        "creator": campaign.creator_id,
        "open": campaign.standing is Standing.APPROVED,
    }
    event = journal.NewEvent(tools.new_id(ids.EVENT), campaign.id, CHANGED, body, topic_seq=campaign.revision)
    journal_rows.append(tx, event)
