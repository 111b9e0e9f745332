"""What happens to a person beside orders and money: limits, pauses, proofs of age."""

from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Any

import strawberry

from shoutgraph.api.graphql import enums, events, fields
from shoutgraph.api.graphql.context import Info
from shoutgraph.domain import feeds
from shoutgraph.services.events import EventFilter, Told


class Happened(StrEnum):
    """What happened to a user, as the journal says it."""

    AGE_ATTESTED = "age.attested"
    LIMITS_SET = "spending.limits_set"
    PAUSED = "spending.paused"
    EXCLUDED = "spending.excluded"
    REVIEW_ASKED = "spending.review_asked"
    REVIEW_CLEARED = "spending.review_cleared"
    PAYOUT_HOLD_PLACED = "payout_hold.placed"
    PAYOUT_HOLD_RELEASED = "payout_hold.released"
    TAX_PROFILE_SET = "tax.profile_set"
    CLOSURE_CHANGED = "closure.changed"


enums.describe(
    Happened,
    name="UserEventKind",
    description="What happened to a user; clients must accept values added later.",
    values={
        Happened.AGE_ATTESTED: "Somebody said when the user was born.",
        Happened.LIMITS_SET: "The user set limits.",
        Happened.PAUSED: "The user paused buying.",
        Happened.EXCLUDED: "The user excluded themselves.",
        Happened.REVIEW_ASKED: "The user's purchases wait for somebody's look.",
        Happened.REVIEW_CLEARED: "Somebody looked, and the user can buy again.",
        Happened.PAYOUT_HOLD_PLACED: "Somebody holds the user's payouts.",
        Happened.PAYOUT_HOLD_RELEASED: "Somebody released what they had held.",
        Happened.TAX_PROFILE_SET: "The user certified a tax profile.",
        Happened.CLOSURE_CHANGED: "The closure of the user's account went on: see viewer.closure.",
    },
)


@strawberry.type(name="UserChangedEvent", description="Something about a user changed.")
class UserChangedEventType(events.EventType):
    user_id: strawberry.ID = strawberry.field(description="Who.")
    kind: Happened = strawberry.field(description="What happened.")
    by: str | None = strawberry.field(description="Who of the platform did it; null for the user.")

    @classmethod
    def of(cls, told: Told) -> "UserChangedEventType":
        """The graph's view of a line of the journal."""
        event = told.event
        body: Any = event.body
        return cls(
            id=strawberry.ID(event.id),
            cursor=told.cursor,
            occurred_at=event.at,
            user_id=strawberry.ID(body["user"]),
            kind=Happened(event.type),
            by=body.get("by"),
        )


@strawberry.type
class UserEventQuery:
    @fields.resolver(
        description="What happened to the caller, or to anyone's for those who read finances: catch up by "
        "paging here, then subscribe after endCursor.",
        directives=events.PAGED,
    )
    async def user_events(
        self, info: Info, first: events.First = None, after: events.PageAfter = None
    ) -> events.EventConnectionType | None:
        only = EventFilter(feed=feeds.USERS)
        return await events.page(info, UserChangedEventType.of, only, first=first, after=after)


@strawberry.type
class UserEventSubscription:
    @fields.subscription(
        description="What happens to the caller after the cursor, the stored first, then live. At least "
        "once, in log order.",
        directives=events.FOLLOWED,
        shared=True,
    )
    def user_events(self, info: Info, after: events.After = None) -> AsyncIterator[UserChangedEventType]:
        return events.follow(info, UserChangedEventType.of, EventFilter(feed=feeds.USERS), after=after)
