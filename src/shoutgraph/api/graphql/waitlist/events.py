"""The feed of lines: who joined, was offered a place, and what became of it."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

import strawberry

from shoutgraph.api.graphql import events, fields, loaders
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.events import EventType
from shoutgraph.api.graphql.waitlist.entry import WaitlistEntryType, fetch_entries
from shoutgraph.domain import feeds, ids
from shoutgraph.domain.capacity import WaitState
from shoutgraph.services.events import EventFilter, Told


@strawberry.type(name="WaitlistChangedEvent", description="Somebody joined a line, moved on in it, or left it.")
class WaitlistChangedEventType(EventType):
    waitlist_entry_id: strawberry.ID = strawberry.field(description="Which entry.")
    entry_revision: int = strawberry.field(description="The entry's revision after it; drop what you have seen.")
    previous_state: WaitState | None = strawberry.field(description="State before; null for a new one.")
    state: WaitState = strawberry.field(description="State after, as of the event.")
    offered_until: datetime | None = strawberry.field(description="Until when a place was kept, as of the event.")

    @classmethod
    def of(cls, told: Told) -> "WaitlistChangedEventType":
        """The graph's view of a line of the journal."""
        event = told.event
        body: Any = event.body
        return cls(
            id=strawberry.ID(event.id),
            cursor=told.cursor,
            occurred_at=event.at,
            waitlist_entry_id=strawberry.ID(event.topic),
            entry_revision=body["revision"],
            previous_state=None if body["previous"] is None else WaitState(body["previous"]),
            state=WaitState(body["status"]),
            offered_until=None if body["until"] is None else datetime.fromisoformat(body["until"]),
        )

    @loaders.batch(description="The entry as of now, which may be newer than the event.")
    @staticmethod
    async def waitlist_entry(
        parents: "list[WaitlistChangedEventType]", context: Context
    ) -> list[WaitlistEntryType | None]:
        return await fetch_entries(context, [parent.waitlist_entry_id for parent in parents])


Which = Annotated[
    strawberry.ID | None, strawberry.argument(description="Of this entry; all that the caller may see if not.")
]


@strawberry.type
class WaitlistEventQuery:
    @fields.resolver(
        description="Lines that the caller stands in, or that stand for them: catch up by paging here, then subscribe "
        "after endCursor.",
        directives=events.PAGED,
    )
    async def waitlist_events(
        self,
        info: Info,
        waitlist_entry_id: Which = None,
        first: events.First = None,
        after: events.PageAfter = None,
    ) -> events.EventConnectionType | None:
        return await events.page(
            info, WaitlistChangedEventType.of, _filter(waitlist_entry_id), first=first, after=after
        )


@strawberry.type
class WaitlistEventSubscription:
    @fields.subscription(
        description="Lines that the caller stands in, or that stand for them, after the cursor: the stored events "
        "first, then live. At least once, in log order.",
        directives=events.FOLLOWED,
        shared=True,
    )
    def waitlist_events(
        self, info: Info, waitlist_entry_id: Which = None, after: events.After = None
    ) -> AsyncIterator[WaitlistChangedEventType]:
        return events.follow(info, WaitlistChangedEventType.of, _filter(waitlist_entry_id), after=after)


def _filter(entry_id: str | None) -> EventFilter:
    if entry_id is None:
        return EventFilter(feed=feeds.WAITLIST)
    subject = ids.parse(ids.WAITLIST, entry_id, path=("waitlistEntryId",))
    return EventFilter(subject_ids=frozenset({subject}), feed=feeds.WAITLIST)
