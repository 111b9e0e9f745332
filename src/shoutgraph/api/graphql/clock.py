"""The room of the clock: the server's time, and moving it in a test."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import errors, fields, mutations
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.domain.users import Scope
from shoutgraph.services import clock

TestClockAdvanceError = Annotated[
    errors.ForbiddenErrorType | errors.ValidationErrorType, failures_of("testClockAdvance")
]


@strawberry.input(description="Input of testClockAdvance.")
class TestClockAdvanceInput:
    seconds: int = strawberry.field(description="How far ahead, at most a year.")


@strawberry.type(description="Result of testClockAdvance.")
class TestClockAdvancePayload:
    now: datetime | None = mutations.outcome("The time now.")
    errors: list[TestClockAdvanceError] = mutations.refusals()


Advanced = Annotated[TestClockAdvanceInput, strawberry.argument(description="How far.")]


@strawberry.type
class ClockQuery:
    @fields.resolver(description="The time that deadlines go by, which a test clock may have moved.")
    def server_time(self, info: Info) -> datetime:
        return info.context.tools.clock()


@strawberry.type
class ClockMutation:
    @mutations.mutation(
        description="Moves a test deployment ahead in time; refused where time is real.",
        directives=[requires(Scope.ADMIN)],
    )
    async def test_clock_advance(self, info: Info, input: Advanced) -> TestClockAdvancePayload | None:
        now = await clock.advance(info.context.tools, info.context.viewer, input.seconds)
        return TestClockAdvancePayload(now=now)


ROOM: Final = Room(query=ClockQuery, mutation=ClockMutation)
