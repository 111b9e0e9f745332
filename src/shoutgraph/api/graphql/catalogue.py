"""The catalogue: finding creators, reading one, and asking what an offer would cost."""

from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, fields, pages as graph_pages
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.creators import CampaignType, CreatorType, OfferType, fetch_creators, fetch_offers
from shoutgraph.api.graphql.directives import PAGED, Cost
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.orders.policy import PolicyType, SplitType
from shoutgraph.api.graphql.packages import Country, Currency, On
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.sorting import SortDirection
from shoutgraph.domain import catalogue as catalogue_values, ids, pages
from shoutgraph.domain.catalogue import ALL, CreatorFilter, CreatorSort, Sort
from shoutgraph.domain.categories import Category
from shoutgraph.domain.money import Coins
from shoutgraph.domain.orders.order import Occasion, Usage
from shoutgraph.domain.packages import Market, Platform
from shoutgraph.domain.quotes import Quote
from shoutgraph.domain.reputation import Badge
from shoutgraph.services import catalogue, creators, offers
from shoutgraph.services.offers import Question

QUOTE_COST: Final = "3"

enums.describe(
    Sort,
    name="CreatorSortField",
    description="Keys that creators sort by, each with an index behind it.",
    values={
        Sort.FEATURED: "Featured ones apart from the others, each by rating.",
        Sort.PRICE: "The cheapest offer.",
        Sort.RATING: "The average rating, then the number of ratings.",
        Sort.NEWEST: "When they became creators.",
        Sort.NAME: "The name, without accents and case.",
        Sort.RESPONSE_TIME: "The mean time to an answer over the last 60 days; those of whom too little is known last.",
    },
)


@strawberry.input(description="Keeps the creators that match all the given fields.")
class CreatorFilterInput:
    category: Category | None = strawberry.field(default=None, description="Known for this.")
    language: str | None = strawberry.field(
        default=None, description="Speaks this language, a BCP 47 tag; en also finds en-GB."
    )
    country: str | None = strawberry.field(default=None, description="Lives here, an ISO 3166-1 code.")
    occasion: Occasion | None = strawberry.field(default=None, description="Has an active offer for this.")
    price_min: Coins | None = strawberry.field(
        default=None, description="Has an active offer, of the occasion if one is given, at this price or above."
    )
    price_max: Coins | None = strawberry.field(
        default=None, description="Has an active offer, of the occasion if one is given, at this price or below."
    )
    rating_min: int | None = strawberry.field(
        default=None, description="Average rating at least this, in hundredths of a star."
    )
    open_only: bool = strawberry.field(default=False, description="Open and not on a break now.")
    featured: bool | None = strawberry.field(default=None, description="Featured, or not.")
    response_time_max_seconds: int | None = strawberry.field(
        default=None, description="Answers requests within so many seconds, on average over the last 60 days."
    )
    badge: Badge | None = strawberry.field(default=None, description="Has this badge.")
    text: str | None = strawberry.field(
        default=None,
        description="Words, or their beginnings, in the handle, the name or the bio: all of them, without accents and "
        f"case. At most {catalogue_values.TEXT_CHARS_MAX} characters and {catalogue_values.WORDS_MAX} words; "
        "signs between words do not count.",
    )

    def read(self) -> CreatorFilter:
        """The filter as the catalogue takes it."""
        names = (name for name in CreatorFilter.__slots__ if name != "response_time_max")
        values = {name: getattr(self, name) for name in names}
        return CreatorFilter(**values, response_time_max=self.response_time_max_seconds)


@strawberry.input(description="How to sort creators; the id breaks ties.")
class CreatorSortInput:
    field: Sort = strawberry.field(description="Sort key.")
    direction: SortDirection | None = strawberry.field(
        default=None,
        description="Direction; if not given, what people expect: featured, best and newest first, cheapest and "
        "fastest first, names from A.",
    )

    def read(self) -> CreatorSort:
        """The sort as the catalogue takes it."""
        descending = None if self.direction is None else self.direction is SortDirection.DESC
        return CreatorSort.of(self.field, descending=descending)


@strawberry.input(one_of=True, description="Picks exactly one creator.")
class CreatorLookupInput:
    id: strawberry.ID | None = strawberry.field(default=strawberry.UNSET, description="By global id.")
    handle: str | None = strawberry.field(
        default=strawberry.UNSET, description="By handle, with or without an @ in front."
    )


@strawberry.type(
    name="Quote",
    description="What an order would cost now. It promises nothing: the order names the total again as expectedPrice.",
)
class QuoteType:
    offer: OfferType = strawberry.field(description="What was asked about.")
    creator: CreatorType = strawberry.field(description="Who would film it.")
    base: Coins = strawberry.field(description="Price of the offer.")
    express: Coins = strawberry.field(description="Surcharge of a fast delivery; 0 without one.")
    business: Coins = strawberry.field(description="Surcharge of an order of a business; 0 for private people.")
    total: Coins = strawberry.field(description="What would be taken from the wallet; send it as expectedPrice.")
    money: MoneyType | None = strawberry.field(
        description="What buying the total would cost; null where coins are not sold, or not so many at once."
    )
    missing_coins: Coins = strawberry.field(description="What the caller's wallet lacks; all of it for a guest.")
    top_up_coins: Coins | None = strawberry.field(
        description="The purchase that covers what is missing, at least the fewest coins that are sold at once; null "
        "if nothing is missing, or where coins are not sold."
    )
    missing_money: MoneyType | None = strawberry.field(description="What that purchase costs.")
    accept_seconds: int = strawberry.field(description="How long the creator has to answer.")
    delivery_seconds: int = strawberry.field(description="How long the creator then has to deliver.")
    split: SplitType = strawberry.field(description="How the total would be shared.")
    policy: PolicyType = strawberry.field(description="The rules that an order placed now would keep.")
    list_price: Coins = strawberry.field(description="Price of the offer without a campaign.")
    campaign: CampaignType | None = strawberry.field(description="The campaign whose terms these are, if any.")
    licence: str = strawberry.field(description="What the fan may do with the video, in words.")

    @classmethod
    def of(cls, quote: Quote) -> "QuoteType":
        """The graph's view of a quote."""
        return cls(
            offer=OfferType.of(quote.offer),
            creator=CreatorType.of(quote.creator),
            base=Coins(quote.coins.base_coins),
            express=Coins(quote.coins.express_coins),
            business=Coins(quote.coins.business_coins),
            total=Coins(quote.coins.total_coins),
            money=None if quote.exact is None else MoneyType.of(quote.exact.price),
            missing_coins=Coins(quote.missing_coins),
            top_up_coins=None if quote.topup is None else Coins(quote.topup.coins),
            missing_money=None if quote.topup is None else MoneyType.of(quote.topup.price),
            accept_seconds=quote.accept_s,
            delivery_seconds=quote.delivery_s,
            split=SplitType.of(quote.split, quote.policy),
            policy=PolicyType.of(quote.policy),
            list_price=Coins(quote.list_coins),
            campaign=None if quote.campaign is None else CampaignType.of(quote.campaign),
            licence=quote.licence,
        )


@strawberry.type
class CatalogueQuery:
    @fields.resolver(
        description="The catalogue: creators with at least one active offer. A search text finds at most 10,000.",
        directives=[PAGED],
    )
    async def creators(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[CreatorFilterInput | None, strawberry.argument(description="Which creators.")] = None,
        sort: Annotated[
            CreatorSortInput | None, strawberry.argument(description="In which order; featured first if not given.")
        ] = None,
    ) -> Connection[CreatorType] | None:
        only = ALL if filter is None else filter.read()
        order = CreatorSort() if sort is None else sort.read()
        scope = catalogue_values.scope(order, only)
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before, kinds=None)
        tools = info.context.tools
        page = await catalogue.page(tools, only, order, args)
        limit = graph_pages.COUNT_MAX + 1
        return graph_pages.connect(page, CreatorType.of, count=lambda: catalogue.count(tools, only, limit=limit))

    @fields.resolver(description="One creator, listed in the catalogue or not.")
    async def creator(
        self, info: Info, by: Annotated[CreatorLookupInput, strawberry.argument(description="Which one.")]
    ) -> CreatorType | None:
        tools = info.context.tools
        if by.handle is not None and by.handle is not strawberry.UNSET:
            return CreatorType.of(await creators.get_by_handle(tools, by.handle))
        assert by.id is not None, "exactly one of the two is given"
        return CreatorType.of(await creators.get(tools, ids.parse(ids.CREATOR, by.id, path=("by", "id"))))

    @fields.resolver(description="One offer; an inactive one only for its creator and staff.")
    async def offer(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Global id.")]
    ) -> OfferType | None:
        offer_id = ids.parse(ids.OFFER, id, path=("id",))
        return OfferType.of(await offers.get(info.context.tools, info.context.viewer, offer_id))

    @fields.resolver(
        description="What an order of an offer would cost the caller, in coins and in money.",
        directives=[Cost(weight=QUOTE_COST)],
    )
    async def quote(
        self,
        info: Info,
        offer_id: Annotated[strawberry.ID, strawberry.argument(description="Which offer.")],
        country: Country,
        currency: Currency,
        platform: On = Platform.WEB,
        *,
        express: Annotated[bool, strawberry.argument(description="With a fast delivery.")] = False,
        usage: Annotated[Usage, strawberry.argument(description="For private people or a business.")] = Usage.PERSONAL,
        campaign_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="In this campaign of the creator's.")
        ] = None,
    ) -> QuoteType | None:
        context, market = info.context, Market(country, currency, platform)
        found = ids.parse(ids.OFFER, offer_id, path=("offerId",))
        campaign = None if campaign_id is None else ids.parse(ids.CAMPAIGN, campaign_id, path=("campaignId",))
        asked = Question(found, market, express=express, usage=usage, campaign_id=campaign)
        return QuoteType.of(await offers.quote(context.tools, context.viewer, asked))


ROOM: Final = Room(query=CatalogueQuery, nodes={ids.CREATOR: fetch_creators, ids.OFFER: fetch_offers})
