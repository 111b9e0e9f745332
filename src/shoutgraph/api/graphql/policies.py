"""Policies as the API shows them: any version, the list of all, and publishing the next."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import PAGED, ListSize, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.orders.policy import PolicyType, PolicyValueType
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import pages, publishing
from shoutgraph.domain.publishing import Change, Published
from shoutgraph.domain.users import Scope
from shoutgraph.services import policies

PolicyPublishError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.StaleRevisionErrorType
    | errors.ValidationErrorType,
    failures_of("policyPublish"),
]
Version = Annotated[int | None, strawberry.argument(description="Which version; the one in force where none is given.")]


@strawberry.type(name="PolicyVersion", description="A version of the policy, and how it came to be.")
class PolicyVersionType:
    policy: PolicyType = strawberry.field(description="The rules.")
    changed: list[str] = strawberry.field(
        description="The fields in which it differs from the version before.",
        directives=[ListSize(assumed_size=publishing.CHANGES_MAX)],
    )
    published_at: datetime | None = strawberry.field(description="When; null for the first one, which is code.")
    published_by: str | None = strawberry.field(description="Who published it.")
    reason: str | None = strawberry.field(description="Why.")

    @classmethod
    def of(cls, published: Published) -> "PolicyVersionType":
        """The graph's view of a version."""
        return cls(
            policy=PolicyType.of(published.policy),
            changed=list(published.changed),
            published_at=published.at,
            published_by=published.by,
            reason=published.reason,
        )


@strawberry.input(description="A field of the policy that changes.")
class PolicyChangeInput:
    name: str = strawberry.field(description="Which field, as policyValues names it.")
    value: str = strawberry.field(
        description="Its value: a whole number, true or false, a word, or a JSON object of whole numbers."
    )


@strawberry.input(description="Input of policyPublish.")
class PolicyPublishInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended version.")
    expected_version: int = strawberry.field(description="The version that you saw in force.")
    changes: list[PolicyChangeInput] = strawberry.field(description="What changes; all else stays.")
    reason: str = strawberry.field(
        description=f"Why, for whoever asks later; at most {publishing.REASON_CHARS_MAX} characters."
    )


@strawberry.type(description="Result of policyPublish.")
class PolicyPublishPayload:
    version: PolicyVersionType | None = mutations.outcome("The version that is in force now.")
    replayed: bool = mutations.replayed()
    errors: list[PolicyPublishError] = mutations.refusals()


Wanted = Annotated[PolicyPublishInput, strawberry.argument(description="What changes, and why.")]


@strawberry.type
class PolicyQuery:
    @fields.resolver(description="The rules in force, or any version of them.")
    async def policy(self, info: Info, version: Version = None) -> PolicyType | None:
        return PolicyType.of(await policies.get(info.context.tools, version))

    @fields.resolver(
        description="Every field of the rules by name, those that have no field of their own in Policy too.",
        directives=[ListSize(assumed_size=publishing.CHANGES_MAX)],
    )
    async def policy_values(self, info: Info, version: Version = None) -> list[PolicyValueType] | None:
        return PolicyValueType.of(await policies.get(info.context.tools, version))

    @fields.resolver(
        description="All versions of the rules, newest first, and who published them why.",
        directives=[PAGED, requires(Scope.FINANCE_READ)],
    )
    async def policies(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[PolicyVersionType] | None:
        scope = policies.SCOPE
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before, kinds=(int,))
        page = await policies.page(info.context.tools, info.context.viewer, args)
        return graph_pages.connect(page, PolicyVersionType.of)


@strawberry.type
class PolicyMutation:
    @mutations.mutation(
        description="Publishes the next version of the rules. It is in force at once, for what is agreed from now on.",
        directives=[requires(Scope.ADMIN)],
    )
    async def policy_publish(self, info: Info, input: Wanted) -> PolicyPublishPayload | None:
        viewer, tools = info.context.viewer, info.context.tools
        asked = request_of(viewer, "policyPublish", input)
        changes = tuple(Change(each.name, each.value) for each in input.changes)
        done = await policies.publish(
            tools, viewer, asked, policies.Wish(changes, input.expected_version, input.reason)
        )
        return PolicyPublishPayload(version=PolicyVersionType.of(done.value), replayed=done.replayed)


ROOM: Final = Room(query=PolicyQuery, mutation=PolicyMutation)
