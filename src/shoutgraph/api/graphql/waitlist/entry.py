"""A place in a creator's line as the API shows it: to who waits, to whom they wait for, and to staff."""

from collections.abc import Sequence
from datetime import datetime

import strawberry

from shoutgraph.api.graphql import enums, loaders
from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.creators import CreatorType, OfferType, fetch_creators, fetch_offers
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.domain.capacity import Entry, WaitState
from shoutgraph.services.orders import waiting

enums.describe(
    WaitState,
    name="WaitlistState",
    description="Where somebody in a line stands.",
    values={
        WaitState.WAITING: "In line.",
        WaitState.OFFERED: "A place is kept for them until offeredUntil: orderPlace takes it.",
        WaitState.ORDERED: "They ordered.",
        WaitState.DECLINED: "They declined the place.",
        WaitState.LAPSED: "They let the offer lapse.",
        WaitState.LEFT: "They left the line, or the creator did, whose account closes.",
    },
)


@strawberry.type(name="WaitlistEntry", description="Somebody in a creator's line. Nobody pays while they wait.")
class WaitlistEntryType(NodeType):
    value: strawberry.Private[Entry]
    revision: int = strawberry.field(description="Goes up by one at each change.")
    state: WaitState = strawberry.field(description="Where they stand.")
    joined_at: datetime = strawberry.field(description="When they joined.")
    offered_at: datetime | None = strawberry.field(description="When a place was last offered to them.")
    offered_until: datetime | None = strawberry.field(description="Until when it was kept for them.")

    @classmethod
    def of(cls, entry: Entry) -> "WaitlistEntryType":
        """The graph's view of an entry."""
        return cls(
            value=entry,
            id=strawberry.ID(entry.id),
            revision=entry.revision,
            state=entry.state,
            joined_at=entry.joined_at,
            offered_at=entry.offered_at,
            offered_until=entry.offered_until,
        )

    @loaders.batch(description="Their place among those who wait, from 1, counted now; null unless they wait.")
    @staticmethod
    async def position(parents: "list[WaitlistEntryType]", context: Context) -> list[int | None]:
        return await waiting.positions(context.tools, [parent.value for parent in parents])

    @loaders.batch(description="Whom they wait for; null once erased.")
    @staticmethod
    async def creator(parents: "list[WaitlistEntryType]", context: Context) -> list[CreatorType | None]:
        return await fetch_creators(context, [parent.value.creator_id for parent in parents])

    @loaders.batch(description="What they want to order, as it is sold now; null where the caller may not see it.")
    @staticmethod
    async def offer(parents: "list[WaitlistEntryType]", context: Context) -> list[OfferType | None]:
        return await fetch_offers(context, [parent.value.offer_id for parent in parents])

    @loaders.batch(description="What they are called; null once erased.")
    @staticmethod
    async def fan_name(parents: "list[WaitlistEntryType]", context: Context) -> list[str | None]:
        return await waiting.fan_names(context.tools, context.viewer, [parent.value for parent in parents])


async def fetch_entries(context: Context, entry_ids: Sequence[str]) -> list[WaitlistEntryType | None]:
    """Entries by id, null where the caller may not see them."""
    found = await waiting.list_by_id(context.tools, context.viewer, entry_ids)
    return [None if entry is None else WaitlistEntryType.of(entry) for entry in found]
