"""A rating as the API shows it: its stars and words to everybody, whose it is to the two sides and staff."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import strawberry

from shoutgraph.api.graphql import loaders
from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.creators import CreatorType, fetch_creators
from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.domain.orders import rating as rules
from shoutgraph.domain.orders.rating import Decision, Rating
from shoutgraph.domain.users import Viewer
from shoutgraph.services.orders import ratings

_DECISIONS: Final = ListSize(assumed_size=rules.DECISIONS_MAX)


@strawberry.type(name="RatingDecision", description="What a moderator decided about a rating: a statement of reasons.")
class RatingDecisionType:
    hidden: bool = strawberry.field(description="Whether it was hidden; else it was restored.")
    reason: str = strawberry.field(description="Reason code.")
    note: str = strawberry.field(description="The statement of reasons.")
    decided_at: datetime = strawberry.field(description="When.")

    @classmethod
    def of(cls, decision: Decision) -> "RatingDecisionType":
        """The graph's view of a decision."""
        return cls(hidden=decision.hidden, reason=decision.reason, note=decision.note, decided_at=decision.at)


@strawberry.type(name="Rating", description="How a fan rated a delivered video, and what the creator replied.")
class RatingType(NodeType):
    value: strawberry.Private[Rating]
    revision: int = strawberry.field(description="Goes up by one at each change; send it as expectedRevision.")
    stars: int = strawberry.field(description="1 to 5.")
    opinion: str | None = strawberry.field(description="In words; null if there is none, or it was erased.")
    reply: str | None = strawberry.field(description="What the creator replied; null if nothing, or it was erased.")
    hidden: bool = strawberry.field(description="Whether a moderator hid it; then it does not count.")
    rated_at: datetime = strawberry.field(description="When.")
    edited_at: datetime | None = strawberry.field(description="When the fan last changed it.")
    editable_until: datetime = strawberry.field(description="Until when the fan may change it.")
    replied_at: datetime | None = strawberry.field(description="When the creator first replied.")
    reply_editable_until: datetime | None = strawberry.field(description="Until when the creator may change the reply.")
    order_id: strawberry.ID | None = strawberry.field(
        description="Which order, for its two sides and staff; its field rating leads back here."
    )

    @classmethod
    def of(cls, rating: Rating, viewer: Viewer) -> "RatingType":
        """The graph's view of a rating."""
        return cls(
            value=rating,
            id=strawberry.ID(rating.id),
            revision=rating.revision,
            stars=rating.stars,
            opinion=rating.opinion,
            reply=rating.reply,
            hidden=rating.hidden,
            rated_at=rating.created_at,
            edited_at=rating.edited_at,
            editable_until=rating.editable_until,
            replied_at=rating.replied_at,
            reply_editable_until=rating.reply_editable_until,
            order_id=strawberry.ID(rating.order_id) if rules.beside(rating, viewer) else None,
        )

    @loaders.batch(description="Who was rated; null once erased.")
    @staticmethod
    async def creator(parents: "list[RatingType]", context: Context) -> list[CreatorType | None]:
        return await fetch_creators(context, [parent.value.creator_id for parent in parents])

    @loaders.batch(
        description="What moderators decided about it, in order, for the two sides and staff.",
        directives=[_DECISIONS],
    )
    @staticmethod
    async def decisions(parents: "list[RatingType]", context: Context) -> list[list[RatingDecisionType]]:
        found = await ratings.list_decisions(context.tools, context.viewer, [parent.value for parent in parents])
        return [[RatingDecisionType.of(decision) for decision in of_one] for of_one in found]


async def fetch_ratings(context: Context, rating_ids: Sequence[str]) -> list[RatingType | None]:
    """Ratings by id, for `node` and for events."""
    found = await ratings.list_by_id(context.tools, context.viewer, rating_ids)
    return [None if rating is None else RatingType.of(rating, context.viewer) for rating in found]
