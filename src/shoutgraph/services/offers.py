"""Offers: what creators sell, and what one would cost a viewer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from shoutgraph.domain import accounts, campaigns, creators, errors, ids, packages, quotes
from shoutgraph.domain.campaigns import Campaign
from shoutgraph.domain.creators import Offer, OfferChanges, OfferTerms
from shoutgraph.domain.explanations import prices
from shoutgraph.domain.explanations.explanation import Explanation
from shoutgraph.domain.features import Person
from shoutgraph.domain.orders.order import Usage
from shoutgraph.domain.packages import Market
from shoutgraph.domain.quotes import Quote, Sold
from shoutgraph.domain.users import Viewer
from shoutgraph.storage import (
    campaigns as campaign_rows,
    creators as rows,
    features,
    ledger,
    packages as package_rows,
    policies,
    users,
)
from shoutgraph.storage.tx import Tx
from shoutgraph.tools import Tools

_CAMPAIGN: Final = ("campaignId",)


async def create(tools: Tools, viewer: Viewer, terms: OfferTerms) -> Offer:
    """Adds an offer to the viewer's own profile, on sale at once.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer has no creator profile, or their account closes.
        LimitExceededError: the creator has as many offers as one may have.
        ValidationError: a field breaks a rule (an `ExceptionGroup` where several do).
    """
    creator_id, user_id = viewer.require_creator(), viewer.require_user()

    def work(tx: Tx) -> Offer:
        offer_id = ids.OfferId(tools.new_id(ids.OFFER))
        policy = policies.current(tx)
        offer = creators.offer(terms, offer_id=offer_id, creator_id=creator_id, policy=policy, now=tx.now)
        users.get(tx, user_id).check_stays()
        rows.hold(tx, creator_id)  # so that two of them do not both have the last place
        if rows.count_offers(tx, creator_id) >= creators.OFFERS_MAX:
            msg = f"A creator has at most {creators.OFFERS_MAX} offers: change one that you no longer sell."
            raise errors.LimitExceededError(msg, code="OFFERS_MAX", limit=creators.OFFERS_MAX)
        rows.insert_offer(tx, offer)
        return offer

    return await tools.store.write(work)


async def update(
    tools: Tools, viewer: Viewer, offer_id: str, changes: OfferChanges, *, expected_revision: int | None
) -> Offer:
    """Changes one of the viewer's own offers; orders that were placed keep their terms.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer has no creator profile.
        NotFoundError: the viewer has no such offer.
        StaleRevisionError: the offer changed since the viewer read it.
        ValidationError: a field breaks a rule (an `ExceptionGroup` where several do).
    """

    def change(tx: Tx, offer: Offer) -> Offer:
        return creators.change_offer(offer, changes, policy=policies.current(tx))

    return await _change(tools, viewer, offer_id, expected_revision, change)


async def switch(tools: Tools, viewer: Viewer, offer_id: str, *, active: bool, expected_revision: int | None) -> Offer:
    """Puts one of the viewer's own offers on sale, or takes it off.

    Raises:
        UnauthenticatedError: nobody is signed in.
        ForbiddenError: the viewer has no creator profile, or their account closes.
        NotFoundError: the viewer has no such offer.
        StaleRevisionError: the offer changed since the viewer read it.
    """

    def change(_: Tx, offer: Offer) -> Offer:
        return creators.switch_offer(offer, active=active)

    return await _change(tools, viewer, offer_id, expected_revision, change, opens=active)


async def get(tools: Tools, viewer: Viewer, offer_id: str) -> Offer:
    """An offer that this viewer may see.

    Raises:
        NotFoundError: there is no such offer for this viewer.
    """
    (found,) = await list_by_id(tools, viewer, [offer_id])
    if found is None:
        raise errors.NotFoundError("There is no such offer.", path=("id",))
    return found


async def list_by_id(tools: Tools, viewer: Viewer, offer_ids: Sequence[str]) -> list[Offer | None]:
    """Offers by id in the order asked, None where there is none for this viewer."""
    return await tools.store.read(lambda tx: rows.list_of_offers(tx, offer_ids, viewer))


async def list_by_creator(tools: Tools, viewer: Viewer, creator_ids: Sequence[str]) -> list[tuple[Offer, ...]]:
    """The offers of each creator that this viewer may see: those on sale first, the cheapest first."""
    return await tools.store.read(lambda tx: rows.list_of_offers_by_creator(tx, creator_ids, viewer))


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody would like to know the price of."""

    offer_id: str
    market: Market
    express: bool = False
    usage: Usage = Usage.PERSONAL
    campaign_id: str | None = None


async def quote(tools: Tools, viewer: Viewer, asked: Question) -> Quote:
    """What an offer would cost this viewer now, in coins and in money.

    Raises:
        NotFoundError: there is no such offer for this viewer, or no such campaign of its creator.
        ValidationError: the offer has no express delivery or serves no businesses, or the country is not one.
        FeatureUnavailableError: shoutouts are off for the viewer, or for the creator.
        CampaignUnavailableError: the campaign does not take such an order now.
    """
    packages.check_market(asked.market)

    def query(tx: Tx) -> Quote:
        path = ("offerId",)
        offer, creator = rows.get_offer_with_creator(tx, asked.offer_id, path=path)
        if not rows.visible(offer, viewer):
            raise errors.NotFoundError("There is no such offer.", path=path)
        features.require_to_order(tx, viewer.user_id, asked.offer_id, guest=Person(country=asked.market.country))
        return quotes.quote(
            Sold(offer, creator, _campaign(tx, viewer, asked.campaign_id, offer)),
            express=asked.express,
            usage=asked.usage,
            policy=policies.current(tx),
            balance_coins=_spendable_coins(tx, viewer),
            unit=package_rows.find_unit_price(tx, asked.market),
        )

    return await tools.store.read(query)


async def explain_price(tools: Tools, viewer: Viewer, asked: Question) -> Explanation:
    """What the price of an offer is made of, for this viewer now.

    Raises:
        NotFoundError: there is no such offer for this viewer, or no such campaign of its creator.
        ValidationError: the offer has no express delivery or serves no businesses, or the country is not one.
        FeatureUnavailableError: shoutouts are off for the viewer, or for the creator.
        CampaignUnavailableError: the campaign does not take such an order now.
    """
    return prices.price(await quote(tools, viewer, asked))


def _campaign(tx: Tx, viewer: Viewer, campaign_id: str | None, offer: Offer) -> Campaign | None:
    if campaign_id is None:
        return None
    campaign = campaign_rows.get(tx, campaign_id, path=_CAMPAIGN)
    fan = users.find(tx, viewer.user_id) if viewer.user_id is not None and campaign.countries else None
    guest = campaign.countries[0] if campaign.countries and viewer.user_id is None else None  # who may be from anywhere
    country = guest if fan is None else fan.country
    campaigns.check_order(campaign, offer, country=country, now=tx.now, path=_CAMPAIGN)
    return campaign


def _spendable_coins(tx: Tx, viewer: Viewer) -> int:
    if viewer.user_id is None:
        return 0
    promo, paid = accounts.promo(viewer.user_id), accounts.paid(viewer.user_id)
    return sum(lot.remaining for lot in ledger.list_of_spendable_lots(tx, promo.code, paid.code))


async def _change(
    tools: Tools,
    viewer: Viewer,
    offer_id: str,
    expected_revision: int | None,
    change: Callable[[Tx, Offer], Offer],
    *,
    opens: bool = False,
) -> Offer:
    creator_id, user_id = viewer.require_creator(), viewer.require_user()

    def work(tx: Tx) -> Offer:
        if opens:
            users.get(tx, user_id).check_stays()  # held before the offer
        offer = rows.get_offer(tx, offer_id)
        if offer.creator_id != creator_id:
            raise errors.NotFoundError("There is no such offer.", path=("input", "offerId"))
        if expected_revision not in {None, offer.revision}:
            raise errors.StaleRevisionError(current_revision=offer.revision)
        changed = change(tx, offer)
        if changed is not offer:
            rows.save_offer(tx, changed)
        return changed

    return await tools.store.write(work)
