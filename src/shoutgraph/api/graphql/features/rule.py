"""The rules of the rollout as staff see them."""

from datetime import datetime

import strawberry

from shoutgraph.api.graphql.directives import ListSize
from shoutgraph.domain.features import Feature
from shoutgraph.services.features import Change, Listed

_COUNTRIES = [ListSize(assumed_size=20)]
_USERS = [ListSize(assumed_size=50)]


@strawberry.type(
    name="FeatureRule",
    description="For whom a part of the product is on. All conditions together, in the order: switch, lists of users, "
    "schedule, countries, share. A version never changes; a changed rule is the next one.",
)
class FeatureRuleType:
    id: strawberry.ID = strawberry.field(description="Global id, the same for all versions.")
    version: int = strawberry.field(description="Goes up by one at each change; send it as expectedVersion.")
    feature: Feature = strawberry.field(description="Which part.")
    provider: str | None = strawberry.field(description="Which way to buy coins; null for the whole feature.")
    enabled: bool = strawberry.field(description="False: it is off for everyone, whatever else is said.")
    share_basis_points: int = strawberry.field(
        description="Share of all people who have it, 0 to 10000. Who is in stays in when it is raised."
    )
    countries_on: list[str] | None = strawberry.field(
        description="The only countries that have it; null for all.", directives=_COUNTRIES
    )
    countries_off: list[str] = strawberry.field(description="Countries that do not have it.", directives=_COUNTRIES)
    allow_user_ids: list[strawberry.ID] = strawberry.field(
        description="Who has it whatever schedule, countries and share say.", directives=_USERS
    )
    deny_user_ids: list[strawberry.ID] = strawberry.field(description="Who does not have it.", directives=_USERS)
    starts_at: datetime | None = strawberry.field(description="From when it is on.")
    ends_at: datetime | None = strawberry.field(description="From when it is off again.")
    changed_at: datetime = strawberry.field(description="Since when there is this version.")
    changed_by: str = strawberry.field(description="Who made it: the id of a person, or the name of a tool.")
    reason: str = strawberry.field(description="Why, in their words.")

    @classmethod
    def of(cls, listed: Listed) -> "FeatureRuleType":
        """The graph's view of a version of a rule."""
        rule, terms = listed.rule, listed.rule.terms
        only = terms.countries_on
        return cls(
            id=strawberry.ID(rule.id),
            version=rule.version,
            feature=rule.feature,
            provider=rule.provider or None,
            enabled=terms.enabled,
            share_basis_points=terms.share_bps,
            countries_on=None if only is None else list(only),
            countries_off=list(terms.countries_off),
            allow_user_ids=[strawberry.ID(each) for each in listed.lists.allowed],
            deny_user_ids=[strawberry.ID(each) for each in listed.lists.denied],
            starts_at=terms.starts_at,
            ends_at=terms.ends_at,
            changed_at=rule.changed_at,
            changed_by=rule.changed_by,
            reason=rule.reason,
        )


@strawberry.type(name="FeatureChange", description="What somebody changed of a rule.")
class FeatureChangeType:
    feature: Feature = strawberry.field(description="Which part.")
    provider: str | None = strawberry.field(description="Which way to buy coins; null for the whole feature.")
    changed_at: datetime = strawberry.field(description="When.")
    changed_by: str = strawberry.field(description="Who: the id of a person, or the name of a tool.")
    reason: str = strawberry.field(description="Why, in their words.")
    before: FeatureRuleType | None = strawberry.field(description="The rule until then; null where there was none.")
    after: FeatureRuleType | None = strawberry.field(description="The rule from then on; null where it was removed.")

    @classmethod
    def of(cls, change: Change) -> "FeatureChangeType":
        """The graph's view of a change."""
        made = change.made
        return cls(
            feature=made.feature,
            provider=made.provider or None,
            changed_at=made.changed_at,
            changed_by=made.changed_by,
            reason=made.reason,
            before=None if change.before is None else FeatureRuleType.of(change.before),
            after=None if change.after is None else FeatureRuleType.of(change.after),
        )
