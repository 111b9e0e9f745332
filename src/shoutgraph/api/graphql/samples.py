"""Samples as the API shows them: the film and nothing of its order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import strawberry

from shoutgraph.api.graphql import enums
from shoutgraph.api.graphql.context import Context
from shoutgraph.api.graphql.node import NodeType
from shoutgraph.api.graphql.pages import Connection, connect
from shoutgraph.api.graphql.videos import VideoLinkType
from shoutgraph.domain import pages
from shoutgraph.domain.samples import SampleState
from shoutgraph.services.orders import show
from shoutgraph.services.orders.show import Shown

_SCOPE: Final = "samples"

enums.describe(
    SampleState,
    name="SampleStatus",
    description="Whether a sample shows.",
    values={
        SampleState.SHOWN: "Anybody may watch it.",
        SampleState.WITHDRAWN: "The creator took it away, or the fan no longer agrees.",
        SampleState.TAKEN_DOWN: "The platform took it down, for good.",
    },
)


@strawberry.type(
    name="Sample", description="A finished video on a creator's profile: nothing of its order but the film."
)
class SampleType(NodeType):
    status: SampleState = strawberry.field(description="Whether it shows.")
    published_at: datetime = strawberry.field(description="When it was last put on the profile.")
    reason: str | None = strawberry.field(description="Reason code of the platform, if it took it down.")
    note: str | None = strawberry.field(description="The platform's statement of reasons.")
    duration_milliseconds: int | None = strawberry.field(description="How long it runs.")
    width: int | None = strawberry.field(description="Pixels as shown.")
    height: int | None = strawberry.field(description="Pixels as shown.")
    watch: VideoLinkType | None = strawberry.field(
        description="Where anybody may watch it; null if it does not show, or its watermark is still being made."
    )
    poster: VideoLinkType | None = strawberry.field(description="A still picture of it.")

    @classmethod
    def of(cls, shown: Shown) -> "SampleType":
        """The graph's view of a sample."""
        sample, facts = shown.sample, shown.video.facts if shown.video else None
        return cls(
            id=strawberry.ID(sample.id),
            status=sample.state,
            published_at=sample.published_at,
            reason=sample.reason,
            note=sample.note,
            duration_milliseconds=facts.duration_ms if facts else None,
            width=facts.width_px if facts else None,
            height=facts.height_px if facts else None,
            watch=None if shown.watch is None else VideoLinkType.of(shown.watch),
            poster=None if shown.poster is None else VideoLinkType.of(shown.poster),
        )


def page_of(shown: Sequence[Shown], first: int | None, after: str | None) -> Connection[SampleType]:
    """A page of what a creator shows, which is little."""
    args = pages.read_args(scope=_SCOPE, first=first, after=after, kinds=(int, str))
    rest = [each for each in shown if args.key is None or _key_of(each) > args.key]
    page = pages.cut(rest[: args.size + 1], args, scope=_SCOPE, key_of=_key_of)
    return connect(page, SampleType.of)


def _key_of(shown: Shown) -> pages.Key:
    return (shown.sample.position, shown.sample.id)


async def fetch_samples(context: Context, sample_ids: Sequence[str]) -> list[SampleType | None]:
    """Samples by id: those that show for anybody, others for their creator and moderators."""
    found = await show.list_by_id(context.tools, context.viewer, sample_ids)
    return [None if shown is None else SampleType.of(shown) for shown in found]
