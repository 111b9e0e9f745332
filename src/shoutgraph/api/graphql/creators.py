"""Creators and their offers as the API shows them, with their relations read for a whole list at once."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import strawberry

from shoutgraph.api.graphql import enums, fields, loaders
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.orders import words
from shoutgraph.api.graphql.pages import After, Connection, First
from shoutgraph.api.graphql.payouts.holds import SHOWN_MAX, PayoutWaitType
from shoutgraph.api.graphql.reputation import ReputationType
from shoutgraph.api.graphql.samples import SampleType, page_of
from shoutgraph.api.graphql.seller_reports import OfYear, SellerReportType
from shoutgraph.domain import campaigns as campaign_values, creators as creator_values
from shoutgraph.domain.campaigns import Campaign, CampaignState
from shoutgraph.domain.capacity import Capacity
from shoutgraph.domain.categories import Category
from shoutgraph.domain.creators import Creator, Offer
from shoutgraph.domain.money import Coins
from shoutgraph.domain.orders.order import Occasion
from shoutgraph.domain.orders.rating import STARS
from shoutgraph.services import creators, features, offers, reputation, seller_reports
from shoutgraph.services.campaigns import read as campaigns
from shoutgraph.services.orders import ratings, show, waiting
from shoutgraph.services.payouts import holds

__all__ = [
    "CampaignType",
    "CreatorType",
    "OfferType",
    "RatingSummaryType",
    "fetch_campaigns",
    "fetch_creators",
    "fetch_offers",
    "words",
]

enums.describe(
    Category,
    name="Category",
    description="What a creator is known for; clients must accept values added later.",
    values={
        Category.ACTOR: "Acts on a stage or a screen.",
        Category.ARTIST: "Draws, paints or builds.",
        Category.ATHLETE: "Competes, or trains those who do.",
        Category.AUTHOR: "Writes.",
        Category.CHEF: "Cooks or bakes.",
        Category.COMEDIAN: "Makes people laugh.",
        Category.DANCER: "Dances.",
        Category.EDUCATOR: "Explains.",
        Category.GAMER: "Plays in public.",
        Category.MAGICIAN: "Does the impossible.",
        Category.MUSICIAN: "Sings or plays.",
        Category.PRESENTER: "Hosts and announces.",
        Category.STYLIST: "Knows what to wear.",
        Category.TRAVELLER: "Is elsewhere.",
        Category.OTHER: "Something else.",
    },
)

enums.describe(
    CampaignState,
    name="CampaignState",
    description="Where a campaign stands.",
    values={
        CampaignState.PROPOSED: "Its own fee waits for approval.",
        CampaignState.DENIED: "Its own fee was denied.",
        CampaignState.SCHEDULED: "It has not begun.",
        CampaignState.ACTIVE: "It takes orders.",
        CampaignState.SOLD_OUT: "All its orders are placed.",
        CampaignState.ENDED: "It is over.",
    },
)


@strawberry.type(name="RatingBucket", description="How many ratings of a creator have so many stars.")
class RatingBucketType:
    stars: int = strawberry.field(description="1 to 5.")
    count: int = strawberry.field(description="How many ratings have them.")


@strawberry.type(name="RatingSummary", description="How fans rated a creator's videos; hidden ratings do not count.")
class RatingSummaryType:
    creator_id: strawberry.Private[str]
    average_hundredths: int | None = strawberry.field(
        description="Average in hundredths of a star, half rounded up, 100 to 500; null before the first rating. "
        "Exactly it is sum divided by count."
    )
    sum: int = strawberry.field(description="All stars together.")
    count: int = strawberry.field(description="How many ratings there are.")

    @loaders.batch(
        description="How many there are of each kind, from 1 star to 5; kept exactly, never estimated.",
        directives=[ListSize(assumed_size=len(STARS))],
    )
    @staticmethod
    async def histogram(parents: "list[RatingSummaryType]", context: Context) -> list[list[RatingBucketType]]:
        found = await ratings.tallies(context.tools, [parent.creator_id for parent in parents])
        return [
            [RatingBucketType(stars=stars, count=count) for stars, count in zip(STARS, tally.counts, strict=True)]
            for tally in found
        ]


@strawberry.type(name="CreatorCapacity", description="How many orders a creator has open, and takes.")
class CapacityType:
    open: int = strawberry.field(description="Orders that are paid and have not ended.")
    max: int = strawberry.field(description="Open orders that they take at most.")
    kept: int = strawberry.field(description="Places that are offered to somebody who waited.")
    waiting: int = strawberry.field(description="Fans in line without an offer yet.")
    free: int = strawberry.field(description="Places for a fan who is not in line; 0: waitlistJoin.")

    @classmethod
    def of(cls, found: Capacity) -> "CapacityType":
        """The graph's view of a capacity."""
        kept, waiting = found.kept, found.waiting
        return cls(open=found.open_orders, max=found.open_orders_max, kept=kept, waiting=waiting, free=found.free)


@strawberry.type(name="Creator", description="Someone who films videos on request.")
class CreatorType(NodeType):
    value: strawberry.Private[Creator]
    revision: int = strawberry.field(description="Goes up by one at each change; send it as expectedRevision.")
    handle: str = strawberry.field(description="Public handle, unique: 2 to 30 of a-z, 0-9, dot and underscore.")
    name: str = strawberry.field(description="What they are called.")
    bio: str = strawberry.field(description="What they say of themselves; empty if nothing.")
    avatar_url: str | None = strawberry.field(description="Picture, an https address.")
    categories: list[Category] = strawberry.field(
        description="What they are known for.", directives=[ListSize(assumed_size=creator_values.CATEGORIES_MAX)]
    )
    languages: list[str] = strawberry.field(
        description="BCP 47 tags of the languages they speak on video.",
        directives=[ListSize(assumed_size=creator_values.LANGUAGES_MAX)],
    )
    country: str = strawberry.field(description="ISO 3166-1 code of where they live.")
    open: bool = strawberry.field(description="Whether they take orders at all.")
    paused_until: datetime | None = strawberry.field(description="When a break ends or ended; null without one.")
    open_orders_max: int | None = strawberry.field(description="How many open orders they take; null for the policy's.")
    featured: bool = strawberry.field(description="Whether the platform features them.")
    price_from: Coins | None = strawberry.field(description="Their cheapest active offer; null if they sell nothing.")
    created_at: datetime = strawberry.field(description="When they became a creator.")
    takes_gifts: bool = strawberry.field(description="Whether they take gifts; creatorUpdate switches it.")

    named_in_proofs: bool = strawberry.field(
        description="Whether verifyVideo names them to whoever holds one of their videos; creatorUpdate switches it."
    )

    @classmethod
    def of(cls, creator: Creator) -> "CreatorType":
        """The graph's view of a creator."""
        price = creator.price_from_coins
        return cls(
            value=creator,
            id=strawberry.ID(creator.id),
            revision=creator.revision,
            handle=creator.handle,
            name=creator.name,
            bio=creator.bio,
            avatar_url=creator.avatar_url,
            categories=list(creator.categories),
            languages=list(creator.languages),
            country=creator.country,
            open=creator.open,
            paused_until=creator.paused_until,
            open_orders_max=creator.open_orders_max,
            featured=creator.featured,
            price_from=None if price is None else Coins(price),
            created_at=creator.created_at,
            takes_gifts=creator.takes_gifts,
            named_in_proofs=creator.named_in_proofs,
        )

    @loaders.batch(
        description="Why a payout would wait now, and what the creator can do; only for themselves and finance.",
        directives=[ListSize(assumed_size=SHOWN_MAX)],
    )
    @staticmethod
    async def payout_holds(parents: "list[CreatorType]", context: Context) -> list[list[PayoutWaitType]]:
        found = await holds.of_creators(context.tools, context.viewer, [parent.id for parent in parents])
        return [[PayoutWaitType.of(hold) for hold in each] for each in found]

    @fields.resolver(description="What the tax office is told of a year; only for themselves and finance.")
    async def seller_report(self, info: Info, year: OfYear) -> SellerReportType | None:
        context = info.context
        seller_reports.check_reader(context.viewer, self.id, year)  # each by itself: a page may hold one's own
        return await context.loaders.related(_reports_of, self, year=year)

    @fields.resolver(description="How fans rated their videos.")
    def rating(self) -> RatingSummaryType:
        of = self.value
        return RatingSummaryType(
            creator_id=of.id, average_hundredths=of.rating_hundredths, sum=of.rating_sum, count=of.rating_count
        )

    @loaders.batch(description="How they answered, delivered and kept their word over the last 60 days.")
    @staticmethod
    async def reputation(parents: "list[CreatorType]", context: Context) -> list[ReputationType]:
        found = await reputation.list_of(context.tools, [parent.id for parent in parents])
        return [ReputationType.of(each) for each in found]

    @loaders.batch(
        description="Whether they are open, on no break, and shoutouts are on for them; capacity says whether there "
        "is a place."
    )
    @staticmethod
    async def takes_orders(parents: "list[CreatorType]", context: Context) -> list[bool]:
        return await asyncio.gather(*(context.load(fetch_takes_orders, parent.value) for parent in parents))

    @loaders.batch(description="How full they are now.")
    @staticmethod
    async def capacity(parents: "list[CreatorType]", context: Context) -> list[CapacityType]:
        found = await waiting.capacities(context.tools, [parent.value for parent in parents])
        return [CapacityType.of(each) for each in found]

    @loaders.batch(
        description="Campaigns that take orders now, those that end first first, 5 at most; campaigns has all.",
        directives=[ListSize(assumed_size=campaign_values.SHOWN_MAX)],
    )
    @staticmethod
    async def campaigns(parents: "list[CreatorType]", context: Context) -> list[list["CampaignType"]]:
        found = await campaigns.list_active_of(context.tools, [parent.id for parent in parents])
        return [[CampaignType.of(campaign) for campaign in of_one] for of_one in found]

    @loaders.batch(
        description="Finished videos that they show, in their order; their fans agreed.",
        directives=[ListSize(slicing_arguments=["first"], sized_fields=["edges", "nodes"])],
    )
    @staticmethod
    async def samples(
        parents: "list[CreatorType]", context: Context, first: First = None, after: After = None
    ) -> list[Connection[SampleType] | None]:
        found = await show.list_of_creators(context.tools, context.viewer, [parent.id for parent in parents])
        return [page_of(shown, first, after) for shown in found]

    @loaders.batch(
        description="What they sell, the cheapest first. Inactive offers are last, and only for the creator and staff.",
        directives=[ListSize(assumed_size=creator_values.OFFERS_MAX)],
    )
    @staticmethod
    async def offers(parents: "list[CreatorType]", context: Context) -> list[list["OfferType"]]:
        found = await offers.list_by_creator(context.tools, context.viewer, [parent.id for parent in parents])
        return [[OfferType.of(offer) for offer in of_one] for of_one in found]


@strawberry.type(
    name="Campaign",
    description="For a while, some of a creator's offers at other terms. An order in it keeps its terms.",
)
class CampaignType(NodeType):
    value: strawberry.Private[Campaign]
    revision: int = strawberry.field(description="Goes up by one at each change; send it as expectedRevision.")
    name: str = strawberry.field(description="What it is called.")
    starts_at: datetime = strawberry.field(description="When it begins.")
    ends_at: datetime = strawberry.field(description="When it ends, unless it is ended before.")
    ended_at: datetime | None = strawberry.field(description="When somebody ended it.")
    price: Coins | None = strawberry.field(description="What each of its offers costs; null if it has a discount.")
    discount_basis_points: int | None = strawberry.field(description="What is taken off the offers' own prices.")
    accept_seconds: int | None = strawberry.field(description="Time to answer, where it has its own.")
    delivery_seconds: int | None = strawberry.field(description="Time to deliver, where it has its own.")
    fee_basis_points: int | None = strawberry.field(description="The platform's share, where it has its own.")
    orders_max: int | None = strawberry.field(description="How many orders it takes; null without a limit.")
    orders_count: int = strawberry.field(description="How many orders were placed in it; never more than it takes.")
    countries: list[str] = strawberry.field(
        description="Where its fans live; empty for everywhere.",
        directives=[ListSize(assumed_size=campaign_values.COUNTRIES_MAX)],
    )
    created_at: datetime = strawberry.field(description="When it was made.")
    decided_at: datetime | None = strawberry.field(description="When its own fee was approved or denied.")
    note: str | None = strawberry.field(description="Why it was denied.")

    @classmethod
    def of(cls, campaign: Campaign) -> "CampaignType":
        """The graph's view of a campaign."""
        return cls(
            value=campaign,
            id=strawberry.ID(campaign.id),
            revision=campaign.revision,
            name=campaign.name,
            starts_at=campaign.starts_at,
            ends_at=campaign.ends_at,
            ended_at=campaign.ended_at,
            price=None if campaign.price_coins is None else Coins(campaign.price_coins),
            discount_basis_points=campaign.discount_bps,
            accept_seconds=campaign.accept_s,
            delivery_seconds=campaign.delivery_s,
            fee_basis_points=campaign.fee_bps,
            orders_max=campaign.orders_max,
            orders_count=campaign.orders_count,
            countries=list(campaign.countries),
            created_at=campaign.created_at,
            decided_at=campaign.decided_at,
            note=campaign.note,
        )

    @fields.resolver(description="Where it stands now.")
    def state(self, info: Info) -> CampaignState:
        return self.value.state(info.context.tools.clock())

    @loaders.batch(description="Whose it is; null once erased.")
    @staticmethod
    async def creator(parents: "list[CampaignType]", context: Context) -> list[CreatorType | None]:
        return await fetch_creators(context, [parent.value.creator_id for parent in parents])

    @loaders.batch(
        description="What is sold in it, without what the caller may not see.",
        directives=[ListSize(assumed_size=creator_values.OFFERS_MAX)],
    )
    @staticmethod
    async def offers(parents: "list[CampaignType]", context: Context) -> list[list["OfferType"]]:
        wanted = list({offer_id: None for parent in parents for offer_id in parent.value.offer_ids})
        offers = await fetch_offers(context, wanted)
        found = {str(offer.id): offer for offer in offers if offer is not None}
        return [[found[each] for each in parent.value.offer_ids if each in found] for parent in parents]


@strawberry.type(name="Offer", description="A kind of video that a creator sells.")
class OfferType(NodeType):
    value: strawberry.Private[Offer]
    revision: int = strawberry.field(description="Goes up by one at each change; send it as expectedRevision.")
    occasion: Occasion = strawberry.field(description="What the video is for.")
    title: str = strawberry.field(description="What it is called.")
    price: Coins = strawberry.field(description="What it costs, without express.")
    duration_max_seconds: int = strawberry.field(description="Longest video.")
    delivery_days: int = strawberry.field(description="Days to deliver after the creator accepted.")
    express_surcharge: Coins | None = strawberry.field(description="What a fast delivery costs more; null without one.")
    business_surcharge: Coins | None = strawberry.field(
        description="What an order of a business costs more; null where only private people are served."
    )
    active: bool = strawberry.field(description="Whether it is on sale.")
    created_at: datetime = strawberry.field(description="When it was first offered.")

    @classmethod
    def of(cls, offer: Offer) -> "OfferType":
        """The graph's view of an offer."""
        return cls(
            value=offer,
            id=strawberry.ID(offer.id),
            revision=offer.revision,
            occasion=offer.occasion,
            title=offer.title,
            price=Coins(offer.price_coins),
            duration_max_seconds=offer.duration_max_s,
            delivery_days=offer.delivery_days,
            express_surcharge=None if offer.express_coins is None else Coins(offer.express_coins),
            business_surcharge=None if offer.business_coins is None else Coins(offer.business_coins),
            active=offer.active,
            created_at=offer.created_at,
        )

    @loaders.batch(description="Who sells it; null once erased.")
    @staticmethod
    async def creator(parents: "list[OfferType]", context: Context) -> list[CreatorType | None]:
        return await fetch_creators(context, [parent.value.creator_id for parent in parents])


async def fetch_takes_orders(context: Context, of: Sequence[Creator]) -> list[bool]:
    """Whether creators take orders now: asked once for each, wherever in an operation they stand."""
    return await features.take_orders(context.tools, of)


async def fetch_creators(context: Context, creator_ids: Sequence[str]) -> list[CreatorType | None]:
    """Creators by id."""
    found = await creators.list_by_id(context.tools, creator_ids)
    return [None if creator is None else CreatorType.of(creator) for creator in found]


async def fetch_offers(context: Context, offer_ids: Sequence[str]) -> list[OfferType | None]:
    """Offers by id, null where the caller may not see them."""
    found = await offers.list_by_id(context.tools, context.viewer, offer_ids)
    return [None if offer is None else OfferType.of(offer) for offer in found]


async def fetch_campaigns(context: Context, campaign_ids: Sequence[str]) -> list[CampaignType | None]:
    """Campaigns by id, null where the caller may not see them."""
    found = await campaigns.list_by_id(context.tools, context.viewer, campaign_ids)
    return [None if campaign is None else CampaignType.of(campaign) for campaign in found]


async def _reports_of(parents: Sequence[CreatorType], context: Context, year: int) -> list[SellerReportType]:
    tools, viewer = context.tools, context.viewer
    found = await seller_reports.list_of_creators(tools, viewer, [parent.id for parent in parents], year)
    return [SellerReportType.of(report) for report in found]
