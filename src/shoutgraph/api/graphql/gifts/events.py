"""The feed of gifts: the same journal as a subscription that resumes and as pages."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated, Any

import strawberry

from shoutgraph.api.graphql import enums, events, fields, loaders
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.gifts.gift import GiftType, fetch_gifts
from shoutgraph.domain import feeds, ids
from shoutgraph.domain.money import Coins
from shoutgraph.services.events import EventFilter, Told


class Happened(StrEnum):
    """What happened to a gift, as the journal says it."""

    SENT = "gift.sent"
    THANKED = "gift.thanked"
    HIDDEN = "gift.hidden"
    RESTORED = "gift.restored"


enums.describe(
    Happened,
    name="GiftEventKind",
    description="What happened to a gift.",
    values={
        Happened.SENT: "A fan sent it.",
        Happened.THANKED: "The creator said thanks for it.",
        Happened.HIDDEN: "Moderators removed its message; the gift stays.",
        Happened.RESTORED: "Its message shows again.",
    },
)


@strawberry.type(name="GiftChangedEvent", description="A gift was sent or thanked for, or its message removed.")
class GiftChangedEventType(events.EventType):
    gift_id: strawberry.ID = strawberry.field(description="Which gift.")
    kind: Happened = strawberry.field(description="What happened.")
    quantity: int = strawberry.field(description="How many stickers it is.")
    price: Coins = strawberry.field(description="What the fan paid.")

    @classmethod
    def of(cls, told: Told) -> "GiftChangedEventType":
        """The graph's view of a line of the journal."""
        event = told.event
        body: Any = event.body
        return cls(
            id=strawberry.ID(event.id),
            cursor=told.cursor,
            occurred_at=event.at,
            gift_id=strawberry.ID(body["gift"]),
            kind=Happened(event.type),
            quantity=body["quantity"],
            price=Coins(body["coins"]),
        )

    @loaders.batch(description="The gift as of now, which may be newer than the event, with the giver's name.")
    @staticmethod
    async def gift(parents: "list[GiftChangedEventType]", context: Context) -> list[GiftType | None]:
        return await fetch_gifts(context, [parent.gift_id for parent in parents])


Whose = Annotated[
    strawberry.ID | None, strawberry.argument(description="Gifts to this creator; all that the caller may see if not.")
]


@strawberry.type
class GiftEventQuery:
    @fields.resolver(
        description="Gifts that the caller got or gave: catch up by paging here, then subscribe after endCursor.",
        directives=events.PAGED,
    )
    async def gift_events(
        self,
        info: Info,
        creator_id: Whose = None,
        first: events.First = None,
        after: events.PageAfter = None,
    ) -> events.EventConnectionType | None:
        return await events.page(info, GiftChangedEventType.of, _filter(creator_id), first=first, after=after)


@strawberry.type
class GiftEventSubscription:
    @fields.subscription(
        description="Gifts that the caller got or gave after the cursor, the stored ones first, then live. At least "
        "once, in log order.",
        directives=events.FOLLOWED,
        shared=True,
    )
    def gift_events(
        self, info: Info, creator_id: Whose = None, after: events.After = None
    ) -> AsyncIterator[GiftChangedEventType]:
        return events.follow(info, GiftChangedEventType.of, _filter(creator_id), after=after)


def _filter(creator_id: str | None) -> EventFilter:
    if creator_id is None:
        return EventFilter(feed=feeds.GIFTS)
    subject = ids.parse(ids.CREATOR, creator_id, path=("creatorId",))
    return EventFilter(subject_ids=frozenset({subject}), feed=feeds.GIFTS)
