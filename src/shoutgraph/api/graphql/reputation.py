"""What a creator is known for, with the samples that each figure is made of."""

from datetime import datetime

import strawberry

from shoutgraph.api.graphql import enums
from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.domain.reputation import WINDOW_DAYS, Badge, Rate, Reputation, start_of

enums.describe(
    Badge,
    name="ReputationBadge",
    description="What the figures of a creator earn them; clients must accept values added later.",
    values={
        Badge.FAST_RESPONDER: "Answers requests in a day on average, or as the policy says; lapsed ones count in full.",
        Badge.ALWAYS_ON_TIME: "Delivered every video in time, or as many as the policy says.",
        Badge.TOP_RATED: "Rated 4.8 stars by 10 fans, and completes 95 orders of 100, or as the policy says.",
    },
)


@strawberry.type(name="ReputationRate", description="So many of so many, over the window.")
class ReputationRateType:
    share_basis_points: int | None = strawberry.field(
        description="The share, rounded down; null while the sample is smaller than sampleMinCount."
    )
    count: int = strawberry.field(description="How many it was.")
    sample_count: int = strawberry.field(description="Of how many.")

    @classmethod
    def of_rate(cls, rate: Rate) -> "ReputationRateType":
        """The graph's view of a rate."""
        return cls(share_basis_points=rate.bps, count=rate.count, sample_count=rate.of)


@strawberry.type(
    name="Reputation",
    description=f"A creator's last {WINDOW_DAYS} days, by the journal. What the platform, the fan or a provider caused "
    "counts neither for nor against them, nor does the time that a video waits for its review.",
)
class ReputationType:
    counted_since: datetime = strawberry.field(
        description="When the window begins, a midnight in UTC; it moves every day."
    )
    new: bool = strawberry.field(
        description="Whether fewer than sampleMinCount requests were asked: too little is known."
    )
    sample_min_count: int = strawberry.field(description="How many of a kind are needed before a figure is shown.")
    response_time_seconds: int | None = strawberry.field(
        description="Mean time to accept or decline; a request that lapsed counts with all of its time. Null if new."
    )
    request_count: int = strawberry.field(description="Requests that were answered, or lapsed: the sample of the mean.")
    acceptance: ReputationRateType = strawberry.field(description="Accepted, of those requests.")
    on_time: ReputationRateType = strawberry.field(
        description="Videos handed in within the time to deliver, agreed extensions included, of those that were due."
    )
    completion: ReputationRateType = strawberry.field(
        description="Completed, of the accepted orders that ended. Against it: withdrawn, never delivered, refused in "
        "review, and refunded after a redo or a dispute."
    )
    redo: ReputationRateType = strawberry.field(description="Redos that were asked for, of the videos delivered.")
    badges: list[Badge] = strawberry.field(
        description="What these figures earn.", directives=[ListSize(assumed_size=len(Badge))]
    )

    @classmethod
    def of(cls, known: Reputation) -> "ReputationType":
        """The graph's view of a reputation."""
        rate = ReputationRateType.of_rate
        return cls(
            counted_since=start_of(known.since),
            new=known.new,
            sample_min_count=known.sample_min,
            response_time_seconds=known.response_s,
            request_count=known.counts.asked,
            acceptance=rate(known.acceptance),
            on_time=rate(known.on_time),
            completion=rate(known.completion),
            redo=rate(known.redo),
            badges=list(known.badges),
        )
