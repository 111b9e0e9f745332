"""That rules changed, told to everyone: whoever hears it asks viewer.features again."""

from collections.abc import AsyncIterator
from typing import Any, Final

import strawberry

from shoutgraph.api.graphql import events, fields
from shoutgraph.api.graphql.context import Info
from shoutgraph.domain import feeds
from shoutgraph.domain.features import Feature
from shoutgraph.services.events import EventFilter, Told

_ALL: Final = EventFilter(feed=feeds.FEATURES)


@strawberry.type(name="FeatureChangedEvent", description="A rule of the rollout changed; what it says is not told.")
class FeatureChangedEventType(events.EventType):
    feature: Feature = strawberry.field(description="Which part of the product.")
    provider: str | None = strawberry.field(description="Which way to buy coins; null for the whole feature.")
    version: int = strawberry.field(description="The version of the rule that is in force now.")
    removed: bool = strawberry.field(description="Whether there is no rule any more: it is on for everyone.")

    @classmethod
    def of(cls, told: Told) -> "FeatureChangedEventType":
        """The graph's view of a line of the journal."""
        event = told.event
        body: Any = event.body
        return cls(
            id=strawberry.ID(event.id),
            cursor=told.cursor,
            occurred_at=event.at,
            feature=Feature(body["feature"]),
            provider=body["provider"],
            version=body["version"],
            removed=body["removed"],
        )


@strawberry.type
class FeatureEventQuery:
    @fields.resolver(
        description="Changes of what is on: catch up by paging here, then subscribe after endCursor.",
        directives=events.PAGED,
    )
    async def feature_events(
        self, info: Info, first: events.First = None, after: events.PageAfter = None
    ) -> events.EventConnectionType | None:
        return await events.page(info, FeatureChangedEventType.of, _ALL, first=first, after=after)


@strawberry.type
class FeatureEventSubscription:
    @fields.subscription(
        description="Changes of what is on after the cursor, the stored ones first, then live. At least once, in log "
        "order. Ask viewer.features again at each.",
        directives=events.FOLLOWED,
        shared=True,
    )
    def feature_events(self, info: Info, after: events.After = None) -> AsyncIterator[FeatureChangedEventType]:
        return events.follow(info, FeatureChangedEventType.of, _ALL, after=after)
