"""Suspense, as the API shows it to finance: lines of providers that no transfer explains, and two people."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import enums, errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import PAGED, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.money import MoneyType
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import pages
from shoutgraph.domain.suspense import Line, SuspenseState
from shoutgraph.domain.users import Scope
from shoutgraph.services.money import suspense
from shoutgraph.services.money.suspense import Wish

_DECIDES: Final = (requires(Scope.FINANCE_MANAGE),)
_SEEN: Final = "The line's revision as it was read; without it nothing is confirmed."
_REVISION: Final = "The line's revision as it was read; null gives up the check."

enums.describe(
    SuspenseState,
    name="SuspenseStatus",
    description="Where a line of a provider stands that no transfer explains.",
    values={
        SuspenseState.OPEN: "It is in suspense, and nobody said where it belongs.",
        SuspenseState.PROPOSED: "It is in suspense; one person said where it belongs.",
        SuspenseState.PLACED: "Two people said where it belongs; it is there.",
        SuspenseState.CLEARED: "The event that explains it was booked, or the provider says another amount.",
    },
)


@strawberry.type(name="SuspenseLine", description="What a provider moved and no transfer explained when it was found.")
class SuspenseLineType:
    id: strawberry.ID = strawberry.field(description="Names the line; it is not a node.")
    revision: int = strawberry.field(description="Grows with every change; say it with expectedRevision.")
    status: SuspenseState = strawberry.field(description="Where it stands.")
    provider: str = strawberry.field(description="At which provider.")
    line: str = strawberry.field(description="How the line is called there, once and for ever.")
    reference: str | None = strawberry.field(description="The provider's own name of what moved.")
    amount: MoneyType = strawberry.field(description="What moved: in above zero, out below.")
    made_at: datetime = strawberry.field(description="When the provider made what moved.")
    found_at: datetime = strawberry.field(description="When we found it; its age counts from here.")
    age_seconds: int = strawberry.field(description="How long it has been unexplained, or was until it ended.")
    place: str | None = strawberry.field(
        description="Where it is said to belong, by its name in the chart of accounts."
    )
    reason: str | None = strawberry.field(description="Why.")
    proposed_by: str | None = strawberry.field(description="Who said so.")
    proposed_at: datetime | None = strawberry.field(description="When.")
    decided_by: str | None = strawberry.field(description="Who confirmed it.")
    ended_at: datetime | None = strawberry.field(description="When it left suspense.")
    alerted_at: datetime | None = strawberry.field(description="When people were called, after a day.")

    @classmethod
    def of(cls, line: Line, now: datetime) -> "SuspenseLineType":
        """The graph's view of a line."""
        return cls(
            id=strawberry.ID(line.id),
            revision=line.revision,
            status=line.state,
            provider=line.instance,
            line=line.line_id,
            reference=line.ref,
            amount=MoneyType.of(line.amount),
            made_at=line.made_at,
            found_at=line.found_at,
            age_seconds=max(int(line.age(now).total_seconds()), 0),
            place=line.account,
            reason=line.reason,
            proposed_by=line.proposed_by,
            proposed_at=line.proposed_at,
            decided_by=line.decided_by,
            ended_at=line.ended_at,
            alerted_at=line.alerted_at,
        )


_Refusal = (
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.StaleRevisionErrorType
    | errors.ValidationErrorType
)
SuspenseProposeError = Annotated[_Refusal, failures_of("suspensePropose")]
SuspenseConfirmError = Annotated[_Refusal, failures_of("suspenseConfirm")]
SuspenseRejectError = Annotated[_Refusal, failures_of("suspenseReject")]


@strawberry.input(description="Input of suspensePropose.")
class SuspenseProposeInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended proposal.")
    suspense_line_id: strawberry.ID = strawberry.field(description="Which line.")
    place: str = strawberry.field(
        description="Where it belongs: rev:…, exp:…, cash:bank or cash:transit with the line's currency, such as"
        " exp:psp:EUR; or user:…:debt, which it pays."
    )
    reason: str = strawberry.field(description="Why.")
    expected_revision: int | None = strawberry.field(default=None, description=_REVISION)

    def read(self) -> Wish:
        """Which line, and what of it."""
        return Wish(self.suspense_line_id, self.expected_revision, self.place, self.reason)


@strawberry.type(description="Result of suspensePropose.")
class SuspenseProposePayload:
    suspense_line: SuspenseLineType | None = mutations.outcome("Its line, with what was proposed.")
    replayed: bool = mutations.replayed()
    errors: list[SuspenseProposeError] = mutations.refusals()


@strawberry.input(description="Input of suspenseConfirm.")
class SuspenseConfirmInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    suspense_line_id: strawberry.ID = strawberry.field(description="Which line.")
    expected_revision: int | None = strawberry.field(default=None, description=_SEEN)

    def read(self) -> Wish:
        """Which line, and what of it."""
        return Wish(self.suspense_line_id, self.expected_revision)


@strawberry.type(description="Result of suspenseConfirm.")
class SuspenseConfirmPayload:
    suspense_line: SuspenseLineType | None = mutations.outcome("The line, which is where it belongs.")
    replayed: bool = mutations.replayed()
    errors: list[SuspenseConfirmError] = mutations.refusals()


@strawberry.input(description="Input of suspenseReject.")
class SuspenseRejectInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended decision.")
    suspense_line_id: strawberry.ID = strawberry.field(description="Which line.")
    expected_revision: int | None = strawberry.field(default=None, description=_REVISION)

    def read(self) -> Wish:
        """Which line, and what of it."""
        return Wish(self.suspense_line_id, self.expected_revision)


@strawberry.type(description="Result of suspenseReject.")
class SuspenseRejectPayload:
    suspense_line: SuspenseLineType | None = mutations.outcome("The line, which waits on.")
    replayed: bool = mutations.replayed()
    errors: list[SuspenseRejectError] = mutations.refusals()


Proposed = Annotated[SuspenseProposeInput, strawberry.argument(description="Which line, where to and why.")]
Confirmed = Annotated[SuspenseConfirmInput, strawberry.argument(description="Which line.")]
Rejected = Annotated[SuspenseRejectInput, strawberry.argument(description="Which line.")]
Status = Annotated[SuspenseState | None, strawberry.argument(description="Those that stand so; all if not given.")]


@strawberry.type
class SuspenseQuery:
    @fields.resolver(
        description="Lines of providers that no transfer explained, newest first.",
        directives=[PAGED, requires(Scope.FINANCE_READ)],
    )
    async def suspense_lines(
        self,
        info: Info,
        status: Status = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[SuspenseLineType] | None:
        tools, scope = info.context.tools, suspense.scope_of(status)
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before)
        page = await suspense.page(tools, info.context.viewer, args, status)
        now = tools.clock()
        return graph_pages.connect(page, lambda line: SuspenseLineType.of(line, now))


@strawberry.type
class SuspenseMutation:
    @mutations.mutation(
        description="Proposes where a line belongs; nothing moves until another person confirms it.",
        directives=_DECIDES,
    )
    async def suspense_propose(self, info: Info, input: Proposed) -> SuspenseProposePayload | None:
        tools, viewer = info.context.tools, info.context.viewer
        asked = request_of(viewer, "suspensePropose", input)
        done = await suspense.propose(tools, viewer, asked, input.read())
        told = SuspenseLineType.of(done.value, tools.clock())
        return SuspenseProposePayload(suspense_line=told, replayed=done.replayed)

    @mutations.mutation(
        description="Confirms where another person said that a line belongs; it goes there at once.",
        directives=_DECIDES,
    )
    async def suspense_confirm(self, info: Info, input: Confirmed) -> SuspenseConfirmPayload | None:
        tools, viewer = info.context.tools, info.context.viewer
        asked = request_of(viewer, "suspenseConfirm", input)
        done = await suspense.confirm(tools, viewer, asked, input.read())
        told = SuspenseLineType.of(done.value, tools.clock())
        return SuspenseConfirmPayload(suspense_line=told, replayed=done.replayed)

    @mutations.mutation(
        description="Rejects what was proposed of a line, or takes it back; the line waits on.", directives=_DECIDES
    )
    async def suspense_reject(self, info: Info, input: Rejected) -> SuspenseRejectPayload | None:
        tools, viewer = info.context.tools, info.context.viewer
        asked = request_of(viewer, "suspenseReject", input)
        done = await suspense.reject(tools, viewer, asked, input.read())
        told = SuspenseLineType.of(done.value, tools.clock())
        return SuspenseRejectPayload(suspense_line=told, replayed=done.replayed)


ROOM: Final = Room(query=SuspenseQuery, mutation=SuspenseMutation)
