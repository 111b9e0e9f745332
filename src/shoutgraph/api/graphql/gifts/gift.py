"""Gifts as the API shows them: to who gave them, to whom, and to staff."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from shoutgraph.api.graphql import loaders
from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.creators import CreatorType, fetch_creators
from shoutgraph.api.graphql.gifts.sticker import StickerType, fetch_stickers
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.domain.gifts import Gift
from shoutgraph.domain.money import Coins
from shoutgraph.services.gifts import read


@strawberry.type(name="Gift", description="Stickers that a fan sent to a creator; both see it, and nobody else.")
class GiftType(NodeType):
    value: strawberry.Private[Gift]
    quantity: int = strawberry.field(description="How many stickers.")
    price: Coins = strawberry.field(description="What the fan paid, in bought coins.")
    fee: Coins = strawberry.field(description="What the platform kept.")
    earning: Coins = strawberry.field(description="The creator's part; available when its hold ends.")
    message_hidden: bool = strawberry.field(description="Whether moderators removed the message; the gift stays.")
    live_session: str | None = strawberry.field(description="The live session it was sent in, as the client named it.")
    sent_at: datetime = strawberry.field(description="When it was sent.")
    thanked_at: datetime | None = strawberry.field(description="When the creator said thanks.")
    thanks: str | None = strawberry.field(description="What the creator said; null for thanks without words.")

    @classmethod
    def of(cls, gift: Gift) -> "GiftType":
        """The graph's view of a gift."""
        return cls(
            value=gift,
            id=strawberry.ID(gift.id),
            quantity=gift.quantity,
            price=Coins(gift.coins),
            fee=Coins(gift.fee_coins),
            earning=Coins(gift.earning_coins),
            message_hidden=gift.hidden,
            live_session=gift.live_session,
            sent_at=gift.sent_at,
            thanked_at=gift.thanked_at,
            thanks=gift.thanks,
        )

    @loaders.batch(description="What the fan said with it; once removed, null for all but the fan and moderators.")
    @staticmethod
    async def message(parents: "list[GiftType]", context: Context) -> list[str | None]:
        return [read.message_of(context.viewer, parent.value) for parent in parents]

    @loaders.batch(description="Whom it was sent to; null once erased.")
    @staticmethod
    async def creator(parents: "list[GiftType]", context: Context) -> list[CreatorType | None]:
        return await fetch_creators(context, [parent.value.creator_id for parent in parents])

    @loaders.batch(description="What was sent, in the version of then.")
    @staticmethod
    async def sticker(parents: "list[GiftType]", context: Context) -> list[StickerType | None]:
        return await fetch_stickers(context, [parent.value.sticker_id for parent in parents])

    @loaders.batch(description="What the giver is called; null once erased.")
    @staticmethod
    async def giver_name(parents: "list[GiftType]", context: Context) -> list[str | None]:
        return await read.giver_names(context.tools, context.viewer, [parent.value for parent in parents])


async def fetch_gifts(context: Context, gift_ids: Sequence[str]) -> list[GiftType | None]:
    """Gifts by id, null where the caller may not see them."""
    found = await read.list_by_id(context.tools, context.viewer, gift_ids)
    return [None if gift is None else GiftType.of(gift) for gift in found]
