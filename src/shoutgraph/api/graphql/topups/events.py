"""Top-up events: the same journal as a subscription that resumes and as pages."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import strawberry

from shoutgraph.api.graphql import events, fields, loaders
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.topups.topup import TopUpType, fetch_topups
from shoutgraph.domain import feeds
from shoutgraph.domain.topups.topup import Status
from shoutgraph.services.events import EventFilter, Told


@strawberry.type(
    name="TopUpStatusChangedEvent",
    description="A top-up changed; where previousStatus equals status, something else about it did.",
)
class TopUpStatusChangedEventType(events.EventType):
    top_up_id: strawberry.ID = strawberry.field(description="Which top-up.")
    top_up_revision: int = strawberry.field(description="The top-up's revision after it; drop what you have seen.")
    previous_status: Status | None = strawberry.field(description="State before; null for a new top-up.")
    status: Status = strawberry.field(description="State after, as of the event.")

    @classmethod
    def of(cls, told: Told) -> "TopUpStatusChangedEventType":
        """The graph's view of a line of the journal."""
        event = told.event
        body: Any = event.body
        return cls(
            id=strawberry.ID(event.id),
            cursor=told.cursor,
            occurred_at=event.at,
            top_up_id=strawberry.ID(event.topic),
            top_up_revision=body["revision"],
            previous_status=None if body["previous"] is None else Status(body["previous"]),
            status=Status(body["status"]),
        )

    @loaders.batch(description="The top-up as of now, which may be newer than the event; its buyer sees nextAction.")
    @staticmethod
    async def top_up(parents: "list[TopUpStatusChangedEventType]", context: Context) -> list[TopUpType | None]:
        return await fetch_topups(context, [parent.top_up_id for parent in parents])


@strawberry.input(name="TopUpEventFilterInput", description="Keeps the events that match all the given fields.")
class TopUpEventFilterInput:
    top_up_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="These top-ups only.")
    status: list[Status] | None = strawberry.field(default=None, description="Changes into these states only.")


Filter = Annotated[TopUpEventFilterInput | None, strawberry.argument(description="Which events.")]


@strawberry.type
class TopUpEventQuery:
    @fields.resolver(
        description="Events of the caller's top-ups, or of everyone's for those who read finances: catch up by paging "
        "here, then subscribe after endCursor.",
        directives=events.PAGED,
    )
    async def top_up_events(
        self,
        info: Info,
        first: events.First = None,
        after: events.PageAfter = None,
        filter: Filter = None,
    ) -> events.EventConnectionType | None:
        return await events.page(info, TopUpStatusChangedEventType.of, _only(filter), first=first, after=after)


@strawberry.type
class TopUpEventSubscription:
    @fields.subscription(
        description="Events of the caller's top-ups after the cursor, the stored ones first, then live. At least once, "
        "in log order.",
        directives=events.FOLLOWED,
        shared=True,
    )
    def top_up_events(
        self, info: Info, after: events.After = None, filter: Filter = None
    ) -> AsyncIterator[TopUpStatusChangedEventType]:
        return events.follow(info, TopUpStatusChangedEventType.of, _only(filter), after=after)


def _only(given: TopUpEventFilterInput | None) -> EventFilter:
    if given is None:
        return EventFilter(feed=feeds.TOPUPS)
    return EventFilter(
        subject_ids=frozenset(given.top_up_ids or ()),
        statuses=frozenset(state.value for state in given.status or ()),
        feed=feeds.TOPUPS,
    )
