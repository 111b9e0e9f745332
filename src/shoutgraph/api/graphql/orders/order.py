"""An order as the API shows it, with its relations read for a whole list at once."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from shoutgraph.api.graphql import fields, loaders
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.creators import CampaignType, CreatorType, OfferType, fetch_campaigns
from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.orders.adjustment import OrderAdjustmentType
from shoutgraph.api.graphql.orders.attachments import AttachmentType
from shoutgraph.api.graphql.orders.brief import BriefType
from shoutgraph.api.graphql.orders.checklist import ChecklistItemType
from shoutgraph.api.graphql.orders.policy import DeadlineType, PolicyType, SplitType
from shoutgraph.api.graphql.orders.ratings import RatingType
from shoutgraph.api.graphql.samples import SampleType
from shoutgraph.api.graphql.videos import VideoType
from shoutgraph.domain import fees, quotes
from shoutgraph.domain.adjustments import OF_ORDER_MAX
from shoutgraph.domain.attachments import Purpose
from shoutgraph.domain.money import Coins
from shoutgraph.domain.orders import checklist, machine
from shoutgraph.domain.orders.order import Order, RedoGround, Side, Statement
from shoutgraph.domain.orders.states import State
from shoutgraph.domain.policies import Policy
from shoutgraph.services import creators, offers
from shoutgraph.services.campaigns import read as campaigns
from shoutgraph.services.orders import adjustments, attach, deliver, ratings, read, show

_STATEMENTS = ListSize(assumed_size=50)


@strawberry.type(name="DisputeStatement", description="What one side said in a dispute, or about a redo.")
class DisputeStatementType:
    value: strawberry.Private[Statement]
    about: strawberry.Private[Order]
    revision: int = strawberry.field(description="The order's revision that it made; its evidence names it.")
    side: Side = strawberry.field(description="Who said it.")
    text: str = strawberry.field(description="What was said.")
    said_at: datetime = strawberry.field(description="When.")
    ground: RedoGround | None = strawberry.field(description="What the fan says is wrong, if it asks for a redo.")

    @classmethod
    def of(cls, said: Statement, order: Order) -> "DisputeStatementType":
        """The graph's view of a statement about an order."""
        return cls(
            value=said,
            about=order,
            revision=said.revision,
            side=said.side,
            text=said.text,
            said_at=said.at,
            ground=said.ground,
        )

    @loaders.batch(description="What is missing of what must be said, in the words of the brief.")
    @staticmethod
    async def missing(parents: "list[DisputeStatementType]", context: Context) -> list[str | None]:
        items = await _items(context, [(parent.about, parent.value.item) for parent in parents])
        return [None if item is None else item.text for item in items]


@strawberry.type(name="OrderCampaign", description="The campaign that an order is in, as it was agreed at submit.")
class OrderCampaignType:
    value: strawberry.Private[Order]
    list_price: Coins = strawberry.field(description="What the offer cost without it, without surcharges.")
    price: Coins = strawberry.field(description="What it cost in it, without surcharges.")
    fee_basis_points: int = strawberry.field(description="The platform's share of this order.")
    accept_seconds: int | None = strawberry.field(description="Time to answer, where the campaign had its own.")
    delivery_seconds: int = strawberry.field(description="Time to deliver this order.")

    @classmethod
    def of(cls, order: Order) -> "OrderCampaignType | None":
        """The graph's view of an order's campaign, if it is in one."""
        terms = order.terms
        if terms.campaign_id is None:
            return None
        return cls(
            value=order,
            list_price=Coins(terms.list_coins or terms.base_coins),
            price=Coins(terms.base_coins),
            fee_basis_points=terms.fee_bps,
            accept_seconds=terms.accept_s,
            delivery_seconds=terms.delivery_s,
        )

    @loaders.batch(description="The campaign as it is now.")
    @staticmethod
    async def campaign(parents: "list[OrderCampaignType]", context: Context) -> list[CampaignType | None]:
        return await fetch_campaigns(context, [parent.value.terms.campaign_id or "" for parent in parents])

    @loaders.batch(description="The order's number among those in the campaign, from 1; null for a draft.")
    @staticmethod
    async def number(parents: "list[OrderCampaignType]", context: Context) -> list[int | None]:
        found = await campaigns.list_of_pieces(context.tools, [parent.value.id for parent in parents])
        return [None if piece is None else piece.number for piece in found]


@strawberry.type(name="Order", description="A request for a video, paid in coins.")
class OrderType(NodeType):
    value: strawberry.Private[Order]
    revision: int = strawberry.field(description="Goes up by one at each change; send it as expectedRevision.")
    status: State = strawberry.field(description="Where the order stands.")
    price: Coins = strawberry.field(description="What it costs; held in escrow while the order is open.")
    express: bool = strawberry.field(description="Whether the fan pays for a fast delivery.")
    express_surcharge: Coins = strawberry.field(description="The part of the price that is for a fast delivery.")
    business_surcharge: Coins = strawberry.field(description="The part of the price that is for use by a business.")
    promo_coins: Coins = strawberry.field(description="The part of the price that was paid in granted coins.")
    refunded: Coins = strawberry.field(description="Coins that went back to the fan.")
    duration_max_seconds: int = strawberry.field(description="Longest video that the fan ordered.")
    created_at: datetime = strawberry.field(description="When it was written down.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    submitted_at: datetime | None = strawberry.field(description="When it was paid.")
    accepted_at: datetime | None = strawberry.field(description="When the creator took it on.")
    uploaded_at: datetime | None = strawberry.field(description="When the video was last handed in.")
    delivered_at: datetime | None = strawberry.field(description="When the fan got the video.")
    closed_at: datetime | None = strawberry.field(description="When it ended.")
    close_reason: str | None = strawberry.field(description="The transition that ended it, such as accept_timeout.")
    reason: str | None = strawberry.field(description="Reason code of the last decision.")
    note: str | None = strawberry.field(description="What was said with it.")
    redo: bool = strawberry.field(description="Whether the redo was asked for.")
    redo_ground: RedoGround | None = strawberry.field(description="Why a redo was asked for.")
    waiting_for: Side | None = strawberry.field(description="The side of a dispute that loses if it stays silent.")
    frozen: bool = strawberry.field(description="Whether the platform stopped its timers and coins.")
    extension_seconds: int | None = strawberry.field(description="How much later the creator offered to deliver.")
    extended: bool = strawberry.field(description="Whether the fan agreed to that.")

    @classmethod
    def of(cls, order: Order) -> "OrderType":
        """The graph's view of an order."""
        terms = order.terms
        return cls(
            value=order,
            id=strawberry.ID(order.id),
            revision=order.revision,
            status=order.state,
            price=Coins(order.price_coins),
            express=terms.express,
            express_surcharge=Coins(terms.express_coins),
            business_surcharge=Coins(terms.business_coins),
            promo_coins=Coins(order.promo_coins),
            refunded=Coins(order.refunded_coins),
            duration_max_seconds=terms.duration_max_s,
            created_at=order.created_at,
            updated_at=order.updated_at,
            submitted_at=order.submitted_at,
            accepted_at=order.accepted_at,
            uploaded_at=order.uploaded_at,
            delivered_at=order.delivered_at,
            closed_at=order.closed_at,
            close_reason=order.close_reason,
            reason=order.reason,
            note=order.note,
            redo=order.redo,
            redo_ground=order.redo_ground,
            waiting_for=order.waiting_for,
            frozen=order.frozen_at is not None,
            extension_seconds=order.extension_s,
            extended=order.extended,
        )

    @fields.resolver(description="The campaign that it is in, and the terms of it; null in none.")
    def campaign(self) -> OrderCampaignType | None:
        return OrderCampaignType.of(self.value)

    @loaders.batch(description="What the fan asks for; null once erased.")
    @staticmethod
    async def brief(parents: "list[OrderType]", context: Context) -> list[BriefType | None]:
        found = await read.briefs(context.tools, context.viewer, [parent.value for parent in parents])
        return [None if brief is None else BriefType.of(brief) for brief in found]

    @loaders.batch(
        description="What must and must not be said, as the creator ticked it for the video that the caller knows of.",
        directives=[ListSize(assumed_size=checklist.ITEMS_OF_BOTH_MAX)],
    )
    @staticmethod
    async def checklist(parents: "list[OrderType]", context: Context) -> list[list[ChecklistItemType]]:
        return await _checklists(context, [parent.value for parent in parents])

    @loaders.batch(
        description="What the two sides show for what they say, in order; for them and moderators.",
        directives=[ListSize(assumed_size=10)],
    )
    @staticmethod
    async def evidence(parents: "list[OrderType]", context: Context) -> list[list[AttachmentType]]:
        of = [parent.value for parent in parents]
        found = await attach.list_used(context.tools, context.viewer, of, Purpose.EVIDENCE)
        return [[AttachmentType.of(shown) for shown in of_one] for of_one in found]

    @loaders.batch(description="How the recipient's name is said, for the two sides and moderators.")
    @staticmethod
    async def voice_note(parents: "list[OrderType]", context: Context) -> list[AttachmentType | None]:
        of = [parent.value for parent in parents]
        found = await attach.list_used(context.tools, context.viewer, of, Purpose.VOICE_NOTE)
        return [AttachmentType.of(notes[-1]) if notes else None for notes in found]

    @loaders.batch(description="What a redo must say that the video does not.")
    @staticmethod
    async def redo_item(parents: "list[OrderType]", context: Context) -> list[ChecklistItemType | None]:
        return await _items(context, [(parent.value, parent.value.redo_item) for parent in parents])

    @loaders.batch(description="Its video on the creator's profile, if it was ever put there.")
    @staticmethod
    async def sample(parents: "list[OrderType]", context: Context) -> list[SampleType | None]:
        found = await show.list_of_orders(context.tools, context.viewer, [parent.value for parent in parents])
        return [None if shown is None else SampleType.of(shown) for shown in found]

    @loaders.batch(description="What the creator said of items that are not ticked.")
    @staticmethod
    async def delivery_note(parents: "list[OrderType]", context: Context) -> list[str | None]:
        found = await deliver.list_ticked(context.tools, context.viewer, [parent.value for parent in parents])
        return [None if ticks is None else ticks.note for ticks in found]

    @loaders.batch(description="What the fan may do with the video, in words; null once the brief is erased.")
    @staticmethod
    async def licence(parents: "list[OrderType]", context: Context) -> list[str | None]:
        of = [parent.value for parent in parents]
        briefs = await read.briefs(context.tools, context.viewer, of)
        versions = await read.list_policies(context.tools, [order.terms.policy_version for order in of])
        return [
            None if brief is None else quotes.licence(policy, brief.usage)
            for brief, policy in zip(briefs, versions, strict=True)
        ]

    @loaders.batch(description="Who films it; null once erased.")
    @staticmethod
    async def creator(parents: "list[OrderType]", context: Context) -> list[CreatorType | None]:
        found = await creators.list_by_id(context.tools, [parent.value.creator_id for parent in parents])
        return [None if creator is None else CreatorType.of(creator) for creator in found]

    @loaders.batch(description="What was ordered, as it is sold now; null where the caller may not see it any more.")
    @staticmethod
    async def offer(parents: "list[OrderType]", context: Context) -> list[OfferType | None]:
        found = await offers.list_by_id(context.tools, context.viewer, [parent.value.offer_id for parent in parents])
        return [None if offer is None else OfferType.of(offer) for offer in found]

    @loaders.batch(description="What the fan is called, for the two sides and staff; null once erased.")
    @staticmethod
    async def fan_name(parents: "list[OrderType]", context: Context) -> list[str | None]:
        return await read.fan_names(context.tools, context.viewer, [parent.value for parent in parents])

    @loaders.batch(description="The video, with links for this caller; the fan sees it once it is delivered.")
    @staticmethod
    async def video(parents: "list[OrderType]", context: Context) -> list[VideoType | None]:
        found = await deliver.list_shown(context.tools, context.viewer, [parent.value for parent in parents])
        return [
            None if shown is None else VideoType.of(shown.video, watch=shown.watch, poster=shown.poster)
            for shown in found
        ]

    @loaders.batch(
        description="What the two sides said about a redo and in the dispute, in order.", directives=[_STATEMENTS]
    )
    @staticmethod
    async def statements(parents: "list[OrderType]", context: Context) -> list[list[DisputeStatementType]]:
        of = [parent.value for parent in parents]
        found = await read.list_statements(context.tools, context.viewer, of)
        return [
            [DisputeStatementType.of(said, order) for said in of_one] for order, of_one in zip(of, found, strict=True)
        ]

    @loaders.batch(description="How the fan rated it; null if they did not, or where it is hidden from the caller.")
    @staticmethod
    async def rating(parents: "list[OrderType]", context: Context) -> list[RatingType | None]:
        found = await ratings.list_of_orders(context.tools, context.viewer, [parent.value for parent in parents])
        return [None if rating is None else RatingType.of(rating, context.viewer) for rating in found]

    @loaders.batch(
        description="What was given back after its end, the oldest first; finance sees what is proposed, too.",
        directives=[ListSize(assumed_size=OF_ORDER_MAX)],
    )
    @staticmethod
    async def adjustments(parents: "list[OrderType]", context: Context) -> list[list[OrderAdjustmentType]]:
        viewer = context.viewer
        found = await adjustments.list_of_orders(context.tools, viewer, [parent.value for parent in parents])
        return [[OrderAdjustmentType.of(each, viewer) for each in of_one] for of_one in found]

    @fields.resolver(
        description="When something will happen by itself, the next first.", directives=[ListSize(assumed_size=3)]
    )
    async def deadlines(self, info: Info) -> list[DeadlineType]:
        policy = await info.context.load(_policies, self.value.terms.policy_version)
        now = info.context.tools.clock()
        due = machine.timers(self.value, policy)
        return [DeadlineType.of(kind, at, now) for kind, at in sorted(due.items(), key=lambda item: item[1])]

    @fields.resolver(description="The rules it was placed under; they do not change.")
    async def policy(self, info: Info) -> PolicyType:
        return PolicyType.of(await info.context.load(_policies, self.value.terms.policy_version))

    @fields.resolver(description="How the price is shared if the order completes.")
    async def split(self, info: Info) -> SplitType:
        policy = await info.context.load(_policies, self.value.terms.policy_version)
        paid = self.value.price_coins - self.value.promo_coins
        parts = fees.split(paid_coins=paid, promo_coins=self.value.promo_coins, fee_bps=self.value.terms.fee_bps)
        return SplitType.of(parts, policy)

    @fields.resolver(
        description="The transitions that the caller could take now, windows aside.",
        directives=[ListSize(assumed_size=10)],
    )
    def available_transitions(self, info: Info) -> list[str]:
        return list(read.available(self.value, info.context.viewer))


async def _items(context: Context, wanted: Sequence[tuple[Order, str | None]]) -> list[ChecklistItemType | None]:
    """One item of each checklist, by its key within its order."""
    about = {order.id: order for order, item in wanted if item is not None}
    lists = dict(zip(about, await _checklists(context, list(about.values())), strict=True))
    return [next((each for each in lists.get(order.id, ()) if each.key == item), None) for order, item in wanted]


async def _checklists(context: Context, of: Sequence[Order]) -> list[list[ChecklistItemType]]:
    if not of:
        return []
    briefs = await read.briefs(context.tools, context.viewer, of)
    ticks = await deliver.list_ticked(context.tools, context.viewer, of)
    return [
        [ChecklistItemType.of(item, ticked) for item in checklist.items_of(brief)]
        for brief, ticked in zip(briefs, ticks, strict=True)
    ]


async def _policies(context: Context, versions: Sequence[int]) -> list[Policy]:
    return await read.list_policies(context.tools, versions)


async def fetch_orders(context: Context, order_ids: Sequence[str]) -> list[OrderType | None]:
    """Orders by id, for `node` and for events."""
    found = await read.list_by_id(context.tools, context.viewer, order_ids)
    return [None if order is None else OrderType.of(order) for order in found]
