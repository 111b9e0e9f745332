"""The feed of campaigns: made, changed, decided about, ended."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Annotated, Any

import strawberry

from shoutgraph.api.graphql import enums, events, fields, loaders
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.creators import CampaignType, fetch_campaigns
from shoutgraph.api.graphql.events import EventType
from shoutgraph.domain import feeds, ids
from shoutgraph.domain.campaigns import CampaignState
from shoutgraph.services.events import EventFilter, Told


class Happened(StrEnum):
    """What happened to a campaign, as the journal says it."""

    CREATED = "create"
    UPDATED = "update"
    ENDED = "end"
    APPROVED = "approve"
    DENIED = "deny"


enums.describe(
    Happened,
    name="CampaignEventKind",
    description="What happened to a campaign.",
    values={
        Happened.CREATED: "It was made.",
        Happened.UPDATED: "Its end or its number of orders changed.",
        Happened.ENDED: "Somebody ended it.",
        Happened.APPROVED: "Its own fee was approved.",
        Happened.DENIED: "Its own fee was denied.",
    },
)


@strawberry.type(name="CampaignChangedEvent", description="A campaign was made, changed, decided about or ended.")
class CampaignChangedEventType(EventType):
    campaign_id: strawberry.ID = strawberry.field(description="Which campaign.")
    campaign_revision: int = strawberry.field(description="Its revision after it; drop what you have seen.")
    kind: Happened = strawberry.field(description="What happened.")
    state: CampaignState = strawberry.field(description="State after, as of the event.")

    @classmethod
    def of(cls, told: Told) -> "CampaignChangedEventType":
        """The graph's view of a line of the journal."""
        event = told.event
        body: Any = event.body
        return cls(
            id=strawberry.ID(event.id),
            cursor=told.cursor,
            occurred_at=event.at,
            campaign_id=strawberry.ID(event.topic),
            campaign_revision=body["revision"],
            kind=Happened(body["action"]),
            state=CampaignState(body["status"]),
        )

    @loaders.batch(description="The campaign as of now, which may be newer than the event.")
    @staticmethod
    async def campaign(parents: "list[CampaignChangedEventType]", context: Context) -> list[CampaignType | None]:
        return await fetch_campaigns(context, [parent.campaign_id for parent in parents])


Which = Annotated[
    strawberry.ID | None, strawberry.argument(description="Of this campaign; all that the caller may see if not.")
]


@strawberry.type
class CampaignEventQuery:
    @fields.resolver(
        description="What happened to campaigns: catch up by paging here, then subscribe after endCursor.",
        directives=events.PAGED,
    )
    async def campaign_events(
        self, info: Info, campaign_id: Which = None, first: events.First = None, after: events.PageAfter = None
    ) -> events.EventConnectionType | None:
        return await events.page(info, CampaignChangedEventType.of, _filter(campaign_id), first=first, after=after)


@strawberry.type
class CampaignEventSubscription:
    @fields.subscription(
        description="What happens to campaigns after the cursor, the stored events first, then live. At least once, in "
        "log order.",
        directives=events.FOLLOWED,
        shared=True,
    )
    def campaign_events(
        self, info: Info, campaign_id: Which = None, after: events.After = None
    ) -> AsyncIterator[CampaignChangedEventType]:
        return events.follow(info, CampaignChangedEventType.of, _filter(campaign_id), after=after)


def _filter(campaign_id: str | None) -> EventFilter:
    if campaign_id is None:
        return EventFilter(feed=feeds.CAMPAIGNS)
    subject = ids.parse(ids.CAMPAIGN, campaign_id, path=("campaignId",))
    return EventFilter(subject_ids=frozenset({subject}), feed=feeds.CAMPAIGNS)
