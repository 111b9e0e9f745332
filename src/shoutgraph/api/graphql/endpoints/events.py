"""The feed of endpoints: that one changed, or was disabled because nobody takes what it is told."""

from collections.abc import AsyncIterator
from typing import Any, Final

import strawberry

from shoutgraph.api.graphql import events, fields, loaders
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import requires
from shoutgraph.api.graphql.endpoints.endpoint import WebhookEndpointType, fetch_endpoints
from shoutgraph.domain import feeds
from shoutgraph.domain.endpoints import DisabledReason, EndpointState
from shoutgraph.domain.users import Scope
from shoutgraph.services.events import EventFilter, Told

_ALL: Final = EventFilter(feed=feeds.WEBHOOKS)
_MANAGES: Final = requires(Scope.WEBHOOKS_MANAGE)


@strawberry.type(name="WebhookEndpointChangedEvent", description="An endpoint was made, changed or disabled.")
class WebhookEndpointChangedEventType(events.EventType):
    endpoint_id: strawberry.ID = strawberry.field(description="Which endpoint.")
    status: EndpointState = strawberry.field(description="Whether it was told of events from then on.")
    disabled_reason: DisabledReason | None = strawberry.field(description="Why not; null unless it was disabled.")
    revision: int = strawberry.field(description="The endpoint's revision from then on.")

    @classmethod
    def of(cls, told: Told) -> "WebhookEndpointChangedEventType":
        """The graph's view of a line of the journal."""
        event = told.event
        body: Any = event.body
        return cls(
            id=strawberry.ID(event.id),
            cursor=told.cursor,
            occurred_at=event.at,
            endpoint_id=strawberry.ID(event.topic),
            status=EndpointState(body["state"]),
            disabled_reason=None if body["reason"] is None else DisabledReason(body["reason"]),
            revision=body["revision"],
        )

    @loaders.batch(description="The endpoint as of now, which may be newer than the event.")
    @staticmethod
    async def endpoint(
        parents: "list[WebhookEndpointChangedEventType]", context: Context
    ) -> list[WebhookEndpointType | None]:
        return await fetch_endpoints(context, [parent.endpoint_id for parent in parents])


@strawberry.type
class WebhookEventQuery:
    @fields.resolver(
        description="Changes of endpoints: catch up by paging here, then subscribe after endCursor.",
        directives=[*events.PAGED, _MANAGES],
    )
    async def webhook_endpoint_events(
        self, info: Info, first: events.First = None, after: events.PageAfter = None
    ) -> events.EventConnectionType | None:
        info.context.viewer.require(Scope.WEBHOOKS_MANAGE)
        return await events.page(info, WebhookEndpointChangedEventType.of, _ALL, first=first, after=after)


@strawberry.type
class WebhookEventSubscription:
    @fields.subscription(
        description="Changes of endpoints after the cursor, the stored ones first, then live. At least once, in log "
        "order.",
        directives=[*events.FOLLOWED, _MANAGES],
        shared=True,
    )
    def webhook_endpoint_events(
        self, info: Info, after: events.After = None
    ) -> AsyncIterator[WebhookEndpointChangedEventType | None]:
        info.context.viewer.require(Scope.WEBHOOKS_MANAGE)
        return events.follow(info, WebhookEndpointChangedEventType.of, _ALL, after=after)
