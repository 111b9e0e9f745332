"""Rating events: the same journal as a subscription that resumes and as pages."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import strawberry

from shoutgraph.api.graphql import events, fields, loaders
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.orders.ratings import RatingType, fetch_ratings
from shoutgraph.domain import feeds
from shoutgraph.domain.orders.states import Actor
from shoutgraph.services.events import EventFilter, Told


@strawberry.type(name="RatingChangedEvent", description="A rating was given, changed, replied to, hidden or restored.")
class RatingChangedEventType(events.EventType):
    rating_id: strawberry.ID = strawberry.field(description="Which rating.")
    rating_revision: int = strawberry.field(description="The rating's revision after it; drop what you have seen.")
    transition: str = strawberry.field(
        description="rate, rating_update, rating_reply, rating_hide or rating_restore; the order's line says the same."
    )
    actor: Actor = strawberry.field(description="Who did it.")
    stars: int = strawberry.field(description="The stars as of the event.")
    hidden: bool = strawberry.field(description="Whether it was hidden as of the event.")

    @classmethod
    def of(cls, told: Told) -> "RatingChangedEventType":
        """The graph's view of a line of the journal."""
        event = told.event
        body: Any = event.body
        return cls(
            id=strawberry.ID(event.id),
            cursor=told.cursor,
            occurred_at=event.at,
            rating_id=strawberry.ID(event.topic),
            rating_revision=body["revision"],
            transition=body["transition"],
            actor=Actor(body["actor"]),
            stars=body["stars"],
            hidden=body["hidden"],
        )

    @loaders.batch(description="The rating as of now, which may be newer than the event.")
    @staticmethod
    async def rating(parents: "list[RatingChangedEventType]", context: Context) -> list[RatingType | None]:
        return await fetch_ratings(context, [parent.rating_id for parent in parents])


@strawberry.input(name="RatingEventFilterInput", description="Keeps the events that match all the given fields.")
class RatingEventFilterInput:
    rating_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="These ratings only.")


Filter = Annotated[RatingEventFilterInput | None, strawberry.argument(description="Which events.")]


@strawberry.type
class RatingEventQuery:
    @fields.resolver(
        description="Events of the ratings that the caller gave or got, or everyone's for those who read all orders: "
        "catch up by paging here, then subscribe after endCursor.",
        directives=events.PAGED,
    )
    async def rating_events(
        self,
        info: Info,
        first: events.First = None,
        after: events.PageAfter = None,
        filter: Filter = None,
    ) -> events.EventConnectionType | None:
        return await events.page(info, RatingChangedEventType.of, _only(filter), first=first, after=after)


@strawberry.type
class RatingEventSubscription:
    @fields.subscription(
        description="Events of the ratings that the caller gave or got after the cursor, the stored ones first, then "
        "live. At least once, in log order.",
        directives=events.FOLLOWED,
        shared=True,
    )
    def rating_events(
        self, info: Info, after: events.After = None, filter: Filter = None
    ) -> AsyncIterator[RatingChangedEventType]:
        return events.follow(info, RatingChangedEventType.of, _only(filter), after=after)


def _only(given: RatingEventFilterInput | None) -> EventFilter:
    return EventFilter(subject_ids=frozenset((given and given.rating_ids) or ()), feed=feeds.RATINGS)
