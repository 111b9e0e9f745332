"""The room of campaigns: making, changing and ending them, deciding about their fees, and finding them."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.campaigns.events import (
    CampaignChangedEventType,
    CampaignEventQuery,
    CampaignEventSubscription,
)
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.creators import CampaignType, fetch_campaigns
from shoutgraph.api.graphql.directives import PAGED, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import ids, pages
from shoutgraph.domain.campaigns import Plan, Standing
from shoutgraph.domain.money import Coins
from shoutgraph.domain.users import Scope
from shoutgraph.services.campaigns import change, read
from shoutgraph.services.campaigns.read import Listing

_REVISION: Final = "Revision the caller read; null gives up the check."
_PATH: Final = ("input", "campaignId")
_Found = errors.ForbiddenErrorType | errors.NotFoundErrorType | errors.ValidationErrorType

CampaignCreateError = Annotated[
    _Found | errors.IdempotencyKeyReusedErrorType | errors.LimitExceededErrorType, failures_of("campaignCreate")
]
CampaignUpdateError = Annotated[_Found | errors.StaleRevisionErrorType, failures_of("campaignUpdate")]
CampaignEndError = Annotated[_Found | errors.StaleRevisionErrorType, failures_of("campaignEnd")]
CampaignApproveError = Annotated[_Found, failures_of("campaignApprove")]
CampaignDenyError = Annotated[_Found, failures_of("campaignDeny")]


@strawberry.input(description="Input of campaignCreate.")
class CampaignCreateInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended campaign.")
    creator_id: strawberry.ID | None = strawberry.field(
        default=None, description="Whose; the caller's own if not given. Another's is for staff."
    )
    name: str = strawberry.field(description="What it is called, at most 80 characters.")
    starts_at: datetime | None = strawberry.field(default=None, description="When it begins; now if not given.")
    ends_at: datetime = strawberry.field(description="When it ends, at most a year after it begins.")
    offer_ids: list[strawberry.ID] = strawberry.field(
        description="What is sold in it; 1 to 20 of the creator's offers."
    )
    price: Coins | None = strawberry.field(default=None, description="What each of them costs in it.")
    discount_basis_points: int | None = strawberry.field(
        default=None, description="Or what is taken off their own prices, 1 to 9000."
    )
    accept_seconds: int | None = strawberry.field(default=None, description="Time to answer: an hour to 30 days.")
    delivery_seconds: int | None = strawberry.field(default=None, description="Time to deliver: an hour to 90 days.")
    fee_basis_points: int | None = strawberry.field(
        default=None, description="A share of the platform of its own; it waits for campaignApprove."
    )
    orders_max: int | None = strawberry.field(default=None, description="How many orders it takes; null without limit.")
    countries: list[str] | None = strawberry.field(
        default=None, description="Where its fans live; null for everywhere."
    )

    def read(self, now: datetime) -> Plan:
        """The plan that this input describes."""
        return Plan(
            name=self.name,
            starts_at=self.starts_at or now,
            ends_at=self.ends_at,
            offer_ids=tuple(ids.parse(ids.OFFER, each, path=("input", "offerIds")) for each in self.offer_ids),
            price_coins=self.price,
            discount_bps=self.discount_basis_points,
            accept_s=self.accept_seconds,
            delivery_s=self.delivery_seconds,
            fee_bps=self.fee_basis_points,
            orders_max=self.orders_max,
            countries=tuple(self.countries or ()),
        )


@strawberry.type(description="Result of campaignCreate.")
class CampaignCreatePayload:
    campaign: CampaignType | None = mutations.outcome("The campaign; it is ACTIVE in its time, unless it is PROPOSED.")
    replayed: bool = mutations.replayed()
    errors: list[CampaignCreateError] = mutations.refusals()


@strawberry.input(description="Input of campaignUpdate. What is left out stays.")
class CampaignUpdateInput:
    campaign_id: strawberry.ID = strawberry.field(description="Which campaign.")
    ends_at: datetime | None = strawberry.field(default=None, description="Another end.")
    orders_max: int | None = strawberry.field(
        default=None, description="Another number of orders, no less than were placed."
    )
    expected_revision: int | None = strawberry.field(default=None, description=_REVISION)


@strawberry.type(description="Result of campaignUpdate.")
class CampaignUpdatePayload:
    campaign: CampaignType | None = mutations.outcome("The campaign as it now is.")
    errors: list[CampaignUpdateError] = mutations.refusals()


@strawberry.input(description="Input of campaignEnd.")
class CampaignEndInput:
    campaign_id: strawberry.ID = strawberry.field(description="Which campaign.")
    expected_revision: int | None = strawberry.field(default=None, description=_REVISION)


@strawberry.type(description="Result of campaignEnd.")
class CampaignEndPayload:
    campaign: CampaignType | None = mutations.outcome("The campaign, over.")
    errors: list[CampaignEndError] = mutations.refusals()


@strawberry.input(description="Input of campaignApprove.")
class CampaignApproveInput:
    campaign_id: strawberry.ID = strawberry.field(description="Which campaign.")


@strawberry.type(description="Result of campaignApprove.")
class CampaignApprovePayload:
    campaign: CampaignType | None = mutations.outcome("The campaign, approved.")
    errors: list[CampaignApproveError] = mutations.refusals()


@strawberry.input(description="Input of campaignDeny.")
class CampaignDenyInput:
    campaign_id: strawberry.ID = strawberry.field(description="Which campaign.")
    note: str = strawberry.field(description="Why, for its creator.")


@strawberry.type(description="Result of campaignDeny.")
class CampaignDenyPayload:
    campaign: CampaignType | None = mutations.outcome("The campaign, denied.")
    errors: list[CampaignDenyError] = mutations.refusals()


@strawberry.type
class CampaignQuery(CampaignEventQuery):
    @fields.resolver(
        description="Campaigns: those that take orders now, the first to end first; or all that the caller may see, "
        "the newest first.",
        directives=[PAGED],
    )
    async def campaigns(
        self,
        info: Info,
        creator_id: Annotated[strawberry.ID | None, strawberry.argument(description="Of this creator only.")] = None,
        active: Annotated[bool, strawberry.argument(description="Those that take orders now only.")] = True,  # noqa: FBT002
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[CampaignType] | None:
        of = None if creator_id is None else ids.parse(ids.CREATOR, creator_id, path=("creatorId",))
        listing, context = Listing(of, active=active), info.context
        kinds = (int, str) if active else (str,)
        args = pages.read_args(
            scope=read.scope_of(listing), first=first, after=after, last=last, before=before, kinds=kinds
        )
        return graph_pages.connect(await read.page(context.tools, context.viewer, listing, args), CampaignType.of)


Created = Annotated[CampaignCreateInput, strawberry.argument(description="What it is to be.")]
Updated = Annotated[CampaignUpdateInput, strawberry.argument(description="What to change.")]
Ended = Annotated[CampaignEndInput, strawberry.argument(description="Which one.")]
Approved = Annotated[CampaignApproveInput, strawberry.argument(description="Which one.")]
Denied = Annotated[CampaignDenyInput, strawberry.argument(description="Which one, and why.")]


@strawberry.type
class CampaignMutation:
    @mutations.mutation(
        description="Makes a campaign of the caller's own, or of a creator's by staff. With a fee of its own it waits "
        "until another person approves it."
    )
    async def campaign_create(self, info: Info, input: Created) -> CampaignCreatePayload | None:
        context, viewer = info.context, info.context.viewer
        asked, path = input.creator_id, ("input", "creatorId")
        creator_id = None if asked is None else ids.parse(ids.CREATOR, asked, path=path)
        request = request_of(viewer, "campaignCreate", input)
        done = await change.create(context.tools, viewer, request, input.read(context.tools.clock()), creator_id)
        return CampaignCreatePayload(campaign=CampaignType.of(done.value), replayed=done.replayed)

    @mutations.mutation(
        description="Gives a campaign another end, or another number of orders; its terms never change."
    )
    async def campaign_update(self, info: Info, input: Updated) -> CampaignUpdatePayload | None:
        campaign = await change.update(
            info.context.tools,
            info.context.viewer,
            ids.parse(ids.CAMPAIGN, input.campaign_id, path=_PATH),
            ends_at=input.ends_at,
            orders_max=input.orders_max,
            expected_revision=input.expected_revision,
        )
        return CampaignUpdatePayload(campaign=CampaignType.of(campaign))

    @mutations.mutation(description="Ends a campaign at once; orders in it go on at their terms.")
    async def campaign_end(self, info: Info, input: Ended) -> CampaignEndPayload | None:
        context, revision = info.context, input.expected_revision
        campaign_id = ids.parse(ids.CAMPAIGN, input.campaign_id, path=_PATH)
        campaign = await change.end(context.tools, context.viewer, campaign_id, expected_revision=revision)
        return CampaignEndPayload(campaign=CampaignType.of(campaign))

    @mutations.mutation(
        description="Approves the fee of a campaign that somebody else proposed.",
        directives=[requires(Scope.FINANCE_MANAGE)],
    )
    async def campaign_approve(self, info: Info, input: Approved) -> CampaignApprovePayload | None:
        campaign_id = ids.parse(ids.CAMPAIGN, input.campaign_id, path=_PATH)
        campaign = await change.decide(info.context.tools, info.context.viewer, campaign_id, Standing.APPROVED)
        return CampaignApprovePayload(campaign=CampaignType.of(campaign))

    @mutations.mutation(
        description="Denies the fee of a campaign that somebody else proposed: it takes no orders.",
        directives=[requires(Scope.FINANCE_MANAGE)],
    )
    async def campaign_deny(self, info: Info, input: Denied) -> CampaignDenyPayload | None:
        context, standing = info.context, Standing.DENIED
        campaign_id = ids.parse(ids.CAMPAIGN, input.campaign_id, path=_PATH)
        campaign = await change.decide(context.tools, context.viewer, campaign_id, standing, note=input.note)
        return CampaignDenyPayload(campaign=CampaignType.of(campaign))


ROOM: Final = Room(
    query=CampaignQuery,
    mutation=CampaignMutation,
    subscription=CampaignEventSubscription,
    nodes={ids.CAMPAIGN: fetch_campaigns},
    types=(CampaignChangedEventType,),
)
