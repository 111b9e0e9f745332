"""The catalogue of gifts as the API shows it."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from shoutgraph.api.graphql import enums, fields
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.domain import gifts as rules
from shoutgraph.domain.gifts import Sticker, Tier
from shoutgraph.domain.money import Coins
from shoutgraph.services.gifts import catalogue
from shoutgraph.services.gifts.catalogue import Catalogue

enums.describe(
    Tier,
    name="StickerTier",
    description="How large a sticker's animation is.",
    values={
        Tier.SMALL: "Beside the name of the giver.",
        Tier.MEDIUM: "A part of the screen.",
        Tier.LARGE: "Most of the screen.",
        Tier.FULL_SCREEN: "All of the screen.",
    },
)


@strawberry.type(
    name="Sticker",
    description="Something to give. A sticker never changes: another price or picture is a new one with the same key "
    "and the next version.",
)
class StickerType(NodeType):
    key: str = strawberry.field(description="What all its versions are called, such as rose.")
    version: int = strawberry.field(description="Goes up by one at each change.")
    name: str = strawberry.field(description="What people see it called.")
    price: Coins = strawberry.field(description="What one costs.")
    tier: Tier = strawberry.field(description="How large its animation is.")
    asset: str = strawberry.field(description="Its animation: an https address, or a key of the front end's own store.")
    active: bool = strawberry.field(description="Whether this version can be given now.")
    created_at: datetime = strawberry.field(description="Since when there is this version.")

    @classmethod
    def of(cls, sticker: Sticker) -> "StickerType":
        """The graph's view of a sticker."""
        return cls(
            id=strawberry.ID(sticker.id),
            key=sticker.key,
            version=sticker.version,
            name=sticker.name,
            price=Coins(sticker.coins),
            tier=sticker.tier,
            asset=sticker.asset,
            active=sticker.current,
            created_at=sticker.created_at,
        )


@strawberry.type(name="GiftCatalogue", description="What can be given, and within which limits.")
class GiftCatalogueType:
    stickers: list[StickerType] = strawberry.field(
        description="All of it, the cheapest first.", directives=[ListSize(assumed_size=rules.STICKERS_MAX)]
    )
    fee_basis_points: int = strawberry.field(description="The platform's share of a gift, in hundredths of a percent.")
    gift_max: Coins = strawberry.field(description="Most coins of one gift.")
    day_max: Coins = strawberry.field(description="Most coins that a fan gives in 24 hours.")
    quantity_max: int = strawberry.field(description="Most stickers of one gift.")
    message_chars_max: int = strawberry.field(description="Longest message.")

    @classmethod
    def of(cls, found: Catalogue) -> "GiftCatalogueType":
        """The graph's view of the catalogue."""
        policy = found.policy
        return cls(
            stickers=[StickerType.of(sticker) for sticker in found.stickers],
            fee_basis_points=policy.gift_fee_bps,
            gift_max=Coins(policy.gift_max_coins),
            day_max=Coins(policy.gift_day_coins),
            quantity_max=policy.gift_quantity_max,
            message_chars_max=policy.gift_message_chars,
        )


@strawberry.type
class GiftCatalogueQuery:
    @fields.resolver(description="What fans can give to creators.")
    async def gift_catalogue(self, info: Info) -> GiftCatalogueType | None:
        return GiftCatalogueType.of(await catalogue.read(info.context.tools))


async def fetch_stickers(context: Context, sticker_ids: Sequence[str]) -> list[StickerType | None]:
    """Stickers by id, in the catalogue or not."""
    found = await catalogue.list_by_id(context.tools, sticker_ids)
    return [None if sticker is None else StickerType.of(sticker) for sticker in found]
