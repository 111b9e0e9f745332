"""The room of the rollout: administrators set rules, read them and their history; everyone hears that they changed."""

from datetime import datetime
from typing import Annotated, Final

import strawberry

from shoutgraph.api.graphql import errors, fields, mutations, pages as graph_pages
from shoutgraph.api.graphql.context import Info
from shoutgraph.api.graphql.directives import PAGED, ListSize, requires
from shoutgraph.api.graphql.errors import failures_of
from shoutgraph.api.graphql.features.events import FeatureChangedEventType, FeatureEventQuery, FeatureEventSubscription
from shoutgraph.api.graphql.features.rule import FeatureChangeType, FeatureRuleType
from shoutgraph.api.graphql.pages import After, Before, Connection, First, Last
from shoutgraph.api.graphql.request import request_of
from shoutgraph.api.graphql.room import Room
from shoutgraph.api.graphql.scalars import IdempotencyKey
from shoutgraph.domain import money, pages
from shoutgraph.domain.features import LISTED_MAX, RULES_MAX, WHOLE, Feature, Lists, Terms
from shoutgraph.domain.users import Scope
from shoutgraph.services import features
from shoutgraph.services.features import Listed, Wish

_ADMIN = [requires(Scope.ADMIN)]
_EXPECTED: Final = "Version the caller read, 0 where there never was a rule; null gives up the check."
_PROVIDER: Final = "Which way to buy coins, the code of topUpProviders; only with TOPUPS. Null for the whole feature."
KINDS: Final = (int, str, int)
"""The types of the history's key, so that a cursor made by hand is refused."""

FeatureRuleSetError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.StaleRevisionErrorType
    | errors.ValidationErrorType,
    failures_of("featureRuleSet"),
]
FeatureRuleRemoveError = Annotated[
    errors.ForbiddenErrorType
    | errors.IdempotencyKeyReusedErrorType
    | errors.NotFoundErrorType
    | errors.StaleRevisionErrorType
    | errors.ValidationErrorType,
    failures_of("featureRuleRemove"),
]


@strawberry.input(description="Input of featureRuleSet: the whole rule. A condition that is left out is none.")
class FeatureRuleSetInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended change.")
    feature: Feature = strawberry.field(description="Which part of the product.")
    reason: str = strawberry.field(description="Why; it stays in the history.")
    provider: str | None = strawberry.field(default=None, description=_PROVIDER)
    enabled: bool = strawberry.field(default=True, description="False: off for everyone, whatever else is said.")
    share_basis_points: int = strawberry.field(default=money.BPS, description="Share of all people, 0 to 10000.")
    countries_on: list[str] | None = strawberry.field(
        default=None, description="The only countries that have it; ZZ are people whose country nobody knows."
    )
    countries_off: list[str] | None = strawberry.field(default=None, description="Countries without it.")
    allow_user_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Who has it whatever schedule, countries and share say."
    )
    deny_user_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description=f"Who does not have it; {LISTED_MAX} people on both lists at most."
    )
    starts_at: datetime | None = strawberry.field(default=None, description="From when it is on.")
    ends_at: datetime | None = strawberry.field(default=None, description="From when it is off again.")
    expected_version: int | None = strawberry.field(default=None, description=_EXPECTED)

    def read(self) -> Wish:
        """The rule that this input describes."""
        only = self.countries_on
        terms = Terms(
            enabled=self.enabled,
            share_bps=self.share_basis_points,
            countries_on=None if only is None else tuple(only),
            countries_off=tuple(self.countries_off or ()),
            starts_at=self.starts_at,
            ends_at=self.ends_at,
        )
        lists = Lists(tuple(self.allow_user_ids or ()), tuple(self.deny_user_ids or ()))
        return Wish(self.feature, self.provider or WHOLE, terms, lists, self.reason, self.expected_version)


@strawberry.type(description="Result of featureRuleSet.")
class FeatureRuleSetPayload:
    rule: FeatureRuleType | None = mutations.outcome("The rule that is in force now.")
    replayed: bool = mutations.replayed()
    errors: list[FeatureRuleSetError] = mutations.refusals()


@strawberry.input(description="Input of featureRuleRemove.")
class FeatureRuleRemoveInput:
    idempotency_key: IdempotencyKey = strawberry.field(description="One key per intended change.")
    feature: Feature = strawberry.field(description="Which part of the product.")
    reason: str = strawberry.field(description="Why; it stays in the history.")
    provider: str | None = strawberry.field(default=None, description=_PROVIDER)
    expected_version: int | None = strawberry.field(default=None, description=_EXPECTED)


@strawberry.type(description="Result of featureRuleRemove.")
class FeatureRuleRemovePayload:
    feature: Feature | None = mutations.outcome("What is on for everyone again.")
    replayed: bool = mutations.replayed()
    errors: list[FeatureRuleRemoveError] = mutations.refusals()


@strawberry.type
class FeatureQuery(FeatureEventQuery):
    @fields.resolver(
        description="Every rule in force; what has none is on for everyone.",
        directives=[*_ADMIN, ListSize(assumed_size=RULES_MAX)],
    )
    async def feature_rules(self, info: Info) -> list[FeatureRuleType] | None:
        found = await features.list_rules(info.context.tools, info.context.viewer)
        return [FeatureRuleType.of(each) for each in found]

    @fields.resolver(
        description="Everything that was ever changed of rules, the newest first.", directives=[*_ADMIN, PAGED]
    )
    async def feature_changes(
        self,
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        feature: Annotated[Feature | None, strawberry.argument(description="Of which part; null for all.")] = None,
    ) -> Connection[FeatureChangeType] | None:
        scope = features.scope_of_changes(feature)
        args = pages.read_args(scope=scope, first=first, after=after, last=last, before=before, kinds=KINDS)
        page = await features.changes(info.context.tools, info.context.viewer, args, feature)
        return graph_pages.connect(page, FeatureChangeType.of)


@strawberry.type
class FeatureMutation:
    @mutations.mutation(
        description="Says for whom a part of the product is on, from now on and in every process. What is open already "
        "goes on.",
        directives=_ADMIN,
    )
    async def feature_rule_set(
        self, info: Info, input: Annotated[FeatureRuleSetInput, strawberry.argument(description="The whole rule.")]
    ) -> FeatureRuleSetPayload | None:
        tools, viewer = info.context.tools, info.context.viewer
        done = await features.set_rule(tools, viewer, request_of(viewer, "featureRuleSet", input), input.read())
        (lists,) = await features.lists_of(tools, viewer, [done.value])
        return FeatureRuleSetPayload(rule=FeatureRuleType.of(Listed(done.value, lists)), replayed=done.replayed)

    @mutations.mutation(description="Ends a rule: that part is on for everyone again.", directives=_ADMIN)
    async def feature_rule_remove(
        self, info: Info, input: Annotated[FeatureRuleRemoveInput, strawberry.argument(description="Which rule.")]
    ) -> FeatureRuleRemovePayload | None:
        tools, viewer = info.context.tools, info.context.viewer
        wish = Wish(input.feature, input.provider or WHOLE, Terms(), Lists(), input.reason, input.expected_version)
        done = await features.remove_rule(tools, viewer, request_of(viewer, "featureRuleRemove", input), wish)
        return FeatureRuleRemovePayload(feature=done.value.feature, replayed=done.replayed)


ROOM: Final = Room(
    query=FeatureQuery,
    mutation=FeatureMutation,
    subscription=FeatureEventSubscription,
    types=(FeatureChangedEventType,),
)
