"""Payout events: the same journal as a subscription that resumes and as pages."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import strawberry

from shoutgraph.api.graphql import events, fields, loaders
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.payouts.payout import PayoutType, fetch_payouts
from shoutgraph.domain import feeds
from shoutgraph.domain.payouts import PayoutState
from shoutgraph.services.events import EventFilter, Told


@strawberry.type(
    name="PayoutStatusChangedEvent",
    description="A payout changed; where previousStatus equals status, something else about it did.",
)
class PayoutStatusChangedEventType(events.EventType):
    payout_id: strawberry.ID = strawberry.field(description="Which payout.")
    payout_revision: int = strawberry.field(description="The payout's revision after it; drop what you have seen.")
    previous_status: PayoutState | None = strawberry.field(description="State before; null for a new payout.")
    status: PayoutState = strawberry.field(description="State after, as of the event.")

    @classmethod
    def of(cls, told: Told) -> "PayoutStatusChangedEventType":
        """The graph's view of a line of the journal."""
        event = told.event
        body: Any = event.body
        return cls(
            id=strawberry.ID(event.id),
            cursor=told.cursor,
            occurred_at=event.at,
            payout_id=strawberry.ID(event.topic),
            payout_revision=body["revision"],
            previous_status=None if body["previous"] is None else PayoutState(body["previous"]),
            status=PayoutState(body["status"]),
        )

    @loaders.batch(description="The payout as of now, which may be newer than the event.")
    @staticmethod
    async def payout(parents: "list[PayoutStatusChangedEventType]", context: Context) -> list[PayoutType | None]:
        return await fetch_payouts(context, [parent.payout_id for parent in parents])


@strawberry.input(name="PayoutEventFilterInput", description="Keeps the events that match all the given fields.")
class PayoutEventFilterInput:
    payout_ids: list[strawberry.ID] | None = strawberry.field(default=None, description="These payouts only.")
    status: list[PayoutState] | None = strawberry.field(default=None, description="Changes into these states only.")


Filter = Annotated[PayoutEventFilterInput | None, strawberry.argument(description="Which events.")]


@strawberry.type
class PayoutEventQuery:
    @fields.resolver(
        description="Events of the calling creator's payouts, or of everyone's for those who read finances: catch up "
        "by paging here, then subscribe after endCursor.",
        directives=events.PAGED,
    )
    async def payout_events(
        self,
        info: Info,
        first: events.First = None,
        after: events.PageAfter = None,
        filter: Filter = None,
    ) -> events.EventConnectionType | None:
        return await events.page(info, PayoutStatusChangedEventType.of, _only(filter), first=first, after=after)


@strawberry.type
class PayoutEventSubscription:
    @fields.subscription(
        description="Events of the calling creator's payouts after the cursor, the stored ones first, then live. At "
        "least once, in log order.",
        directives=events.FOLLOWED,
        shared=True,
    )
    def payout_events(
        self, info: Info, after: events.After = None, filter: Filter = None
    ) -> AsyncIterator[PayoutStatusChangedEventType]:
        return events.follow(info, PayoutStatusChangedEventType.of, _only(filter), after=after)


def _only(given: PayoutEventFilterInput | None) -> EventFilter:
    if given is None:
        return EventFilter(feed=feeds.PAYOUTS)
    return EventFilter(
        subject_ids=frozenset(given.payout_ids or ()),
        statuses=frozenset(state.value for state in given.status or ()),
        feed=feeds.PAYOUTS,
    )
