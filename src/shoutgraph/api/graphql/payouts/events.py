"""Payout events: the same journal as a subscription that resumes and as pages."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import strawberry

from shoutgraph.api.graphql import fields, loaders
from shoutgraph.api.graphql.context import Context, Info
from shoutgraph.api.graphql.directives import Cost, ListSize
from shoutgraph.api.graphql.events import PAGE_MAX, After, EventConnectionType, EventType, connect, size_of
from shoutgraph.api.graphql.payouts.payout import PayoutType, fetch_payouts
from shoutgraph.domain import feeds
from shoutgraph.domain.payouts import PayoutState
from shoutgraph.services import events
from shoutgraph.services.events import EventFilter, Told


@strawberry.type(
    name="PayoutStatusChangedEvent",
    description="A payout changed; where previousStatus equals status, something else about it did.",
)
class PayoutStatusChangedEventType(EventType):
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
        directives=[ListSize(slicing_arguments=["first"], sized_fields=["edges", "nodes"])],
    )
    async def payout_events(
        self,
        info: Info,
        first: Annotated[int | None, strawberry.argument(description=f"Page size, at most {PAGE_MAX}.")] = None,
        after: Annotated[
            str | None, strawberry.argument(description="Page after this cursor; null: the start.")
        ] = None,
        filter: Filter = None,
    ) -> EventConnectionType | None:
        context, size = info.context, size_of(first)
        page = await events.page(context.tools, context.viewer, after=after, size=size, only=_only(filter))
        return connect(page, PayoutStatusChangedEventType.of, after=after)


@strawberry.type
class PayoutEventSubscription:
    @fields.subscription(
        description="Events of the calling creator's payouts after the cursor, the stored ones first, then live. At "
        "least once, in log order.",
        directives=[Cost(weight="20")],
        shared=True,
    )
    async def payout_events(
        self, info: Info, after: After = None, filter: Filter = None
    ) -> AsyncIterator[PayoutStatusChangedEventType]:
        context = info.context
        stream = events.follow(context.tools, context.viewer, after=context.last_event_id or after, only=_only(filter))
        async for told in stream:
            yield PayoutStatusChangedEventType.of(told)


def _only(given: PayoutEventFilterInput | None) -> EventFilter:
    if given is None:
        return EventFilter(feed=feeds.PAYOUTS)
    return EventFilter(
        subject_ids=frozenset(given.payout_ids or ()),
        statuses=frozenset(state.value for state in given.status or ()),
        feed=feeds.PAYOUTS,
    )
