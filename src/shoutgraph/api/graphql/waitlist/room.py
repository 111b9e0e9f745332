"""The room of waiting lists: joining, leaving, the line, and the feed."""

from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import PAGED
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.waitlist.entry import WaitlistEntryType, fetch_entries
from shoutgraph.api.graphql.waitlist.events import (
    WaitlistChangedEventType,
    WaitlistEventQuery,
    WaitlistEventSubscription,
)
from shoutgraph.domain import ids, pages
from shoutgraph.services.orders import wait, waiting

WaitlistJoinError = Annotated[
    errors.CreatorUnavailableErrorType
    | errors.FeatureUnavailableErrorType
    | errors.ForbiddenErrorType
    | errors.LimitExceededErrorType
    | errors.NotFoundErrorType
    | errors.ValidationErrorType,
    failures_of("waitlistJoin"),
]
WaitlistLeaveError = Annotated[
    errors.ForbiddenErrorType | errors.NotFoundErrorType | errors.ValidationErrorType, failures_of("waitlistLeave")
]


@strawberry.input(description="Input of waitlistJoin.")
class WaitlistJoinInput:
    offer_id: strawberry.ID = strawberry.field(description="What to order once there is a place; it names the creator.")


@strawberry.type(description="Result of waitlistJoin.")
class WaitlistJoinPayload:
    entry: WaitlistEntryType | None = mutations.outcome("The caller's place in line, the one they had if they did.")
    errors: list[WaitlistJoinError] = mutations.refusals()


@strawberry.input(description="Input of waitlistLeave.")
class WaitlistLeaveInput:
    waitlist_entry_id: strawberry.ID = strawberry.field(description="Which line, by the caller's entry in it.")


@strawberry.type(description="Result of waitlistLeave.")
class WaitlistLeavePayload:
    entry: WaitlistEntryType | None = mutations.outcome("The entry, out of the line.")
    errors: list[WaitlistLeaveError] = mutations.refusals()


@strawberry.type
class WaitlistQuery(WaitlistEventQuery):
    @fields.resolver(
        description="A creator's line, who was offered a place first: the caller's own, or anyone's for staff.",
        directives=[PAGED],
    )
    async def waitlist(
        self,
        info: Info,
        creator_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Whose; the caller's own if not given.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[WaitlistEntryType] | None:
        context = info.context
        asked = None if creator_id is None else ids.parse(ids.CREATOR, creator_id, path=("creatorId",))
        of = waiting.whose(context.viewer, asked)
        args = pages.read_args(
            scope=waiting.scope_of(of), first=first, after=after, last=last, before=before, kinds=(str, int)
        )
        return graph_pages.connect(await waiting.line(context.tools, context.viewer, of, args), WaitlistEntryType.of)


@strawberry.type
class WaitlistMutation:
    @mutations.mutation(
        description="Joins the line of a creator who has no place, or is on a break. Nothing is paid; a repeat finds "
        "the caller in line. The first in line is offered a place as soon as there is one."
    )
    async def waitlist_join(
        self, info: Info, input: Annotated[WaitlistJoinInput, strawberry.argument(description="For what.")]
    ) -> WaitlistJoinPayload | None:
        offer_id = ids.parse(ids.OFFER, input.offer_id, path=("input", "offerId"))
        entry = await wait.join(info.context.tools, info.context.viewer, offer_id)
        return WaitlistJoinPayload(entry=WaitlistEntryType.of(entry))

    @mutations.mutation(description="Leaves a line, or declines the place that is offered: it goes to the next one.")
    async def waitlist_leave(
        self, info: Info, input: Annotated[WaitlistLeaveInput, strawberry.argument(description="Which line.")]
    ) -> WaitlistLeavePayload | None:
        entry_id = ids.parse(ids.WAITLIST, input.waitlist_entry_id, path=("input", "waitlistEntryId"))
        entry = await wait.leave(info.context.tools, info.context.viewer, entry_id)
        return WaitlistLeavePayload(entry=WaitlistEntryType.of(entry))


ROOM: Final = Room(
    query=WaitlistQuery,
    mutation=WaitlistMutation,
    subscription=WaitlistEventSubscription,
    nodes={ids.WAITLIST: fetch_entries},
    types=(WaitlistChangedEventType,),
)
